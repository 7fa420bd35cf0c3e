"""Numbers that an account never calls. Engines read the same rows before every call.

Implemented by `adapters/postgres/repositories/do_not_call.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import Page, Paging


@dataclass(frozen=True, slots=True)
class ForbiddenPhone:
    """`phone` in its diallable form; `source`: where it came from, in the words of whoever put it on the list."""

    phone: str
    source: str
    created_at: Instant


class DoNotCall(Protocol):
    async def add(self, account: AccountId, phones: Sequence[str], source: str, now: Instant) -> int:
        """Answers how many were not on the list before."""
        ...

    async def remove(self, account: AccountId, phones: Sequence[str]) -> int: ...

    async def get(self, account: AccountId, phone: str) -> ForbiddenPhone | None:
        """Of a sub-account also what its main account forbids."""
        ...

    async def page(self, account: AccountId, phone_part: str | None, paging: Paging) -> Page[ForbiddenPhone]:
        """Newest first."""
        ...
