"""Every story in `stories/` happens as it is told, and the interpreter believes nothing it does not know."""

import os
from pathlib import Path

import pytest
from story import Story, Untold, read, side_by_side, write
from story_stage import play

PATHS = sorted((Path(__file__).parent / "stories").glob("*.txt"))

if os.environ.get("WAIHU_STORIES") == "update":
    for path in PATHS:
        path.write_text("\n".join(write(story, play(story)) for story in read(path)), encoding="utf-8")

STORIES = [story for path in PATHS for story in read(path)]

PLAIN = """\
# A busy number is finished.
on Wed 2026-03-04
given trunk T1: 1 channel
given campaign C: on T1; 1 channel
given C has anna

10:00:00  C starts       -> C is dialing; plan anna #1 on T1, place call
10:00:30  #1 ends: busy  -> close #1 busy, anna is finished; C is completed
"""


@pytest.mark.parametrize("story", STORIES, ids=[f"{story.path.stem}: {story.title}" for story in STORIES])
def test_story(story: Story) -> None:
    lines = play(story)
    if lines != story.lines:
        pytest.fail(side_by_side(story, lines), pytrace=False)


def test_each_story_has_its_own_title() -> None:
    assert len({story.title for story in STORIES}) == len(STORIES)


def told(text: str, tmp_path: Path) -> Story:
    path = tmp_path / "told.txt"
    path.write_text(text, encoding="utf-8")
    (story,) = read(path)
    return story


def test_what_is_written_reads_as_it_was_told(tmp_path: Path) -> None:
    story = told(PLAIN, tmp_path)
    assert write(story, play(story)) == PLAIN


@pytest.mark.parametrize(
    ("told_now", "instead"),
    [
        ("; C is completed", ""),
        ("place call", "place call; plan ben #2 on T1, place call"),
        ("#1 on T1, place", "#1 on T2, place"),
        ("C is dialing; plan anna #1 on T1, place call", "nothing"),
        ("busy, anna", "no answer, anna"),
        ("10:00:30  #1", "10:02:00  #1"),  # The core asks about the call in between.
    ],
)
def test_a_story_fails_when_something_else_happens(tmp_path: Path, told_now: str, instead: str) -> None:
    assert told_now in PLAIN
    story = told(PLAIN.replace(told_now, instead), tmp_path)
    lines = play(story)
    assert lines != story.lines
    assert "≠" in side_by_side(story, lines)


@pytest.mark.parametrize(
    ("told_now", "instead"),
    [
        ("C starts", "C begins"),
        ("#1 ends: busy", "#1 ends somehow"),
        ("#1 ends: busy", "#1 ends: somehow"),
        ("#1 ends: busy", "#2 ends: busy"),
        ("on T1; 1 channel", "on T1; 1 channel; be quick"),
        ("given C has anna", "given the weather is fine"),
        ("Wed 2026-03-04", "Thu 2026-03-04"),
        ("10:00:30  #1", "09:00:00  #1"),
        ("10:00:30  #1 ends: busy  ->", "10:00:30  #1 ends: busy"),
    ],
)
def test_words_that_are_not_known_fail(tmp_path: Path, told_now: str, instead: str) -> None:
    assert told_now in PLAIN
    with pytest.raises(Untold):
        play(told(PLAIN.replace(told_now, instead), tmp_path))
