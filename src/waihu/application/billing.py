"""Money: what an account has left, what people did to it, and what its calls came to.

Sub-accounts call at the cost of their main account. A balance may go below nothing by the calls that were in progress
when nothing was left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from waihu.domain.errors import Conflict, Invalid, NotFound
from waihu.domain.ids import AccountId, Instant
from waihu.ports.clock import Clock
from waihu.ports.ledger import BilledCall, BilledCallFilter, Credit, Entry, EntryKind, Usage, UsageFilter
from waihu.ports.rows import Account, Allocation, Page, Paging
from waihu.ports.store import Session, Store

AMOUNT_MAX = 1_000_000_000
REMARK_MAX = 500


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """An account with what it may use. Trunks whose time is up are left out.

    `balance` None: a sub-account has none, and its main account's is not its business.
    """

    account: Account
    balance: Decimal | None
    trunks: tuple[Allocation, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """What accounts did, by trunk; `accounts` are those that were looked at."""

    accounts: tuple[Account, ...]
    usage: tuple[Usage, ...]


class Billing:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def standing(self, account: AccountId) -> AccountStanding:
        """Raises NotFound."""
        now = self._clock()
        async with self._store.reading() as session:
            found = await _account(session, account)
            trunks = await session.trunks.allocations(account)
            return AccountStanding(
                account=found,
                balance=None if found.parent else await session.ledger.balance(account),
                trunks=tuple(each for each in trunks if each.deadline_at is None or each.deadline_at > now),
            )

    async def recharge(self, account: AccountId, amount: int, remark: str | None, *, by: str) -> Decimal:
        """Answers the new balance. Paused campaigns stay paused until somebody starts them.

        Raises NotFound, Invalid, and Conflict `main_account_only`.
        """
        return await self._enter(account, EntryKind.RECHARGE, amount, remark, by)

    async def deduct(self, account: AccountId, amount: int, remark: str | None, *, by: str) -> Decimal:
        """Answers the new balance. When nothing is left, campaigns that must pay are paused. Raises as `recharge`."""
        return await self._enter(account, EntryKind.DEDUCTION, amount, remark, by)

    async def zero(self, account: AccountId, *, by: str) -> Decimal:
        """Sets the balance to zero, from above or below; answers what it was. Raises as `recharge`."""
        async with self._store.writing() as session:
            main = await _main(session, account)
            return await session.ledger.zero(main, None, by, self._clock())

    async def entries(self, account: AccountId, since: Instant, until: Instant, paging: Paging | None) -> Page[Entry]:
        """Recharges, deductions and zeroings in `[since, until]`, newest first; all of them without `paging`.

        A sub-account has none of its own. Raises NotFound.
        """
        async with self._store.reading() as session:
            if (await _account(session, account)).parent is not None:
                return Page((), 0)
            return await session.ledger.entries(account, since, until, paging)

    async def credits(
        self, account: AccountId, since: Instant, until: Instant, paging: Paging, *, only: str | None = None
    ) -> Page[Credit]:
        """Those of the `entries` that the balance grew by, newest first. `only` names an account: others have none.

        Raises NotFound.
        """
        async with self._store.reading() as session:
            found = await _account(session, account)
            if found.parent is not None or only not in (None, found.id):
                return Page((), 0)
            return await session.ledger.credits(found.id, since, until, paging)

    async def calls(self, account: AccountId, chosen: BilledCallFilter, paging: Paging) -> Page[BilledCall]:
        """Answered calls, newest first: of a main account with its sub-accounts, or of a sub-account.

        Raises NotFound.
        """
        async with self._store.reading() as session:
            found = await _account(session, account)
            if found.parent is not None:
                chosen = replace(chosen, account=found.id)
            return await session.ledger.calls(found.parent or found.id, chosen, paging)

    async def usage(
        self,
        account: AccountId,
        first: date,
        last: date,
        *,
        with_children: bool,
        only: Sequence[str] | None = None,
        campaigns: Sequence[str] | None = None,
        trunks: Sequence[str] | None = None,
    ) -> Spent:
        """What the account did on the days `[first, last]`, as China counts them. None: any; `only` names accounts.

        Raises NotFound.
        """
        async with self._store.reading() as session:
            family = [await _account(session, account)]
            if with_children:
                family += await session.accounts.children(account)
            meant = tuple(each for each in family if only is None or each.id in only)
            chosen = UsageFilter(
                tuple(each.id for each in meant),
                first,
                last,
                None if campaigns is None else tuple(campaigns),
                None if trunks is None else tuple(trunks),
            )
            return Spent(meant, tuple(await session.ledger.usage(chosen)))

    async def _enter(self, account: AccountId, kind: EntryKind, amount: int, remark: str | None, by: str) -> Decimal:
        if not 0 < amount <= AMOUNT_MAX:
            raise Invalid.field("amount", f"金额必须是 1 到 {AMOUNT_MAX} 之间的整数")
        if remark is not None and len(remark) > REMARK_MAX:
            raise Invalid.field("remark", f"备注不能超过 {REMARK_MAX} 个字符")
        change = Decimal(amount if kind is EntryKind.RECHARGE else -amount)
        async with self._store.writing() as session:
            main = await _main(session, account)
            return await session.ledger.enter(main, kind, change, remark, by, self._clock())


async def _account(session: Session, account: AccountId) -> Account:
    found = await session.accounts.get(account)
    if found is None:
        raise NotFound("account")
    return found


async def _main(session: Session, account: AccountId) -> AccountId:
    found = await _account(session, account)
    if found.parent is not None:
        raise Conflict("main_account_only", "子账户使用主账户的余额,请对主账户操作")
    return found.id
