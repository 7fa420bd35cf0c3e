"""A small hostile world around one core: a store on paper, a switch that lies, and a person who changes rules.

Every act is chosen by `choose`, so that Hypothesis and a seeded run drive the same world. `witness.py` checks each
step.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar

from paper_store import Card, PaperStore, Place
from witness import OVER, Witness

from waihu.dialing.commands import CheckCall, ClaimContacts, PlaceCall
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
from waihu.dialing.resources import Resource, of_campaign, of_share, of_trunk
from waihu.domain.campaign import CampaignPlan, ClosedPeriod, RetryPolicy, TrunkShare
from waihu.domain.hours import CallingHours, Window
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, TrunkId
from waihu.domain.outcome import Ending, Outcome

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


class SmallWorld:
    def __init__(self, choose: Choose, restored_at_every_step: bool = False) -> None:
        self.choose = choose
        self.restored_at_every_step = restored_at_every_step
        self.now = FRIDAY_MORNING
        self.store = PaperStore()
        self.witness = Witness(self.store)
        self.dialer = Dialer()
        self.twin = Dialer()
        self.wake_at: Instant | None = None
        self.decisions: list[Decision] = []
        self.down: set[TrunkId] = set()
        self.claims: list[ClaimContacts] = []
        """Claims that the store has not answered."""
        self.answers: list[ContactsClaimed] = []
        """Its answers that have not reached the core."""
        self.planned: dict[AttemptId, PlaceCall] = {}
        """Calls that wait for their commit."""
        self.at_the_switch: dict[AttemptId, bool] = {}
        """Calls that the switch has, and whether they are up."""
        self.asked: list[AttemptId] = []
        self.told: list[Event] = []
        """What the carrier has said so far."""
        for trunk in TRUNKS:
            self._grant(of_trunk(trunk), 2, 5, None)
        for campaign in CAMPAIGNS:
            self.store.plans[campaign] = EASY[campaign]
            self._grant(of_campaign(campaign), 3, None, None)
            self._start(campaign)
            self._add_contacts(campaign, (None, None, None))

    def tell(self, event: Event) -> None:
        """Steps the core, has it watched, and keeps what it asks for until somebody does that."""
        if self.restored_at_every_step:
            self.core_is_restored()
        if isinstance(event, CallPlaced | CallRinging | CallAnswered | CallEnded | CallNotPlaced):
            self.told.append(event)
        self.witness.hears(event, self.now)
        decision = self.dialer.step(event, self.now)
        assert self.twin.step(event, self.now) == decision, "a restored core decides otherwise"
        self.witness.sees(event, decision, self.dialer)
        self.decisions.append(decision)
        self.wake_at = decision.wake_at
        for command in decision.commands:
            match command:
                case ClaimContacts():
                    self.claims.append(command)
                case PlaceCall():
                    self.planned[command.attempt] = command
                case CheckCall():
                    self.asked.append(command.attempt)

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
        self.tell(CampaignStopped(self.choose(CAMPAIGNS)))

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
                self.tell(self.answers.pop())

    def claim_answer_arrives(self) -> None:
        if self.answers:
            self.tell(self._one_of(self.answers))

    def claim_fails(self) -> None:
        if self.claims:
            self.tell(ClaimFailed(self._one_of(self.claims).campaign))

    def store_refuses_plan(self) -> None:
        if self.planned:
            refusal = self.choose(tuple(Refusal))
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
        taken = [attempt for attempt in self.store.open if self.witness.calls[attempt].heard]
        said = [*self.told[-20:], *(CallNotPlaced(attempt) for attempt in taken)]
        if said:
            self.tell(self.choose(said))

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
                self.tell(CampaignStopped(campaign))
            elif campaign in self.witness.running:
                self._grant_all(campaign)
        for _ in range(3000):
            self._do_what_is_asked()
            for campaign in CAMPAIGNS:
                unfinished = any(card.place not in OVER for card in self.store.of(campaign))
                if unfinished and campaign not in self.witness.running:
                    self.store.plans[campaign] = EASY[campaign]
                    self._start(campaign)
                    self._grant_all(campaign)
                    self._do_what_is_asked()
            if not self.witness.running and not self.dialer.live():
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
                self.tell(self.answers.pop(0))
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
        self.tell(CampaignStarted(self.store.plans[campaign]))

    def _grant(self, resource: Resource, channels: int, cps: float | None, until: Instant | None) -> None:
        self.tell(CapacityGranted(resource, channels, cps, until))

    def _one_of(self, options: list[Option]) -> Option:
        return options.pop(self.choose(range(len(options))))

    def _answer(self, claim: ClaimContacts) -> None:
        answer = self.store.claim(claim, self.now)
        self.witness.answer_given(answer)
        self.answers.append(answer)

    def _refuse(self, attempt: AttemptId, refusal: Refusal) -> None:
        del self.planned[attempt]
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

ORDINARY = (
    SmallWorld.time_passes_until_it_is_woken,
    SmallWorld.store_answers_claim,
    SmallWorld.switch_takes_call,
    SmallWorld.call_rings,
    SmallWorld.call_is_answered,
    SmallWorld.call_ends,
)
WEIGHTS = [6 if act in ORDINARY else 1 for act in ACTS]


def wander(seed: int, acts: int, restored_at_every_step: bool = False) -> list[Decision]:
    """What the core decides in a world that luck drives, and then in the calm after it."""
    luck = Random(seed)
    world = SmallWorld(luck.choice, restored_at_every_step=restored_at_every_step)
    for act in luck.choices(ACTS, weights=WEIGHTS, k=acts):
        act(world)
    world.calm_down()
    return world.decisions
