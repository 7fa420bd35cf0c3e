"""Named calling hours."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.statements import KEEP
from waihu.adapters.postgres.repositories.values import (
    fits_integer,
    instant,
    moment,
    week_from_json,
    week_to_json,
)
from waihu.domain.hours import CallingHours
from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import HoursGroup, Page, Paging

COLUMNS = "id, account_id, name, week, zone, is_default, skip_holiday, remark, created_at, updated_at"


class HoursGroupRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self,
        account: AccountId,
        name: str,
        hours: CallingHours,
        *,
        is_default: bool,
        skip_holiday: bool,
        remark: str | None,
        now: Instant,
    ) -> HoursGroup:
        row = await self._connection.fetchrow(
            f"""insert into calling_hours
                    (account_id, name, week, zone, is_default, skip_holiday, remark, created_at, updated_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $8) returning {COLUMNS}""",
            account,
            name,
            week_to_json(hours.week),
            hours.zone,
            is_default,
            skip_holiday,
            remark,
            moment(now),
        )
        assert row is not None
        return read(row)

    async def change(self, group: HoursGroup, now: Instant) -> None:
        await self._connection.execute(
            """update calling_hours set name = $2, week = $3, zone = $4, is_default = $5, skip_holiday = $6,
                   remark = $7, updated_at = $8
               where id = $1""",
            group.id,
            group.name,
            week_to_json(group.hours.week),
            group.hours.zone,
            group.is_default,
            group.skip_holiday,
            group.remark,
            moment(now),
        )

    async def get(self, account: AccountId, group: int, *, keep: bool = False) -> HoursGroup | None:
        if not fits_integer(group):
            return None
        row = await self._connection.fetchrow(
            f"select {COLUMNS} from calling_hours where id = $1 and account_id = $2 {KEEP if keep else ''}",
            group,
            account,
        )
        return None if row is None else read(row)

    async def all(self, account: AccountId) -> Sequence[HoursGroup]:
        found = await self._connection.fetch(
            f"select {COLUMNS} from calling_hours where account_id = $1 order by id", account
        )
        return [read(row) for row in found]

    async def page(self, account: AccountId, paging: Paging) -> Page[HoursGroup]:
        found = await self._connection.fetch(
            f"select {COLUMNS} from calling_hours where account_id = $1 order by id desc limit $2 offset $3",
            account,
            paging.size,
            paging.offset,
        )
        total = await self._connection.fetchval("select count(*) from calling_hours where account_id = $1", account)
        return Page(tuple(read(row) for row in found), total)

    async def clear_default(self, account: AccountId, now: Instant) -> None:
        await self._connection.execute(
            "update calling_hours set is_default = false, updated_at = $2 where account_id = $1 and is_default",
            account,
            moment(now),
        )

    async def used_by(self, group: int) -> int:
        # Whoever has just chosen it is waited for, and counts; whoever comes now waits, and will not find it.
        await self._connection.execute("select from calling_hours where id = $1 for update", group)
        counted = await self._connection.fetchval(
            "select count(*) from campaign where calling_hours_id = $1 and deleted_at is null", group
        )
        assert isinstance(counted, int)
        return counted

    async def remove(self, group: int) -> None:
        # Deleted campaigns let go of it; nobody will read their hours again.
        await self._connection.execute(
            "update campaign set calling_hours_id = null where calling_hours_id = $1 and deleted_at is not null", group
        )
        await self._connection.execute("delete from calling_hours where id = $1", group)


def read(row: Record, prefix: str = "") -> HoursGroup:
    """`prefix` stands before its columns in the row."""
    return HoursGroup(
        id=row[prefix + "id"],
        account=AccountId(str(row[prefix + "account_id"])),
        name=row[prefix + "name"],
        hours=CallingHours(week_from_json(row[prefix + "week"]), row[prefix + "zone"]),
        is_default=row[prefix + "is_default"],
        skip_holiday=row[prefix + "skip_holiday"],
        remark=row[prefix + "remark"],
        created_at=instant(row[prefix + "created_at"]),
        updated_at=instant(row[prefix + "updated_at"]),
    )
