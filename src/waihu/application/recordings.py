"""Where recordings are, and keys that open one of them without a token for a while.

A key is the recording's name and when the key ends, signed. Nothing is stored per key.
"""

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes

from waihu.domain.errors import NotFound
from waihu.ports.clock import Clock

KEY_LIFETIME_MS = 30 * 86_400_000
_SIGNATURE_BYTES = 16


class Recordings:
    """`directory` holds the files and the signing key, so that every process that has them shares the key."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory.resolve()
        self._clock = clock

    def path(self, recording: str) -> Path:
        """The file of a recording. Raises NotFound when it is gone, or would lie elsewhere."""
        path = (self._directory / recording).resolve()
        if not path.is_relative_to(self._directory) or not path.is_file():
            raise NotFound("recording")
        return path

    def key(self, recording: str) -> str:
        """What opens this recording from now on until its time is over, to anybody who has it."""
        signed = f"{self._clock() + KEY_LIFETIME_MS}:{recording}".encode()
        return urlsafe_b64encode(self._sign(signed) + signed).rstrip(b"=").decode()

    def by_key(self, key: str) -> Path:
        """The file that a key opens. Raises NotFound for a key that is forged, over, or of nothing."""
        try:
            raw = urlsafe_b64decode(key + "=" * (-len(key) % 4))
        except ValueError:
            raise NotFound("recording") from None
        signature, signed = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(signed)):
            raise NotFound("recording")
        until, _, recording = signed.decode().partition(":")
        if int(until) < self._clock():
            raise NotFound("recording")
        return self.path(recording)

    def _sign(self, signed: bytes) -> bytes:
        return hmac.digest(self._signing_key(), signed, sha256)[:_SIGNATURE_BYTES]

    def _signing_key(self) -> bytes:
        kept = self._directory / ".signing-key"
        try:
            return kept.read_bytes()
        except FileNotFoundError:
            # Written aside and linked, so that of several processes one wins and all read a whole key.
            fresh = self._directory / f".signing-key.{os.getpid()}"
            fresh.touch(mode=0o600)
            fresh.write_bytes(token_bytes(32))
            try:
                os.link(fresh, kept)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
            return kept.read_bytes()
