"""The judge of the hostile worlds sees every fault that it claims to exclude.

A small world ends without a broken promise. Then one fact is changed, of what the carriers saw, of what was promised
or of what the store holds, and the judge must name the promise that this breaks, and no other. At last dialers with a
mistake live in hostile worlds.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from waihu.dialing import campaigns, lifecycle, placement
from waihu.dialing.decision import Decision
from waihu.dialing.dialer import Dialer
from waihu.dialing.eligibility import Gate
from waihu.dialing.events import CapacityGranted, Event
from waihu.dialing.pacing import StartGate
from waihu.dialing.resources import of_trunk
from waihu.dialing.retries import retry_after
from waihu.domain.campaign import CampaignPlan, CampaignState, ClosedPeriod, PauseReason, RetryPolicy, TrunkShare
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.hours import CallingHours, Window
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, NodeId, TrunkId
from waihu.domain.outcome import Outcome
from waihu.simulator.carriers import Carrier
from waihu.simulator.evidence import Evidence, History, SeenCall
from waihu.simulator.hostile import HostileWorld, replay
from waihu.simulator.judge import Judge, Promise, verdict
from waihu.simulator.people import Population
from waihu.simulator.store import AttemptRow, AttemptState, MemoryStore
from waihu.simulator.timeline import Timeline
from waihu.simulator.world import World

ZONE = "Asia/Shanghai"
TEN: Instant = int(datetime(2026, 3, 4, 10, tzinfo=ZoneInfo(ZONE)).timestamp()) * 1000
HOUR_MS = 3_600_000
GRACE_MS = 20_000
RETRY_S = 60
TRUNK, CAMPAIGN, ACCOUNT = TrunkId("trunk"), CampaignId("campaign"), AccountId("account")
DAYTIME = CallingHours(((Window(9 * 60, 21 * 60),),) * 7, ZONE)
PLAN = CampaignPlan(
    CAMPAIGN,
    ACCOUNT,
    hours=DAYTIME,
    trunks=(TrunkShare(TRUNK, 2),),
    channels_max=2,
    retry=RetryPolicy({Outcome.BUSY: RETRY_S}, retries_max=1),
    daily_cap=2,
)


# The small world, and how it is changed


def small_world() -> Evidence:
    """Four people are called from ten o'clock on, two at a time. Two are busy and are called again; it is eleven."""
    timeline = Timeline(TEN)
    store = MemoryStore(lambda: timeline.now)
    judge = Judge(store, timeline, GRACE_MS)
    people = Population(answer=0.5, dead={}, otherwise={Outcome.BUSY: 1}, talk_mean_s=10)
    world = World(timeline, store, people, {TRUNK: Carrier()}, 1, witnesses=[judge])
    contacts = [DueContact(ContactId(n), f"1000000000{n}") for n in (1, 2, 3, 4)]
    judge.plan_is(PLAN)
    judge.running_is(CAMPAIGN, True)
    judge.trunk_is(TRUNK, 2, 1)
    judge.contacts_come(CAMPAIGN, contacts)
    world.add_trunk(TRUNK, 2, 1)
    world.add_campaign(PLAN, contacts)
    world.start_node("one")
    world.run(TEN + HOUR_MS)
    return judge.evidence()


def call(evidence: Evidence, contact: int, turn: int = 1) -> SeenCall:
    """The contact's first or second call."""
    return [each for each in evidence.calls if each.order.contact == contact][turn - 1]


def attempt(evidence: Evidence, contact: int, turn: int = 1) -> AttemptRow:
    return evidence.store.attempts[call(evidence, contact, turn).order.attempt]


def saw(evidence: Evidence, before: SeenCall, **facts: Any) -> None:
    """The carrier's log has other facts of the call."""
    evidence.calls[evidence.calls.index(before)] = replace(before, **facts)


def move(evidence: Evidence, contact: int, turn: int, to: Instant) -> None:
    """The call, and its attempt, happened so that the INVITE was seen at `to`."""
    before = call(evidence, contact, turn)
    by_ms = to - before.invited_at
    times = {name: getattr(before, name) for name in ("invited_at", "answered_at", "ended_at")}
    saw(evidence, before, **{name: at + by_ms for name, at in times.items() if at is not None})
    row = evidence.store.attempts[before.order.attempt]
    assert row.closed_at is not None
    row.planned_at, row.closed_at = row.planned_at + by_ms, row.closed_at + by_ms


