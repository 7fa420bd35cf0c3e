"""The simulator's parts: luck, people, the switch, and an engine that dies at every step of its work in turn."""

from collections import Counter
from dataclasses import replace
from itertools import count
from statistics import fmean
from typing import Any

import pytest

from waihu.dialing.commands import PlaceCall
from waihu.dialing.events import CallAnswered, CallEnded, CallRinging, Event
from waihu.domain.campaign import CampaignPlan, CampaignState, RetryPolicy, TrunkShare
from waihu.domain.contact import DueContact
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, NodeId, TrunkId
from waihu.domain.outcome import Outcome, outcome_of
from waihu.simulator.carriers import RINGS_ON_MS, Carrier, LiveCall, Switch
from waihu.simulator.hostile import HostileWorld
from waihu.simulator.judge import Judge
from waihu.simulator.luck import draw
from waihu.simulator.node import LeaseTerms
from waihu.simulator.people import EVIDENCE, Population, fate
from waihu.simulator.store import MemoryStore
from waihu.simulator.timeline import Timeline
from waihu.simulator.weather import Point, Rates, Storm
from waihu.simulator.world import World

TRUNK = TrunkId("trunk")
NOW: Instant = 1_772_589_600_000
EVERYBODY_ANSWERS = Population(answer=1, spread=0, dead={}, ring_s=(5, 5), talk_mean_s=20)


# Luck and people


def test_luck_is_even_and_its_names_are_independent() -> None:
    draws = [draw(1, contact, 1, 1) for contact in range(20_000)]
    others = [draw(1, contact, 1, 2) for contact in range(20_000)]

    assert all(0 <= each < 1 for each in draws)
    assert all(abs(share - 2000) < 200 for share in Counter(int(10 * each) for each in draws).values())
    assert abs(fmean(one * other for one, other in zip(draws, others, strict=True)) - 0.25) < 0.01


def test_luck_is_the_same_on_every_machine() -> None:
    assert [round(draw(seed, 7, 1, 3), 6) for seed in (1, 2, 3)] == [0.861461, 0.397146, 0.160814]


@pytest.mark.parametrize("outcome", EVIDENCE)
def test_the_evidence_of_an_outcome_speaks_for_it(outcome: Outcome) -> None:
    assert outcome_of(EVIDENCE[outcome], answered=False) is outcome


def test_people_are_as_the_population_says() -> None:
    people = Population(
        answer=0.4, dead={Outcome.INVALID_NUMBER: 0.1}, otherwise={Outcome.BUSY: 3, Outcome.REJECTED: 1}
    )
    found = Counter(fate(people, 1, ContactId(contact), 1, 0).outcome for contact in range(20_000))

    shares = {outcome: calls / 20_000 for outcome, calls in found.items()}
    assert shares == {
        Outcome.INVALID_NUMBER: pytest.approx(0.10, abs=0.01),
        Outcome.ANSWERED: pytest.approx(0.36, abs=0.01),
        Outcome.BUSY: pytest.approx(0.405, abs=0.01),
        Outcome.REJECTED: pytest.approx(0.135, abs=0.01),
    }


def test_a_dead_number_is_dead_at_every_call() -> None:
    people = Population(dead={Outcome.INVALID_NUMBER: 0.5})
    for contact in range(200):
        outcomes = {fate(people, 1, ContactId(contact), call, 0).outcome for call in range(1, 6)}
        assert outcomes == {Outcome.INVALID_NUMBER} or Outcome.INVALID_NUMBER not in outcomes


def test_nobody_answers_at_an_hour_at_which_nobody_does() -> None:
    people = replace(EVERYBODY_ANSWERS, by_hour=(0.0, *(1.0 for _ in range(23))))
    assert fate(people, 1, ContactId(1), 1, at=0).outcome is not Outcome.ANSWERED
    assert fate(people, 1, ContactId(1), 1, at=3_600_000).outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    "wrong",
    [
        {"answer": 1.2},
        {"spread": -1},
        {"dead": {Outcome.INVALID_NUMBER: 0.7, Outcome.SUSPENDED: 0.7}},
        {"by_hour": (1.0,)},
        {"otherwise": {Outcome.DO_NOT_CALL: 1}},
    ],
)
def test_a_population_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Population(**wrong)


# The switch


class Phone:
    """An engine that only listens, and a witness that only writes down."""

    id = NodeId(1)

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.held = 0

    def hear(self, event: Event) -> None:
        self.heard.append(event)

    def invited(self, call: LiveCall) -> None:
        self.held += 1

    def ended(self, call: LiveCall) -> None:
        self.held -= 1

    def vanished(self, call: LiveCall) -> None:
        pass


def order(number: int = 1, ring_timeout_s: int = 30) -> PlaceCall:
    attempt = AttemptId(f"attempt-{number}")
    return PlaceCall(attempt, ContactId(number), CampaignId("c"), TRUNK, "10000000001", ring_timeout_s, NOW + 3_600_000)


def switch_of(people: Population, carrier: Carrier, phone: Phone) -> tuple[Timeline, Switch]:
    timeline = Timeline(NOW)
    return timeline, Switch(timeline, people, {TRUNK: carrier}, 1, [phone])


