"""Calling hours against the clock on the wall: minute by minute in many zones, around every change of the clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from waihu.domain.hold import Hold, HoldReason
from waihu.domain.hours import HORIZON_DAYS, CallingHours, Window, hold_at, next_open, openness
from waihu.domain.ids import Instant

MINUTE_MS = 60_000
DAY_MS = 86_400_000

ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Gaza",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Juba",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Sao_Paulo",
    "America/Nuuk",
    "America/Scoresbysund",
    "Antarctica/Casey",  # It has changed its clock at one minute past the hour.
    "Antarctica/Troll",  # By two hours.
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",  # By half an hour.
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",  # It has left out 30 December 2011.
    "Pacific/Chatham",
    "Pacific/Norfolk",
)

OFFICE = (Window(9 * 60, 12 * 60), Window(14 * 60, 20 * 60))
# Windows across the hours in which clocks are changed, with edges that no clock change falls on.
AWKWARD = (Window(0, 37), Window(67, 68), Window(119, 121), Window(150, 187), Window(23 * 60 + 7, 24 * 60))


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> Instant:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1000


def shown(hours: CallingHours, now: Instant) -> HoldReason | None:
    """What a person decides who reads the wall clock and the list of windows. None: calls are allowed."""
    wall = datetime.fromtimestamp(now / 1000, ZoneInfo(hours.zone))
    if wall.date() in hours.closed_days:
        return HoldReason.HOLIDAY
    minute = wall.hour * 60 + wall.minute
    sunday_first = wall.isoweekday() % 7
    inside = any(window.begin_min <= minute < window.end_min for window in hours.week[sunday_first])
    return None if inside else HoldReason.CALLING_HOURS


def clock_changes(zone: str) -> list[Instant]:
    """Midnights (UTC) before a change of the zone's clock, from 2022 to 2027, and two famous ones."""
    tz = ZoneInfo(zone)
    days = [utc(2022, 1, 1) + day * DAY_MS for day in range(6 * 365)]
    days += [utc(2011, 12, 29), utc(2020, 10, 3)]
    return [day for day in days if offset(day, tz) != offset(day + DAY_MS, tz)]


def offset(at: Instant, tz: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at / 1000, tz).utcoffset()