def over_time(*values: tuple[Instant, Any]) -> History[Any]:
    history: History[Any] = History()
    for at, value in values:
        history.set(at, value)
    return history


def rule(evidence: Evidence, **rules: Any) -> None:
    """The campaign's rules were others from the beginning."""
    evidence.plans[CAMPAIGN] = over_time((TEN, replace(PLAN, **rules)))


def allow_more_channels(evidence: Evidence) -> None:
    rule(evidence, channels_max=3, trunks=(TrunkShare(TRUNK),))
    evidence.trunks[TRUNK] = over_time((TEN, (3, 1)))


def forbid(evidence: Evidence, contact: int, at: Instant) -> None:
    evidence.store.do_not_call[ACCOUNT, evidence.store.contacts[ContactId(contact)].phone] = at


def leave_waiting(evidence: Evidence, contact: int, hold: Hold | None) -> None:
    """The campaign still runs in the end, since the contact waits."""
    campaign, row = evidence.store.campaigns[CAMPAIGN], evidence.store.contacts[ContactId(contact)]
    campaign.state, campaign.unfinished = CampaignState.RUNNING, 1
    row.finished, row.hold = False, hold


def promises_broken(evidence: Evidence) -> set[Promise]:
    return {violation.promise for violation in verdict(evidence)}


def test_the_small_world_is_as_the_faults_need_it() -> None:
    evidence = small_world()
    assert verdict(evidence) == []
    assert [(each.order.contact, each.outcome) for each in evidence.calls] == [
        (1, Outcome.ANSWERED),
        (2, Outcome.ANSWERED),
        (3, Outcome.BUSY),
        (4, Outcome.BUSY),
        (3, Outcome.ANSWERED),
        (4, Outcome.BUSY),
    ]
    assert evidence.store.campaigns[CAMPAIGN].state is CampaignState.COMPLETED


# Faults

Fault = Callable[[Evidence], None]
FAULTS: list[tuple[Fault, set[Promise]]] = []


def breaks(*promises: Promise) -> Callable[[Fault], Fault]:
    """The fault breaks these promises, mostly one, and no others."""

    def note(fault: Fault) -> Fault:
        FAULTS.append((fault, set(promises)))
        return fault

    return note


@breaks(Promise.ONE_CALL_PER_ATTEMPT)
def an_attempt_is_dialled_a_second_time(evidence: Evidence) -> None:
    first = call(evidence, 2)
    assert first.ended_at is not None
    evidence.calls.append(replace(first, invited_at=first.ended_at, ended_at=first.ended_at + 1))


@breaks(Promise.ONE_CALL_PER_ATTEMPT, Promise.ONE_CALL_AT_A_TIME)
def an_attempt_is_dialled_a_second_time_while_it_rings(evidence: Evidence) -> None:
    allow_more_channels(evidence)
    first = call(evidence, 2)
    evidence.calls.append(replace(first, invited_at=first.invited_at + 1000))


@breaks(Promise.COMMITTED_FIRST)
def a_call_is_dialled_before_its_attempt_is_committed(evidence: Evidence) -> None:
    attempt(evidence, 1).planned_at = call(evidence, 1).invited_at + 1


@breaks(Promise.COMMITTED_FIRST)
def a_call_is_dialled_after_its_attempt_was_closed(evidence: Evidence) -> None:
    attempt(evidence, 1).closed_at = call(evidence, 1).invited_at - 1


@breaks(Promise.COMMITTED_FIRST, Promise.TRUE_OUTCOME)
def a_call_is_dialled_under_a_name_that_the_store_does_not_know(evidence: Evidence) -> None:
    first = call(evidence, 1)
    saw(evidence, first, order=replace(first.order, attempt=AttemptId("nobody's")))


@breaks(Promise.ONE_CALL_AT_A_TIME)
def a_contact_is_called_while_its_first_call_goes_on(evidence: Evidence) -> None:
    allow_more_channels(evidence)
    saw(evidence, call(evidence, 3), ended_at=call(evidence, 3, 2).invited_at + 1)


@breaks(Promise.ONE_CALL_AT_A_TIME)
def a_contact_is_called_while_the_carrier_keeps_a_call_that_vanished(evidence: Evidence) -> None:
    allow_more_channels(evidence)
    first, second = call(evidence, 3), call(evidence, 3, 2)
    saw(evidence, first, vanished_at=first.ended_at, ended_at=second.invited_at + 1)


