"""Times on the wire: local China time. `YYYY-MM-DD HH:MM:SS` is how the documentation writes times in queries; no page
shows one in an answer.
"""

import re
from datetime import date, datetime, time, timedelta, timezone

from waihu.domain.hours import DAY_MIN
from waihu.domain.ids import Instant

CHINA = timezone(timedelta(hours=8))

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARS = range(1970, 2200)
_TIME_OF_DAY = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])(?::[0-5][0-9])?")


def written(at: Instant) -> str:
    return _local(at).strftime("%Y-%m-%d %H:%M:%S")


def written_date(at: Instant) -> str:
    return _local(at).strftime("%Y-%m-%d")


def parse_date(text: str) -> Instant | None:
    """The midnight with which the day begins, or None for text that is no date."""
    if not _DATE.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return int(datetime.combine(day, time(), CHINA).timestamp()) * 1000 if day.year in _YEARS else None


def written_minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def parse_minute(text: str) -> int | None:
    """Minutes of the day for `HH:MM` or `HH:MM:SS`, 24:00 included; None for other text."""
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if found is None:
        return None
    minute = int(found[1]) * 60 + int(found[2])
    return minute if minute <= DAY_MIN else None


def _local(at: Instant) -> datetime:
    return datetime.fromtimestamp(at // 1000, CHINA)
