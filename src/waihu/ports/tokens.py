"""Signed words: bearer tokens for the APIs and tickets for a login, and what the store knows of those who show them.

A signature says that the word is ours. Whether it still opens anything is said by its row, found by its id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import Page, Paging, Token


class Audience(StrEnum):
    """What a word opens. One for the other is refused."""

    API = "waihu"
    LOGIN = "waihu-login"


@dataclass(frozen=True, slots=True)
class Claims:
    """`id` is a UUID, and that of the row; `subject` the partner or account it is for. Times count in whole seconds."""

    id: str
    subject: str
    audience: Audience
    issued_at: Instant
    expires_at: Instant


class TokenSigner(Protocol):
    def sign(self, claims: Claims) -> str:
        """Raises Unavailable when the key cannot be used."""
        ...

    def verify(self, word: str, audience: Audience, now: Instant) -> str | None:
        """The id in the word, or None: not signed by us, for another audience, not yet valid, or over.

        Raises Unavailable when the key cannot be used.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tenant:
    """As much of an account as it takes to decide who may reach it."""

    id: AccountId
    partner: str
    parent: AccountId | None


@dataclass(frozen=True, slots=True)
class Presented:
    """A token together with the accounts that its request names. None: it names none, or one that does not exist.

    `holder` is the account the token is for.
    """

    token: Token
    holder: Tenant | None
    user: Tenant | None
    sub_user: Tenant | None


class Tokens(Protocol):
    async def add(
        self, partner: str, account: AccountId | None, name: str, expires_at: Instant, now: Instant
    ) -> Token: ...

    async def presented(self, token: str, user: str | None, sub_user: str | None) -> Presented | None:
        """Of living accounts only; in one statement, because every request asks it."""
        ...

    async def get(self, token: str) -> Token | None: ...

    async def all(self) -> Sequence[Token]:
        """Of all partners, oldest first."""
        ...

    async def page(self, partner: str, paging: Paging) -> Page[Token]:
        """Newest first."""
        ...

    async def revoke(self, token: str, now: Instant) -> None: ...

    async def revoke_of(self, accounts: Sequence[AccountId], now: Instant) -> None:
        """Every token that is for one of the accounts."""
        ...