@breaks(Promise.RETRY_POLICY)
def a_contact_is_called_again_although_no_outcome_is_tried_again(evidence: Evidence) -> None:
    rule(evidence, retry=RetryPolicy({}, retries_max=1))


@breaks(Promise.RETRY_POLICY)
def a_contact_is_called_more_often_than_the_policy_says(evidence: Evidence) -> None:
    rule(evidence, retry=RetryPolicy({Outcome.BUSY: RETRY_S}, retries_max=0))


@breaks(Promise.RETRY_POLICY)
def a_contact_is_called_again_before_the_delay_is_over(evidence: Evidence) -> None:
    rule(evidence, retry=RetryPolicy({Outcome.BUSY: RETRY_S + 1}, retries_max=1))


@breaks(Promise.RETRY_POLICY)
def a_contact_is_called_again_before_the_outcome_is_known(evidence: Evidence) -> None:
    attempt(evidence, 3).closed_at = call(evidence, 3, 2).invited_at + 1


@breaks(Promise.RETRY_POLICY)
def what_may_have_reached_a_person_is_called_again(evidence: Evidence) -> None:
    attempt(evidence, 3).outcome = Outcome.UNKNOWN


@breaks(Promise.CALLING_HOURS)
def the_windows_were_others(evidence: Evidence) -> None:
    rule(evidence, hours=CallingHours(((Window(14 * 60, 21 * 60),),) * 7, ZONE))


@breaks(Promise.CALLING_HOURS)
def the_weekday_was_closed(evidence: Evidence) -> None:
    rule(evidence, hours=replace(DAYTIME, week=tuple(() if day == 3 else DAYTIME.week[day] for day in range(7))))


@breaks(Promise.CALLING_HOURS)
def the_day_was_a_public_holiday(evidence: Evidence) -> None:
    rule(evidence, hours=replace(DAYTIME, closed_days=frozenset({date(2026, 3, 4)})))


@breaks(Promise.CALLING_HOURS)
def the_campaign_had_a_holiday(evidence: Evidence) -> None:
    rule(evidence, holidays=(ClosedPeriod(TEN - HOUR_MS, TEN + HOUR_MS),))


@breaks(Promise.CALLING_HOURS)
def it_was_evening_where_the_contact_is(evidence: Evidence) -> None:
    rule(evidence, in_contact_zone=True)
    evidence.store.contacts[ContactId(1)].zone = "America/New_York"


@breaks(Promise.TRUNK_CHANNELS)
def the_trunk_had_fewer_channels(evidence: Evidence) -> None:
    evidence.trunks[TRUNK] = over_time((TEN, (1, 1)))


@breaks(Promise.TRUNK_CHANNELS)
def a_vanished_call_still_holds_its_channel_of_the_trunk(evidence: Evidence) -> None:
    first, third = call(evidence, 1), call(evidence, 3)
    saw(evidence, first, vanished_at=first.ended_at, ended_at=third.invited_at + 1)


@breaks(Promise.CAMPAIGN_CHANNELS)
def the_campaign_might_hold_fewer_channels(evidence: Evidence) -> None:
    rule(evidence, channels_max=1)


@breaks(Promise.TRUNK_SHARE)
def the_campaign_had_a_smaller_share(evidence: Evidence) -> None:
    rule(evidence, trunks=(TrunkShare(TRUNK, 1),))


@breaks(Promise.TRUNK_SHARE)
def the_campaign_had_another_trunk(evidence: Evidence) -> None:
    rule(evidence, trunks=(TrunkShare(TrunkId("another")),))


@breaks(Promise.PAUSE)
def the_channels_should_have_rested(evidence: Evidence) -> None:
    rule(evidence, pause_s=5)


@breaks(Promise.CALLS_PER_SECOND)
def the_trunk_had_a_lower_rate(evidence: Evidence) -> None:
    evidence.trunks[TRUNK] = over_time((TEN, (2, 0.5)))


@breaks(Promise.CALLS_PER_SECOND)
def two_calls_come_within_a_second(evidence: Evidence) -> None:
    move(evidence, 2, 1, call(evidence, 1).invited_at + 999)


@breaks(Promise.DO_NOT_CALL)
def a_number_was_on_the_list_when_its_call_was_planned(evidence: Evidence) -> None:
    forbid(evidence, 2, TEN)


