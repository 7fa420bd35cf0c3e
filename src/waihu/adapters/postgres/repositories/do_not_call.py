"""Do-not-call lists."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import instant, moment
from waihu.domain.ids import AccountId, Instant
from waihu.ports.do_not_call import ForbiddenPhone
from waihu.ports.rows import Page, Paging


class DoNotCallRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, account: AccountId, phones: Sequence[str], source: str, now: Instant) -> int:
        # In one order for all, so that two imports of the same numbers do not wait for each other.
        added = await self._connection.fetch(
            """insert into do_not_call (account_id, phone, source, created_at)
               select $1, phone, $3, $4 from (select distinct unnest($2::text[]) as phone) p order by phone
               on conflict do nothing returning 1""",
            account,
            phones,
            source,
            moment(now),
        )
        return len(added)

    async def remove(self, account: AccountId, phones: Sequence[str]) -> int:
        removed = await self._connection.fetch(
            "delete from do_not_call where account_id = $1 and phone = any($2) returning 1", account, phones
        )
        return len(removed)

    async def get(self, account: AccountId, phone: str) -> ForbiddenPhone | None:
        row = await self._connection.fetchrow(
            """select d.phone, d.source, d.created_at
               from account a join do_not_call d on d.account_id in (a.id, a.parent_id) and d.phone = $2
               where a.id = $1 order by d.account_id <> a.id limit 1""",
            account,
            phone,
        )
        return None if row is None else _forbidden(row)

    async def page(self, account: AccountId, phone_part: str | None, paging: Paging) -> Page[ForbiddenPhone]:
        where = "account_id = $1 and ($2::text is null or strpos(phone, $2) > 0)"
        found = await self._connection.fetch(
            f"""select phone, source, created_at from do_not_call where {where}
                order by created_at desc, phone limit $3 offset $4""",
            account,
            phone_part,
            paging.size,
            paging.offset,
        )
        total = await self._connection.fetchval(f"select count(*) from do_not_call where {where}", account, phone_part)
        return Page(tuple(_forbidden(row) for row in found), total)


def _forbidden(row: Record) -> ForbiddenPhone:
    return ForbiddenPhone(row["phone"], row["source"], instant(row["created_at"]))
