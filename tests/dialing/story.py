"""Stories: the rules of dialing, told so that an operator can read them and a test can check them.

A story begins with comment lines that name the behaviour, says what is given, and then what happens, one event a
line, with everything that is decided then. Nothing may be left out: each decision that is not told fails the story.

    # A busy number is tried again in ten minutes.
    on Wed 2026-03-04
    given trunk T1: 2 channels; 5 calls a second
    given campaign C: on T1; 1 channel; busy again after 10 minutes; 2 retries
    given C has anna, ben

    19:52:00  C starts       -> C is dialing; plan anna #1 on T1, place call
    19:52:20  #1 ends: busy  -> close #1 busy, hold anna until 20:02:20 (retry delay); plan ben #2 on T1, place call

Times are read on the wall in the zone that a campaign names, Asia/Shanghai if none does. `#2` is the second call
of the story. Between two lines the core is woken whenever it asks; what it decides then needs its own line, `time
passes`. The stage plays the store: it answers claims and keeps the contacts. With `given claims are told` the story
itself answers them; with `given deadlines are told` each call shows until when it may still be started. Words that
are not known fail; `story_words.py` has all of them.

With WAIHU_STORIES=update in the environment the test writes what happens into the file, to be read with care.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from textwrap import indent

WIDTH = 120


class Untold(Exception):
    """The story says something that the interpreter has no word for, or that cannot be."""


@dataclass(frozen=True)
class Line:
    """What happened at an instant of the story, and everything that was decided then."""

    day: date
    clock: str
    said: str
    decided: tuple[str, ...]


@dataclass
class Story:
    title: str
    path: Path
    given: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def read(path: Path) -> list[Story]:
    stories: list[Story] = []
    title: list[str] = []
    day = date.min
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            title.append(line.removeprefix("#").strip())
            continue
        if title:
            stories.append(Story(title=" ".join(title), path=path))
            title = []
        if not line.strip():
            continue
        story = stories[-1]
        if line.startswith("on "):
            day = day_of(line.removeprefix("on ").strip())
            if not story.lines and not story.given:
                story.given.append(line)
        elif line.startswith("given "):
            story.given.append(line)
        elif line.startswith("    ") and story.lines:
            last = story.lines[-1]
            story.lines[-1] = replace(last, decided=last.decided + _decisions(line))
        elif line.startswith("    "):
            story.given[-1] += "\n" + line
        else:
            told, arrow, decided = line.partition("->")
            clock, _, said = told.strip().partition("  ")
            if not arrow:
                raise Untold(f"{path.name}: no -> in {line!r}")
            story.lines.append(Line(day, clock, said.strip(), _decisions(decided)))
    return stories


def _decisions(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip() and part.strip() != "nothing")


def write(story: Story, lines: list[Line]) -> str:
    """The text of a story in which `lines` happen."""
    text = [*_wrapped_title(story.title), *story.given, ""]
    width = max((len(line.said) for line in lines), default=0)
    clock_width = max((len(line.clock) for line in lines), default=0)
    day = lines[0].day if lines else date.min
    for line in lines:
        if line.day != day:
            day = line.day
            text.append(f"on {day:%a %Y-%m-%d}")
        head = f"{line.clock:<{clock_width}}  {line.said:<{width}}  -> "
        rows = [""]
        for phrase in line.decided or ("nothing",):
            joined = f"{rows[-1]}; {phrase}" if rows[-1] else phrase
            if not rows[-1] or len(head) + len(joined) < WIDTH:
                rows[-1] = joined
            else:
                rows[-1] += ";"
                rows.append(phrase)
        text += [head + rows[0], *(" " * len(head) + row for row in rows[1:])]
    return "\n".join(text) + "\n"


def _wrapped_title(title: str) -> Iterator[str]:
    row = "#"
    for word in title.split():
        if len(row) + len(word) >= WIDTH:
            yield row
            row = "#"
        row += " " + word
    yield row


def side_by_side(story: Story, lines: list[Line]) -> str:
    """The story as told and as it happens, with a mark where they differ."""
    mark = "    " if lines == story.lines else "≠   "
    told = indent(write(story, story.lines), "    ")
    happens = indent(write(replace(story, given=[]), lines), mark)
    return f"{story.path.name}: {story.title}\n\nTold:\n{told}\nHappens:\n{happens}"


def day_of(text: str) -> date:
    day = date.fromisoformat(text[4:])
    if f"{day:%a}" != text[:3]:
        raise Untold(f"{text!r} is no {text[:3]}")
    return day
