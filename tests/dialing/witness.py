"""Watches one core from outside: keeps account of what it was told and decided, and checks every promise.

The account is kept independently of the core: from events, decisions, and the store on paper alone. Only how many
channels vanished calls still occupy is the core's own word. docs/invariants.md numbers the promises.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from math import inf

from paper_store import Card, PaperStore, Place

from waihu.dialing.commands import CheckCall, ClaimContacts, Command, HangUp, PlaceCall
from waihu.dialing.decision import Decision
from waihu.dialing.dialer import Dialer
from waihu.dialing.eligibility import local_day
from waihu.dialing.events import (
    AttemptRefused,
    CallAnswered,
    CallEnded,
    CallPlaced,
    CallRinging,
    CampaignStarted,
    CampaignStopped,
    CapacityGranted,
    ClaimFailed,
    ContactsClaimed,
    Event,
    Refusal,
    TrunkWentDown,
    TrunkWentUp,
)
from waihu.dialing.records import (
    AttemptClosed,
    AttemptPlanned,
    AttemptWithdrawn,
    CampaignCompleted,
    CampaignPaused,
    CampaignPhased,
    ContactReleased,
    Record,
)
from waihu.dialing.resources import Resource, of_campaign, of_share, of_trunk
from waihu.domain.campaign import CampaignPlan, Phase, TrunkShare
from waihu.domain.hold import HoldReason
from waihu.domain.hours import openness
from waihu.domain.ids import AttemptId, CampaignId, ContactId, Instant, TrunkId
from waihu.domain.outcome import outcome_of

LAUNCH_MS = 500
"""Calls are planned at least so long before closing."""

TRUNK_REST_MS = 5_000
"""How long a trunk is left alone after a call could not be placed on it."""

PATIENCE_MS = 6_000
"""Longer than the core waits before it asks the store again."""

OVER = (Place.FINISHED, Place.GONE)


@dataclass(slots=True)
class Grant:
    channels: int = 0
    until: Instant | None = None


@dataclass(slots=True)
class Rate:
    """A trunk's calls per second, the step that set it, and when calls left that were planned under it."""

    cps: float | None = None
    since: int = 0
    suspended: bool = False
    left: list[Instant] = field(default_factory=list)


@dataclass(slots=True)
class Call:
    """An attempt, the step that planned it, and what the core has been told of it."""

    planned: AttemptPlanned
    step: int
    heard: bool = False
    answered_at: Instant | None = None
    longest_until: float = inf
    """When a call that is up has lasted as long as its campaign allows."""


