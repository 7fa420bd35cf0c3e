"""The ledger, balances, and what was used by trunk and day. Calls are entered by the engines, in `hot_path.sql`."""

from collections.abc import Sequence
from decimal import Decimal

from asyncpg import Record

from waihu.adapters.postgres.money import SQL, pausing
from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.statements import Values, page
from waihu.adapters.postgres.repositories.values import as_uuid, instant, moment, uuids
from waihu.domain.ids import AccountId, AttemptId, CampaignId, Instant, TrunkId
from waihu.ports.ledger import (
    BilledCall,
    BilledCallFilter,
    Credit,
    Entry,
    EntryKind,
    Usage,
    UsageFilter,
)
from waihu.ports.rows import Page, Paging

_NOTHING = Decimal(0)

_READ_ENTRY = "select e.id, e.account_id, e.kind, e.amount, e.remark, e.done_by, e.at from ledger e"

# Today's balance without all that came later. Calls of whole days are summed up already; only those of the same day in
# China are gone through one by one.
_READ_CREDIT = """
    select e.id, e.account_id, e.kind, e.amount, e.remark, e.done_by, e.at,
        b.amount - later.done - later.called + later.cost as left_then
    from ledger e
    join balance b on b.account_id = e.main_id
    cross join lateral (select (e.at at time zone 'Asia/Shanghai')::date as day) d
    cross join lateral (
        select
            coalesce((
                select sum(l.amount) from ledger l
                where l.main_id = e.main_id and l.kind <> 'call' and l.at >= e.at and (l.at, l.id) > (e.at, e.id)
            ), 0) as done,
            coalesce((
                select sum(l.amount) from ledger l
                where l.main_id = e.main_id and l.kind = 'call' and l.at >= e.at and (l.at, l.id) > (e.at, e.id)
                  and l.at < (d.day + 1)::timestamp at time zone 'Asia/Shanghai'
            ), 0) as called,
            coalesce((
                select sum(u.cost) from trunk_usage u join account a on a.id = u.account_id
                where (a.id = e.main_id or a.parent_id = e.main_id) and u.day > d.day
            ), 0) as cost
    ) later
"""

_READ_CALL = """
    select e.id, e.account_id, e.amount, e.at, e.attempt_id, e.campaign_id, e.trunk_id, e.answered_at, e.talk_ms,
        e.units, e.billing_unit_s, e.price, a.phone, t.name as trunk_name, t.caller_id, u.name as account_name
    from ledger e join attempt a on a.id = e.attempt_id join trunk t on t.id = e.trunk_id
        join account u on u.id = e.account_id
"""

_NEWEST_FIRST = "at desc, id desc"


class LedgerRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def balance(self, account: AccountId, *, hold: bool = False) -> Decimal:
        row = await SQL["hold_balance" if hold else "read_balance"].row(self._connection, account=account)
        return _NOTHING if row is None else row["amount"]

    async def enter(
        self, main: AccountId, kind: EntryKind, amount: Decimal, remark: str | None, done_by: str, now: Instant
    ) -> Decimal:
        return await pausing(self._connection, main, lambda: self._enter(main, kind, amount, remark, done_by, now), now)

    async def zero(self, main: AccountId, remark: str | None, done_by: str, now: Instant) -> Decimal:
        async def zero() -> Decimal:
            row = await SQL["lock_balance"].row(self._connection, account=main)
            there = _NOTHING if row is None else row["amount"]
            assert isinstance(there, Decimal)
            if there != 0:
                await self._enter(main, EntryKind.ZEROING, -there, remark, done_by, now)
            return there

        return await pausing(self._connection, main, zero, now)

    async def entries(self, main: AccountId, since: Instant, until: Instant, paging: Paging | None) -> Page[Entry]:
        values = Values()
        conditions = [
            f"main_id = {values.place(main)}",
            "kind <> 'call'",
            f"at between {values.place(moment(since))} and {values.place(moment(until))}",
        ]
        if paging is None:
            found = await self._connection.fetch(
                f"{_READ_ENTRY} where {' and '.join(conditions)} order by {_NEWEST_FIRST}", *values
            )
            return Page(tuple(map(_entry, found)), len(found))
        found, total = await page(
            self._connection,
            _READ_ENTRY,
            table="ledger",
            key="e.id",
            conditions=conditions,
            order=_NEWEST_FIRST,
            paging=paging,
            values=values,
        )
        return Page(tuple(map(_entry, found)), total)

    async def credits(self, main: AccountId, since: Instant, until: Instant, paging: Paging) -> Page[Credit]:
        values = Values()
        conditions = [
            f"main_id = {values.place(main)}",
            "kind <> 'call'",
            "amount > 0",
            f"at between {values.place(moment(since))} and {values.place(moment(until))}",
        ]
        found, total = await page(
            self._connection,
            _READ_CREDIT,
            table="ledger",
            key="e.id",
            conditions=conditions,
            order=_NEWEST_FIRST,
            paging=paging,
            values=values,
        )
        return Page(tuple(Credit(_entry(row), row["left_then"]) for row in found), total)

    async def calls(self, main: AccountId, chosen: BilledCallFilter, paging: Paging) -> Page[BilledCall]:
        values = Values()
        conditions = [
            f"main_id = {values.place(main)}",
            "kind = 'call'",
            f"at between {values.place(moment(chosen.since))} and {values.place(moment(chosen.until))}",
        ]
        if chosen.account is not None:
            conditions.append(f"account_id = {values.place(as_uuid(chosen.account))}")
        if chosen.caller_part:
            calling = f"select id from trunk where {values.contains('caller_id', chosen.caller_part)}"
            conditions.append(f"trunk_id in ({calling})")
        if chosen.callee_part:
            called = f"a.id = ledger.attempt_id and {values.contains('a.phone', chosen.callee_part)}"
            conditions.append(f"exists (select from attempt a where {called})")
        found, total = await page(
            self._connection,
            _READ_CALL,
            table="ledger",
            key="e.id",
            conditions=conditions,
            order=_NEWEST_FIRST,
            paging=paging,
            values=values,
        )
        return Page(tuple(map(_call, found)), total)

    async def usage(self, chosen: UsageFilter) -> Sequence[Usage]:
        values = Values()
        conditions = [
            values.among("u.account_id", chosen.accounts),
            f"u.day between {values.place(chosen.first)} and {values.place(chosen.last)}",
        ]
        for column, named in (("u.campaign_id", chosen.campaigns), ("u.trunk_id", chosen.trunks)):
            if named is not None:
                conditions.append(f"{column} = any({values.place(uuids(list(named)))})")
        found = await self._connection.fetch(
            f"""select u.account_id, u.trunk_id, t.name, sum(u.attempts)::bigint as attempts,
                    sum(u.answered)::bigint as answered, sum(u.talk_ms)::bigint as talk_ms,
                    sum(u.units)::bigint as units, sum(u.cost) as cost
                from trunk_usage u join trunk t on t.id = u.trunk_id
                where {" and ".join(conditions)}
                group by u.account_id, u.trunk_id, t.name order by t.name, u.trunk_id, u.account_id""",
            *values,
        )
        return [_usage(row) for row in found]

    async def _enter(
        self, main: AccountId, kind: EntryKind, amount: Decimal, remark: str | None, done_by: str, now: Instant
    ) -> Decimal:
        row = await SQL["enter"].row(
            self._connection,
            account=main,
            kind=kind,
            amount=amount,
            at=moment(now),
            remark=remark,
            done_by=done_by,
        )
        assert row is not None
        left = row["amount"]
        assert isinstance(left, Decimal)
        return left


def _entry(row: Record) -> Entry:
    return Entry(
        id=row["id"],
        account=AccountId(str(row["account_id"])),
        kind=EntryKind(row["kind"]),
        amount=row["amount"],
        remark=row["remark"],
        done_by=row["done_by"],
        at=instant(row["at"]),
    )


def _call(row: Record) -> BilledCall:
    return BilledCall(
        attempt=AttemptId(str(row["attempt_id"])),
        account=AccountId(str(row["account_id"])),
        account_name=row["account_name"],
        campaign=CampaignId(str(row["campaign_id"])),
        trunk=TrunkId(str(row["trunk_id"])),
        trunk_name=row["trunk_name"],
        caller_id=row["caller_id"],
        phone=row["phone"],
        answered_at=instant(row["answered_at"]),
        closed_at=instant(row["at"]),
        talk_ms=row["talk_ms"],
        units=row["units"],
        billing_unit_s=row["billing_unit_s"],
        price=row["price"],
        cost=-row["amount"],
    )


def _usage(row: Record) -> Usage:
    return Usage(
        account=AccountId(str(row["account_id"])),
        trunk=TrunkId(str(row["trunk_id"])),
        trunk_name=row["name"],
        attempts=row["attempts"],
        answered=row["answered"],
        talk_ms=row["talk_ms"],
        units=row["units"],
        cost=row["cost"],
    )
