"""Takes what calls cost from the balances of those who pay, and pauses what can no longer be paid."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.queries import load
from waihu.domain.ids import Instant

T = TypeVar("T")

SQL = load("money.sql")


class LockFirst(Exception):
    """The transaction must pause these campaigns and comes too late to lock them: do it again, and lock them first.

    Plans lock campaigns before anything else. Waiting for one of them with a balance in hand could be waiting for
    somebody who waits for that balance.
    """

    def __init__(self, campaigns: Collection[UUID]) -> None:
        super().__init__(f"{len(campaigns)} campaigns")
        self.campaigns = frozenset(campaigns)


async def charge(connection: Connection, costs: Mapping[UUID, Decimal], locked: Collection[UUID], now: Instant) -> None:
    """Takes `costs` from the main accounts' balances; pauses their campaigns when nothing is left.

    To be done last of all in a transaction: nobody else can charge these accounts until it ends. Raises LockFirst.
    """
    if not costs:
        return
    assert all(cost > 0 for cost in costs.values()), "calls only take away"
    empty = await SQL["charge"].rows(connection, accounts=list(costs), costs=list(costs.values()))
    if empty:
        await pause_payers(connection, [row["account_id"] for row in empty], locked, now)


async def pausing(connection: Connection, account: str, work: Callable[[], Awaitable[T]], now: Instant) -> T:
    """Does `work` and holds the balance of the account's main account; if nothing is left, pauses its campaigns.

    What `work` has done may be undone and done again, to lock campaigns before balances.
    """
    main = await connection.fetchval("select coalesce(parent_id, id) from account where id = $1", account)
    locked: frozenset[UUID] = frozenset()
    while True:
        try:
            async with connection.transaction():
                await lock_campaigns(connection, locked)
                answer = await work()
                held = await SQL["hold_balance"].row(connection, account=main)
                if held is None or held["amount"] <= 0:
                    await pause_payers(connection, [main], locked, now)
                return answer
        except LockFirst as late:
            # The savepoint is gone, and what was locked after it is free again.
            locked |= late.campaigns


async def lock_campaigns(connection: Connection, campaigns: Collection[UUID]) -> None:
    if campaigns:
        await SQL["lock_campaigns"].run(connection, campaigns=list(campaigns))


async def pause_payers(connection: Connection, mains: Sequence[UUID], locked: Collection[UUID], now: Instant) -> None:
    """Pauses the running campaigns of these main accounts, and of their sub-accounts, that must pay for their calls.

    Raises LockFirst when one of them is not among `locked`.
    """
    campaigns = [row["id"] for row in await SQL["payers"].rows(connection, accounts=mains)]
    if not campaigns:
        return
    if not set(campaigns) <= set(locked):
        raise LockFirst(campaigns)
    await SQL["pause"].run(connection, campaigns=campaigns, now=now)
