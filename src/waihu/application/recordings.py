"""Where recordings are, and keys that open one of them without a token for a while."""

from pathlib import Path

from waihu.application.signed_keys import SignedKeys
from waihu.domain.errors import NotFound
from waihu.domain.ids import Instant
from waihu.ports.clock import Clock


class Recordings:
    """`directory` holds the files and the signing key, so that every process that has them shares the key."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory.resolve()
        self._keys = SignedKeys(directory, "recording", clock)

    def path(self, recording: str) -> Path:
        """The file of a recording. Raises NotFound when it is gone, or would lie elsewhere."""
        path = (self._directory / recording).resolve()
        if not path.is_relative_to(self._directory) or not path.is_file():
            raise NotFound("recording")
        return path

    def key(self, recording: str, until: Instant | None = None) -> str:
        """What opens this recording until then, for 30 days where nothing is said, to anybody who has it."""
        return self._keys.key(recording, until)

    def by_key(self, key: str) -> Path:
        """The file that a key opens. Raises NotFound for a key that is forged, over, or of nothing."""
        return self.path(self._keys.opened(key))
