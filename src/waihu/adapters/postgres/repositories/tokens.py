"""Tokens: who they are for, and until when."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import as_uuid, instant, moment
from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import Page, Paging, Token
from waihu.ports.tokens import Presented, Tenant

_COLUMNS = "id, partner_id, account_id, name, expires_at, revoked_at, created_at"

_PRESENTED = """
    select t.id, t.partner_id, t.account_id, t.name, t.expires_at, t.revoked_at, t.created_at,
        h.id as holder, h.partner_id as holder_partner, h.parent_id as holder_parent,
        u.id as usr, u.partner_id as usr_partner, u.parent_id as usr_parent,
        s.id as sub, s.partner_id as sub_partner, s.parent_id as sub_parent
    from token t
    left join account h on h.id = t.account_id and h.deleted_at is null
    left join account u on u.id = $2 and u.deleted_at is null
    left join account s on s.id = $3 and s.deleted_at is null
    where t.id = $1
"""


class TokenRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, partner: str, account: AccountId | None, name: str, expires_at: Instant, now: Instant) -> Token:
        row = await self._connection.fetchrow(
            f"""insert into token (partner_id, account_id, name, expires_at, created_at)
                values ($1, $2, $3, $4, $5) returning {_COLUMNS}""",
            partner,
            account,
            name,
            moment(expires_at),
            moment(now),
        )
        assert row is not None
        return _token(row)

    async def presented(self, token: str, user: str | None, sub_user: str | None) -> Presented | None:
        row = await self._connection.fetchrow(
            _PRESENTED,
            as_uuid(token),
            None if user is None else as_uuid(user),
            None if sub_user is None else as_uuid(sub_user),
        )
        if row is None:
            return None
        return Presented(_token(row), _tenant(row, "holder"), _tenant(row, "usr"), _tenant(row, "sub"))

    async def get(self, token: str) -> Token | None:
        row = await self._connection.fetchrow(f"select {_COLUMNS} from token where id = $1", as_uuid(token))
        return None if row is None else _token(row)

    async def all(self) -> Sequence[Token]:
        return [
            _token(row) for row in await self._connection.fetch(f"select {_COLUMNS} from token order by created_at, id")
        ]

    async def page(self, partner: str, paging: Paging) -> Page[Token]:
        found = await self._connection.fetch(
            f"""select {_COLUMNS} from token where partner_id = $1
                order by created_at desc, id desc limit $2 offset $3""",
            partner,
            paging.size,
            paging.offset,
        )
        total = await self._connection.fetchval("select count(*) from token where partner_id = $1", partner)
        return Page(tuple(_token(row) for row in found), total)

    async def revoke(self, token: str, now: Instant) -> None:
        await self._connection.execute(
            "update token set revoked_at = $2 where id = $1 and revoked_at is null", token, moment(now)
        )

    async def revoke_of(self, accounts: Sequence[AccountId], now: Instant) -> None:
        await self._connection.execute(
            "update token set revoked_at = $2 where account_id = any($1) and revoked_at is null", accounts, moment(now)
        )


def _token(row: Record) -> Token:
    return Token(
        id=str(row["id"]),
        partner=str(row["partner_id"]),
        account=None if row["account_id"] is None else AccountId(str(row["account_id"])),
        name=row["name"],
        expires_at=instant(row["expires_at"]),
        revoked_at=instant(row["revoked_at"]),
        created_at=instant(row["created_at"]),
    )


def _tenant(row: Record, who: str) -> Tenant | None:
    id, parent = row[who], row[f"{who}_parent"]
    if id is None:
        return None
    return Tenant(AccountId(str(id)), str(row[f"{who}_partner"]), None if parent is None else AccountId(str(parent)))
