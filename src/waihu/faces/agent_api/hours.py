"""Weekly windows in the two forms of the wire: `content` of time groups, `work_hour` of 2.0 tasks. 0 is Sunday."""

from collections.abc import Iterable

from msgspec import Struct

from waihu.domain.errors import Invalid
from waihu.domain.hours import Week, Window
from waihu.faces.agent_api.times import parse_minute, written_minute

MONDAY_FIRST = (1, 2, 3, 4, 5, 6, 0)
EVERY_DAY = -1
"""As `wday`: a window that all days have."""


class Times(Struct):
    end_time: str
    begin_time: str


class Day(Struct):
    week: int
    times: list[Times]


class WorkHour(Struct):
    end: str
    wday: int
    begin: str


class EngineHour(Struct):
    wday: int | str
    begin: str
    end: str


def content_of(week: Week) -> list[Day]:
    return [
        Day(day, [Times(written_minute(window.end_min), written_minute(window.begin_min)) for window in windows])
        for day, windows in enumerate(week)
        if windows
    ]


def work_hours_of(week: Week) -> list[WorkHour]:
    return [
        WorkHour(written_minute(window.end_min), day, written_minute(window.begin_min))
        for day in MONDAY_FIRST
        for window in week[day]
    ]


def engine_hours_of(week: Week) -> list[EngineHour]:
    """As the vendor's engine keeps them: what all days have in common once, as day "-1", then the rest."""
    common = [window for window in week[0] if all(window in day for day in week)]
    shared = [EngineHour(str(EVERY_DAY), written_minute(w.begin_min), written_minute(w.end_min)) for w in common]
    return shared + [
        EngineHour(day, written_minute(window.begin_min), written_minute(window.end_min))
        for day in MONDAY_FIRST
        for window in week[day]
        if window not in common
    ]


def work_days_of(week: Week) -> list[int]:
    return [day for day in MONDAY_FIRST if week[day]]


def week_of(windows: Iterable[tuple[int, str, str]], field: str) -> Week:
    """The week that windows `(weekday, begin, end)` make. Raises Invalid about `field`."""
    days: list[set[Window]] = [set() for _ in range(7)]
    problems: list[str] = []
    for day, begin, end in windows:
        window = window_of(begin, end)
        if window is None:
            problems.append(f"时段 {begin}-{end} 无效,结束时间必须晚于开始时间,格式为 HH:MM")
        elif day == EVERY_DAY:
            for windows_of_day in days:
                windows_of_day.add(window)
        elif 0 <= day <= 6:
            days[day].add(window)
        else:
            problems.append("星期必须是 0 到 6 的整数,0 为星期日")
    if problems:
        raise Invalid({field: problems})
    return tuple(tuple(sorted(windows_of_day, key=lambda each: each.begin_min)) for windows_of_day in days)


def window_of(begin: str, end: str) -> Window | None:
    """None for times that are none, or do not come in this order."""
    begin_min, end_min = parse_minute(begin), parse_minute(end)
    if begin_min is None or end_min is None or begin_min >= end_min:
        return None
    return Window(begin_min, end_min)
