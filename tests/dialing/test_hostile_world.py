"""Hostile worlds: lost and repeated events, store faults, crashes at every step. The carriers' side judges.

`make simulate` runs ten thousand of them.
"""

import pytest

from waihu.simulator.hostile import hostile, replay

CONTACTS = 200
SEEDS = 200
CHUNK = 10
ONCE_BROKEN = (2127, 3480, 3674)


@pytest.mark.parametrize("first", range(1, SEEDS + 1, CHUNK))
def test_no_promise_is_broken_in_a_hostile_world(first: int) -> None:
    for seed in range(first, first + CHUNK):
        violations = hostile([seed], CONTACTS)
        assert not violations, "\n".join([*map(str, violations), replay(seed, CONTACTS)])


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_what_was_broken_once_stays_mended(seed: int) -> None:
    assert hostile([seed], CONTACTS) == []
