"""What is still to be told to receivers. Taking is a lease, so that a lost sender delays a push and loses none."""

from collections.abc import Mapping, Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import instant, moment
from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import Callback

_FIRST_DUE = """
    select id, event_id, account_id, url, kind, tries from callback
    where delivered_at is null and given_up_at is null and due_at <= $1 and not (url = any($2))
    order by due_at, id limit 1 for update skip locked
"""

# A first try gathers what else is due for the same receiver under one event; a later one repeats that push.
_GATHER = """
    with gathered as (
        select id from callback
        where delivered_at is null and given_up_at is null and due_at <= $1
          and account_id = $2 and url = $3 and kind = $4
          and case when $5 = 0 then tries = 0 else event_id = $6 end
        order by due_at, id limit $7 for update skip locked
    )
    update callback b set event_id = $6, tries = tries + 1, due_at = $8
    from gathered where b.id = gathered.id
    returning b.id, b.event_id, b.account_id, b.url, b.kind, b.body, b.tries, b.created_at
"""


class CallbackRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, account: AccountId, url: str, kind: str, body: Mapping[str, object], due_at: Instant) -> None:
        await self._connection.execute(
            "insert into callback (account_id, url, kind, body, due_at, created_at) values ($1, $2, $3, $4, $5, $5)",
            account,
            url,
            kind,
            body,
            moment(due_at),
        )

    async def take(
        self, busy: Sequence[str], batch_max: int, *, lease_until: Instant, due_by: Instant
    ) -> Sequence[Callback]:
        first = await self._connection.fetchrow(_FIRST_DUE, moment(due_by), busy)
        if first is None:
            return []
        taken = await self._connection.fetch(
            _GATHER,
            moment(due_by),
            first["account_id"],
            first["url"],
            first["kind"],
            first["tries"],
            first["event_id"],
            batch_max,
            moment(lease_until),
        )
        return sorted(map(_callback, taken), key=lambda callback: callback.id)

    async def delivered(self, callbacks: Sequence[int], answer: str, now: Instant) -> None:
        await self._connection.execute(
            "update callback set delivered_at = $2, last_answer = $3 where id = any($1)",
            callbacks,
            moment(now),
            answer,
        )

    async def failed(self, callbacks: Sequence[int], answer: str, due_at: Instant | None, now: Instant) -> None:
        await self._connection.execute(
            """update callback set due_at = coalesce($2, due_at), last_answer = $3,
                   given_up_at = case when $2::timestamptz is null then $4::timestamptz end
               where id = any($1) and delivered_at is null""",
            callbacks,
            moment(due_at),
            answer,
            moment(now),
        )


def _callback(row: Record) -> Callback:
    return Callback(
        id=row["id"],
        event=str(row["event_id"]),
        account=AccountId(str(row["account_id"])),
        url=row["url"],
        kind=row["kind"],
        body=row["body"],
        tries=row["tries"],
        created_at=instant(row["created_at"]),
    )