@breaks(Promise.DO_NOT_CALL)
def a_number_came_on_the_list_before_its_second_call(evidence: Evidence) -> None:
    forbid(evidence, 3, call(evidence, 3, 2).invited_at - 1)


@breaks(Promise.DAILY_CAP)
def a_number_is_called_more_often_than_the_cap(evidence: Evidence) -> None:
    rule(evidence, daily_cap=1)


@breaks(Promise.DAILY_CAP)
def two_contacts_of_one_number_are_called_as_if_they_were_two_people(evidence: Evidence) -> None:
    last = call(evidence, 4, 2)
    saw(evidence, last, order=replace(last.order, phone=call(evidence, 3).order.phone))


@breaks(Promise.DAILY_CAP)
def a_call_overtakes_one_that_was_planned_before_it_and_is_the_last_for_today(evidence: Evidence) -> None:
    two_contacts_of_one_number_are_called_as_if_they_were_two_people(evidence)
    attempts, overtaking = evidence.store.attempts, attempt(evidence, 3, 2)
    del attempts[overtaking.id]
    attempts[overtaking.id] = overtaking


@breaks(Promise.STOPPED)
def the_campaign_had_been_stopped(evidence: Evidence) -> None:
    evidence.running[CAMPAIGN] = over_time((TEN, True), (TEN + GRACE_MS, False))


@breaks(Promise.TRUE_OUTCOME)
def the_store_says_busy_where_somebody_answered(evidence: Evidence) -> None:
    attempt(evidence, 1).outcome = evidence.store.contacts[ContactId(1)].outcome = Outcome.BUSY


@breaks(Promise.TRUE_OUTCOME)
def the_store_says_answered_where_nobody_did(evidence: Evidence) -> None:
    attempt(evidence, 4, 2).outcome = evidence.store.contacts[ContactId(4)].outcome = Outcome.ANSWERED


@breaks(Promise.TRUE_OUTCOME)
def the_store_says_answered_of_a_call_that_we_ended_while_it_rang(evidence: Evidence) -> None:
    the_store_says_answered_where_nobody_did(evidence)
    saw(evidence, call(evidence, 4, 2), outcome=None)


@breaks(Promise.TRUE_OUTCOME)
def the_store_says_rejected_where_it_was_busy(evidence: Evidence) -> None:
    attempt(evidence, 4, 2).outcome = evidence.store.contacts[ContactId(4)].outcome = Outcome.REJECTED


@breaks(Promise.TRUE_OUTCOME)
def a_call_that_was_dialled_is_withdrawn(evidence: Evidence) -> None:
    attempt(evidence, 4, 2).state = AttemptState.WITHDRAWN


@breaks(Promise.TRUE_OUTCOME)
def the_store_tells_the_outcome_of_a_call_that_nobody_saw(evidence: Evidence) -> None:
    evidence.calls.remove(call(evidence, 2))


@breaks(Promise.TRUE_OUTCOME)
def a_contact_has_another_outcome_than_its_last_call(evidence: Evidence) -> None:
    evidence.store.contacts[ContactId(3)].outcome = Outcome.BUSY


@breaks(Promise.TRUE_OUTCOME)
def a_contact_is_finished_as_forbidden_and_its_number_is_not_on_the_list(evidence: Evidence) -> None:
    evidence.store.contacts[ContactId(3)].outcome = Outcome.DO_NOT_CALL


@breaks(Promise.NONE_OPEN)
def an_attempt_stays_planned(evidence: Evidence) -> None:
    attempt(evidence, 3).state = AttemptState.PLANNED


@breaks(Promise.NONE_OPEN)
def an_attempt_stays_answered(evidence: Evidence) -> None:
    attempt(evidence, 3).state = AttemptState.ANSWERED


@breaks(Promise.NONE_LOST)
def a_contact_is_not_in_the_store_any_more(evidence: Evidence) -> None:
    del evidence.store.contacts[ContactId(2)]


@breaks(Promise.NONE_LOST)
def a_contact_is_kept_by_a_node(evidence: Evidence) -> None:
    leave_waiting(evidence, 2, None)
    evidence.store.contacts[ContactId(2)].node = NodeId(1)


@breaks(Promise.NONE_LOST)
def a_contact_is_finished_without_an_outcome(evidence: Evidence) -> None:
    evidence.store.contacts[ContactId(2)].outcome = None