def test_a_call_rings_is_answered_and_ends() -> None:
    phone = Phone()
    timeline, switch = switch_of(EVERYBODY_ANSWERS, Carrier(), phone)

    assert switch.place(order(), phone)
    timeline.run(NOW + 3_600_000)

    assert [type(event) for event in phone.heard] == [CallRinging, CallAnswered, CallEnded]
    assert not switch.live
    assert phone.held == 0


def test_a_call_rings_until_our_own_time_out() -> None:
    phone = Phone()
    timeline, switch = switch_of(EVERYBODY_ANSWERS, Carrier(), phone)

    switch.place(order(ring_timeout_s=4), phone)
    timeline.run(NOW + 3_999)
    assert switch.live
    timeline.run(NOW + 4_000)

    (ended,) = [event for event in phone.heard if isinstance(event, CallEnded)]
    assert outcome_of(ended.ending, answered=False) is Outcome.NO_ANSWER


def test_a_trunk_that_is_down_and_a_name_that_is_in_use_are_refused_at_once() -> None:
    phone = Phone()
    _, switch = switch_of(EVERYBODY_ANSWERS, Carrier(), phone)

    assert switch.place(order(), phone)
    assert not switch.place(order(), phone)
    switch.set_up(TRUNK, False)
    assert not switch.place(order(2), phone)
    assert phone.held == 1


@pytest.mark.parametrize("carrier", [Carrier(channels_max=2), Carrier(cps_max=2)])
def test_a_carrier_refuses_what_is_beyond_its_own_limits(carrier: Carrier) -> None:
    phone = Phone()
    timeline, switch = switch_of(EVERYBODY_ANSWERS, carrier, phone)

    for number in (1, 2, 3):
        switch.place(order(number), phone)
    timeline.run(NOW + 1_000)

    (ended,) = [event for event in phone.heard if isinstance(event, CallEnded)]
    assert (ended.attempt, ended.ending.sip_code) == ("attempt-3", 503)


def test_calls_of_a_switch_that_restarts_go_on_at_the_carrier_and_nobody_hears_of_them() -> None:
    phone = Phone()
    timeline, switch = switch_of(Population(answer=0, dead={}, otherwise={Outcome.NO_ANSWER: 1}), Carrier(), phone)
    switch.place(order(), phone)
    timeline.run(NOW + 10_000)
    phone.heard.clear()

    switch.restart()
    timeline.run(NOW + RINGS_ON_MS - 1)
    assert (phone.held, list(switch.live), phone.heard) == (1, [], [])

    timeline.run(NOW + RINGS_ON_MS)
    assert (phone.held, phone.heard) == (0, [])


# Crashes


class CrashAt(Storm):
    """Fine weather, except that an engine dies at the `nth` occasion. `occasions` counts those there were."""

    def __init__(self, nth: int, timeline: Timeline) -> None:
        super().__init__(1, Rates(), timeline, NOW)
        self.occasions = 0
        self._nth = nth

    def crashes(self, point: Point) -> bool:
        self.occasions += 1
        return self.occasions == self._nth


def test_no_promise_is_broken_wherever_an_engine_dies() -> None:
    for nth in count(1):
        timeline = Timeline(NOW)
        storm, store = CrashAt(nth, timeline), MemoryStore(lambda timeline=timeline: timeline.now)
        terms = LeaseTerms()
        judge = Judge(store, timeline, grace_ms=terms.ttl_ms)
        people = Population(answer=0.5, dead={}, otherwise={Outcome.BUSY: 1})
        world = World(timeline, store, people, {TRUNK: Carrier()}, 1, witnesses=[judge], terms=terms, storm=storm)
        retry = RetryPolicy({Outcome.BUSY: 60}, retries_max=1)
        plan = CampaignPlan(
            CampaignId("c"), AccountId("a"), trunks=(TrunkShare(TRUNK),), channels_max=2, daily_cap=3, retry=retry
        )
        contacts = [DueContact(ContactId(n), f"1000000000{n}") for n in (1, 2, 3)]
        judge.plan_is(plan)
        judge.contacts_come(plan.id, contacts)
        judge.running_is(plan.id, True)
        judge.trunk_is(TRUNK, 2, 1)
        world.add_trunk(TRUNK, 2, 1)
        world.add_campaign(plan, contacts)
        world.start_node("one")
        world.start_node("two")

        world.run(NOW + 3_600_000)

        assert judge.close() == [], f"an engine died at occasion {nth}"
        assert store.campaigns[plan.id].state is CampaignState.COMPLETED, f"an engine died at occasion {nth}"
        if storm.occasions < nth:
            assert nth > 30, "there were fewer occasions to die than a call has steps"
            return


# Replays


def test_a_hostile_world_is_the_same_every_time() -> None:
    once, again = HostileWorld(23, 60), HostileWorld(23, 60)
    assert once.run() == again.run()
    assert [(c.order, c.invited_at) for c in once.judge.calls] == [(c.order, c.invited_at) for c in again.judge.calls]
    assert once.world.steps == again.world.steps
