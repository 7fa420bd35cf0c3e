"""Keys that open one thing without a token for a while: what it is and when the key ends, signed. None is stored."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes

from waihu.application.secret_files import kept_secret
from waihu.domain.errors import NotFound
from waihu.domain.ids import Instant
from waihu.ports.clock import Clock

LIFETIME_MS = 30 * 86_400_000
_SIGNATURE_BYTES = 16


class SignedKeys:
    """`directory` holds the signing key, so that every process that has it shares it. `noun` is what the keys open:
    a key of another noun opens nothing here.
    """

    def __init__(self, directory: Path, noun: str, clock: Clock) -> None:
        self._file = directory / ".signing-key"
        self._noun = noun
        self._clock = clock

    def key(self, thing: str, until: Instant | None = None) -> str:
        """What opens `thing` until then, for 30 days where nothing is said."""
        signed = f"{self._clock() + LIFETIME_MS if until is None else until}:{thing}".encode()
        return urlsafe_b64encode(self._sign(signed) + signed).rstrip(b"=").decode()

    def opened(self, key: str) -> str:
        """The thing that a key opens. Raises NotFound for a key that is forged or over."""
        try:
            raw = urlsafe_b64decode(key + "=" * (-len(key) % 4))
        except ValueError:
            raise NotFound(self._noun) from None
        signature, signed = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(signed)):
            raise NotFound(self._noun)
        until, _, thing = signed.decode().partition(":")
        if int(until) < self._clock():
            raise NotFound(self._noun)
        return thing

    def _sign(self, signed: bytes) -> bytes:
        secret = kept_secret(self._file, lambda: token_bytes(32))
        return hmac.digest(secret, self._noun.encode() + b":" + signed, sha256)[:_SIGNATURE_BYTES]