@breaks(Promise.NONE_LOST)
def a_campaign_is_completed_while_a_contact_waits(evidence: Evidence) -> None:
    evidence.store.contacts[ContactId(2)].finished = False


@breaks(Promise.NONE_STUCK)
def nobody_takes_a_contact_that_is_free(evidence: Evidence) -> None:
    leave_waiting(evidence, 2, None)


@breaks(Promise.NONE_STUCK)
def nobody_takes_a_contact_that_is_due(evidence: Evidence) -> None:
    leave_waiting(evidence, 2, Hold(HoldReason.RETRY_DELAY, evidence.at))


@breaks(Promise.NONE_STUCK)
def a_contact_waits_for_ever(evidence: Evidence) -> None:
    leave_waiting(evidence, 2, Hold(HoldReason.CALLING_HOURS))


@breaks(Promise.NONE_STUCK)
def a_contact_waits_for_a_later_day_than_the_next(evidence: Evidence) -> None:
    leave_waiting(evidence, 2, Hold(HoldReason.RETRY_DELAY, TEN + 48 * HOUR_MS))


@breaks(Promise.NONE_STUCK)
def a_campaign_goes_on_when_everybody_is_finished(evidence: Evidence) -> None:
    evidence.store.campaigns[CAMPAIGN].state = CampaignState.RUNNING


@breaks(Promise.NONE_STUCK)
def a_campaign_is_paused_by_nobody(evidence: Evidence) -> None:
    leave_waiting(evidence, 2, None)
    evidence.store.campaigns[CAMPAIGN].state = CampaignState.PAUSED


