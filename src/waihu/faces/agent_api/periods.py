"""Periods of whole days, as bills and reports are asked for: `date[]=2026-03-01&date[]=2026-03-07`."""

from collections.abc import Sequence
from datetime import date, datetime

from waihu.domain.errors import Invalid
from waihu.domain.ids import Instant
from waihu.faces.agent_api.times import CHINA, parse_end, parse_time

DAY_MS = 86_400_000

Period = tuple[Instant, Instant]
"""`[since, until]`, both inclusive."""


def last_days(now: Instant, days: int) -> Period:
    """Today and the days before it, so many in all."""
    today = _midnight(now)
    return today - (days - 1) * DAY_MS, today + DAY_MS - 1


def yesterday(now: Instant) -> Period:
    today = _midnight(now)
    return today - DAY_MS, today - 1


def period_of(name: str, written: Sequence[str], otherwise: Period) -> Period:
    """From one date, which is that day, or from two. Raises Invalid about `name`."""
    if not written:
        return otherwise
    since, until = parse_time(written[0]), parse_end(written[-1])
    if since is None or until is None or len(written) > 2 or since > until:
        raise Invalid.field(name, f"{name} 必须是起止两个日期,格式为 YYYY-MM-DD")
    return since, until


def days_of(period: Period) -> tuple[date, date]:
    """The first and the last day."""
    first, last = (datetime.fromtimestamp(at // 1000, CHINA).date() for at in period)
    return first, last


def _midnight(now: Instant) -> Instant:
    local = datetime.fromtimestamp(now // 1000, CHINA)
    return int(datetime(local.year, local.month, local.day, tzinfo=CHINA).timestamp()) * 1000
