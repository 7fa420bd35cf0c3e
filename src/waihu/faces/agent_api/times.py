"""Times on the wire: local China time, `YYYY-MM-DD HH:MM:SS`; times of day are `HH:MM`."""

import re
from datetime import datetime, timedelta, timezone
from typing import overload

from waihu.domain.hours import DAY_MIN
from waihu.domain.ids import Instant

CHINA = timezone(timedelta(hours=8))

_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_YEARS = range(1970, 2200)
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?", re.ASCII)


@overload
def written(at: Instant) -> str: ...
@overload
def written(at: None) -> None: ...
def written(at: Instant | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at // 1000, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def parse_time(text: str) -> Instant | None:
    """The instant, or None for text that is no time. A date alone is its midnight."""
    for form in _FORMS:
        try:
            local = datetime.strptime(text, form)
        except ValueError:
            continue
        return int(local.replace(tzinfo=CHINA).timestamp()) * 1000 if local.year in _YEARS else None
    return None


def bound(name: str, text: str | None, problems: dict[str, list[str]], *, end: bool = False) -> Instant | None:
    """The instant of a filter's bound, with a problem for text that is none. An end means its whole second or day."""
    if text is None:
        return None
    at = parse_end(text) if end else parse_time(text)
    if at is None:
        problems[name] = [f"{name} 的格式必须是 YYYY-MM-DD HH:MM:SS"]
    return at


def span(
    names: tuple[str, str], texts: tuple[str | None, str | None], problems: dict[str, list[str]]
) -> tuple[Instant | None, Instant | None]:
    """The bounds of a filter from one name to the other, with a problem for an end before its begin."""
    begin = bound(names[0], texts[0], problems)
    end = bound(names[1], texts[1], problems, end=True)
    if begin is not None and end is not None and end < begin:
        problems[names[1]] = [f"{names[1]} 的结束时间必须晚于开始时间"]
    return begin, end


def parse_end(text: str) -> Instant | None:
    """As `parse_time`, for a bound that is meant with its whole second, minute or day."""
    at = parse_time(text)
    if at is None:
        return None
    whole_ms = {len("YYYY-MM-DD"): 86_400_000, len("YYYY-MM-DD HH:MM"): 60_000}.get(len(text), 1000)
    return at + whole_ms - 1


def written_minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def parse_minute(text: str) -> int | None:
    """Minutes of the day for `HH:MM` or `HH:MM:SS`, 24:00 included; None for other text."""
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if found is None:
        return None
    minute = int(found[1]) * 60 + int(found[2])
    return minute if minute <= DAY_MIN else None
