"""A core that is stored and restored decides as it would have without; wherever that happens."""

import pytest
from small_world import wander
from story import Story
from story_stage import play
from test_stories import STORIES

from waihu.dialing.dialer import Dialer


def restored(dialer: Dialer) -> Dialer:
    return Dialer.restore(dialer.snapshot())


@pytest.mark.parametrize("story", STORIES, ids=[f"{story.path.stem}: {story.title}" for story in STORIES])
def test_a_story_goes_on_as_told_though_the_core_is_restored_before_each_event(story: Story) -> None:
    assert play(story, renew=restored) == story.lines


@pytest.mark.parametrize("seed", range(5))
def test_a_long_run_is_the_same_though_the_core_is_restored_before_each_event(seed: int) -> None:
    assert wander(seed, acts=1000, restored_at_every_step=True) == wander(seed, acts=1000)


def test_a_restored_core_shares_nothing_with_the_one_it_was_taken_from() -> None:
    (story,) = [story for story in STORIES if story.title.startswith("Campaigns that share a trunk")]
    copies: list[tuple[Dialer, bytes]] = []

    def copied(dialer: Dialer) -> Dialer:
        copy = restored(dialer)
        copies.append((copy, copy.snapshot()))
        return dialer

    assert play(story, renew=copied) == story.lines
    assert all(copy.snapshot() == then for copy, then in copies)
