"""The dialing store in memory, for virtual worlds: the port's rules (`ports/dialing_store.py`) without its waiting.

Method names and argument order are the port's. `leases.py` shares out capacity. A world prepares and changes it
with the methods after `bury`, as users do through the API.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, auto
from heapq import heapify, heappop, heappush
from zoneinfo import ZoneInfo

from waihu.dialing.events import AttemptRefused, ContactsClaimed, Refusal
from waihu.dialing.records import (
    AttemptAnswered,
    AttemptClosed,
    AttemptPlanned,
    AttemptWithdrawn,
    CampaignCompleted,
    CampaignPaused,
    CampaignPhased,
    ContactFinished,
    ContactHeld,
    ContactReleased,
    Record,
)
from waihu.dialing.resources import of_campaign, of_share, of_trunk
from waihu.domain.campaign import CampaignPlan, CampaignState, PauseReason, Phase
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, NodeId, TrunkId
from waihu.domain.outcome import Ending, Outcome
from waihu.ports.dialing_store import Demand, Grant, NodeBuried, OpenAttempt, TrunkLimits, World
from waihu.simulator.leases import LeaseBook, Limits

_NEW, _HELD = 0, 1

_OPEN_HOLD_MS = 5 * 60_000
"""How soon a contact whose hold names no end is looked at again: somebody may have acted."""

_NOTHING = Limits(0, None)


class AttemptState(Enum):
    PLANNED = auto()
    ANSWERED = auto()
    CLOSED = auto()
    WITHDRAWN = auto()


@dataclass(slots=True)
class ContactRow:
    """A contact and its place in the queue. `lane` and `rank` order it there; `node` has claimed it."""

    id: ContactId
    campaign: CampaignId
    phone: str
    zone: str | None
    rank: int
    lane: int = _NEW
    node: NodeId | None = None
    attempts: int = 0
    tries: int = 0
    finished: bool = False
    outcome: Outcome | None = None
    hold: Hold | None = None


@dataclass(slots=True)
class AttemptRow:
    id: AttemptId
    contact: ContactId
    campaign: CampaignId
    node: NodeId
    phone: str
    account: AccountId
    day: date
    planned_at: Instant
    """When the plan was committed, by the store's clock."""
    state: AttemptState = AttemptState.PLANNED
    outcome: Outcome | None = None
    ending: Ending | None = None
    closed_at: Instant | None = None

    @property
    def is_open(self) -> bool:
        return self.state is AttemptState.PLANNED or self.state is AttemptState.ANSWERED


@dataclass(slots=True)
class CampaignRow:
    plan: CampaignPlan
    state: CampaignState
    pause_reason: PauseReason | None = None
    phase: Phase | None = None
    hold: Hold | None = None
    unfinished: int = 0
    arrivals: int = 0
    lanes: tuple[list[tuple[int, ContactId]], list[tuple[int, ContactId]]] = field(default_factory=lambda: ([], []))
    """Heaps of (rank, contact). Entries that no longer match the contact's row are skipped."""


@dataclass(slots=True)
class NodeRow:
    """`over`: it left, was replaced, or was declared dead. `settled`: it owns nothing any more."""

    name: str
    beat_at: Instant
    over: bool = False
    settled: bool = False
    open_attempts: set[AttemptId] = field(default_factory=set)


