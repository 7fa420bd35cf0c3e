"""When calling is allowed: windows per weekday in a time zone, and days on which nobody is called.

Openness is defined by the wall clock of the zone, so that nothing is dialled outside the hours a person
reads on the wall, also on days when the clock is put forward or back.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import Instant

DAY_MIN = 24 * 60
HORIZON_DAYS = 400


@dataclass(frozen=True, slots=True)
class Window:
    """`[begin_min, end_min)` in minutes of the local day, 0 ≤ begin < end ≤ 1440."""

    begin_min: int
    end_min: int

    def __post_init__(self) -> None:
        if not 0 <= self.begin_min < self.end_min <= DAY_MIN:
            raise ValueError(f"a window must begin before it ends, within one day: {self}")


Week = tuple[tuple[Window, ...], ...]
"""Seven days of windows, Sunday first."""


def only_days(week: Week, weekdays: Collection[int] | None) -> Week:
    """The week with its other days closed; None leaves it as it is."""
    return week if weekdays is None else tuple(day if n in weekdays else () for n, day in enumerate(week))


@dataclass(frozen=True, slots=True)
class CallingHours:
    """`week[0]` is Sunday. `closed_days` are local dates without calls (public holidays)."""

    week: Week
    zone: str = "Asia/Shanghai"
    closed_days: frozenset[date] = field(default=frozenset())

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError("calling hours need seven weekdays, Sunday first")

    @classmethod
    def always(cls, zone: str = "Asia/Shanghai") -> "CallingHours":
        return cls(week=((Window(0, DAY_MIN),),) * 7, zone=zone)


@dataclass(frozen=True, slots=True)
class Openness:
    """`hold` is None while calls are allowed. The answer is valid for instants before `until`."""

    hold: HoldReason | None
    until: Instant


def openness(hours: CallingHours, now: Instant, zone: str | None = None) -> Openness:
    """Whether calls are allowed at `now`, and until when this answer surely holds.

    `zone` replaces the hours' own zone (a contact's own time). The answer may be the same after `until`.
    """
    tz = ZoneInfo(zone or hours.zone)
    local = datetime.fromtimestamp(now / 1000, tz)
    windows = hours.week[(local.weekday() + 1) % 7]
    minute = local.hour * 60 + local.minute
    until = _next_edge(local, windows, now, tz)
    if local.date() in hours.closed_days:
        return Openness(HoldReason.HOLIDAY, until)
    if any(w.begin_min <= minute < w.end_min for w in windows):
        return Openness(None, until)
    return Openness(HoldReason.CALLING_HOURS, until)


def next_open(hours: CallingHours, now: Instant, zone: str | None = None) -> Instant | None:
    """The first instant from `now` on at which calls are allowed, or None within `HORIZON_DAYS`."""
    horizon = now + HORIZON_DAYS * 86_400_000
    while now < horizon:
        state = openness(hours, now, zone)
        if state.hold is None:
            return now
        now = state.until
    return None


def hold_at(hours: CallingHours, now: Instant, zone: str | None = None) -> Hold | None:
    """The hold at `now` with the instant it ends, or None while open."""
    state = openness(hours, now, zone)
    if state.hold is None:
        return None
    return Hold(state.hold, next_open(hours, now, zone))


def _next_edge(local: datetime, windows: tuple[Window, ...], now: Instant, tz: ZoneInfo) -> Instant:
    minute = local.hour * 60 + local.minute
    edges = [DAY_MIN, *(edge for window in windows for edge in (window.begin_min, window.end_min))]
    edge_min = min(edge for edge in edges if edge > minute)
    edge = now - now % 60_000 + (edge_min - minute) * 60_000
    # That is when the wall shows the edge, unless its clock is changed before.
    return _clock_change(now, edge, tz) or edge


def _clock_change(after: Instant, upto: Instant, tz: ZoneInfo) -> Instant | None:
    """The instant in `(after, upto]` at which the zone's clock is put forward or back, if there is one."""
    offset = _offset(after, tz)
    if _offset(upto, tz) == offset:
        return None
    while upto - after > 1:
        middle = (after + upto) // 2
        if _offset(middle, tz) == offset:
            after = middle
        else:
            upto = middle
    return upto


def _offset(at: Instant, tz: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at / 1000, tz).utcoffset()
