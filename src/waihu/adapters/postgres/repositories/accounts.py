"""Partners and accounts."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import as_uuid, instant, moment
from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import Account, Partner

COLUMNS = "id, partner_id, parent_id, name, email, phone, callback_url, daily_cap, created_at"


class AccountRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add_partner(self, name: str) -> Partner:
        id = await self._connection.fetchval("insert into partner (name) values ($1) returning id", name)
        return Partner(str(id), name)

    async def partner(self, partner: str) -> Partner | None:
        row = await self._connection.fetchrow("select id, name from partner where id = $1", as_uuid(partner))
        return None if row is None else Partner(str(row["id"]), row["name"])

    async def add(
        self, partner: str, parent: AccountId | None, name: str, email: str | None, phone: str | None, now: Instant
    ) -> Account:
        row = await self._connection.fetchrow(
            f"""insert into account (partner_id, parent_id, name, email, phone, created_at, updated_at)
                values ($1, $2, $3, $4, $5, $6, $6) returning {COLUMNS}""",
            partner,
            parent,
            name,
            email,
            phone,
            moment(now),
        )
        assert row is not None
        return read(row)

    async def get(self, account: str) -> Account | None:
        row = await self._connection.fetchrow(
            f"select {COLUMNS} from account where id = $1 and deleted_at is null", as_uuid(account)
        )
        return None if row is None else read(row)

    async def all(self) -> Sequence[Account]:
        found = await self._connection.fetch(
            f"select {COLUMNS} from account where deleted_at is null order by created_at, id"
        )
        return [read(row) for row in found]

    async def children(self, parent: AccountId) -> Sequence[Account]:
        found = await self._connection.fetch(
            f"select {COLUMNS} from account where parent_id = $1 and deleted_at is null order by created_at, id",
            parent,
        )
        return [read(row) for row in found]

    async def mains(self, partner: str) -> Sequence[Account]:
        found = await self._connection.fetch(
            f"""select {COLUMNS} from account
                where partner_id = $1 and parent_id is null and deleted_at is null order by created_at, id""",
            partner,
        )
        return [read(row) for row in found]

    async def set_callback_url(self, account: AccountId, url: str | None, now: Instant) -> None:
        await self._connection.execute(
            "update account set callback_url = $2, updated_at = $3 where id = $1", account, url, moment(now)
        )

    async def set_daily_cap(self, account: AccountId, calls: int | None, now: Instant) -> None:
        await self._connection.execute(
            "update account set daily_cap = $2, updated_at = $3 where id = $1", account, calls, moment(now)
        )


def read(row: Record, prefix: str = "") -> Account:
    """`prefix` stands before its columns in the row."""
    return Account(
        id=AccountId(str(row[prefix + "id"])),
        partner=str(row[prefix + "partner_id"]),
        parent=None if row[prefix + "parent_id"] is None else AccountId(str(row[prefix + "parent_id"])),
        name=row[prefix + "name"],
        email=row[prefix + "email"],
        phone=row[prefix + "phone"],
        callback_url=row[prefix + "callback_url"],
        daily_cap=row[prefix + "daily_cap"],
        created_at=instant(row[prefix + "created_at"]),
    )
