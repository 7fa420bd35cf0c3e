"""Named retry policies."""

from collections.abc import Mapping, Sequence

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

_COLUMNS = "id, account_id, name, remark, enabled, is_default, retries_max, delay_s, created_at, updated_at"


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
                values ($1, $2, $3, $4, $5, $6, $7, $7) returning {_COLUMNS}""",
            account,
            name,
            remark,
            is_default,
            policy.retries_max,
            delays_to_json(policy.delay_s),
            moment(now),
        )
        assert row is not None
        return _rule(row)

    async def get(self, account: AccountId, rule: int) -> RetryRule | None:
        if not fits_integer(rule):
            return None
        row = await self._connection.fetchrow(
            f"select {_COLUMNS} from retry_rule where id = $1 and account_id = $2", rule, account
        )
        return None if row is None else _rule(row)

    async def by_ids(self, rules: Sequence[int]) -> Mapping[int, RetryRule]:
        found = await self._connection.fetch(f"select {_COLUMNS} from retry_rule where id = any($1)", rules)
        return {row["id"]: _rule(row) for row in found}

    async def all(self, account: AccountId) -> Sequence[RetryRule]:
        found = await self._connection.fetch(
            f"select {_COLUMNS} from retry_rule where account_id = $1 order by id", account
        )
        return [_rule(row) for row in found]


def _rule(row: Record) -> RetryRule:
    return RetryRule(
        id=row["id"],
        account=AccountId(str(row["account_id"])),
        name=row["name"],
        remark=row["remark"],
        enabled=row["enabled"],
        is_default=row["is_default"],
        policy=RetryPolicy(delays_from_json(row["delay_s"]), row["retries_max"]),
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )
