"""Signed tokens as JWTs (RFC 7519) under RS256, with a private key in a PEM file that all processes share."""

from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from waihu.application.secret_files import kept_secret
from waihu.domain.errors import Unavailable
from waihu.domain.ids import Instant
from waihu.ports.tokens import Audience, Claims

_ALGORITHM = "RS256"
_KEY_BITS = 2048
_CLOCK_SKEW_MS = 60_000
"""How far the clocks of two machines may be apart, for one to accept what the other has just signed."""


class KeyUnusable(Unavailable):
    """The file with the key cannot be read or made, or holds something else."""


class RsaTokenSigner:
    """The key is read, or made, when the first token comes along. `path` names the PEM file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Makes the key where there is none. Raises KeyUnusable."""
        assert self._private_key

    def sign(self, claims: Claims) -> str:
        payload: dict[str, object] = {
            "aud": claims.audience.value,
            "jti": claims.id,
            "iat": claims.issued_at // 1000,
            "nbf": claims.issued_at // 1000,
            "exp": claims.expires_at // 1000,
            "sub": claims.subject,
            "scopes": [],
        }
        return jwt.encode(payload, self._private_key, algorithm=_ALGORITHM)

    def verify(self, word: str, audience: Audience, now: Instant) -> str | None:
        try:
            payload: dict[str, Any] = jwt.decode(
                word,
                self._public_key,
                # The header's own opinion of the algorithm counts for nothing.
                algorithms=[_ALGORITHM],
                audience=audience.value,
                # The times are checked below, by the clock that everybody here goes by.
                options={
                    "require": ["jti", "nbf", "exp"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError:
            return None
        begins, ends, id = payload["nbf"], payload["exp"], payload["jti"]
        if not (isinstance(begins, int | float) and isinstance(ends, int | float) and isinstance(id, str)):
            return None
        return id if begins * 1000 - _CLOCK_SKEW_MS <= now < ends * 1000 else None

    @cached_property
    def _private_key(self) -> RSAPrivateKey:
        try:
            key = load_pem_private_key(kept_secret(self.path, _new_key), password=None)
        except OSError as failure:
            raise KeyUnusable(
                f"The key that signs tokens cannot be used: {self.path}: {failure.strerror}. "
                "See WAIHU_TOKEN_KEY in deploy/README.md."
            ) from failure
        except (ValueError, TypeError) as failure:
            raise KeyUnusable(
                f"WAIHU_TOKEN_KEY: {self.path} holds no RSA private key in PEM without a password."
            ) from failure
        if not isinstance(key, RSAPrivateKey):
            raise KeyUnusable(f"WAIHU_TOKEN_KEY: {self.path} holds a key that is not RSA.")
        return key

    @cached_property
    def _public_key(self) -> RSAPublicKey:
        return self._private_key.public_key()


def _new_key() -> bytes:
    key = generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
