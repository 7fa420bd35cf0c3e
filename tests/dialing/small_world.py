"""A small hostile world around one core: a store on paper, a switch that lies, and a person who changes rules.

Every act is chosen by `choose`, so that Hypothesis and a seeded run drive the same world. After each step everything
the core has promised is checked against what really happened. docs/invariants.md numbers the promises.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from random import Random
from typing import Any, TypeVar

from paper_store import Card, PaperStore, Place

from waihu.dialing.commands import CheckCall, ClaimContacts, Command, HangUp, PlaceCall
from waihu.dialing.decision import Decision
from waihu.dialing.dialer import Dialer
from waihu.dialing.events import (
    CallAnswered,
    CallEnded,
    CallNotPlaced,
    CallPlaced,
    CallRinging,
    CampaignStarted,
    CampaignStopped,
    CapacityGranted,
    ClaimFailed,
    ContactsArrived,
    ContactsClaimed,
    Event,
    Refusal,
    TimePassed,
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
from waihu.domain.campaign import CampaignPlan, ClosedPeriod, Phase, RetryPolicy, TrunkShare
from waihu.domain.hold import HoldReason
from waihu.domain.hours import CallingHours, Window, openness
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, TrunkId
from waihu.domain.outcome import Ending, Outcome, outcome_of

Option = TypeVar("Option")
Choose = Callable[[Sequence[Any]], Any]

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
FRIDAY_MORNING: Instant = int(datetime(2026, 3, 6, 1, 58, tzinfo=UTC).timestamp()) * 1000
"""09:58 in Shanghai, two days before the clock is put forward in New York."""

CAMPAIGNS = tuple(CampaignId(name) for name in ("C", "D", "E"))
TRUNKS = tuple(TrunkId(name) for name in ("T1", "T2"))

ALWAYS = CallingHours.always()
OFFICE = CallingHours(week=((), *((Window(540, 720), Window(840, 1200)),) * 5, ()))
STRIPES = CallingHours(
    week=(tuple(Window(begin, begin + 7) for begin in range(0, 1440, 10)),) * 7, zone="America/New_York"
)
"""Open for seven minutes of every ten, so that openings and closings happen all the time."""

POLICIES = (
    RetryPolicy(),
    RetryPolicy({Outcome.BUSY: 0, Outcome.NO_ANSWER: 90}, retries_max=1),
    RetryPolicy({Outcome.BUSY: 30, Outcome.TRUNK_ERROR: 3600}, retries_max=2, new_first=True),
)
ENDINGS = (
    Ending(sip_code=486),
    Ending(sip_code=486),
    Ending(timed_out=True),
    Ending(sip_code=500),
    Ending(sip_code=404),
    Ending(gone=True),
)
LAUNCH_MS = 500
"""Calls are planned at least so long before closing."""

TRUNK_REST_MS = 5 * SECOND
"""How long a trunk is left alone after a call could not be placed on it."""

PATIENCE_MS = 6 * SECOND
"""Longer than the core waits before it asks the store again."""

OVER = (Place.FINISHED, Place.GONE)
EASY = {
    campaign: CampaignPlan(
        id=campaign,
        account=AccountId("account"),
        trunks=tuple(TrunkShare(trunk) for trunk in TRUNKS),
        channels_max=2,
        retry=POLICIES[1],
    )
    for campaign in CAMPAIGNS
}


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
class Answer:
    """What the store has answered to a claim, on its way to the core."""

    claimed: ContactsClaimed
    cards_then: int


@dataclass(slots=True)
class Call:
    planned: AttemptPlanned
    step: int
    heard: bool = False
    answered_at: Instant | None = None
    longest_until: float = inf
    """When a call that is up has lasted as long as its campaign allows."""


class SmallWorld:
    def __init__(self, choose: Choose, restored_at_every_step: bool = False) -> None:
        self.choose = choose
        self.restored_at_every_step = restored_at_every_step
        self.now = FRIDAY_MORNING
        self.steps = 0
        self.dialer = Dialer()
        self.twin = Dialer()
        self.wake_at: Instant | None = None
        self.decisions: list[Decision] = []
        self.store = PaperStore()
        self.running: set[CampaignId] = set()
        self.known: set[CampaignId] = set()
        """Campaigns that run, or have calls or a claim left."""
        self.resting: defaultdict[CampaignId, list[Instant]] = defaultdict(list)
        """When channels that rest after a call may be used again."""
        self.grants: defaultdict[Resource, Grant] = defaultdict(Grant)
        self.rates: defaultdict[TrunkId, Rate] = defaultdict(Rate)
        self.down: set[TrunkId] = set()
        self.trunk_rests_until: Counter[TrunkId] = Counter()
        self.claims: list[ClaimContacts] = []
        self.answers: list[Answer] = []
        self.known_cards: Counter[CampaignId] = Counter()
        """How many contacts there were when the last answer was given that the core has."""
        self.told_calls: Counter[tuple[CampaignId, ContactId]] = Counter()
        self.planned: dict[AttemptId, PlaceCall] = {}
        self.at_the_switch: dict[AttemptId, bool] = {}
        """Calls that the switch has, and whether they are up."""
        self.calls: dict[AttemptId, Call] = {}
        self.asked: list[AttemptId] = []
        self.told: list[Event] = []
        self.idle_since: dict[tuple[CampaignId, ContactId], Instant] = {}
        for trunk in TRUNKS:
            self._grant(of_trunk(trunk), 2, 5, None)
        for campaign in CAMPAIGNS:
            self.store.plans[campaign] = EASY[campaign]
            self._grant(of_campaign(campaign), 3, None, None)
            self._start(campaign)
            self._add_contacts(campaign, (None, None, None))

    # What may happen

    def time_passes(self) -> None:
        """The core is woken as it asked; or late, by whatever happens next."""
        until = self.now + self.choose((1, 20, 499, 501, SECOND, SECOND, 17 * SECOND, MINUTE, 7 * MINUTE, 9 * HOUR))
        if self.choose((True, False)):
            for _ in range(60):
                if self.wake_at is None or self.wake_at > until:
                    break
                self.now = self.wake_at
                self.tell(TimePassed())
        self.now = max(self.now, until)

    def time_passes_until_it_is_woken(self) -> None:
        if self.wake_at is not None:
            self.now = max(self.now, self.wake_at + self.choose((0, 0, 0, 1, 300)))
            self.tell(TimePassed())

    def campaign_starts(self) -> None:
        campaign = self.choose(CAMPAIGNS)
        self.store.plans[campaign] = self._plan(campaign)
        self._start(campaign)
        if self.choose((True, True, False)):
            self._grant_all(campaign)

    def campaign_stops(self) -> None:
        campaign = self.choose(CAMPAIGNS)
        self.running.discard(campaign)
        self.tell(CampaignStopped(campaign))

    def contacts_are_added(self) -> None:
        campaign = self.choose(CAMPAIGNS)
        zones = self.choose(((None,), (None, None, None), ("Europe/London", "Asia/Tokyo"), ("Asia/Kathmandu",)))
        self._add_contacts(campaign, zones)

    def contacts_are_deleted(self) -> None:
        campaign = self.choose(CAMPAIGNS)
        waiting = [card for card in self.store.of(campaign) if card.place is Place.WAITING]
        if waiting:
            self.choose(waiting).place = Place.GONE
            self.tell(ContactsArrived(campaign))

    def capacity_is_granted(self) -> None:
        campaign, trunk = self.choose(CAMPAIGNS), self.choose(TRUNKS)
        resource = self.choose((of_trunk(trunk), of_campaign(campaign), of_share(campaign, trunk)))
        cps = self.choose((None, 5, 1, 0.1, 0)) if resource == of_trunk(trunk) else None
        lasts_ms = self.choose((None, None, None, HOUR, 4 * SECOND, -SECOND))
        self._grant(resource, self.choose((2, 3, 2, 1, 0)), cps, None if lasts_ms is None else self.now + lasts_ms)

    def trunk_changes(self) -> None:
        trunk = self.choose(TRUNKS)
        if trunk in self.down:
            self.down.remove(trunk)
            self.tell(TrunkWentUp(trunk))
        else:
            self.down.add(trunk)
            self.tell(TrunkWentDown(trunk))

    def store_answers_claim(self) -> None:
        """The answer is true now; it reaches the core at once, or later, perhaps after the next one."""
        if self.claims:
            self._answer(self._one_of(self.claims))
            if self.choose((True, True, False)):
                self._deliver(self.answers.pop())

    def claim_answer_arrives(self) -> None:
        if self.answers:
            self._deliver(self._one_of(self.answers))

    def claim_fails(self) -> None:
        if self.claims:
            self.tell(ClaimFailed(self._one_of(self.claims).campaign))

    def store_refuses_plan(self) -> None:
        if self.planned:
            refusal = self.choose((Refusal.DO_NOT_CALL, Refusal.DAILY_CAP, Refusal.NOT_OURS, Refusal.STOPPED))
            self._refuse(self.choose(list(self.planned)), refusal)

    def switch_takes_call(self) -> None:
        if self.planned:
            attempt = self.choose(list(self.planned))
            if self._is_over_cap(attempt):
                self._refuse(attempt, Refusal.DAILY_CAP)
                return
            call = self.planned.pop(attempt)
            if self.now >= call.not_after or self.choose((False, False, False, False, True)):
                self._vanish(attempt)
                self.tell(CallNotPlaced(attempt))
            else:
                self.at_the_switch[attempt] = False
                if self.choose((True, True, False)):
                    self.tell(CallPlaced(attempt))

    def call_rings(self) -> None:
        if self.at_the_switch:
            self.tell(CallRinging(self.choose(list(self.at_the_switch))))

    def call_is_answered(self) -> None:
        if self.at_the_switch:
            attempt = self.choose(list(self.at_the_switch))
            self.at_the_switch[attempt] = True
            if self.choose((True, True, False)):
                self.tell(CallAnswered(attempt))

    def call_ends(self) -> None:
        if self.at_the_switch:
            attempt = self.choose(list(self.at_the_switch))
            ending = self.choose(ENDINGS)
            if self.at_the_switch.pop(attempt) and self.choose((True, False)):
                ending = Ending(answered_at=self.now)
            # Otherwise its end is lost; the core will ask.
            if self.choose((True, True, True, False)):
                self.tell(CallEnded(attempt, ending))

    def switch_is_asked(self) -> None:
        """Answers a CheckCall. A call whose plan still waits for its commit is not asked about."""
        if self.asked:
            self._check(self._one_of(self.asked))

    def carrier_repeats_itself(self) -> None:
        """It may also take back a call that it has taken, when nobody believes it any more."""
        denials: list[Event] = [CallNotPlaced(attempt) for attempt in self.store.open if self.calls[attempt].heard]
        if self.told or denials:
            self.tell(self.choose([*self.told[-20:], *denials]))

    def core_is_restored(self) -> None:
        """The core goes on as a copy of itself; its twin is another one."""
        snapshot = self.dialer.snapshot()
        self.dialer, self.twin = Dialer.restore(snapshot), Dialer.restore(snapshot)

    # The end: no more faults, and every contact has to be finished

    def calm_down(self) -> None:
        """Lets a faultless engine dial everything to its end. Nobody may be forgotten, or wait without need."""
        for trunk in TRUNKS:
            if trunk in self.down:
                self.down.remove(trunk)
                self.tell(TrunkWentUp(trunk))
            self._grant(of_trunk(trunk), 2, 5, None)
        for campaign in CAMPAIGNS:
            plan = self.store.plans[campaign]
            if plan.stop_at is not None or not plan.trunks:
                self.running.discard(campaign)
                self.tell(CampaignStopped(campaign))
            elif campaign in self.running:
                self._grant_all(campaign)
        for _ in range(3000):
            self._do_what_is_asked()
            for campaign in CAMPAIGNS:
                if campaign not in self.running and any(card.place not in OVER for card in self.store.of(campaign)):
                    self.store.plans[campaign] = EASY[campaign]
                    self._start(campaign)
                    self._grant_all(campaign)
                    self._do_what_is_asked()
            if not self.running and not self.dialer.live():
                break
            self._pass_time()
        else:
            raise AssertionError("dialing does not come to its end")
        assert all(card.place in OVER for card in self.store.cards.values())

    def _do_what_is_asked(self) -> None:
        while self.claims or self.answers or self.planned or self.asked:
            while self.claims:
                self._answer(self.claims.pop(0))
            while self.answers:
                self._deliver(self.answers.pop(0))
            while self.asked:
                self._check(self.asked.pop(0))
            for attempt in list(self.planned):
                if self._is_over_cap(attempt):
                    self._refuse(attempt, Refusal.DAILY_CAP)
                    continue
                call = self.planned.pop(attempt)
                if self.now >= call.not_after:
                    self._vanish(attempt)
                    self.tell(CallNotPlaced(attempt))
                else:
                    self.at_the_switch[attempt] = False
                    self.tell(CallPlaced(attempt))

    def _pass_time(self) -> None:
        """To the end of a call, or to where the core wants to be woken: any event will do for that."""
        if self.at_the_switch and self.choose((True, False)):
            attempt = self.choose(list(self.at_the_switch))
            ends_at = self.now + self.choose((SECOND, 10 * SECOND, 60 * SECOND))
            while self.wake_at is not None and self.wake_at <= ends_at:
                self._wake()
            self.now = ends_at
            if self.at_the_switch.pop(attempt, None) is not None:
                self.tell(CallEnded(attempt, self.choose(ENDINGS)))
        else:
            assert self.wake_at is not None or self.at_the_switch, "asleep although there is work"
            self._wake()

    def _wake(self) -> None:
        if self.wake_at is not None:
            self.now = max(self.now, self.wake_at)
            self.tell(self.choose((TimePassed(), CallRinging(AttemptId("somebody else's")))))
            self._do_what_is_asked()

    def _nobody_waits_without_need(self) -> None:
        """Where a channel is free and may be used, nobody is due for longer than it takes to ask the store again."""
        idle: dict[tuple[CampaignId, ContactId], Instant] = {}
        asking = {claim.campaign for claim in self.claims} | {answer.claimed.campaign for answer in self.answers}
        in_use = {resource: used for resource, (used, _) in self.dialer.demands(self.now).items()}
        for campaign in self.running - asking:
            plan = self.store.plans[campaign]
            if any(rested_at > self.now for rested_at in self.resting[campaign]) or not self._has_room(
                of_campaign(campaign), in_use
            ):
                continue
            if not any(self._may_carry(plan, share, in_use) for share in plan.trunks):
                continue
            for card in self.store.of(campaign):
                waits = card.place is Place.WAITING and card.due_at is not None and card.due_at <= self.now
                zone = card.zone if card.place is Place.CLAIMED else None
                if not waits and card.place is not Place.CLAIMED:
                    continue
                if self._is_open(plan, zone, self.now, self.now + LAUNCH_MS + 1):
                    since = idle[campaign, card.id] = self.idle_since.get((campaign, card.id), self.now)
                    assert self.now - since < PATIENCE_MS, f"forgotten: {card}"
        self.idle_since = idle

    def _may_carry(self, plan: CampaignPlan, share: TrunkShare, in_use: dict[Resource, int]) -> bool:
        rate = self.rates[share.trunk]
        unconfirmed = sum(not call.heard and call.planned.trunk == share.trunk for call in self._open_calls())
        return (
            share.trunk not in self.down
            and self.now >= self.trunk_rests_until[share.trunk]
            and self._has_room(of_trunk(share.trunk), in_use)
            and (share.channels_max is None or self._has_room(of_share(plan.id, share.trunk), in_use))
            and not rate.suspended
            and (rate.cps is None or (rate.cps >= 1 and unconfirmed == 0))
        )

    def _has_room(self, resource: Resource, in_use: dict[Resource, int]) -> bool:
        grant = self.grants[resource]
        return in_use.get(resource, 0) < grant.channels and (grant.until is None or self.now < grant.until)

    def _open_calls(self) -> list[Call]:
        return [self.calls[attempt] for attempt in self.store.open]

    # What the acts are made of

    def _grant_all(self, campaign: CampaignId) -> None:
        self._grant(of_campaign(campaign), 2, None, None)
        for trunk in TRUNKS:
            self._grant(of_share(campaign, trunk), 1, None, None)

    def _add_contacts(self, campaign: CampaignId, zones: Sequence[str | None]) -> None:
        for zone in zones:
            contact = ContactId(len(self.store.cards) + 1)
            self.store.add(Card(contact, campaign, phone=f"555{contact:04}", due_at=self.now, zone=zone))
        self.tell(ContactsArrived(campaign))

    def _plan(self, campaign: CampaignId) -> CampaignPlan:
        soon = self.now + self.choose((-HOUR, 300, 499, 501, 40 * SECOND, 26 * HOUR))
        holiday = ClosedPeriod(soon, soon + self.choose((SECOND, MINUTE, 30 * HOUR)))
        trunks = self.choose((TRUNKS, TRUNKS[:1], TRUNKS, TRUNKS[1:], TRUNKS, ()))
        return CampaignPlan(
            id=campaign,
            account=AccountId("account"),
            version=self.store.plans[campaign].version + 1,
            hours=self.choose((ALWAYS, ALWAYS, STRIPES, OFFICE)),
            holidays=self.choose(((), (), (), (holiday,))),
            start_at=self.choose((None, None, None, None, soon)),
            stop_at=self.choose((None, None, None, None, None, soon)),
            trunks=tuple(TrunkShare(trunk, self.choose((None, 1))) for trunk in trunks),
            channels_max=3,
            pause_s=self.choose((0, 0, 3)),
            retry=self.choose(POLICIES),
            daily_cap=self.choose((None, None, 1)),
            in_contact_zone=self.choose((False, False, True)),
            call_max_s=self.choose((1800, 20)),
        )

    def _start(self, campaign: CampaignId) -> None:
        self.running.add(campaign)
        self.known.add(campaign)
        self.tell(CampaignStarted(self.store.plans[campaign]))

    def _grant(self, resource: Resource, channels: int, cps: float | None, until: Instant | None) -> None:
        self.grants[resource] = Grant(channels, until)
        for trunk in TRUNKS:
            if resource == of_trunk(trunk):
                self._set_rate(trunk, cps)
        self.tell(CapacityGranted(resource, channels, cps, until))

    def _set_rate(self, trunk: TrunkId, cps: float | None) -> None:
        rate = self.rates[trunk]
        rate.suspended = cps == 0
        if cps not in (0, rate.cps):
            self.rates[trunk] = Rate(cps, since=self.steps)

    def _one_of(self, options: list[Option]) -> Option:
        return options.pop(self.choose(range(len(options))))

    def _answer(self, claim: ClaimContacts) -> None:
        self.answers.append(Answer(self.store.claim(claim, self.now), cards_then=len(self.store.cards)))

    def _deliver(self, answer: Answer) -> None:
        campaign = answer.claimed.campaign
        self.known_cards[campaign] = answer.cards_then
        for contact in answer.claimed.contacts:
            self.told_calls[campaign, contact.id] = contact.calls_today
        self.tell(answer.claimed)

    def _refuse(self, attempt: AttemptId, refusal: Refusal) -> None:
        call = self.planned.pop(attempt)
        if refusal is Refusal.STOPPED:
            self.running.discard(call.campaign)
        self._vanish(attempt)
        self.tell(self.store.refuse(attempt, refusal))

    def _is_over_cap(self, attempt: AttemptId) -> bool:
        """The store counts exactly, by the day that the plan names."""
        planned = self.store.open[attempt]
        return planned.daily_cap is not None and self.store.calls[planned.phone, planned.day] > planned.daily_cap

    def _check(self, attempt: AttemptId) -> None:
        if attempt in self.planned:
            return
        if attempt not in self.at_the_switch:
            self.tell(CallEnded(attempt, Ending(gone=True)))
        elif self.at_the_switch[attempt]:
            self.tell(CallAnswered(attempt))

    def _vanish(self, attempt: AttemptId) -> None:
        self.asked = [asked for asked in self.asked if asked != attempt]

    # A step, and what has to be true of it

    def tell(self, event: Event) -> None:
        self.steps += 1
        if self.restored_at_every_step:
            self.core_is_restored()
        if isinstance(event, CallPlaced | CallRinging | CallAnswered | CallEnded | CallNotPlaced):
            self.told.append(event)
            self._note_sign_of_life(event)
        decision = self.dialer.step(event, self.now)
        assert self.twin.step(event, self.now) == decision, "a restored core decides otherwise"
        self.decisions.append(decision)
        self.wake_at = decision.wake_at
        assert decision.wake_at is None or decision.wake_at > self.now, "woken for nothing, again and again"
        places = {c.attempt: c for c in decision.commands if isinstance(c, PlaceCall)}
        for record in decision.records:
            self._judge(record, places)
            self.store.write(record)
        for command in decision.commands:
            self._take(command)
        assert not places, "a call is placed that was not planned"
        if isinstance(event, ClaimFailed) and not any(isinstance(r, ContactReleased) for r in decision.records):
            assert not self._is_asked(event.campaign), "a store that fails is asked again at once"
        self._forget_stopped()
        self._judge_state()

    def _is_asked(self, campaign: CampaignId) -> bool:
        on_the_way = [claim.campaign for claim in self.claims] + [answer.claimed.campaign for answer in self.answers]
        return campaign in on_the_way

    def _forget_stopped(self) -> None:
        """A campaign that has stopped, and whose calls and claims are over, has no capacity any more."""
        live = {planned.campaign for planned in self.store.open.values()}
        for campaign in sorted(self.known - self.running - live):
            if not self._is_asked(campaign):
                self.known.remove(campaign)
                self.resting[campaign].clear()
                for resource in (of_campaign(campaign), *(of_share(campaign, trunk) for trunk in TRUNKS)):
                    self.grants.pop(resource, None)

    def _take(self, command: Command) -> None:
        match command:
            case ClaimContacts():
                assert not self._is_asked(command.campaign), "one claim at a time"
                assert command.campaign in self.running
                self.claims.append(command)
            case CheckCall():
                assert command.attempt in self.store.open
                self.asked.append(command.attempt)
            case HangUp():
                assert self.now > self.calls[command.attempt].longest_until, "hung up before its longest time was over"

    def _judge(self, record: Record, places: dict[AttemptId, PlaceCall]) -> None:
        match record:
            case AttemptPlanned():
                self._judge_plan(record, places.pop(record.attempt))
            case AttemptClosed():
                self._judge_close(record)
            case AttemptWithdrawn():
                self.trunk_rests_until[self.store.open[record.attempt].trunk] = self.now + TRUNK_REST_MS
            case CampaignCompleted():
                unfinished = [card for card in self.store.of(record.campaign) if card.place not in OVER]
                assert all(card.id > self.known_cards[record.campaign] for card in unfinished), unfinished
                self.running.remove(record.campaign)
            case CampaignPaused():
                stop_at = self.store.plans[record.campaign].stop_at
                assert stop_at is not None and self.now >= stop_at - LAUNCH_MS
                self.running.remove(record.campaign)
            case CampaignPhased(phase=Phase.DIALING | None):
                assert record.hold is None
            case CampaignPhased():
                assert record.hold is not None and (record.hold.until is None or record.hold.until > self.now)

    def _judge_plan(self, planned: AttemptPlanned, place: PlaceCall) -> None:
        plan = self.store.plans[planned.campaign]
        assert planned.campaign in self.running, "no plan for a campaign that does not run"
        assert planned.trunk not in self.down
        (share,) = [share for share in plan.trunks if share.trunk == planned.trunk]
        limits = [of_trunk(planned.trunk), of_campaign(planned.campaign)]
        if share.channels_max is not None:
            limits.append(of_share(planned.campaign, planned.trunk))
        used = self._calls_held()
        for limit in limits:
            assert used[limit] < self.grants[limit].channels, f"more calls than channels: {limit}"
            until = self.grants[limit].until
            assert until is None or place.not_after <= until, "started after the lease"
        zone = self.store.cards[planned.campaign, planned.contact].zone
        resting = sum(rested_at > self.now for rested_at in self.resting[plan.id])
        assert used[of_campaign(plan.id)] + resting < self.grants[of_campaign(plan.id)].channels, "a channel rests"
        if plan.daily_cap is not None:
            assert self.told_calls[planned.campaign, planned.contact] < plan.daily_cap, "more calls a day than allowed"
        assert place.not_after > self.now
        assert self._is_open(plan, zone, self.now, place.not_after + LAUNCH_MS), "outside the hours"
        rate = self.rates[planned.trunk]
        assert not rate.suspended, "a rate of nought starts nothing"
        assert (place.contact, place.campaign, place.trunk, place.phone, place.ring_timeout_s) == (
            planned.contact,
            planned.campaign,
            planned.trunk,
            planned.phone,
            plan.ring_timeout_s,
        )
        self.calls[planned.attempt] = Call(planned, self.steps)
        self.planned[planned.attempt] = place

    def _judge_close(self, closed: AttemptClosed) -> None:
        call, plan = self.calls[closed.attempt], self.store.plans[closed.campaign]
        self.resting[plan.id].append(self.now + plan.pause_s * SECOND)
        card = self.store.cards[closed.campaign, closed.contact]
        assert closed.outcome == outcome_of(closed.ending, answered=closed.answered_at is not None)
        assert (call.answered_at or closed.ending.answered_at) == closed.answered_at
        times = [closed.placed_at, closed.ringing_at, call.answered_at, closed.at]
        heard = [at for at in times if at is not None]
        assert all(earlier <= later for earlier, later in pairwise(heard))
        delay_s = plan.retry.delay_s.get(closed.outcome)
        if delay_s is None or card.tries >= plan.retry.retries_max:
            assert closed.retry is None
            return
        assert closed.retry is not None and closed.retry.until is not None
        due_at, until = self.now + delay_s * SECOND, closed.retry.until
        zone = card.zone or plan.hours.zone if plan.in_contact_zone else plan.hours.zone
        if closed.retry.reason is HoldReason.RETRY_DELAY:
            assert until == due_at
        else:
            assert until >= due_at
            assert not self._is_open(plan, zone, due_at, due_at + 1), "moved although it might be dialled then"
        if closed.retry.reason is not HoldReason.SCHEDULE_END:
            assert self._is_open(plan, zone, until, until + 1)

    def _judge_state(self) -> None:
        assert set(self.dialer.live()) == set(self.store.open)
        assert set(self.dialer.campaigns()) == self.running
        self._nobody_waits_without_need()
        on_the_way = {(a.claimed.campaign, contact.id) for a in self.answers for contact in a.claimed.contacts}
        for card in self.store.cards.values():
            if card.place is Place.CLAIMED and (card.campaign, card.id) not in on_the_way:
                assert card.campaign in self.running, f"kept by a campaign that does not run: {card}"

    def _calls_held(self) -> Counter[Resource]:
        held: Counter[Resource] = Counter()
        for planned in self.store.open.values():
            held[of_trunk(planned.trunk)] += 1
            held[of_campaign(planned.campaign)] += 1
            held[of_share(planned.campaign, planned.trunk)] += 1
        return held

    def _note_sign_of_life(self, event: CallPlaced | CallRinging | CallAnswered | CallEnded | CallNotPlaced) -> None:
        if event.attempt not in self.store.open or isinstance(event, CallNotPlaced):
            return
        call = self.calls[event.attempt]
        if isinstance(event, CallAnswered) and call.answered_at is None:
            call.answered_at = self.now
            call.longest_until = self.now + self.store.plans[call.planned.campaign].call_max_s * SECOND
        if call.heard:
            return
        call.heard = True
        rate = self.rates[call.planned.trunk]
        if rate.cps is not None and call.step > rate.since:
            window_ms, starts_max = (SECOND, int(rate.cps)) if rate.cps >= 1 else (round(SECOND / rate.cps), 1)
            rate.left.append(self.now)
            recent = [at for at in rate.left if at > self.now - window_ms]
            assert len(recent) <= starts_max, "more calls in a window than the trunk may start"

    @staticmethod
    def _is_open(plan: CampaignPlan, zone: str | None, begin: Instant, end: Instant) -> bool:
        """Whether calls are allowed throughout `[begin, end)`. `zone` None: as far as the campaign alone can say."""
        if plan.start_at is not None and begin < plan.start_at:
            return False
        if plan.stop_at is not None and end > plan.stop_at:
            return False
        if any(holiday.begin < end and begin < holiday.end for holiday in plan.holidays):
            return False
        if plan.in_contact_zone and zone is None:
            zone = plan.hours.zone
        at = begin
        while at < end:
            state = openness(plan.hours, at, zone if plan.in_contact_zone else None)
            if state.hold is not None:
                return False
            at = state.until
        return True


ACTS: tuple[Callable[[SmallWorld], None], ...] = (
    SmallWorld.time_passes,
    SmallWorld.time_passes_until_it_is_woken,
    SmallWorld.campaign_starts,
    SmallWorld.campaign_stops,
    SmallWorld.contacts_are_added,
    SmallWorld.contacts_are_deleted,
    SmallWorld.capacity_is_granted,
    SmallWorld.trunk_changes,
    SmallWorld.store_answers_claim,
    SmallWorld.claim_answer_arrives,
    SmallWorld.claim_fails,
    SmallWorld.store_refuses_plan,
    SmallWorld.switch_takes_call,
    SmallWorld.call_rings,
    SmallWorld.call_is_answered,
    SmallWorld.call_ends,
    SmallWorld.switch_is_asked,
    SmallWorld.carrier_repeats_itself,
    SmallWorld.core_is_restored,
)

CALLS = (SmallWorld.store_answers_claim, SmallWorld.switch_takes_call, SmallWorld.call_rings)
ORDINARY = (*CALLS, SmallWorld.time_passes_until_it_is_woken, SmallWorld.call_is_answered, SmallWorld.call_ends)
WEIGHTS = [6 if act in ORDINARY else 1 for act in ACTS]


def wander(seed: int, acts: int, restored_at_every_step: bool = False) -> list[Decision]:
    """What the core decides in a world that luck drives, and then in the calm after it."""
    luck = Random(seed)
    world = SmallWorld(luck.choice, restored_at_every_step=restored_at_every_step)
    for act in luck.choices(ACTS, weights=WEIGHTS, k=acts):
        act(world)
    world.calm_down()
    return world.decisions
