"""Passwords as Argon2id hashes with the parameters that RFC 9106 recommends where memory is scarce."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError


class Argon2Hasher:
    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        # Each takes 64 MiB while it runs.
        self._turns = asyncio.Semaphore(2)

    async def hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str, password: str) -> bool:
        async with self._turns:
            try:
                return await asyncio.to_thread(self._hasher.verify, password_hash, password)
            except VerifyMismatchError:
                return False