@pytest.mark.parametrize(("fault", "broken"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_the_judge_names_the_promise_that_a_fault_breaks(fault: Fault, broken: set[Promise]) -> None:
    evidence = small_world()
    fault(evidence)
    assert promises_broken(evidence) == broken


def test_for_every_promise_a_fault_breaks_it_alone() -> None:
    assert {promise for _, broken in FAULTS if len(broken) == 1 for promise in broken} == set(Promise)


def test_the_judge_names_the_call() -> None:
    evidence = small_world()
    forbid(evidence, 3, call(evidence, 3, 2).invited_at - 1)
    (violation,) = verdict(evidence)

    second = call(evidence, 3, 2)
    assert (violation.at, violation.campaign, violation.contact, violation.attempt, violation.trunk) == (
        second.invited_at,
        CAMPAIGN,
        3,
        second.order.attempt,
        TRUNK,
    )
    assert second.order.phone not in str(violation)


# Edges: the last millisecond that is allowed, and the next

Edge = Callable[[Evidence, int], None]
EDGES: list[tuple[Edge, Promise]] = []


def edge_of(promise: Promise) -> Callable[[Edge], Edge]:
    """The promise is kept when the edge is drawn with 0 ms, and broken with 1 ms beyond."""

    def note(edge: Edge) -> Edge:
        EDGES.append((edge, promise))
        return edge

    return note


@edge_of(Promise.CALLING_HOURS)
def the_window_closes(evidence: Evidence, beyond_ms: int) -> None:
    move(evidence, 4, 2, TEN + 11 * HOUR_MS - 1 + beyond_ms)


@edge_of(Promise.CALLING_HOURS)
def the_window_opens(evidence: Evidence, beyond_ms: int) -> None:
    move(evidence, 1, 1, TEN - HOUR_MS - beyond_ms)
    evidence.plans[CAMPAIGN] = over_time((0, PLAN))
    evidence.running[CAMPAIGN] = over_time((0, True))
    evidence.trunks[TRUNK] = over_time((0, (2, 1)))


@edge_of(Promise.CALLING_HOURS)
def the_campaign_stops(evidence: Evidence, beyond_ms: int) -> None:
    rule(evidence, stop_at=call(evidence, 4, 2).invited_at + 1 - beyond_ms)


@edge_of(Promise.CALLING_HOURS)
def the_campaign_starts(evidence: Evidence, beyond_ms: int) -> None:
    rule(evidence, start_at=call(evidence, 1).invited_at + beyond_ms)


@edge_of(Promise.CALLING_HOURS)
def a_holiday_begins(evidence: Evidence, beyond_ms: int) -> None:
    begin = call(evidence, 4, 2).invited_at + 1 - beyond_ms
    rule(evidence, holidays=(ClosedPeriod(begin, begin + HOUR_MS),))


@edge_of(Promise.CALLING_HOURS)
def a_holiday_ends(evidence: Evidence, beyond_ms: int) -> None:
    rule(evidence, holidays=(ClosedPeriod(TEN - HOUR_MS, call(evidence, 1).invited_at + beyond_ms),))


@edge_of(Promise.RETRY_POLICY)
def the_retry_rule_was_changed_a_lease_before_the_call_ended(evidence: Evidence, beyond_ms: int) -> None:
    ended_at = call(evidence, 4).ended_at
    assert ended_at is not None
    changed_at = ended_at - GRACE_MS + 1 - beyond_ms
    evidence.plans[CAMPAIGN] = over_time((TEN, PLAN), (changed_at, replace(PLAN, retry=RetryPolicy())))


@edge_of(Promise.STOPPED)
def the_campaign_was_stopped_a_lease_ago(evidence: Evidence, beyond_ms: int) -> None:
    stopped_at = call(evidence, 4, 2).invited_at - GRACE_MS + 1 - beyond_ms
    evidence.running[CAMPAIGN] = over_time((TEN, True), (stopped_at, False))


@edge_of(Promise.TRUNK_CHANNELS)
def the_trunk_lost_a_channel_a_lease_ago(evidence: Evidence, beyond_ms: int) -> None:
    lost_at = call(evidence, 2).invited_at - GRACE_MS + 1 - beyond_ms
    evidence.trunks[TRUNK] = over_time((lost_at - GRACE_MS, (2, 1)), (lost_at, (1, 1)), (TEN + 2000, (2, 1)))


@edge_of(Promise.TRUNK_CHANNELS)
def a_call_begins_when_another_ends(evidence: Evidence, beyond_ms: int) -> None:
    allow_more_channels(evidence)
    evidence.trunks[TRUNK] = over_time((TEN, (2, 1)))
    saw(evidence, call(evidence, 1), ended_at=call(evidence, 3).invited_at + beyond_ms)


@edge_of(Promise.PAUSE)
def a_channel_rests_for_a_second(evidence: Evidence, beyond_ms: int) -> None:
    rule(evidence, pause_s=1)
    saw(evidence, call(evidence, 1), ended_at=call(evidence, 3).invited_at - 1000 + beyond_ms)
    saw(evidence, call(evidence, 3), ended_at=call(evidence, 4).invited_at - 1000)


@edge_of(Promise.CALLS_PER_SECOND)
def a_second_has_passed_since_the_call_before(evidence: Evidence, beyond_ms: int) -> None:
    move(evidence, 2, 1, call(evidence, 1).invited_at + 1000 - beyond_ms)


@edge_of(Promise.CALLS_PER_SECOND)
def two_seconds_have_passed_on_a_trunk_that_takes_half_a_call_a_second(evidence: Evidence, beyond_ms: int) -> None:
    evidence.trunks[TRUNK] = over_time((TEN, (2, 0.5)))
    move(evidence, 2, 1, call(evidence, 1).invited_at + 2000 - beyond_ms)


@edge_of(Promise.CALLS_PER_SECOND)
def the_call_before_had_the_higher_rate_of_a_lease_ago(evidence: Evidence, beyond_ms: int) -> None:
    at = call(evidence, 1).invited_at + 500
    move(evidence, 2, 1, at)
    evidence.trunks[TRUNK] = over_time((0, (2, 2)), (at - 1000 - GRACE_MS + 1 - beyond_ms, (2, 1)))


@edge_of(Promise.CALLS_PER_SECOND)
def the_call_before_had_a_rate_of_a_lease_ago_that_was_not_below_one(evidence: Evidence, beyond_ms: int) -> None:
    changed_at = call(evidence, 2).invited_at - 2000 - GRACE_MS + 1 - beyond_ms
    evidence.trunks[TRUNK] = over_time((0, (2, 1)), (changed_at, (2, 0.5)))


@edge_of(Promise.RETRY_POLICY)
def the_delay_is_over(evidence: Evidence, beyond_ms: int) -> None:
    ended_at = call(evidence, 3).ended_at
    assert ended_at is not None
    move(evidence, 3, 2, ended_at + RETRY_S * 1000 - beyond_ms)


@edge_of(Promise.COMMITTED_FIRST)
def the_attempt_is_committed_when_it_is_dialled(evidence: Evidence, beyond_ms: int) -> None:
    attempt(evidence, 1).planned_at = call(evidence, 1).invited_at + beyond_ms


@edge_of(Promise.COMMITTED_FIRST)
def the_attempt_is_closed_when_it_is_dialled(evidence: Evidence, beyond_ms: int) -> None:
    attempt(evidence, 1).closed_at = call(evidence, 1).invited_at - beyond_ms


@edge_of(Promise.DO_NOT_CALL)
def the_number_is_entered_when_its_call_is_planned(evidence: Evidence, beyond_ms: int) -> None:
    forbid(evidence, 2, attempt(evidence, 2).planned_at - beyond_ms)


@edge_of(Promise.DO_NOT_CALL)
def the_call_was_planned_before_the_number_was_entered_a_lease_ago(evidence: Evidence, beyond_ms: int) -> None:
    entered_at = call(evidence, 2).invited_at - GRACE_MS - beyond_ms
    attempt(evidence, 2).planned_at = entered_at
    forbid(evidence, 2, entered_at)


@pytest.mark.parametrize(("edge", "promise"), EDGES, ids=[edge.__name__ for edge, _ in EDGES])
def test_the_judge_tolerates_not_a_millisecond_more(edge: Edge, promise: Promise) -> None:
    allowed, too_far = small_world(), small_world()
    edge(allowed, 0)
    edge(too_far, 1)
    assert (promises_broken(allowed), promises_broken(too_far)) == (set(), {promise})


@pytest.mark.parametrize(
    ("promise", "contact", "turn", "rules"),
    [
        (Promise.CALLING_HOURS, 1, 1, {"stop_at": TEN}),
        (Promise.CAMPAIGN_CHANNELS, 2, 1, {"channels_max": 1}),
        (Promise.TRUNK_SHARE, 2, 1, {"trunks": (TrunkShare(TRUNK, 1),)}),
        (Promise.PAUSE, 3, 1, {"pause_s": 5}),
        (Promise.DAILY_CAP, 4, 2, {"daily_cap": 1}),
    ],
    ids=lambda each: each.name if isinstance(each, Promise) else "",
)
def test_a_call_may_follow_the_old_rules_for_as_long_as_a_lease(
    promise: Promise, contact: int, turn: int, rules: dict[str, Any]
) -> None:
    for beyond_ms, broken in ((0, set()), (1, {promise})):
        evidence = small_world()
        at = call(evidence, contact, turn).invited_at
        changed_at = at - GRACE_MS + 1 - beyond_ms
        evidence.plans[CAMPAIGN] = over_time((0, PLAN), (changed_at, replace(PLAN, **rules)), (at + 1, PLAN))
        assert promises_broken(evidence) == broken


# What is no fault


def nothing_but_unknown_is_said_of_a_call(evidence: Evidence) -> None:
    attempt(evidence, 1).outcome = evidence.store.contacts[ContactId(1)].outcome = Outcome.UNKNOWN


def an_attempt_that_nobody_saw_is_withdrawn(evidence: Evidence) -> None:
    attempt(evidence, 3).state = AttemptState.WITHDRAWN
    evidence.calls.remove(call(evidence, 3))


def a_vanished_call_gives_back_its_channel_of_the_campaign(evidence: Evidence) -> None:
    a_vanished_call_still_holds_its_channel_of_the_trunk(evidence)
    evidence.trunks[TRUNK] = over_time((TEN, (3, 1)))


def a_vanished_call_leaves_no_rest(evidence: Evidence) -> None:
    a_channel_rests_for_a_second(evidence, 1)
    first = call(evidence, 1)
    saw(evidence, first, vanished_at=first.ended_at)


def a_campaign_that_was_paused_remembers_no_rests(evidence: Evidence) -> None:
    a_channel_rests_for_a_second(evidence, 1)
    paused_at = call(evidence, 3).invited_at - 500
    evidence.running[CAMPAIGN] = over_time((TEN, True), (paused_at, False), (paused_at + 100, True))


def a_node_that_is_over_remembers_no_rests(evidence: Evidence) -> None:
    rule(evidence, pause_s=5)
    evidence.nodes_over[NodeId(1)] = call(evidence, 3).invited_at


def a_forbidden_number_is_finished_without_a_call(evidence: Evidence) -> None:
    evidence.calls.remove(call(evidence, 2))
    del evidence.store.attempts[next(name for name, row in evidence.store.attempts.items() if row.contact == 2)]
    evidence.store.contacts[ContactId(2)].outcome = Outcome.DO_NOT_CALL
    forbid(evidence, 2, TEN)


def a_user_paused_the_campaign(evidence: Evidence) -> None:
    a_campaign_is_paused_by_nobody(evidence)
    evidence.running[CAMPAIGN].set(evidence.at, False)


def the_campaign_paused_at_its_end(evidence: Evidence) -> None:
    a_campaign_is_paused_by_nobody(evidence)
    evidence.store.campaigns[CAMPAIGN].pause_reason = PauseReason.SCHEDULE_END
    rule(evidence, stop_at=evidence.at)


def a_contact_waits_for_tomorrow_morning(evidence: Evidence) -> None:
    leave_waiting(evidence, 2, Hold(HoldReason.DAILY_CAP, TEN + 23 * HOUR_MS))


@pytest.mark.parametrize(
    "allowed",
    [
        nothing_but_unknown_is_said_of_a_call,
        an_attempt_that_nobody_saw_is_withdrawn,
        a_vanished_call_gives_back_its_channel_of_the_campaign,
        a_vanished_call_leaves_no_rest,
        a_campaign_that_was_paused_remembers_no_rests,
        a_node_that_is_over_remembers_no_rests,
        a_forbidden_number_is_finished_without_a_call,
        a_user_paused_the_campaign,
        the_campaign_paused_at_its_end,
        a_contact_waits_for_tomorrow_morning,
    ],
)
def test_the_judge_says_nothing_of_what_is_allowed(allowed: Fault) -> None:
    evidence = small_world()
    allowed(evidence)
    assert verdict(evidence) == []


# Dialers with a mistake

Mistake = Callable[[pytest.MonkeyPatch], None]


def counts_one_channel_too_many_on_each_trunk(patch: pytest.MonkeyPatch) -> None:
    step = Dialer.step

    def mistaken(dialer: Dialer, event: Event, now: Instant) -> Decision:
        if isinstance(event, CapacityGranted) and event.resource.startswith(of_trunk(TrunkId(""))) and event.channels:
            event = replace(event, channels=event.channels + 1)
        return step(dialer, event, now)

    patch.setattr(Dialer, "step", mistaken)


def starts_one_call_a_second_too_many(patch: pytest.MonkeyPatch) -> None:
    set_rate = StartGate.set_rate
    patch.setattr(StartGate, "set_rate", lambda gate, cps: set_rate(gate, cps + 1 if cps else cps))


def does_not_look_at_the_clock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(placement, "campaign_gate", lambda plan, now: Gate(None, now + HOUR_MS))


def tries_once_too_often(patch: pytest.MonkeyPatch) -> None:
    def mistaken(plan: CampaignPlan, contact: DueContact, outcome: Outcome, ended_at: Instant) -> Hold | None:
        return retry_after(plan, replace(contact, tries=contact.tries - 1), outcome, ended_at)

    patch.setattr(lifecycle, "retry_after", mistaken)


def forgets_whom_it_should_give_back(patch: pytest.MonkeyPatch) -> None:
    for module in (lifecycle, campaigns):
        patch.setattr(module, "release_ready", lambda run, decision: run.ready.clear())


@pytest.mark.parametrize(
    ("mistake", "promise"),
    [
        (counts_one_channel_too_many_on_each_trunk, Promise.TRUNK_CHANNELS),
        (starts_one_call_a_second_too_many, Promise.CALLS_PER_SECOND),
        (does_not_look_at_the_clock, Promise.CALLING_HOURS),
        (tries_once_too_often, Promise.RETRY_POLICY),
        (forgets_whom_it_should_give_back, Promise.NONE_LOST),
    ],
    ids=lambda each: each.name if isinstance(each, Promise) else each.__name__,
)
def test_a_dialer_with_a_mistake_is_caught_within_thirty_worlds(
    mistake: Mistake, promise: Promise, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake(monkeypatch)
    for seed in range(1, 31):
        broken = {violation.promise for violation in HostileWorld(seed, 60).run()}
        if broken:
            assert broken == {promise}, replay(seed, 60)
            return
    pytest.fail("thirty hostile worlds did not show it")
