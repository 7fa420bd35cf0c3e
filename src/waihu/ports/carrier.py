"""The carrier: places calls, tells what becomes of them, and keeps the trunks it is given.

Implemented by `adapters/asterisk` over ARI. One suite runs over every implementation.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from waihu.domain.ids import AttemptId, Instant, TrunkId
from waihu.domain.outcome import Ending


@dataclass(frozen=True, slots=True)
class Trunk:
    """A SIP path to a carrier. `register` sends REGISTER, otherwise the carrier knows us by address."""

    id: TrunkId
    host: str
    port: int = 5060
    username: str | None = None
    password: str | None = None
    register: bool = False
    caller_id: str | None = None


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """A call to be placed. `recording` is the WAV file both directions are written to once answered."""

    attempt: AttemptId
    trunk: TrunkId
    phone: str
    caller_id: str | None
    ring_timeout_s: int
    recording: Path


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call the switch still has, whoever placed it."""

    attempt: AttemptId
    answered: bool
    created_at: Instant


# What the carrier tells. Events of one call may come late, twice or not at all after a lost connection.


@dataclass(frozen=True, slots=True)
class Ringing:
    attempt: AttemptId
    at: Instant


@dataclass(frozen=True, slots=True)
class EarlyMedia:
    attempt: AttemptId
    at: Instant


@dataclass(frozen=True, slots=True)
class Answered:
    attempt: AttemptId
    at: Instant


@dataclass(frozen=True, slots=True)
class Ended:
    attempt: AttemptId
    at: Instant
    ending: Ending


@dataclass(frozen=True, slots=True)
class DtmfPressed:
    attempt: AttemptId
    at: Instant
    digit: str


@dataclass(frozen=True, slots=True)
class PlaybackDone:
    """A `play` has come to its end, or was stopped, or failed."""

    attempt: AttemptId
    at: Instant
    playback: str


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    """Whether the trunk answers OPTIONS or is registered; `detail` is for people."""

    trunk: TrunkId
    up: bool
    detail: str


@dataclass(frozen=True, slots=True)
class SwitchUp:
    """The connection to the switch stands. Trunks must be given anew: a fresh switch knows none."""


@dataclass(frozen=True, slots=True)
class SwitchDown:
    reason: str


CarrierEvent = (
    Ringing | EarlyMedia | Answered | Ended | DtmfPressed | PlaybackDone | TrunkStatus | SwitchUp | SwitchDown
)


class NotPlaced(Exception):
    """The call certainly never left: the switch refused it at once. The message says why."""


class CarrierUnavailable(Exception):
    """The switch could not be reached, or the answer was lost: what was asked may or may not have happened."""


class Carrier(Protocol):
    def events(self) -> AsyncIterator[CarrierEvent]:
        """Events from now on, starting with SwitchUp or SwitchDown; reconnects by itself, never ends."""
        ...

    async def place(self, call: OutboundCall) -> None:
        """Starts the call with `call.attempt` as its name at the switch and in the SIP header X-Waihu-Attempt.

        Returns when the switch has taken it. Raises NotPlaced or CarrierUnavailable.
        """
        ...

    async def hang_up(self, attempt: AttemptId) -> None:
        """Ends the call; does nothing when it is gone. Raises CarrierUnavailable."""
        ...

    async def play(self, attempt: AttemptId, sound: Path) -> str:
        """Starts a WAV file (8 kHz, 16 bit, mono) to the callee; answers the playback's name."""
        ...

    async def live(self) -> Sequence[LiveCall]:
        """All calls of waihu that the switch has now, also those of other engines. Raises CarrierUnavailable."""
        ...

    async def started_at(self) -> Instant:
        """When the switch was started: calls older than that are not at it any more. Raises CarrierUnavailable."""
        ...

    async def set_trunk(self, trunk: Trunk) -> None:
        """Adds or changes a trunk without disturbing calls. Raises CarrierUnavailable."""
        ...

    async def remove_trunk(self, trunk: TrunkId) -> None:
        """Removes a trunk; its calls go on. Raises CarrierUnavailable."""
        ...

    async def trunk_status(self, trunk: TrunkId) -> TrunkStatus: ...
