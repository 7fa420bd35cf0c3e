"""The conversation: who talks once a call is answered. First form: scripted lines (`adapters/speech`)."""

from pathlib import Path
from typing import Protocol

from waihu.ports.dialing_store import CallSheet, Turn


class HungUp(Exception):
    """The callee has hung up, or the call was lost; there is nobody to talk to any more."""


class Line(Protocol):
    """One answered call, as the agent has it."""

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the answer."""
        ...

    async def play(self, sound: Path) -> None:
        """Plays a WAV file to its end. Raises HungUp."""
        ...

    async def key(self, timeout_s: float) -> str | None:
        """The next DTMF key, also one pressed earlier; None when none comes in time. Raises HungUp."""
        ...


class Conversation(Protocol):
    async def prepare(self, sheet: CallSheet) -> None:
        """Called while the phone rings: whatever takes time before the first word."""
        ...

    async def talk(self, sheet: CallSheet, line: Line, turns: list[Turn]) -> None:
        """Talks until the agent is done; the caller hangs up then. Appends each turn as it happens.

        Raises HungUp when the callee ends the call first.
        """
        ...
