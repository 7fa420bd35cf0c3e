"""Between columns and values: instants, ids from outside, and the JSON forms of windows and retry policies."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import starmap
from typing import Any, overload
from uuid import UUID

from waihu.domain.campaign import RetryPolicy
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.hours import Week, Window
from waihu.domain.ids import Instant
from waihu.domain.outcome import Outcome
from waihu.ports.rows import OwnRetry

INTEGER_MAX = 2**31 - 1

# A page of campaigns has hundreds of windows, and most are alike.
_window = lru_cache(maxsize=1024)(Window)


@overload
def instant(at: datetime) -> Instant: ...
@overload
def instant(at: None) -> None: ...
def instant(at: datetime | None) -> Instant | None:
    return None if at is None else round(at.timestamp() * 1000)


@overload
def moment(at: Instant) -> datetime: ...
@overload
def moment(at: None) -> None: ...
def moment(at: Instant | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC)


def as_uuid(written: str) -> UUID | None:
    """The UUID, or None for anything else: such an id names nothing."""
    try:
        return UUID(written)
    except ValueError:
        return None


def uuids(written: list[str]) -> list[UUID]:
    return [found for found in map(as_uuid, written) if found is not None]


def fits_integer(number: int) -> bool:
    return 0 < number <= INTEGER_MAX


def week_to_json(week: Week) -> list[list[list[int]]]:
    return [[[window.begin_min, window.end_min] for window in day] for day in week]


def week_from_json(week: list[list[list[int]]]) -> Week:
    return tuple(tuple(starmap(_window, day)) for day in week)


def delays_to_json(delay_s: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.value: seconds for outcome, seconds in delay_s.items()}


def delays_from_json(delay_s: Mapping[str, int]) -> dict[Outcome, int]:
    return {Outcome(outcome): seconds for outcome, seconds in delay_s.items()}


def retry_to_json(retry: OwnRetry | None) -> dict[str, object] | None:
    if retry is None:
        return None
    return {
        "enabled": retry.enabled,
        "delay_s": delays_to_json(retry.policy.delay_s),
        "retries_max": retry.policy.retries_max,
        "new_first": retry.policy.new_first,
    }


def retry_from_json(kept: Mapping[str, Any] | None) -> OwnRetry | None:
    if kept is None:
        return None
    policy = RetryPolicy(delays_from_json(kept["delay_s"]), kept["retries_max"], kept["new_first"])
    return OwnRetry(kept["enabled"], policy)


def hold(reason: str | None, until: datetime | None) -> Hold | None:
    return None if reason is None else Hold(HoldReason(reason), instant(until))