class MemoryStore:
    """Truth of a virtual world. `clock` is its own, for leases and for when things were committed."""

    def __init__(self, clock: Callable[[], Instant]) -> None:
        self.campaigns: dict[CampaignId, CampaignRow] = {}
        self.contacts: dict[ContactId, ContactRow] = {}
        self.attempts: dict[AttemptId, AttemptRow] = {}
        self.nodes: dict[NodeId, NodeRow] = {}
        self.trunks: dict[TrunkId, TrunkLimits] = {}
        self.do_not_call: dict[tuple[AccountId, str], Instant] = {}
        self._calls: defaultdict[tuple[AccountId, date], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._leases = LeaseBook()
        self._clock = clock
        self._apply = {
            AttemptAnswered: self._answer,
            AttemptClosed: self._close,
            AttemptWithdrawn: self._withdraw,
            ContactHeld: self._hold,
            ContactReleased: self._release,
            ContactFinished: self._finish_without_call,
            CampaignPhased: self._phase,
            CampaignCompleted: self._complete,
            CampaignPaused: self._pause,
        }

    # The port.

    def join(self, name: str, now: Instant) -> NodeId:
        for row in self.nodes.values():
            row.over |= row.name == name
        node = NodeId(len(self.nodes) + 1)
        self.nodes[node] = NodeRow(name, now)
        return node

    def beat(self, node: NodeId, now: Instant) -> None:
        if self._is_over(node):
            raise NodeBuried
        self.nodes[node].beat_at = now

    def leave(self, node: NodeId, now: Instant) -> None:
        assert not self.nodes[node].open_attempts, "a node leaves after its last call"
        self.nodes[node].over = True
        self._leases.give_up(node, self._clock())
        self._settle(node)

    def world(self) -> World:
        running = [row for row in self.campaigns.values() if row.state is CampaignState.RUNNING]
        return World(
            plans=[row.plan for row in running],
            trunks=list(self.trunks.values()),
            arrivals={row.plan.id: row.arrivals for row in running},
        )

    def claim(self, node: NodeId, campaign: CampaignId, count: int, new_first: bool, now: Instant) -> ContactsClaimed:
        row = self.campaigns[campaign]
        taken: list[ContactRow] = []
        if row.state is CampaignState.RUNNING and not self._is_over(node):
            for lane in (_NEW, _HELD) if new_first else (_HELD, _NEW):
                self._take(row, lane, count, now, taken)
        for contact in taken:
            contact.node = node
        return ContactsClaimed(campaign, self._due(row, taken, now), self._next_due_at(row, now), row.unfinished > 0)

    def commit(self, node: NodeId, records: Sequence[Record], now: Instant) -> Sequence[AttemptRefused]:
        refused: list[AttemptRefused] = []
        for record in records:
            if type(record) is AttemptPlanned:
                refusal = self._plan(node, record)
                if refusal is not None:
                    refused.append(AttemptRefused(record.attempt, refusal))
            else:
                self._apply[type(record)](node, record, now)  # type: ignore[operator]
        return refused

    def renew(
        self, node: NodeId, sequence: int, demands: Sequence[Demand], ttl_ms: int, drain_ms: int
    ) -> Sequence[Grant]:
        if self._is_over(node):
            return []
        limits = self.limits()
        grants = (
            self._leases.renew(
                node, sequence, demand, limits.get(demand.resource, _NOTHING), self._clock(), ttl_ms, drain_ms
            )
            for demand in demands
        )
        return [grant for grant in grants if grant is not None]

    def orphans(self, node: NodeId, now: Instant, silent_ms: int) -> Sequence[OpenAttempt]:
        return [
            OpenAttempt(attempt, dead, self.attempts[attempt].state is AttemptState.ANSWERED)
            for dead in self._dead(node, silent_ms, now)
            for attempt in sorted(self.nodes[dead].open_attempts)
        ]

    def bury(
        self, node: NodeId, attempts: Sequence[AttemptId], silent_ms: int, now: Instant, *, reserve_ms: int = 0
    ) -> None:
        dead = self._dead(node, silent_ms, now)
        for attempt in attempts:
            row = self.attempts[attempt]
            if not row.is_open or row.node not in dead:
                continue
            answered = row.state is AttemptState.ANSWERED
            self._close_row(row, Outcome.ANSWERED if answered else Outcome.UNKNOWN, None)
            contact = self.contacts[row.contact]
            contact.tries += 1
            self._finish(contact, row.outcome)
            self._phase(row.node, CampaignPhased(row.campaign, None, None), now)
        for name in dead:
            self.nodes[name].over = True
            self._settle(name, reserve_ms)

    # What users do.

    def add_trunk(self, limits: TrunkLimits) -> None:
        """Adds a trunk, or changes its limits."""
        self.trunks[limits.trunk.id] = limits

    def add_campaign(self, plan: CampaignPlan, state: CampaignState = CampaignState.RUNNING) -> None:
        self.campaigns[plan.id] = CampaignRow(plan, state)

    def change_plan(self, plan: CampaignPlan) -> None:
        self.campaigns[plan.id].plan = plan

    def set_state(self, campaign: CampaignId, state: CampaignState) -> None:
        row = self.campaigns[campaign]
        row.state = state
        row.pause_reason = PauseReason.USER if state is CampaignState.PAUSED else None
        row.phase = row.hold = None

    def add_contacts(self, campaign: CampaignId, contacts: Iterable[DueContact]) -> None:
        """Adds new contacts at the end; a completed campaign runs again."""
        row = self.campaigns[campaign]
        queue = row.lanes[_NEW]
        for contact in contacts:
            assert contact.id not in self.contacts, "contact ids are unique in the whole store"
            rank = len(self.contacts)
            self.contacts[contact.id] = ContactRow(contact.id, campaign, contact.phone, contact.zone, rank)
            queue.append((rank, contact.id))
            row.unfinished += 1
        row.arrivals += 1
        heapify(queue)
        if row.unfinished and row.state is CampaignState.COMPLETED:
            row.state = CampaignState.RUNNING

    def forbid(self, account: AccountId, phone: str, now: Instant) -> None:
        """Puts a number on the account's do-not-call list."""
        self.do_not_call.setdefault((account, phone), now)

    def limits(self) -> Mapping[str, Limits]:
        """What each resource may hold and start, over all nodes."""
        return limits_of(self.world())

    # Queue.

    def _take(self, row: CampaignRow, lane: int, count: int, now: Instant, taken: list[ContactRow]) -> None:
        queue, contacts = row.lanes[lane], self.contacts
        while queue and len(taken) < count:
            rank, name = queue[0]
            contact = contacts[name]
            if self._is_stale(contact, lane, rank):
                heappop(queue)
                continue
            if lane == _HELD and rank > now:
                return
            heappop(queue)
            taken.append(contact)

    def _next_due_at(self, row: CampaignRow, now: Instant) -> Instant | None:
        for lane in (_NEW, _HELD):
            queue = row.lanes[lane]
            while queue and self._is_stale(self.contacts[queue[0][1]], lane, queue[0][0]):
                heappop(queue)
            if queue:
                return now if lane == _NEW else queue[0][0]
        return None

    @staticmethod
    def _is_stale(contact: ContactRow, lane: int, rank: int) -> bool:
        return contact.finished or contact.node is not None or contact.lane != lane or contact.rank != rank

    def _due(self, row: CampaignRow, taken: Sequence[ContactRow], now: Instant) -> tuple[DueContact, ...]:
        if not taken:
            return ()
        plan = row.plan
        day = datetime.fromtimestamp(now / 1000, ZoneInfo(plan.hours.zone)).date()
        calls: Mapping[str, int] = self._calls.get((plan.account, day), {})
        return tuple(DueContact(c.id, c.phone, c.attempts, c.tries, c.zone, calls.get(c.phone, 0)) for c in taken)

    def _free(self, contact: ContactRow) -> None:
        contact.node = None
        heappush(self.campaigns[contact.campaign].lanes[contact.lane], (contact.rank, contact.id))

    def _finish(self, contact: ContactRow, outcome: Outcome | None) -> None:
        assert not contact.finished, "a contact is finished once"
        contact.finished, contact.outcome, contact.node, contact.hold = True, outcome, None, None
        self.campaigns[contact.campaign].unfinished -= 1

    def _wait(self, contact: ContactRow, hold: Hold, now: Instant) -> None:
        contact.hold, contact.lane = hold, _HELD
        contact.rank = now + _OPEN_HOLD_MS if hold.until is None else hold.until
        self._free(contact)

    # Records. Each is fenced by the node that owns the contact or the attempt, and changes nothing the second time.

    def _plan(self, node: NodeId, plan: AttemptPlanned) -> Refusal | None:
        known = self.attempts.get(plan.attempt)
        if known is not None:
            return None if known.node == node and known.is_open else Refusal.NOT_OURS
        contact = self.contacts.get(plan.contact)
        if contact is None or contact.node != node or contact.attempts >= plan.number or self._is_over(node):
            return Refusal.NOT_OURS
        if self.campaigns[plan.campaign].state is not CampaignState.RUNNING:
            return Refusal.STOPPED
        if (plan.account, plan.phone) in self.do_not_call:
            return Refusal.DO_NOT_CALL
        calls = self._calls[plan.account, plan.day]
        if plan.daily_cap is not None and calls[plan.phone] >= plan.daily_cap:
            return Refusal.DAILY_CAP
        calls[plan.phone] += 1
        contact.attempts = plan.number
        self.attempts[plan.attempt] = AttemptRow(
            plan.attempt, plan.contact, plan.campaign, node, plan.phone, plan.account, plan.day, self._clock()
        )
        self.nodes[node].open_attempts.add(plan.attempt)
        return None

    def _open(self, node: NodeId, attempt: AttemptId) -> AttemptRow | None:
        row = self.attempts.get(attempt)
        return row if row is not None and row.node == node and row.is_open else None

    def _answer(self, node: NodeId, record: AttemptAnswered, now: Instant) -> None:
        row = self._open(node, record.attempt)
        if row is not None:
            row.state = AttemptState.ANSWERED

    def _close(self, node: NodeId, record: AttemptClosed, now: Instant) -> None:
        row = self._open(node, record.attempt)
        if row is None:
            return
        self._close_row(row, record.outcome, record.ending)
        contact = self.contacts[record.contact]
        contact.tries += 1
        if record.retry is None:
            self._finish(contact, record.outcome)
        else:
            contact.outcome = record.outcome
            self._wait(contact, record.retry, now)

    def _withdraw(self, node: NodeId, record: AttemptWithdrawn, now: Instant) -> None:
        row = self._open(node, record.attempt)
        if row is None:
            return
        row.state, row.closed_at = AttemptState.WITHDRAWN, self._clock()
        self.nodes[node].open_attempts.discard(row.id)
        self._calls[row.account, row.day][row.phone] -= 1
        self._wait(self.contacts[record.contact], record.hold, now)

    def _hold(self, node: NodeId, record: ContactHeld, now: Instant) -> None:
        contact = self._claimed(node, record.contact)
        if contact is not None:
            self._wait(contact, record.hold, now)

    def _release(self, node: NodeId, record: ContactReleased, now: Instant) -> None:
        contact = self._claimed(node, record.contact)
        if contact is not None:
            self._free(contact)

    def _finish_without_call(self, node: NodeId, record: ContactFinished, now: Instant) -> None:
        contact = self._claimed(node, record.contact)
        if contact is not None:
            self._finish(contact, record.outcome)

    def _phase(self, node: NodeId, record: CampaignPhased, now: Instant) -> None:
        row = self.campaigns[record.campaign]
        # What does not fit was said before the node knew that a user, or another node, has stopped or resumed it.
        fits = (row.state is CampaignState.RUNNING) == (record.phase not in (Phase.DRAINING, None))
        has_calls = record.phase in (Phase.DIALING, Phase.DRAINING)
        if fits and (has_calls or not self._has_calls_elsewhere(node, record.campaign)):
            row.phase, row.hold = record.phase, record.hold

    def _complete(self, node: NodeId, record: CampaignCompleted, now: Instant) -> None:
        row = self.campaigns[record.campaign]
        if row.state is CampaignState.RUNNING and not row.unfinished:
            row.state, row.phase, row.hold = CampaignState.COMPLETED, None, None

    def _pause(self, node: NodeId, record: CampaignPaused, now: Instant) -> None:
        row = self.campaigns[record.campaign]
        if row.state is CampaignState.RUNNING:
            row.state, row.pause_reason, row.phase, row.hold = CampaignState.PAUSED, record.reason, None, None

    def _has_calls_elsewhere(self, node: NodeId, campaign: CampaignId) -> bool:
        """Whether another node has calls of the campaign, and so speaks for it until they are over."""
        return any(
            self.attempts[attempt].campaign == campaign
            for other, row in self.nodes.items()
            if other != node
            for attempt in row.open_attempts
        )

    def _claimed(self, node: NodeId, contact: ContactId) -> ContactRow | None:
        """A contact without a call that is the node's own. What comes late takes no contact away from its call."""
        row = self.contacts.get(contact)
        if row is None or row.node != node or row.finished:
            return None
        calls = (self.attempts[attempt].contact for attempt in self.nodes[node].open_attempts)
        return None if contact in calls else row

    def _close_row(self, row: AttemptRow, outcome: Outcome, ending: Ending | None) -> None:
        row.state, row.outcome, row.ending, row.closed_at = AttemptState.CLOSED, outcome, ending, self._clock()
        self.nodes[row.node].open_attempts.discard(row.id)

    # Nodes.

    def _is_over(self, node: NodeId) -> bool:
        return self.nodes[node].over

    def _dead(self, asking: NodeId, silent_ms: int, now: Instant) -> list[NodeId]:
        """Nodes that are over or silent and have not been settled yet."""
        return [
            name
            for name, row in self.nodes.items()
            if name != asking and not row.settled and (row.over or now - row.beat_at >= silent_ms)
        ]

    def _settle(self, node: NodeId, reserve_ms: int = 0) -> None:
        """Gives back what the node had, as far as it is known to be free."""
        row = self.nodes[node]
        calls = {self.attempts[attempt].contact for attempt in row.open_attempts}
        for contact in self.contacts.values():
            if contact.node == node and contact.id not in calls:
                self._free(contact)
        if not row.open_attempts:
            row.settled = True
            self._leases.settle(node, self._clock(), reserve_ms)


def limits_of(world: World) -> dict[str, Limits]:
    """The limits of all resources that running campaigns and trunks have."""
    found: dict[str, Limits] = {of_trunk(t.trunk.id): Limits(t.channels_max, t.cps_max) for t in world.trunks}
    for plan in world.plans:
        found[of_campaign(plan.id)] = Limits(plan.channels_max, None)
        for share in plan.trunks:
            if share.channels_max is not None:
                found[of_share(plan.id, share.trunk)] = Limits(share.channels_max, None)
    return found
