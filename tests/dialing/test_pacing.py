"""How fast calls may start: never more in one window than the rate, counted from the switch's confirmations."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waihu.dialing.pacing import GUARD_MS, StartGate
from waihu.domain.ids import Instant


def greedy(gate: StartGate, until: Instant, confirm_after_ms: int = 0) -> list[Instant]:
    """The starts of a dialer that always has someone to call and a switch that confirms after a fixed time."""
    now, starts = 0, []
    while (start := gate.next_start(now)) is not None and start <= until:
        now = start
        gate.plan(now)
        starts.append(now)
        now += confirm_after_ms
        gate.confirm(now)
    return starts


def most_in_a_window(starts: list[Instant], window_ms: int) -> int:
    return max(sum(first <= other < first + window_ms for other in starts) for first in starts)


@pytest.mark.parametrize(("cps", "window_ms", "starts_max"), [(0.1, 10_000, 1), (0.5, 2000, 1), (1, 1000, 1)])
def test_a_slow_trunk_starts_one_call_per_period(cps: float, window_ms: int, starts_max: int) -> None:
    starts = greedy(StartGate(cps), 60_000)
    assert most_in_a_window(starts, window_ms) == starts_max
    assert all(later - earlier == window_ms + GUARD_MS for earlier, later in pairwise(starts))


@pytest.mark.parametrize("cps", [2, 3, 5, 10, 50])
def test_a_trunk_starts_as_many_calls_per_second_as_it_may_evenly_spaced(cps: int) -> None:
    starts = greedy(StartGate(cps), 10_000)
    assert most_in_a_window(starts, 1000) == cps
    assert all(later - earlier >= 1000 // cps for earlier, later in pairwise(starts))
    assert len(starts) >= 10 * cps * 1000 // (1000 + GUARD_MS)


def test_parts_of_a_call_per_second_are_rounded_down() -> None:
    assert most_in_a_window(greedy(StartGate(2.9), 10_000), 1000) == 2


def test_without_a_rate_any_number_starts_at_once() -> None:
    gate = StartGate(None)
    for _ in range(1000):
        assert gate.next_start(7) == 7
        gate.plan(7)
        gate.confirm(7)


def test_a_rate_of_nought_starts_nothing() -> None:
    assert StartGate(0).next_start(0) is None


def test_calls_that_the_switch_has_not_confirmed_count_as_if_they_started_now() -> None:
    gate = StartGate(2)
    gate.plan(0)
    assert gate.next_start(0) == 500
    gate.plan(500)
    # Both may still leave at any time: nothing can be said before one is confirmed.
    assert gate.next_start(60_000) is None
    gate.confirm(60_000)
    assert gate.next_start(60_000) == 60_000 + 1000 + GUARD_MS
    gate.confirm(60_100)
    assert gate.next_start(60_100) == 60_000 + 1000 + GUARD_MS


def test_a_call_that_did_not_leave_makes_room_again() -> None:
    gate = StartGate(1)
    gate.plan(0)
    assert gate.next_start(5000) is None
    gate.withdraw()
    assert gate.next_start(5000) == 5000


def test_a_lower_rate_counts_what_has_just_started() -> None:
    gate = StartGate(5)
    for now in range(0, 1000, 200):
        gate.plan(now)
        gate.confirm(now)
    gate.set_rate(2)
    # The starts at 600 and 800 are a window's worth.
    assert gate.next_start(1000) == 600 + 1000 + GUARD_MS


def test_a_rate_that_is_suspended_for_a_while_does_not_forget_what_has_started() -> None:
    gate = StartGate(0.1)
    gate.plan(0)
    gate.confirm(8000)
    gate.set_rate(0)
    assert gate.next_start(12_000) is None
    gate.set_rate(0.1)
    assert gate.next_start(12_000) == 8000 + 10_000 + GUARD_MS


def test_a_higher_rate_is_used_at_once() -> None:
    gate = StartGate(1)
    gate.plan(0)
    gate.confirm(0)
    assert gate.next_start(100) == 1000 + GUARD_MS
    gate.set_rate(10)
    assert gate.next_start(100) == 100


def test_more_confirmations_than_plans_break_a_promise() -> None:
    gate = StartGate(1)
    with pytest.raises(AssertionError, match="once"):
        gate.confirm(0)
    with pytest.raises(AssertionError, match="planned"):
        gate.withdraw()


@given(
    cps=st.floats(0.2, 20),
    steps=st.lists(st.tuples(st.integers(0, 1500), st.sampled_from(("start", "start", "confirm", "withdraw")))),
)
def test_no_window_holds_more_confirmed_starts_than_the_rate(cps: float, steps: list[tuple[int, str]]) -> None:
    gate, now, unconfirmed, confirmed = StartGate(cps), 0, 0, []
    for pause_ms, what in steps:
        now += pause_ms
        if what == "start" and gate.next_start(now) == now:
            gate.plan(now)
            unconfirmed += 1
        elif what == "confirm" and unconfirmed:
            gate.confirm(now)
            unconfirmed -= 1
            confirmed.append(now)
        elif what == "withdraw" and unconfirmed:
            gate.withdraw()
            unconfirmed -= 1
    window_ms, starts_max = (1000, int(cps)) if cps >= 1 else (round(1000 / cps), 1)
    if confirmed:
        assert most_in_a_window(confirmed, window_ms) <= starts_max
