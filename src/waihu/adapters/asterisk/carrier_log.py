"""Reads the log that the carrier box writes of every call. What it says is the judge of "never twice" and of
"never over the limit".
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from waihu.adapters.asterisk.carrier_behaviour import Behaviour, behaviour_of
from waihu.domain.ids import AttemptId, Instant


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """One INVITE as the carrier saw it. Without an end the call is still there, or the box was killed.

    `attempt` is None for a call without our header. `behaviour` is None for a number that the box does not
    know. `refused`: a limit of the box kept the call out.
    """

    attempt: AttemptId | None
    number: str
    caller_id: str
    behaviour: Behaviour | None
    invited_at_ms: Instant
    refused: bool = False
    answered_at_ms: Instant | None = None
    ended_at_ms: Instant | None = None
    q850: int | None = None


def read_carrier_log(path: Path) -> list[CarrierCall]:
    """All calls in the order of their INVITEs; a line that is still being written is left for the next reading."""
    calls: dict[str, CarrierCall] = {}
    # Without its line feed a line may be half a line.
    for line in path.read_text().splitlines(keepends=True) if path.exists() else ():
        if line.endswith("\n"):
            _apply(line.split(), calls)
    return sorted(calls.values(), key=lambda call: call.invited_at_ms)


def _apply(fields: list[str], calls: dict[str, CarrierCall]) -> None:
    at_ms, event, channel = int(fields[0]), fields[1], fields[2]
    match event:
        case "invite":
            # A dash in front of each value lets an empty one be seen.
            attempt, number, caller_id = (field[1:] for field in fields[3:6])
            calls[channel] = CarrierCall(
                AttemptId(attempt) if attempt else None, number, caller_id, behaviour_of(number), at_ms
            )
        case "refused":
            calls[channel] = replace(calls[channel], refused=True)
        case "answered":
            calls[channel] = replace(calls[channel], answered_at_ms=at_ms)
        case "ended":
            q850 = int(fields[3]) if len(fields) > 3 else None
            calls[channel] = replace(calls[channel], ended_at_ms=at_ms, q850=q850)
        case _:
            raise AssertionError(f"unknown event {event} in the carrier's log")


def max_concurrent(calls: Iterable[CarrierCall]) -> int:
    """The largest number of calls that were there at the same time, from INVITE to end."""
    changes = []
    for call in calls:
        changes.append((call.invited_at_ms, 1))
        if call.ended_at_ms is not None:
            # An end and a beginning in the same millisecond are counted as one after the other, though a call
            # that is refused at once still takes its moment.
            changes.append((max(call.ended_at_ms, call.invited_at_ms + 1), -1))
    there = most = 0
    for _, change in sorted(changes):
        there += change
        most = max(most, there)
    return most


def max_invites_in_window(calls: Iterable[CarrierCall], window_ms: int) -> int:
    """The largest number of INVITEs in any window of `window_ms`, its end excluded."""
    times = sorted(call.invited_at_ms for call in calls)
    most = oldest = 0
    for newest, at_ms in enumerate(times):
        while times[oldest] <= at_ms - window_ms:
            oldest += 1
        most = max(most, newest - oldest + 1)
    return most
