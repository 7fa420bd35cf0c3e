"""The ledger, balances, and what was used by trunk and day. Calls are entered by the engines, in `hot_path.sql`."""

from collections.abc import Sequence
from decimal import Decimal

from asyncpg import Record
from sqlalchemy import ColumnElement, func, select

from waihu.adapters.postgres.models import attempt, trunk
from waihu.adapters.postgres.money import SQL, pausing
from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.statements import among, contains, rows, total
from waihu.adapters.postgres.repositories.values import instant, moment, uuids
from waihu.adapters.postgres.schema_money import ledger as e
from waihu.adapters.postgres.schema_money import trunk_usage as u
from waihu.domain.ids import AccountId, AttemptId, CampaignId, Instant, TrunkId
from waihu.ports.ledger import (
    BilledCall,
    BilledCallFilter,
    Entry,
    EntryKind,
    Usage,
    UsageFilter,
)
from waihu.ports.rows import Page, Paging

_NOTHING = Decimal(0)


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
        conditions = (e.c.main_id == main, e.c.kind != "call", e.c.at.between(moment(since), moment(until)))
        found = select(e).where(*conditions).order_by(e.c.at.desc(), e.c.id.desc())
        if paging is None:
            entries = tuple(_entry(row) for row in await rows(self._connection, found))
            return Page(entries, len(entries))
        page = await rows(self._connection, found.limit(paging.size).offset(paging.offset))
        counted = await total(self._connection, select(func.count()).select_from(e).where(*conditions))
        return Page(tuple(_entry(row) for row in page), counted)

    async def calls(self, main: AccountId, chosen: BilledCallFilter, paging: Paging) -> Page[BilledCall]:
        conditions: list[ColumnElement[bool]] = [
            e.c.main_id == main,
            e.c.kind == "call",
            e.c.at.between(moment(chosen.since), moment(chosen.until)),
        ]
        if chosen.account is not None:
            conditions.append(among(e.c.account_id, [str(id) for id in uuids([chosen.account])]))
        if chosen.caller_part:
            conditions.append(contains(trunk.c.caller_id, chosen.caller_part))
        if chosen.callee_part:
            conditions.append(contains(attempt.c.phone, chosen.callee_part))
        called = e.join(attempt, attempt.c.id == e.c.attempt_id).join(trunk, trunk.c.id == e.c.trunk_id)
        found = (
            select(e, attempt.c.phone, trunk.c.name.label("trunk_name"), trunk.c.caller_id)
            .select_from(called)
            .where(*conditions)
            .order_by(e.c.at.desc(), e.c.id.desc())
            .limit(paging.size)
            .offset(paging.offset)
        )
        page = await rows(self._connection, found)
        counted = await total(self._connection, select(func.count()).select_from(called).where(*conditions))
        return Page(tuple(_call(row) for row in page), counted)

    async def usage(self, chosen: UsageFilter) -> Sequence[Usage]:
        conditions: list[ColumnElement[bool]] = [
            among(u.c.account_id, chosen.accounts),
            u.c.day.between(chosen.first, chosen.last),
        ]
        for column, named in ((u.c.campaign_id, chosen.campaigns), (u.c.trunk_id, chosen.trunks)):
            if named is not None:
                conditions.append(among(column, [str(id) for id in uuids(list(named))]))
        found = (
            select(
                u.c.account_id,
                u.c.trunk_id,
                trunk.c.name,
                *(func.sum(u.c[name]).label(name) for name in ("attempts", "answered", "talk_ms", "units", "cost")),
            )
            .select_from(u.join(trunk, trunk.c.id == u.c.trunk_id))
            .where(*conditions)
            .group_by(u.c.account_id, u.c.trunk_id, trunk.c.name)
            .order_by(trunk.c.name, u.c.trunk_id, u.c.account_id)
        )
        return [_usage(row) for row in await rows(self._connection, found)]

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
        attempts=int(row["attempts"]),
        answered=int(row["answered"]),
        talk_ms=int(row["talk_ms"]),
        units=int(row["units"]),
        cost=row["cost"],
    )
