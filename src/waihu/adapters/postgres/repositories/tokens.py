"""Tokens, known by the hash of their secret only."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories import accounts
from waihu.adapters.postgres.repositories.statements import shown
from waihu.adapters.postgres.repositories.values import as_uuid, instant, moment
from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import Presented, Token

_COLUMNS = "id, partner_id, account_id, name, expires_at, revoked_at, created_at"

_PRESENTED = f"""
    select token.*,
        {shown("u", "user_", accounts.COLUMNS)},
        {shown("s", "sub_user_", accounts.COLUMNS)}
    from (select {_COLUMNS} from token where sha256 = $1) token
    left join account u on u.id = $2 and u.deleted_at is null
    left join account s on s.id = $3 and s.deleted_at is null
"""


class TokenRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self, partner: str, account: AccountId | None, sha256: str, name: str, expires_at: Instant, now: Instant
    ) -> Token:
        row = await self._connection.fetchrow(
            f"""insert into token (partner_id, account_id, sha256, name, expires_at, created_at)
                values ($1, $2, $3, $4, $5, $6) returning {_COLUMNS}""",
            partner,
            account,
            sha256,
            name,
            moment(expires_at),
            moment(now),
        )
        assert row is not None
        return _token(row)

    async def by_sha256(self, sha256: str) -> Token | None:
        row = await self._connection.fetchrow(f"select {_COLUMNS} from token where sha256 = $1", sha256)
        return None if row is None else _token(row)

    async def presented(self, sha256: str, user: str, sub_user: str | None) -> Presented:
        row = await self._connection.fetchrow(
            _PRESENTED, sha256, as_uuid(user), None if sub_user is None else as_uuid(sub_user)
        )
        if row is None:
            return Presented(None, None, None)
        return Presented(
            _token(row),
            None if row["user_id"] is None else accounts.read(row, "user_"),
            None if row["sub_user_id"] is None else accounts.read(row, "sub_user_"),
        )

    async def get(self, token: str) -> Token | None:
        row = await self._connection.fetchrow(f"select {_COLUMNS} from token where id = $1", as_uuid(token))
        return None if row is None else _token(row)

    async def of_partner(self, partner: str) -> Sequence[Token]:
        found = await self._connection.fetch(
            f"select {_COLUMNS} from token where partner_id = $1 order by created_at, id", as_uuid(partner)
        )
        return [_token(row) for row in found]

    async def revoke(self, token: str, now: Instant) -> None:
        await self._connection.execute(
            "update token set revoked_at = $2 where id = $1 and revoked_at is null", token, moment(now)
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