@dataclass(frozen=True)
class Stretch:
    """Some days of a zone with, for each minute, what the wall clock says."""

    hours: CallingHours
    begin: Instant
    minutes: tuple[HoldReason | None, ...]

    def at(self, now: Instant) -> HoldReason | None:
        return self.minutes[(now - self.begin) // MINUTE_MS]

    def first_open(self, now: Instant) -> Instant | None:
        if self.at(now) is None:
            return now
        for minute in range((now - self.begin) // MINUTE_MS + 1, len(self.minutes)):
            if self.minutes[minute] is None:
                return self.begin + minute * MINUTE_MS
        return None


def stretch(hours: CallingHours, begin: Instant, days: int) -> Stretch:
    minutes = range(begin, begin + days * DAY_MS, MINUTE_MS)
    return Stretch(hours, begin, tuple(shown(hours, minute) for minute in minutes))


@cache
def stretches(zone: str) -> tuple[Stretch, ...]:
    """The days around each clock change, and an ordinary week with a public holiday."""
    awkward = CallingHours(week=(AWKWARD,) * 7, zone=zone)
    office = CallingHours(
        week=((), *(OFFICE,) * 5, (Window(10 * 60, 16 * 60),)), zone=zone, closed_days=frozenset({date(2026, 5, 1)})
    )
    changes = [stretch(awkward, day - DAY_MS, 4) for day in clock_changes(zone)]
    return (*changes, stretch(office, utc(2026, 4, 29), 7))


@pytest.mark.parametrize("zone", ZONES)
def test_openness_is_what_the_wall_clock_says_until_the_instant_it_names(zone: str) -> None:
    for days in stretches(zone):
        now, end = days.begin, days.begin + len(days.minutes) * MINUTE_MS
        while now < end:
            state = openness(days.hours, now)
            assert state.until > now
            until = min(state.until, end)
            for minute in range(now - now % MINUTE_MS, until, MINUTE_MS):
                assert days.at(minute) == state.hold, datetime.fromtimestamp(minute / 1000, ZoneInfo(zone))
            now = until


@pytest.mark.parametrize("zone", ZONES)
def test_a_second_before_and_after_each_boundary_is_told_apart(zone: str) -> None:
    for days in stretches(zone):
        for index in range(1, len(days.minutes)):
            boundary = days.begin + index * MINUTE_MS
            if days.minutes[index - 1] != days.minutes[index]:
                for near in (boundary - 1000, boundary - 1, boundary, boundary + 1, boundary + 1000):
                    state = openness(days.hours, near)
                    assert state.hold == days.at(near)
                    assert state.until > near
                assert openness(days.hours, boundary - 1).until == boundary


@pytest.mark.parametrize("zone", ZONES)
def test_the_next_opening_is_the_first_one_on_the_wall_clock(zone: str) -> None:
    for days in stretches(zone):
        for now in range(days.begin + 1, days.begin + DAY_MS * 2, 17 * MINUTE_MS):
            assert next_open(days.hours, now) == days.first_open(now)


def test_an_opening_that_the_clock_leaps_over_does_not_happen_that_day() -> None:
    # In New York the clock goes from 02:00 to 03:00 on 8 March 2026.
    hours = CallingHours(week=((Window(2 * 60, 3 * 60),),) * 7, zone="America/New_York")
    assert next_open(hours, utc(2026, 3, 8, 5)) == utc(2026, 3, 9, 6)


def test_an_opening_that_the_clock_repeats_happens_twice() -> None:
    # In New York the clock goes from 02:00 back to 01:00 on 1 November 2026.
    hours = CallingHours(week=((Window(60, 90),),) * 7, zone="America/New_York")
    assert next_open(hours, utc(2026, 11, 1, 4)) == utc(2026, 11, 1, 5)
    assert next_open(hours, utc(2026, 11, 1, 5, 30)) == utc(2026, 11, 1, 6)


def test_a_window_to_midnight_goes_on_in_a_window_from_midnight() -> None:
    night = CallingHours(week=((Window(0, 60), Window(23 * 60, 24 * 60)),) * 7, zone="Asia/Shanghai")
    midnight = utc(2026, 3, 4, 16)
    assert openness(night, midnight - 1).hold is None
    assert openness(night, midnight).hold is None


def test_the_contacts_own_zone_replaces_that_of_the_hours() -> None:
    hours = CallingHours(week=(OFFICE,) * 7, zone="Asia/Shanghai")
    ten_in_shanghai = utc(2026, 3, 4, 2)
    assert openness(hours, ten_in_shanghai).hold is None
    assert openness(hours, ten_in_shanghai, "Europe/London").hold is HoldReason.CALLING_HOURS
    assert next_open(hours, ten_in_shanghai, "Europe/London") == utc(2026, 3, 4, 9)


def test_hours_without_a_window_never_open() -> None:
    never = CallingHours(week=((),) * 7)
    assert next_open(never, utc(2026, 3, 4)) is None
    assert hold_at(never, utc(2026, 3, 4)) == Hold(HoldReason.CALLING_HOURS, None)


def test_the_horizon_covers_a_year_of_closed_days() -> None:
    year = frozenset(date(2026, 1, 1) + timedelta(days=day) for day in range(365))
    hours = CallingHours(week=CallingHours.always().week, zone="UTC", closed_days=year)
    assert HORIZON_DAYS > 365
    assert hold_at(hours, utc(2026, 1, 1)) == Hold(HoldReason.HOLIDAY, utc(2027, 1, 1))


@pytest.mark.parametrize(("begin_min", "end_min"), [(-1, 10), (10, 10), (20, 10), (0, 1441)])
def test_a_window_that_does_not_lie_within_one_day_is_refused(begin_min: int, end_min: int) -> None:
    with pytest.raises(ValueError, match="within one day"):
        Window(begin_min, end_min)


def test_a_week_of_other_than_seven_days_is_refused() -> None:
    with pytest.raises(ValueError, match="seven"):
        CallingHours(week=((),) * 6)
