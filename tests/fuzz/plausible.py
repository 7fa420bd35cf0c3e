"""What belongs together in a request and no document can say: times that follow each other, the same password twice."""

import re
from collections.abc import Callable
from typing import Any

SPANS = (
    ("begin_time", "end_time"),
    ("begin", "end"),
    ("switch_start", "switch_end"),
    ("start_time", "stop_time"),
    ("start_at", "end_at"),
)
PERIODS = ("created_at", "hangup_date", "date", "time", "startTime")
DAWN, DUSK, NEVER = "0:00", "23:59", "2199-12-28 23:59"
_CLOCK = re.compile(r"[0-9]{1,2}:")


def plausible(sent: Any) -> Any:
    """The same, with what contradicts itself put right. What is of a wrong type stays wrong."""
    match sent:
        case list():
            return [plausible(each) for each in sent]
        case dict():
            mended = {name: plausible(each) for name, each in sent.items()}
            _both(mended)
            _in_order(mended)
            _twice(mended)
            _once(mended)
            return mended
    return sent


def _in_order(fields: dict[str, Any]) -> None:
    for first, last in SPANS:
        if isinstance(fields.get(first), str) and isinstance(fields.get(last), str):
            fields[first], fields[last] = _ordered([fields[first], fields[last]])
    for name, value in fields.items():
        if name.removesuffix("[]") in PERIODS and isinstance(value, list):
            if value and all(isinstance(each, str) for each in value):
                fields[name] = _ordered(value * 2 if len(value) == 1 else value)
            else:
                fields[name] = [_ordered(each) if _is_span(each) else each for each in value]


def _is_span(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)


def _ordered(times: list[str]) -> list[str]:
    """An end is later than its begin, by a minute at least."""
    *earlier, last = sorted(times, key=_minute)
    if earlier and _minute(last) == _minute(earlier[-1]):
        earlier[-1], last = (DAWN, DUSK) if _CLOCK.match(last) else (earlier[-1], NEVER)
    return [*earlier, last]


def _minute(written: str) -> list[int]:
    numbers = [int(digits) for digits in re.findall(r"[0-9]{1,4}", written)]
    return numbers[: 2 if _CLOCK.match(written) else 5]


def _twice(fields: dict[str, Any]) -> None:
    again = fields.get("password_confirmation", 0)
    if isinstance(fields.get("password"), str) and (again is None or isinstance(again, str)):
        fields["password_confirmation"] = fields["password"]


def _once(fields: dict[str, Any]) -> None:
    """A rule says one thing of a number status, a script one of a key; a number comes once in a list, and a line."""
    for name, key in (("details", "number_status"), ("keys", "key"), ("data", "phone"), ("items", "phone")):
        rows = fields.get(name)
        if isinstance(rows, list) and all(
            isinstance(row, dict) and isinstance(row.get(key), str | int) for row in rows
        ):
            fields[name] = _first_of_each(rows, lambda row, key=key: row[key])
    lines = fields.get("line")
    if isinstance(lines, list):
        fields["line"] = _first_of_each(lines, lambda line: str(line.get("id") if isinstance(line, dict) else line))


def _first_of_each(rows: list[Any], key: Callable[[Any], Any]) -> list[Any]:
    return list({key(row): row for row in reversed(rows)}.values())[::-1]


def _both(fields: dict[str, Any]) -> None:
    """A time is said with its begin and its end."""
    for one, other in (("start_at", "end_at"), ("end_at", "start_at")):
        if isinstance(fields.get(one), str) and fields.get(other) is None:
            fields[other] = fields[one]
