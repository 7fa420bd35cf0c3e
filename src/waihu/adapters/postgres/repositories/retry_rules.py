"""Named retry policies."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.statements import KEEP
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
        enabled: bool = True,
    ) -> RetryRule:
        row = await self._connection.fetchrow(
            f"""insert into retry_rule
                    (account_id, name, remark, is_default, retries_max, delay_s, created_at, updated_at, enabled)
                values ($1, $2, $3, $4, $5, $6, $7, $7, $8) returning {COLUMNS}""",
            account,
            name,
            remark,
            is_default,
            policy.retries_max,
            delays_to_json(policy.delay_s),
            moment(now),
            enabled,
        )
        assert row is not None
        return read(row)

    async def change(self, rule: RetryRule) -> None:
        await self._connection.execute(
            """update retry_rule set name = $2, remark = $3, enabled = $4, is_default = $5, retries_max = $6,
                   delay_s = $7, updated_at = $8
               where id = $1""",
            rule.id,
            rule.name,
            rule.remark,
            rule.enabled,
            rule.is_default,
            rule.policy.retries_max,
            delays_to_json(rule.policy.delay_s),
            moment(rule.updated_at),
        )

    async def clear_default(self, account: AccountId, now: Instant) -> None:
        await self._connection.execute(
            "update retry_rule set is_default = false, updated_at = $2 where account_id = $1 and is_default",
            account,
            moment(now),
        )

    async def used_by(self, rule: int) -> int:
        # Whoever has just chosen it is waited for, and counts; whoever comes now waits, and will not find it.
        await self._connection.execute("select from retry_rule where id = $1 for update", rule)
        counted = await self._connection.fetchval(
            "select count(*) from campaign where retry_rule_id = $1 and deleted_at is null", rule
        )
        assert isinstance(counted, int)
        return counted

    async def remove(self, rule: int) -> None:
        # Deleted campaigns let go of it; nobody will retry by it again.
        await self._connection.execute(
            "update campaign set retry_rule_id = null where retry_rule_id = $1 and deleted_at is not null", rule
        )
        await self._connection.execute("delete from retry_rule where id = $1", rule)

    async def get(self, account: AccountId, rule: int, *, keep: bool = False) -> RetryRule | None:
        if not fits_integer(rule):
            return None
        row = await self._connection.fetchrow(
            f"select {COLUMNS} from retry_rule where id = $1 and account_id = $2 {KEEP if keep else ''}", rule, account
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
