"""Users: accounts as the people behind them see them, and how they log in. Implemented by
`adapters/postgres/repositories/users.py`.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Protocol

from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import Page, Paging


class Sex(IntEnum):
    UNKNOWN = 0
    MALE = 1
    FEMALE = 2


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person may add about himself; waihu only gives it back."""

    alias: str | None = None
    birthday: date | None = None
    duty: str | None = None
    wechat: str | None = None
    qq: str | None = None
    landline_phone: str | None = None
    sex: Sex = Sex.UNKNOWN


@dataclass(frozen=True, slots=True)
class User:
    id: AccountId
    partner: str
    parent: AccountId | None
    name: str
    email: str | None
    phone: str | None
    profile: Profile
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Main accounts, or the sub-accounts of `parent`. Texts are parts of what they are compared with."""

    partner: str
    parent: AccountId | None = None
    id: str | None = None
    name_part: str | None = None
    email_part: str | None = None
    phone_part: str | None = None


class Users(Protocol):
    async def get(self, account: AccountId) -> User | None: ...

    async def page(self, chosen: UserFilter, paging: Paging) -> Page[User]:
        """Newest first."""
        ...

    async def taken(
        self, partner: str, name: str, email: str | None, phone: str | None, *, leaving_out: AccountId | None
    ) -> Set[str]:
        """Which of `name`, `email` and `phone` other living accounts of the partner have.

        Until the session ends nobody else can ask about this partner, so that two cannot take the same name.
        """
        ...

    async def change(self, user: User, now: Instant) -> None:
        """Writes name, e-mail, phone and profile."""
        ...

    async def set_password_hash(self, account: AccountId, password_hash: str, now: Instant) -> None: ...

    async def remove(self, accounts: Sequence[AccountId], now: Instant) -> None: ...


class LoginTickets(Protocol):
    async def add(self, ticket: str, account: AccountId, expires_at: Instant) -> None: ...

    async def use(self, ticket: str, now: Instant) -> AccountId | None:
        """The living account that the ticket logs in, and marks it as used; None when it is unknown, over or used."""
        ...

    async def forget(self, expired_before: Instant) -> None: ...


class PasswordHasher(Protocol):
    async def hash(self, password: str) -> str:
        """Takes its time on purpose, without holding up others."""
        ...

    async def matches(self, password_hash: str, password: str) -> bool:
        """Takes as long."""
        ...
