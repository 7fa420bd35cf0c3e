"""Where sounds are kept that clients bring along. Implemented by `adapters/speech/shelf.py`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class SoundUnusable(Exception):
    """What was brought is no sound that can be used; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class KeptSound:
    """`file`: its name on the shelf."""

    file: str
    duration_ms: int


class SoundShelf(Protocol):
    """Every sound on it is in the form that the switch plays: WAV, 8 kHz, 16 bit, mono."""

    async def put(self, source: bytes) -> KeptSound:
        """Keeps a WAV file of any common form under a new name. Raises SoundUnusable."""
        ...

    def path(self, file: str) -> Path | None:
        """None when it is gone."""
        ...

    def remove(self, file: str) -> None: ...
