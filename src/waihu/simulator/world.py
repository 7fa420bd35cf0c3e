"""A virtual world: store, switch, carriers, people, and one or more engines, all on one timeline."""

from collections.abc import Mapping, Sequence

from waihu.domain.campaign import CampaignPlan, CampaignState
from waihu.domain.contact import DueContact
from waihu.domain.ids import CampaignId, Instant, TrunkId
from waihu.ports.carrier import Trunk
from waihu.ports.dialing_store import TrunkLimits
from waihu.simulator.carriers import Carrier, Switch, Witness
from waihu.simulator.node import LeaseTerms, Node
from waihu.simulator.people import Population
from waihu.simulator.store import MemoryStore
from waihu.simulator.timeline import Timeline
from waihu.simulator.weather import Storm

_RESTARTS_AFTER_MS = 3_000


class World:
    """A world in fine weather with one engine, unless `terms` and `storm` say otherwise.

    Users change it with the methods below; the engines hear of each change a moment later.
    """

    def __init__(
        self,
        timeline: Timeline,
        store: MemoryStore,
        people: Population,
        carriers: Mapping[TrunkId, Carrier],
        seed: int,
        *,
        witnesses: Sequence[Witness] = (),
        zone: str = "Asia/Shanghai",
        terms: LeaseTerms | None = None,
        storm: Storm | None = None,
    ) -> None:
        self.timeline = timeline
        self.store = store
        self.switch = Switch(timeline, people, carriers, seed, witnesses, zone)
        self.nodes: list[Node] = []
        self._terms = terms
        self._storm = storm
        self._down: set[TrunkId] = set()

    @property
    def steps(self) -> int:
        """Events that the cores have been told."""
        return sum(node.steps for node in self.nodes)

    def start_node(self, name: str) -> Node:
        node = Node(name, self.store, self.switch, self.timeline, self._terms, self._storm, self._bring_back)
        self.nodes.append(node)
        for trunk in sorted(self._down):
            node.trunk_is((trunk, False))
        node.look()
        node.keep()
        return node

    def add_trunk(self, trunk: TrunkId, channels: int, cps: float) -> None:
        """Adds a trunk, or changes its limits. Its carrier was given when the world was made."""
        self.store.add_trunk(TrunkLimits(Trunk(trunk, "carrier.invalid"), channels, cps))
        self.tell_all()

    def set_trunk_up(self, trunk: TrunkId, up: bool) -> None:
        """The trunk's carrier goes away or comes back; engines hear of it a moment later."""
        self.switch.set_up(trunk, up)
        self._down = self._down - {trunk} if up else self._down | {trunk}
        for node in self.nodes:
            self.timeline.after(50, node.trunk_is, (trunk, up))

    def restart_switch(self) -> None:
        """The switch dies and comes back: its calls vanish, and engines ask after them."""
        self.switch.restart()
        for node in self.nodes:
            self.timeline.after(1_000, node.switch_is_back)

    def add_campaign(self, plan: CampaignPlan, contacts: Sequence[DueContact]) -> None:
        self.store.add_campaign(plan)
        self.store.add_contacts(plan.id, contacts)
        self.tell_all()

    def change_plan(self, plan: CampaignPlan) -> None:
        self.store.change_plan(plan)
        self.tell_all()

    def set_state(self, campaign: CampaignId, state: CampaignState) -> None:
        self.store.set_state(campaign, state)
        self.tell_all()

    def tell_all(self) -> None:
        """A hint to all engines that the store's world has changed."""
        for node in self.nodes:
            if node.alive:
                self.timeline.after(5, node.look)

    def run(self, end: Instant) -> None:
        self.timeline.run(end)

    def _bring_back(self, dead: Node) -> None:
        self.timeline.after(_RESTARTS_AFTER_MS, self.start_node, dead.name)
