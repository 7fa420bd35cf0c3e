"""How accounts show phones: `ports/privacy.py` on PostgreSQL."""

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import moment
from waihu.domain.ids import AccountId, Instant
from waihu.ports.privacy import MaskStyle, PhoneMasks


class PrivacyRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def masks(self, account: AccountId) -> PhoneMasks:
        row = await self._connection.fetchrow(
            """select coalesce(p.customer_style, m.customer_style) as customers,
                   coalesce(p.contact_style, m.contact_style) as contacts
               from account a
               left join privacy p on p.account_id = a.id
               left join privacy m on m.account_id = a.parent_id
               where a.id = $1""",
            account,
        )
        return PhoneMasks() if row is None else PhoneMasks(_style(row["customers"]), _style(row["contacts"]))

    async def code_hash(self, account: AccountId) -> str | None:
        found: str | None = await self._connection.fetchval(
            """select coalesce(p.code_hash, m.code_hash)
               from account a
               left join privacy p on p.account_id = a.id
               left join privacy m on m.account_id = a.parent_id
               where a.id = $1""",
            account,
        )
        return found

    async def set_masks(self, account: AccountId, masks: PhoneMasks, now: Instant) -> None:
        await self._connection.execute(
            """insert into privacy as p (account_id, customer_style, contact_style, updated_at) values ($1, $2, $3, $4)
               on conflict (account_id) do update
               set customer_style = excluded.customer_style, contact_style = excluded.contact_style,
                   updated_at = excluded.updated_at""",
            account,
            masks.customers,
            masks.contacts,
            moment(now),
        )

    async def set_code_hash(self, account: AccountId, code_hash: str | None, now: Instant) -> None:
        await self._connection.execute(
            """insert into privacy as p (account_id, code_hash, updated_at) values ($1, $2, $3)
               on conflict (account_id) do update
               set code_hash = excluded.code_hash, updated_at = excluded.updated_at""",
            account,
            code_hash,
            moment(now),
        )


def _style(kept: int | None) -> MaskStyle | None:
    return None if kept is None else MaskStyle(kept)
