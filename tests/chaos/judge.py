"""Judges a chaos run by the carrier's log, with the stored attempts only to explain repeated numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import asyncpg

from waihu.adapters.asterisk.carrier_log import CarrierCall
from waihu.data_directory import DataDirectory
from waihu.domain.ids import Instant

RETRIED = "busy"
RETRY_DELAY_MS = 60_000
RETRIES_MAX = 1
SETTLE_MS = 6_000
"""Lowered limits hold for calls that start this long after the change: until every engine has renewed its lease."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The trunk's limits from `at` on."""

    at: Instant
    channels: int
    calls_per_s: int


@dataclass(frozen=True, slots=True)
class Attempt:
    id: str
    contact: int
    phone: str
    number: int
    state: str
    outcome: str | None
    closed_at: Instant | None


@dataclass(frozen=True, slots=True)
class Stored:
    attempts: Mapping[str, Attempt]
    finished: Mapping[str, str | None]
    """phone → outcome of the finished contact."""

    def __len__(self) -> int:
        return len(self.attempts)


async def read_attempts(data: Path) -> Stored:
    running = DataDirectory(data).running()
    assert running is not None, "waihu is up"
    connection = await asyncpg.connect(running.database_url)
    try:
        rows = await connection.fetch(
            "select id::text, contact_id, phone, number, state, outcome,"
            " (extract(epoch from closed_at) * 1000)::bigint from attempt"
        )
        contacts = await connection.fetch("select phone, outcome from contact where finished")
    finally:
        await connection.close()
    return Stored({row[0]: Attempt(*row) for row in rows}, {row[0]: row[1] for row in contacts})


def judge(calls: Sequence[CarrierCall], stored: Stored, phones: Sequence[str], limits: Sequence[Limits]) -> list[str]:
    return [
        *_twice(calls),
        *_redialled(calls, stored),
        *_lost(calls, stored, phones),
        *_over_channels(calls, limits),
        *_over_rate(calls, limits),
    ]


def _twice(calls: Sequence[CarrierCall]) -> list[str]:
    seen: set[str | None] = set()
    faults = []
    for call in calls:
        if call.attempt in seen or call.attempt is None:
            faults.append(f"attempt {call.attempt} was seen twice, or without its id")
        seen.add(call.attempt)
    return faults


def _redialled(calls: Sequence[CarrierCall], stored: Stored) -> list[str]:
    """A number comes again only after a busy call, a minute later, once."""
    by_number: dict[str, list[CarrierCall]] = defaultdict(list)
    for call in calls:
        by_number[call.number].append(call)
    faults = []
    for number, tries in by_number.items():
        if len(tries) > 1 + RETRIES_MAX:
            faults.append(f"{number} was called {len(tries)} times")
        for before, after in pairwise(tries):
            attempt = stored.attempts.get(str(before.attempt))
            if attempt is None or attempt.outcome != RETRIED or attempt.closed_at is None:
                faults.append(f"{number} was called again after {attempt}")
            elif after.invited_at_ms < attempt.closed_at + RETRY_DELAY_MS:
                faults.append(f"{number} was called again too soon: {after.invited_at_ms - attempt.closed_at} ms")
    return faults


def _lost(calls: Sequence[CarrierCall], stored: Stored, phones: Sequence[str]) -> list[str]:
    faults = [f"{phone} has no final outcome" for phone in phones if stored.finished.get(phone) is None]
    faults += [
        f"attempt {a.id} is still {a.state}" for a in stored.attempts.values() if a.state in ("planned", "answered")
    ]
    faults += [
        f"the carrier saw {c.attempt}, nobody else knows it" for c in calls if str(c.attempt) not in stored.attempts
    ]
    withdrawn = {a.id for a in stored.attempts.values() if a.state == "withdrawn"}
    faults += [f"attempt {c.attempt} was withdrawn, yet it left" for c in calls if c.attempt in withdrawn]
    return faults


def _over_channels(calls: Sequence[CarrierCall], limits: Sequence[Limits]) -> list[str]:
    """At each INVITE, it and the calls that are there are within the trunk's channels."""
    changes: list[tuple[Instant, int]] = []
    for call in calls:
        changes.append((call.invited_at_ms, 1))
        if call.ended_at_ms is not None:
            changes.append((call.ended_at_ms, -1))
    there = 0
    faults = []
    for at, change in sorted(changes):
        there += change
        allowed = max(each.channels for each in _in_force(limits, at))
        if change == 1 and there > allowed:
            faults.append(f"{there} calls at {at}, allowed {allowed}")
    return faults


def _over_rate(calls: Sequence[CarrierCall], limits: Sequence[Limits]) -> list[str]:
    times = sorted(call.invited_at_ms for call in calls)
    faults = []
    oldest = 0
    for newest, at in enumerate(times):
        while times[oldest] <= at - 1000:
            oldest += 1
        allowed = max(each.calls_per_s for each in _in_force(limits, at))
        if newest - oldest + 1 > allowed:
            faults.append(f"{newest - oldest + 1} calls in the second before {at}, allowed {allowed}")
    return faults


def _in_force(limits: Sequence[Limits], at: Instant) -> list[Limits]:
    """The limits that may apply at `at`: the newest, and the one before while it settles."""
    begun = [each for each in limits if each.at <= at]
    if len(begun) > 1 and at < begun[-1].at + SETTLE_MS:
        return begun[-2:]
    return begun[-1:]
