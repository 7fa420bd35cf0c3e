"""Named retry policies."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import (
    delays_from_json,
    delays_to_json,
    fits_integer,
    instant,
    moment,
)
from waihu.domain.campaign import RetryPolicy
from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import RetryRule

COLUMNS = "id, account_id, name, remark, enabled, is_default, retries_max, delay_s, created_at, updated_at"


class RetryRuleRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self,
        account: AccountId,
        name: str,
        policy: RetryPolicy,
        *,
        is_default: bool,
        remark: str | None,
        now: Instant,
    ) -> RetryRule:
        row = await self._connection.fetchrow(
            f"""insert into retry_rule
                    (account_id, name, remark, is_default, retries_max, delay_s, created_at, updated_at)
                values ($1, $2, $3, $4, $5, $6, $7, $7) returning {COLUMNS}""",
            account,
            name,
            remark,
            is_default,
            policy.retries_max,
            delays_to_json(policy.delay_s),
            moment(now),
        )
        assert row is not None
        return read(row)

    async def get(self, account: AccountId, rule: int) -> RetryRule | None:
        if not fits_integer(rule):
            return None
        row = await self._connection.fetchrow(
            f"select {COLUMNS} from retry_rule where id = $1 and account_id = $2", rule, account
        )
        return None if row is None else read(row)

    async def all(self, account: AccountId) -> Sequence[RetryRule]:
        found = await self._connection.fetch(
            f"select {COLUMNS} from retry_rule where account_id = $1 order by id", account
        )
        return [read(row) for row in found]


def read(row: Record, prefix: str = "") -> RetryRule:
    """`prefix` stands before its columns in the row."""
    return RetryRule(
        id=row[prefix + "id"],
        account=AccountId(str(row[prefix + "account_id"])),
        name=row[prefix + "name"],
        remark=row[prefix + "remark"],
        enabled=row[prefix + "enabled"],
        is_default=row[prefix + "is_default"],
        policy=RetryPolicy(delays_from_json(row[prefix + "delay_s"]), row[prefix + "retries_max"]),
        created_at=instant(row[prefix + "created_at"]),
        updated_at=instant(row[prefix + "updated_at"]),
    )
