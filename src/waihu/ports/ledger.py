"""What calls cost and who has paid: the ledger of each main account, its balance, and sums by trunk and day.

Amounts are what a balance changes by: calls take away, recharges add. Sub-accounts call at their main account's cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from waihu.domain.ids import AccountId, AttemptId, CampaignId, Instant, TrunkId
from waihu.ports.rows import Page, Paging


class EntryKind(StrEnum):
    """What a person may do to a balance."""

    RECHARGE = "recharge"
    DEDUCTION = "deduction"
    ZEROING = "zeroing"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something a person did to a balance; `done_by` says who, in whatever words the door knows."""

    id: int
    account: AccountId
    kind: EntryKind
    amount: Decimal
    remark: str | None
    done_by: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Credit:
    """What a person gave to a balance, and what was left after it."""

    entry: Entry
    left: Decimal


@dataclass(frozen=True, slots=True)
class BilledCall:
    """An answered call in the ledger. `units` are started billing units of `billing_unit_s`, each at `price`."""

    attempt: AttemptId
    account: AccountId
    account_name: str
    campaign: CampaignId
    trunk: TrunkId
    trunk_name: str
    caller_id: str | None
    phone: str
    answered_at: Instant
    closed_at: Instant
    talk_ms: int
    units: int
    billing_unit_s: int
    price: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class BilledCallFilter:
    """Calls of a main account and its sub-accounts, or of `account` alone, that ended in `[since, until]`."""

    since: Instant
    until: Instant
    account: str | None = None
    caller_part: str | None = None
    callee_part: str | None = None


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Closed attempts of `accounts` on the days `[first, last]`, as China counts them. None: any."""

    accounts: tuple[AccountId, ...]
    first: date
    last: date
    campaigns: tuple[str, ...] | None = None
    trunks: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account did over a trunk in the days that were asked for."""

    account: AccountId
    trunk: TrunkId
    trunk_name: str
    attempts: int
    answered: int
    talk_ms: int
    units: int
    cost: Decimal


class Ledger(Protocol):
    async def balance(self, account: AccountId, *, hold: bool = False) -> Decimal:
        """Of its main account. `hold`: nobody changes it until the session ends; others may hold it too."""
        ...

    async def enter(
        self, main: AccountId, kind: EntryKind, amount: Decimal, remark: str | None, done_by: str, now: Instant
    ) -> Decimal:
        """Writes it down and answers the new balance. When nothing is left, campaigns that must pay are paused."""
        ...

    async def zero(self, main: AccountId, remark: str | None, done_by: str, now: Instant) -> Decimal:
        """As `enter`, for just what the balance is; answers what was there. Nothing is written when it was zero."""
        ...

    async def entries(self, main: AccountId, since: Instant, until: Instant, paging: Paging | None) -> Page[Entry]:
        """What people did in `[since, until]`, newest first; all of it without `paging`."""
        ...

    async def credits(self, main: AccountId, since: Instant, until: Instant, paging: Paging) -> Page[Credit]:
        """Those of the `entries` that the balance grew by, newest first."""
        ...

    async def calls(self, main: AccountId, chosen: BilledCallFilter, paging: Paging) -> Page[BilledCall]:
        """Newest first."""
        ...

    async def usage(self, chosen: UsageFilter) -> Sequence[Usage]:
        """One for each account and trunk, in the order of the trunks' names."""
        ...