class Witness:
    def __init__(self, store: PaperStore) -> None:
        self.store = store
        self.now: Instant = 0
        self.steps = 0
        self.running: set[CampaignId] = set()
        self.calls: dict[AttemptId, Call] = {}
        self._known: set[CampaignId] = set()
        """Campaigns that run, or have calls or a claim left."""
        self._claims: set[CampaignId] = set()
        """Whose claim is on its way."""
        self._answers: list[tuple[ContactsClaimed, int]] = []
        """Answers on their way to the core, and how many contacts there were when they were given."""
        self._known_cards: Counter[CampaignId] = Counter()
        """How many contacts there were when the answer was given that the core has."""
        self._asked_on: dict[CampaignId, date] = {}
        self._capped_on: dict[tuple[CampaignId, ContactId], date] = {}
        """The day on which a phone had had its calls, as the core was told on that day."""
        self._grants: defaultdict[Resource, Grant] = defaultdict(Grant)
        self._rates: defaultdict[Resource, Rate] = defaultdict(Rate)
        self._down: set[TrunkId] = set()
        self._trunk_rests_until: Counter[TrunkId] = Counter()
        self._resting: defaultdict[CampaignId, list[Instant]] = defaultdict(list)
        """When channels that rest after a call may be used again."""
        self._idle_since: dict[tuple[CampaignId, ContactId], Instant] = {}

    # What the core is told

    def answer_given(self, answer: ContactsClaimed) -> None:
        """The store has answered a claim; the core does not know it yet."""
        self._answers.append((answer, len(self.store.cards)))

    def hears(self, event: Event, now: Instant) -> None:
        self.now = now
        self.steps += 1
        match event:
            case CampaignStarted():
                self.running.add(event.plan.id)
                self._known.add(event.plan.id)
            case CampaignStopped():
                self.running.discard(event.campaign)
            case AttemptRefused(refusal=Refusal.STOPPED):
                self.running.discard(self.calls[event.attempt].planned.campaign)
            case CapacityGranted():
                self._grants[event.resource] = Grant(event.channels, event.until)
                rate = self._rates[event.resource]
                rate.suspended = event.cps == 0
                if event.cps not in (0, rate.cps):
                    self._rates[event.resource] = Rate(event.cps, since=self.steps)
            case TrunkWentDown():
                self._down.add(event.trunk)
            case TrunkWentUp():
                self._down.discard(event.trunk)
            case ClaimFailed():
                self._claims.remove(event.campaign)
            case ContactsClaimed():
                self._hears_answer(event)
            case CallPlaced() | CallRinging() | CallAnswered() | CallEnded():
                self._hears_of_call(event)

    def _hears_answer(self, answer: ContactsClaimed) -> None:
        (place,) = [place for place, (given, _) in enumerate(self._answers) if given is answer]
        _, self._known_cards[answer.campaign] = self._answers.pop(place)
        self._claims.remove(answer.campaign)
        plan = self.store.plans[answer.campaign]
        today = local_day(plan, self.now)
        for contact in answer.contacts:
            is_capped = plan.daily_cap is not None and contact.calls_today >= plan.daily_cap
            if is_capped and self._asked_on[answer.campaign] == today:
                self._capped_on[answer.campaign, contact.id] = today

    def _hears_of_call(self, event: CallPlaced | CallRinging | CallAnswered | CallEnded) -> None:
        if event.attempt not in self.store.open:
            return
        call = self.calls[event.attempt]
        if isinstance(event, CallAnswered) and call.answered_at is None:
            call.answered_at = self.now
            call.longest_until = self.now + self.store.plans[call.planned.campaign].call_max_s * 1000
        if call.heard:
            return
        call.heard = True
        rate = self._rates[of_trunk(call.planned.trunk)]
        if rate.cps is not None and call.step > rate.since:
            window_ms, starts_max = (1000, int(rate.cps)) if rate.cps >= 1 else (round(1000 / rate.cps), 1)
            rate.left.append(self.now)
            recent = [at for at in rate.left if at > self.now - window_ms]
            assert len(recent) <= starts_max, "more calls in a window than the trunk may start"

    # What it decides

    def sees(self, event: Event, decision: Decision, dialer: Dialer) -> None:
        """Checks the decision, and writes it into the store."""
        assert decision.wake_at is None or decision.wake_at > self.now, "woken for nothing, again and again"
        places = {command.attempt: command for command in decision.commands if isinstance(command, PlaceCall)}
        for record in decision.records:
            self._sees_record(record, places)
            self.store.write(record)
        assert not places, "a call is placed that was not planned"
        for command in decision.commands:
            self._sees_command(command)
        if isinstance(event, ClaimFailed) and not any(isinstance(r, ContactReleased) for r in decision.records):
            assert event.campaign not in self._claims, "a store that fails is asked again at once"
        assert set(dialer.live()) == set(self.store.open)
        assert set(dialer.campaigns()) == self.running
        self._nobody_is_kept_by_a_campaign_that_does_not_run()
        self._nobody_waits_without_need(dialer)
        self._forget_stopped()

    def _sees_command(self, command: Command) -> None:
        match command:
            case ClaimContacts():
                assert command.campaign not in self._claims, "one claim at a time"
                assert command.campaign in self.running
                self._claims.add(command.campaign)
                self._asked_on[command.campaign] = local_day(self.store.plans[command.campaign], self.now)
            case CheckCall():
                assert command.attempt in self.store.open
            case HangUp():
                assert self.now > self.calls[command.attempt].longest_until, "hung up before its longest time was over"
            case PlaceCall():
                pass  # Seen with its plan.

    def _sees_record(self, record: Record, places: dict[AttemptId, PlaceCall]) -> None:
        match record:
            case AttemptPlanned():
                self._sees_plan(record, places.pop(record.attempt))
            case AttemptClosed():
                self._sees_close(record)
            case AttemptWithdrawn():
                self._trunk_rests_until[self.store.open[record.attempt].trunk] = self.now + TRUNK_REST_MS
            case CampaignCompleted():
                unfinished = [card for card in self.store.of(record.campaign) if card.place not in OVER]
                assert all(card.id > self._known_cards[record.campaign] for card in unfinished), unfinished
                self.running.remove(record.campaign)
            case CampaignPaused():
                stop_at = self.store.plans[record.campaign].stop_at
                assert stop_at is not None and self.now >= stop_at - LAUNCH_MS
                self.running.remove(record.campaign)
            case CampaignPhased(phase=None):
                assert record.hold is None
            case CampaignPhased(phase=Phase.DIALING):
                shares = self.store.plans[record.campaign].trunks
                nowhere = all(share.trunk in self._down for share in shares)
                assert record.hold is None or (nowhere and record.hold.until is None)
            case CampaignPhased():
                assert record.hold is not None and (record.hold.until is None or record.hold.until > self.now)

    def _sees_plan(self, planned: AttemptPlanned, place: PlaceCall) -> None:
        plan = self.store.plans[planned.campaign]
        card = self.store.cards[planned.campaign, planned.contact]
        assert planned.campaign in self.running, "no plan for a campaign that does not run"
        assert planned.trunk not in self._down
        assert not self._rates[of_trunk(planned.trunk)].suspended, "a rate of nought starts nothing"
        (share,) = [share for share in plan.trunks if share.trunk == planned.trunk]
        held = self._calls_held()
        for limit in self._limits(plan, share):
            grant = self._grants[limit]
            assert held[limit] < grant.channels, f"more calls than channels: {limit}"
            assert grant.until is None or self.now < place.not_after <= grant.until, "started after the lease"
        resting = sum(rested_at > self.now for rested_at in self._resting[plan.id])
        assert held[of_campaign(plan.id)] + resting < self._grants[of_campaign(plan.id)].channels, "a channel rests"
        if plan.daily_cap is not None:
            capped_on = self._capped_on.get((planned.campaign, planned.contact))
            assert capped_on != planned.day, "more calls a day than allowed"
        assert self.now < place.not_after
        assert is_open(plan, card.zone, self.now, place.not_after + LAUNCH_MS), "outside the hours"
        assert place == PlaceCall(
            attempt=planned.attempt,
            contact=planned.contact,
            campaign=planned.campaign,
            trunk=planned.trunk,
            phone=planned.phone,
            ring_timeout_s=plan.ring_timeout_s,
            not_after=place.not_after,
        )
        self.calls[planned.attempt] = Call(planned, self.steps)

    def _sees_close(self, closed: AttemptClosed) -> None:
        call, plan = self.calls[closed.attempt], self.store.plans[closed.campaign]
        self._resting[plan.id].append(self.now + plan.pause_s * 1000)
        card = self.store.cards[closed.campaign, closed.contact]
        assert closed.outcome == outcome_of(closed.ending, answered=closed.answered_at is not None)
        assert closed.answered_at == (call.answered_at or closed.ending.answered_at)
        heard_at = [closed.placed_at, closed.ringing_at, call.answered_at, closed.at]
        assert all(earlier <= later for earlier, later in pairwise(at for at in heard_at if at is not None))
        delay_s = plan.retry.delay_s.get(closed.outcome)
        if delay_s is None or card.tries >= plan.retry.retries_max:
            assert closed.retry is None
            return
        assert closed.retry is not None and closed.retry.until is not None
        due_at, until = self.now + delay_s * 1000, closed.retry.until
        zone = card.zone or plan.hours.zone
        if closed.retry.reason is HoldReason.RETRY_DELAY:
            assert until == due_at
        else:
            assert until >= due_at
            assert not is_open(plan, zone, due_at, due_at + 1), "moved although it might be dialled then"
        if closed.retry.reason is not HoldReason.SCHEDULE_END:
            assert is_open(plan, zone, until, until + 1)

    # What holds after each step

    def _nobody_is_kept_by_a_campaign_that_does_not_run(self) -> None:
        on_the_way = {(answer.campaign, contact.id) for answer, _ in self._answers for contact in answer.contacts}
        for card in self.store.cards.values():
            if card.place is Place.CLAIMED and (card.campaign, card.id) not in on_the_way:
                assert card.campaign in self.running, card

    def _nobody_waits_without_need(self, dialer: Dialer) -> None:
        """Where a channel is free and may be used, nobody is due for longer than it takes to ask the store again."""
        in_use = {resource: used for resource, (used, _) in dialer.demands(self.now).items()}
        idle: dict[tuple[CampaignId, ContactId], Instant] = {}
        for campaign in self.running - self._claims:
            plan = self.store.plans[campaign]
            if any(rested_at > self.now for rested_at in self._resting[campaign]):
                continue
            if not any(self._might_carry(plan, share, in_use) for share in plan.trunks):
                continue
            for card in self.store.of(campaign):
                if self._might_be_dialled(plan, card):
                    since = idle[campaign, card.id] = self._idle_since.get((campaign, card.id), self.now)
                    assert self.now - since < PATIENCE_MS, f"forgotten: {card}"
        self._idle_since = idle

    def _might_be_dialled(self, plan: CampaignPlan, card: Card) -> bool:
        if card.place is Place.CLAIMED:
            return is_open(plan, card.zone, self.now, self.now + LAUNCH_MS + 1)
        is_due = card.place is Place.WAITING and card.due_at is not None and card.due_at <= self.now
        # Whether it may be called itself is seen when it is claimed.
        return is_due and is_open(plan, None, self.now, self.now + LAUNCH_MS + 1)

    def _might_carry(self, plan: CampaignPlan, share: TrunkShare, in_use: dict[Resource, int]) -> bool:
        rate = self._rates[of_trunk(share.trunk)]
        open_calls = [self.calls[attempt] for attempt in self.store.open]
        unconfirmed = any(not call.heard and call.planned.trunk == share.trunk for call in open_calls)
        return (
            share.trunk not in self._down
            and self.now >= self._trunk_rests_until[share.trunk]
            and all(self._has_room(limit, in_use) for limit in self._limits(plan, share))
            and not rate.suspended
            and (rate.cps is None or (rate.cps >= 1 and not unconfirmed))
        )

    def _has_room(self, resource: Resource, in_use: dict[Resource, int]) -> bool:
        grant = self._grants[resource]
        return in_use.get(resource, 0) < grant.channels and (grant.until is None or self.now < grant.until)

    @staticmethod
    def _limits(plan: CampaignPlan, share: TrunkShare) -> list[Resource]:
        limits = [of_trunk(share.trunk), of_campaign(plan.id)]
        return limits if share.channels_max is None else [*limits, of_share(plan.id, share.trunk)]

    def _calls_held(self) -> Counter[Resource]:
        held: Counter[Resource] = Counter()
        for planned in self.store.open.values():
            held[of_trunk(planned.trunk)] += 1
            held[of_campaign(planned.campaign)] += 1
            held[of_share(planned.campaign, planned.trunk)] += 1
        return held

    def _forget_stopped(self) -> None:
        """A campaign that has stopped, and whose calls and claims are over, has no capacity any more."""
        live = {planned.campaign for planned in self.store.open.values()}
        for campaign in self._known - self.running - live - self._claims:
            self._known.remove(campaign)
            self._resting[campaign].clear()
            name = of_campaign(campaign)
            for resource in [held for held in self._grants if held == name or held.startswith(f"{name}/")]:
                del self._grants[resource]


def is_open(plan: CampaignPlan, zone: str | None, begin: Instant, end: Instant) -> bool:
    """Whether calls are allowed throughout `[begin, end)`, to a contact in `zone` if the plan looks at that."""
    if plan.start_at is not None and begin < plan.start_at:
        return False
    if plan.stop_at is not None and end > plan.stop_at:
        return False
    if any(holiday.begin < end and begin < holiday.end for holiday in plan.holidays):
        return False
    at = begin
    while at < end:
        state = openness(plan.hours, at, zone if plan.in_contact_zone else None)
        if state.hold is not None:
            return False
        at = state.until
    return True
