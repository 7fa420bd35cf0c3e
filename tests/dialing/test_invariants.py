"""What the core promises at every moment, in a small hostile world that Hypothesis or a seed drives.

The world is in `small_world.py`, the checks are in `witness.py`; docs/invariants.md numbers the promises.
"""

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from small_world import SmallWorld, wander

Act = Callable[[SmallWorld], None]


def played(act: Act) -> Callable[["DialingMachine", st.DataObject], None]:
    def play(self: "DialingMachine", data: st.DataObject) -> None:
        self.world.choose = lambda options: data.draw(st.sampled_from(options))
        act(self.world)

    play.__name__ = act.__name__
    return rule(data=st.data())(play)


class DialingMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = SmallWorld(Random(0).choice)

    time_passes = played(SmallWorld.time_passes)
    time_passes_until_it_is_woken = played(SmallWorld.time_passes_until_it_is_woken)
    campaign_starts = played(SmallWorld.campaign_starts)
    campaign_stops = played(SmallWorld.campaign_stops)
    contacts_are_added = played(SmallWorld.contacts_are_added)
    contacts_are_deleted = played(SmallWorld.contacts_are_deleted)
    capacity_is_granted = played(SmallWorld.capacity_is_granted)
    trunk_changes = played(SmallWorld.trunk_changes)
    store_answers_claim = played(SmallWorld.store_answers_claim)
    claim_answer_arrives = played(SmallWorld.claim_answer_arrives)
    claim_fails = played(SmallWorld.claim_fails)
    store_refuses_plan = played(SmallWorld.store_refuses_plan)
    switch_takes_call = played(SmallWorld.switch_takes_call)
    call_rings = played(SmallWorld.call_rings)
    call_is_answered = played(SmallWorld.call_is_answered)
    call_ends = played(SmallWorld.call_ends)
    switch_is_asked = played(SmallWorld.switch_is_asked)
    carrier_repeats_itself = played(SmallWorld.carrier_repeats_itself)
    core_is_restored = played(SmallWorld.core_is_restored)

    def teardown(self) -> None:
        self.world.choose = Random(self.world.witness.steps).choice
        self.world.calm_down()


TestDialingMachine = DialingMachine.TestCase
TestDialingMachine.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("seed", range(100))
def test_a_core_keeps_its_promises_in_any_weather_and_finishes_everybody_after_it(seed: int) -> None:
    wander(seed, acts=300)


def test_each_promise_names_places_that_exist() -> None:
    root = Path(__file__).parents[2]
    rows = [row for row in (root / "docs/invariants.md").read_text(encoding="utf-8").splitlines() if row[2:3].isdigit()]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        _, _, _, kept_by, shown_by, _ = row.split("|")
        for folder, places in (("src/waihu", kept_by), ("tests/dialing", shown_by)):
            named = re.findall(r"`([^`]+)`", places)
            assert named, row
            for place in named:
                assert (root / folder / place).is_file(), place
