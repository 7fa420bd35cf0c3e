"""One engine in a virtual world: what `engine/` does around the core, without waiting for anything.

Events are stepped when they come. Decisions queue up behind the running commit and go into the next one together;
commands wait for the commit of their own decision. A commit without an answer is repeated until there is one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from waihu.dialing.commands import CheckCall, ClaimContacts, Command, HangUp, PlaceCall
from waihu.dialing.decision import Decision
from waihu.dialing.dialer import Dialer
from waihu.dialing.events import (
    CallAnswered,
    CallEnded,
    CallNotPlaced,
    CallPlaced,
    CampaignStarted,
    CampaignStopped,
    CapacityGranted,
    ClaimFailed,
    ContactsClaimed,
    Event,
    TimePassed,
    TrunkWentDown,
    TrunkWentUp,
)
from waihu.dialing.records import ContactReleased, Record
from waihu.domain.ids import AttemptId, ContactId, Instant, TrunkId
from waihu.domain.outcome import Ending
from waihu.ports.dialing_store import Demand, Grant, NodeBuried
from waihu.simulator.carriers import CallState, Switch
from waihu.simulator.store import MemoryStore
from waihu.simulator.timeline import Timeline
from waihu.simulator.weather import Answer, Point, Storm

COMMIT_RETRY_MS = 500
STORE_TIMEOUT_MS = 2_000
PLACE_TIMEOUT_MS = 5_000
VANISHED_MS = 65_000
"""By then a carrier has given up a call whose other end is gone."""

PLACED_WITHIN_MS = 400
"""The longest way of a request to the switch; the core's launch margin allows for it."""


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How a node keeps its leases. `idle_ms`: how long it lets them lapse while nothing happens, to save steps."""

    ttl_ms: int = 20_000
    margin_ms: int = 500
    renew_every_ms: int = 5_000
    reply_within_ms: int = 800
    drain_ms: int = 7_200_000
    silent_ms: int = 60_000
    idle_ms: int = 900_000


class Node:
    """`storm` None: all goes well and at once. `terms` None: this is the only node, limits are granted for good."""

    def __init__(
        self,
        name: str,
        store: MemoryStore,
        switch: Switch,
        timeline: Timeline,
        terms: LeaseTerms | None = None,
        storm: Storm | None = None,
        on_death: Callable[["Node"], None] = lambda _: None,
    ) -> None:
        self.name = name
        self.id = store.join(name, timeline.now)
        self.dialer = Dialer()
        self.alive = True
        self.steps = 0
        self.unsure_claims: set[ContactId] = set()
        """Claimed without an answer: they are this node's and its core does not know it, until the next claim."""
        self.frozen_until: Instant = 0
        self._store = store
        self._switch = switch
        self._timeline = timeline
        self._terms = terms
        self._storm = storm
        self._on_death = on_death
        self._calls: dict[AttemptId, bool] = {}
        self._pending: list[Decision] = []
        self._committing = False
        self._alarm: Instant | None = None
        self._alarm_set: Instant | None = None
        self._sequence = 0
        self._held: dict[str, Grant] = {}
        self._lease_until: Instant = 0
        self._idle_for_ms = 0
        self._has_decided = False

    # Coming in.

    def hear(self, event: Event) -> None:
        """What the switch says of a call of this node."""
        if self._storm is None:
            self._timeline.after(1, self._heard, event)
            return
        for delay_ms in self._storm.deliveries_ms():
            self._later(delay_ms, self._heard, event)

    def look(self, _: object = None) -> None:
        """Tells the core how the store's world differs from its own."""
        if not self._is_awake(self.look):
            return
        world = self._store.world()
        plans = {plan.id: plan for plan in world.plans}
        for campaign in self.dialer.campaigns():
            if campaign not in plans:
                self.feed(CampaignStopped(campaign))
        news = [plan for plan in plans.values() if self.dialer.plan_of(plan.id) != plan]
        for plan in news:
            self.feed(CampaignStarted(plan))
        if self._terms is None:
            self._grant_for_good()
        elif news:
            self._renew_leases(self._terms)

    def trunk_is(self, news: tuple[TrunkId, bool]) -> None:
        """What the switch says of a trunk."""
        trunk, up = news
        self._later(0, self.feed, TrunkWentUp(trunk) if up else TrunkWentDown(trunk))

    def switch_is_back(self, _: object = None) -> None:
        """The switch was away: what has become of the calls that it had?"""
        for attempt in list(self._calls):
            self._later(1, self._check, attempt)

    def feed(self, event: Event) -> None:
        """Steps the core with `event` now."""
        if not self.alive:
            return
        self.steps += 1
        decision = self.dialer.step(event, self._timeline.now)
        if decision.records or decision.commands:
            self._has_decided = True
            self._pending.append(decision)
            if not self._committing:
                self._commit_pending()
        self._set_alarm(decision.wake_at)

    def _heard(self, event: Any) -> None:
        # Also what comes late or again is told: the core must know by itself what is news.
        if type(event) is CallEnded:
            self._calls.pop(event.attempt, None)
        self.feed(event)

    def _set_alarm(self, at: Instant | None) -> None:
        self._alarm = at
        if at is not None and (self._alarm_set is None or at < self._alarm_set):
            self._alarm_set = max(at, self._timeline.now)
            self._timeline.at(self._alarm_set, self._ring, self._alarm_set)

    def _ring(self, set_for: Instant) -> None:
        if self._alarm_set != set_for or not self.alive:
            return
        self._alarm_set = None
        if self._alarm is None or self._alarm > self._timeline.now:
            self._set_alarm(self._alarm)
        elif self._storm is None:
            self.feed(TimePassed())
        else:
            self._later(1 + self._storm.wake_late_ms(), self._wake)

    def _wake(self, _: object) -> None:
        # An idle node let its leases lapse; the core's alarm at the lapse itself is no reason to renew them.
        if self._terms is not None and self._lease_until + self._terms.ttl_ms <= self._timeline.now:
            self._renew_leases(self._terms)
        self.feed(TimePassed())

    # Going out: commit, then commands.

    def _commit_pending(self) -> None:
        batch, self._pending = self._pending, []
        records = [record for decision in batch for record in decision.records]
        commands = [command for decision in batch for command in decision.commands]
        if not records:
            self._run_commands((commands, ()))
        elif self._storm is None:
            refused = self._store.commit(self.id, records, self._timeline.now)
            self._committed((commands, refused))
        else:
            self._committing = True
            self._try_commit((records, commands))

    def _try_commit(self, batch: tuple[list[Record], list[Command]]) -> None:
        storm, records = self._storm, batch[0]
        assert storm is not None, "only in a storm does a commit take time"
        if self._dies(Point.BEFORE_COMMIT):
            return
        answer = storm.commit()
        took_ms = storm.delay_ms(1, 100)
        if answer is Answer.ANSWERED:
            self._timeline.after(took_ms, self._commit_and_answer, batch)
            return
        if answer is Answer.LOST:
            self._timeline.after(took_ms, self._commit_unheard, records)
        elif answer is Answer.LATE:
            self._timeline.after(storm.delay_ms(COMMIT_RETRY_MS, 20_000), self._commit_unheard, records)
        self._later(STORE_TIMEOUT_MS + COMMIT_RETRY_MS, self._try_commit, batch)

    def _commit_unheard(self, records: Sequence[Record]) -> None:
        self._store.commit(self.id, records, self._timeline.now)

    def _commit_and_answer(self, batch: tuple[list[Record], list[Command]]) -> None:
        # The transaction is in the store's hands: it is done even when the engine has died meanwhile.
        records, commands = batch
        refused = self._store.commit(self.id, records, self._timeline.now)
        if not self._dies(Point.AFTER_COMMIT):
            self._later(1, self._committed, (commands, refused))

    def _committed(self, answer: tuple[Sequence[Command], Sequence[Any]]) -> None:
        commands, refusals = answer
        self._committing = True
        for refusal in refusals:
            self.feed(refusal)
        refused = {refusal.attempt for refusal in refusals}
        self._committing = False
        self._run_commands((commands, refused))
        if self._pending and not self._committing:
            self._commit_pending()

    def _run_commands(self, work: tuple[Sequence[Command], Any]) -> None:
        commands, refused = work
        for command in commands:
            if type(command) is PlaceCall:
                if command.attempt not in refused and not self._dies(Point.BEFORE_COMMAND):
                    self._place(command)
                    self._dies(Point.AFTER_COMMAND)
            else:
                self._run_command(command)

    def _run_command(self, command: ClaimContacts | HangUp | CheckCall | PlaceCall) -> None:
        match command:
            case ClaimContacts():
                self._claim(command)
            case HangUp():
                self._switch.hang_up(command.attempt)
            case CheckCall():
                self._check(command.attempt)
            case PlaceCall():
                self._place(command)
            case _:
                assert_never(command)

    # Claims.

    def _claim(self, command: ClaimContacts) -> None:
        if self._storm is None:
            self._timeline.after(1, self.feed, self._claim_now(command))
            return
        answer, took_ms = self._storm.claim(), self._storm.delay_ms(1, 200)
        if answer is Answer.ANSWERED:
            self._timeline.after(took_ms, self._claim_and_answer, command)
            return
        if answer is Answer.LOST:
            self._timeline.after(took_ms, self._claim_unheard, command)
        self._later(STORE_TIMEOUT_MS, self.feed, ClaimFailed(command.campaign))

    def _claim_now(self, command: ClaimContacts) -> ContactsClaimed:
        if self.unsure_claims:
            back = [ContactReleased(contact, command.campaign) for contact in sorted(self.unsure_claims)]
            self._store.commit(self.id, back, self._timeline.now)
            self.unsure_claims.clear()
        return self._store.claim(self.id, command.campaign, command.count, command.new_first, self._timeline.now)

    def _claim_and_answer(self, command: ClaimContacts) -> None:
        self._later(1, self.feed, self._claim_now(command))

    def _claim_unheard(self, command: ClaimContacts) -> None:
        self.unsure_claims.update(contact.id for contact in self._claim_now(command).contacts)

    # Calls.

    def _place(self, order: PlaceCall) -> None:
        if self._timeline.now >= order.not_after:
            self.feed(CallNotPlaced(order.attempt))
            return
        if self._storm is None:
            self._calls[order.attempt] = False
            self._timeline.after(2, self._place_replied, (order.attempt, self._switch.place(order, self)))
            return
        self._calls[order.attempt] = True
        answer, way_ms = self._storm.place(), self._storm.delay_ms(1, PLACED_WITHIN_MS)
        if answer is Answer.ANSWERED:
            self._timeline.after(way_ms, self._place_and_answer, order)
            return
        if answer is Answer.REFUSED:
            self._later(way_ms, self._place_replied, (order.attempt, False))
            return
        if answer is Answer.LOST:
            self._timeline.after(way_ms, self._place_unheard, order)
        self._later(PLACE_TIMEOUT_MS, self._place_not_answered, order.attempt)

    def _place_and_answer(self, order: PlaceCall) -> None:
        assert self._storm is not None, "only in a storm does a request take time"
        taken = self._switch.place(order, self)
        self._later(self._storm.delay_ms(1, 3_000), self._place_replied, (order.attempt, taken))

    def _place_unheard(self, order: PlaceCall) -> None:
        self._switch.place(order, self)

    def _place_not_answered(self, attempt: AttemptId) -> None:
        if attempt in self._calls:
            self._calls[attempt] = False

    def _place_replied(self, reply: tuple[AttemptId, bool]) -> None:
        attempt, taken = reply
        if attempt in self._calls:
            self._calls[attempt] = False
        if taken:
            self.feed(CallPlaced(attempt))
        else:
            self._calls.pop(attempt, None)
            self.feed(CallNotPlaced(attempt))

    def _check(self, attempt: AttemptId) -> None:
        is_placing = self._calls.get(attempt)
        if is_placing is not False:
            return
        live = self._switch.live.get(attempt)
        if live is None:
            self._later(1, self._heard, CallEnded(attempt, Ending(gone=True)))
        elif live.state is CallState.ANSWERED:
            self._later(1, self._heard, CallAnswered(attempt))

    # Leases, beats and burials.

    def keep(self, _: object = None) -> None:
        """The housekeeping that an engine does all the time: beat, look, renew, bury. Arranges its own repetition."""
        if not self._is_awake(self.keep) or self._terms is None:
            return
        self._idle_for_ms = min(self._terms.idle_ms, 2 * self._idle_for_ms + 1000) if self._is_idle() else 0
        self._has_decided = False
        try:
            # An idle node's beats are given in advance.
            self._store.beat(self.id, self._timeline.now + self._idle_for_ms)
        except NodeBuried:
            self.die()
            return
        if self._storm is not None and (froze_ms := self._storm.freeze_ms()):
            self.frozen_until = self._timeline.now + froze_ms
        self.look()
        self._renew_leases(self._terms)
        self._bury(self._terms)
        self._later(self._terms.renew_every_ms + self._idle_for_ms, self.keep)

    def _is_idle(self) -> bool:
        if self._has_decided or self._calls or self._committing:
            return False
        return not any(want for _, want in self.dialer.demands(self._timeline.now).values())

    def _renew_leases(self, terms: LeaseTerms) -> None:
        """As `engine/leases.py`: while the answer is on its way the node keeps to what it has told it has in use."""
        sent_at = self._timeline.now
        demands = self._fall_back_to_floors()
        self._sequence += 1
        answer = self._storm.renew() if self._storm is not None else Answer.ANSWERED
        request = (self._sequence, demands, sent_at)
        if answer is Answer.ANSWERED:
            took_ms = self._storm.delay_ms(1, terms.reply_within_ms) if self._storm is not None else 1
            self._timeline.after(took_ms // 2, self._renew_and_answer, (request, took_ms - took_ms // 2))
            return
        if answer is Answer.LOST:
            self._timeline.after(1, self._renew_now, request)
        elif answer is Answer.LATE:
            self._timeline.after(2 * terms.ttl_ms, self._renew_now, request)
        self._later(terms.reply_within_ms, self._keep_floors_without_starts, self._sequence)

    def _renew_now(self, request: tuple[int, list[Demand], Instant]) -> Sequence[Grant]:
        assert self._terms is not None, "leases have terms"
        sequence, demands, _ = request
        return self._store.renew(self.id, sequence, demands, self._terms.ttl_ms, self._terms.drain_ms)

    def _renew_and_answer(self, work: tuple[tuple[int, list[Demand], Instant], int]) -> None:
        request, way_back_ms = work
        self._later(way_back_ms, self._renewed, (self._renew_now(request), request))

    def _renewed(self, answer: tuple[Sequence[Grant], tuple[int, list[Demand], Instant]]) -> None:
        grants, (sequence, _, sent_at) = answer
        terms = self._terms
        assert terms is not None, "leases have terms"
        if sequence != self._sequence:
            return
        if self._timeline.now > sent_at + terms.reply_within_ms:
            self._keep_floors_without_starts(sequence)
            return
        self._held = {grant.resource: grant for grant in grants}
        self._lease_until = sent_at + terms.ttl_ms - terms.margin_ms
        for grant in grants:
            self.feed(CapacityGranted(grant.resource, grant.channels, grant.cps, self._lease_until))

    def _fall_back_to_floors(self) -> list[Demand]:
        demands = []
        for resource, (in_use, want) in sorted(self.dialer.demands(self._timeline.now).items()):
            held = self._held.get(resource)
            demands.append(Demand(resource, in_use, want))
            keeps = Grant(resource, min(in_use, held.channels), held.cps) if held else Grant(resource, 0, 0)
            self._held[resource] = keeps
            self.feed(CapacityGranted(resource, keeps.channels, keeps.cps, self._lease_until))
        for resource in sorted(self._held.keys() - {demand.resource for demand in demands}):
            del self._held[resource]
            self.feed(CapacityGranted(resource, 0))
        return demands

    def _keep_floors_without_starts(self, sequence: int) -> None:
        if sequence != self._sequence:
            return
        for held in list(self._held.values()):
            if held.cps is not None:
                self._held[held.resource] = Grant(held.resource, held.channels, 0)
                self.feed(CapacityGranted(held.resource, held.channels, 0, self._lease_until))

    def _grant_for_good(self) -> None:
        for resource, limits in self._store.limits().items():
            grant = Grant(resource, limits.channels, limits.cps)
            if self._held.get(resource) != grant:
                self._held[resource] = grant
                self.feed(CapacityGranted(resource, grant.channels, grant.cps))

    def _bury(self, terms: LeaseTerms) -> None:
        now = self._timeline.now
        orphans = self._store.orphans(self.id, now, terms.silent_ms)
        for orphan in orphans:
            self._switch.hang_up(orphan.attempt)
        buried = [orphan.attempt for orphan in orphans]
        reserve_ms = max(0, self._switch.started_at + VANISHED_MS - now)
        self._store.bury(self.id, buried, terms.silent_ms, now, reserve_ms=reserve_ms)

    # Life and death.

    def die(self) -> None:
        """The process is gone, with all that it remembered."""
        if self.alive:
            self.alive = False
            self._on_death(self)

    def _dies(self, point: Point) -> bool:
        if self.alive and self._storm is not None and self._storm.crashes(point):
            self.die()
        return not self.alive

    def _later(self, delay_ms: int, do: Callable[[Any], object], what: Any = None) -> None:
        """Something this process will do: not when it is dead, and later when it is frozen."""
        self._timeline.after(delay_ms, self._do, (do, what))

    def _do(self, work: tuple[Callable[[Any], object], Any]) -> None:
        if self.alive:
            if self._timeline.now < self.frozen_until:
                self._timeline.at(self.frozen_until, self._do, work)
            else:
                do, what = work
                do(what)

    def _is_awake(self, otherwise_later: Callable[[Any], object]) -> bool:
        if self.alive and self._timeline.now < self.frozen_until:
            self._later(0, otherwise_later)
            return False
        return self.alive
