"""Claims, plans and closes per second of the dialing store, against pgbench running the very same statements."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import asyncpg

from bench.figures import Figure, Result
from bench.pgbench import Told, in_pgbench_form, run_pgbench
from waihu.adapters.postgres.commit import SQL
from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.embedded import EmbeddedPostgres
from waihu.adapters.postgres.migrations import migrate
from waihu.adapters.postgres.money import SQL as MONEY
from waihu.adapters.postgres.pool import open_pool
from waihu.dialing.records import AttemptClosed, AttemptPlanned, Record
from waihu.domain.contact import DueContact
from waihu.domain.ids import AccountId, CampaignId, ContactId, NodeId, TrunkId, attempt_id
from waihu.domain.outcome import Ending, HungUpBy, Outcome

ROUNDS = 5
TRANSACTIONS = {1: 600, 10: 400, 100: 150}
"""How many of each batch size: about as long each."""

_DAY = date(2026, 1, 5)
_RANK_MAX = 2**63 - 1

_PRICE = Decimal("0.1")

_STEPS = ("claim", "plan", "close")

Rates = dict[tuple[str, int], list[float]]
"""(step, batch size) → contacts per second, round by round."""


async def run(directory: Path) -> Result:
    floor: Rates = {(step, batch): [] for step in _STEPS for batch in TRANSACTIONS}
    subject: Rates = {(step, batch): [] for step in _STEPS for batch in TRANSACTIONS}
    async with _database(directory) as url:
        connection = await asyncpg.connect(url)
        try:
            world = await _furnish(connection, 2 * ROUNDS * sum(b * n for b, n in TRANSACTIONS.items()))
            for _ in range(ROUNDS):
                for batch in TRANSACTIONS:
                    await _by_pgbench(url, connection, world, batch, floor)
                    await _by_store(url, world, batch, subject)
        finally:
            await connection.close()
    return Result(
        "claims, plans and closes per second against the same SQL in pgbench",
        [
            Figure(
                what=f"{step}s, {batch} at a time",
                unit="contacts/s",
                subject=subject[step, batch],
                floor=floor[step, batch],
                samples=ROUNDS * TRANSACTIONS[batch],
            )
            for step in _STEPS
            for batch in TRANSACTIONS
        ],
        [
            "One client on both sides, as an engine commits one batch at a time; every batch is one transaction that "
            "is on disk (synchronous_commit on) when it is counted. Samples are transactions. Every closed call was "
            "answered and has a price: it is entered in the ledger and taken from a balance.",
            "pgbench prepares each statement once, like asyncpg. Where it has to fetch a batch's values first, that "
            "statement is not counted.",
        ],
    )


class _World:
    """A running campaign, and nodes that claim its contacts."""

    def __init__(self, account: str, campaign: str, trunk: str) -> None:
        self.account = AccountId(account)
        self.campaign = CampaignId(campaign)
        self.trunk = TrunkId(trunk)

    def planned(self, contact: ContactId, phone: str, at: int) -> AttemptPlanned:
        return AttemptPlanned(
            attempt=attempt_id(self.campaign, contact, 1),
            contact=contact,
            campaign=self.campaign,
            account=self.account,
            trunk=self.trunk,
            number=1,
            phone=phone,
            at=at,
            day=_DAY,
            daily_cap=3,
        )

    def closed(self, contact: ContactId, at: int) -> AttemptClosed:
        return AttemptClosed(
            attempt=attempt_id(self.campaign, contact, 1),
            contact=contact,
            campaign=self.campaign,
            outcome=Outcome.ANSWERED,
            ending=Ending(answered_at=at, q850=16, hung_up_by=HungUpBy.AGENT),
            placed_at=at,
            ringing_at=at,
            answered_at=at,
            at=at,
            retry=None,
        )


async def _by_store(url: str, world: _World, batch: int, rates: Rates) -> None:
    async with await open_pool(url) as pool:
        store = PostgresDialingStore(pool)
        node = await store.join(f"store-{time.monotonic_ns()}", _now())
        claimed: list[Sequence[DueContact]] = []
        began = time.monotonic()
        for _ in range(TRANSACTIONS[batch]):
            claimed.append((await store.claim(node, world.campaign, batch, False, _now())).contacts)
        rates["claim", batch].append(_rate(claimed, began))
        now = _now()
        plans: list[list[Record]] = [[world.planned(c.id, c.phone, now) for c in each] for each in claimed]
        closes: list[list[Record]] = [[world.closed(c.id, now) for c in each] for each in claimed]
        for step, batches in (("plan", plans), ("close", closes)):
            began = time.monotonic()
            for records in batches:
                refused = await store.commit(node, records, now)
                assert not refused, "every plan of a claimed contact is taken"
            rates[step, batch].append(_rate(batches, began))


async def _by_pgbench(url: str, connection: asyncpg.Connection, world: _World, batch: int, rates: Rates) -> None:
    node = NodeId(await connection.fetchval("insert into node (name, beat_at) values ('pgbench', now()) returning id"))
    now = _now()
    claim = "\n".join(["begin;", in_pgbench_form(SQL["claim"]), in_pgbench_form(SQL["waiting"]), "commit;"])
    told = await run_pgbench(
        url,
        claim,
        transactions=TRANSACTIONS[batch],
        variables={
            "node": node,
            "campaign": world.campaign,
            "count": batch,
            "now": _written(now),
            "lane": 1,
            "rank_max": now,
            "later_rank_max": _RANK_MAX,
        },
    )
    rates["claim", batch].append(batch * 1000 / _ms(told, without=0))
    await _write_batches(connection, world, node, batch, now)
    for step in ("plan", "close"):
        told = await run_pgbench(
            url,
            _script(step),
            transactions=TRANSACTIONS[batch],
            variables={"node": node, "now": _written(now), "turn": 1},
        )
        rates[step, batch].append(batch * 1000 / _ms(told, without=2))
    left = await connection.fetchval("select count(*) from attempt where node_id = $1 and state <> 'closed'", node)
    done = await connection.fetchval("select count(*) from attempt where node_id = $1", node)
    assert (left, done) == (0, batch * TRANSACTIONS[batch]), "pgbench has done the work that it is measured by"


def _script(step: str) -> str:
    """First the batch's values become variables, then comes what is measured."""
    queries = [SQL["lock_planned"], SQL["plan"]] if step == "plan" else [SQL["close"], MONEY["charge"]]
    names = dict.fromkeys(name for query in queries for name in query.names if name not in ("node", "now"))
    return "\n".join(
        [
            f"select {', '.join(names)} from batch_{step} where turn = :turn \\gset",
            r"\set turn :turn + 1",
            "begin;",
            *map(in_pgbench_form, queries),
            "commit;",
        ]
    )


async def _write_batches(connection: asyncpg.Connection, world: _World, node: NodeId, batch: int, now: int) -> None:
    """Lays out the values of each transaction in a row of text, in the form of the statements' array values."""
    rows = await connection.fetch(
        "select c.id, c.phone from queue q join contact c on c.id = q.contact_id where q.node_id = $1 order by c.id",
        node,
    )
    moment = _written(now)
    plans, closes = [], []
    for turn, first in enumerate(range(0, len(rows), batch), 1):
        ids = [ContactId(row["id"]) for row in rows[first : first + batch]]
        attempts = _array([attempt_id(world.campaign, contact, 1) for contact in ids])

        def all_of(value: object, count: int = len(ids)) -> str:
            return _array([value] * count)

        plans.append(
            {
                "turn": turn,
                "campaigns": all_of(world.campaign),
                "contacts": _array(ids),
                "attempts": attempts,
                "accounts": all_of(world.account),
                "trunks": all_of(world.trunk),
                "numbers": all_of(1),
                "phones": _array([row["phone"] for row in rows[first : first + batch]]),
                "planned": all_of(moment),
                "days": all_of(_DAY),
                "caps": all_of(3),
                "owned": all_of("t"),
                "running": all_of("t"),
            }
        )
        closes.append(
            {
                "turn": turn,
                "attempts": attempts,
                "outcomes": all_of(Outcome.ANSWERED.value),
                "placed": all_of(moment),
                "ringing": all_of(moment),
                "answered": all_of(moment),
                "closed": all_of(moment),
                "sip_codes": all_of("NULL"),
                "q850s": all_of(16),
                "announcements": all_of("NULL"),
                "timed_out": all_of("f"),
                "hung_up_by": all_of(HungUpBy.AGENT.value),
                "reasons": all_of("NULL"),
                "untils": all_of("NULL"),
                "ranks": all_of("NULL"),
                "talk_stored": moment,
                "accounts": _array([world.account]),
                "costs": _array([len(ids) * _PRICE]),
            }
        )
    for step, batches in (("plan", plans), ("close", closes)):
        columns = ", ".join(f"{name} text" for name in batches[0] if name != "turn")
        await connection.execute(f"drop table if exists batch_{step}")
        await connection.execute(f"create table batch_{step} (turn int primary key, {columns})")
        await connection.copy_records_to_table(f"batch_{step}", records=[tuple(row.values()) for row in batches])
        await connection.execute(f"analyze batch_{step}")


async def _furnish(connection: asyncpg.Connection, contacts: int) -> _World:
    """One running campaign with so many contacts in its queue."""
    partner = await connection.fetchval("insert into partner (name) values ('bench') returning id")
    account = await connection.fetchval(
        "insert into account (partner_id, name) values ($1, 'bench') returning id", partner
    )
    trunk = await connection.fetchval(
        "insert into trunk (name, host, channels_max, cps_max) values ('bench', '127.0.0.1', 100, 50) returning id"
    )
    await connection.execute(
        "insert into trunk_allocation (trunk_id, account_id, channels_max, price) values ($1, $2, 100, $3)",
        trunk,
        account,
        _PRICE,
    )
    await connection.execute("insert into balance values ($1, 1000000)", account)
    campaign = await connection.fetchval(
        "insert into campaign (account_id, name, origin, state, channels_max) "
        "values ($1, 'bench', 'agent_api_v2', 'running', 100) returning id",
        account,
    )
    await connection.execute(
        "insert into contact (campaign_id, position, key) select $1, n, '1' || (3000000000 + n) "
        "from generate_series(1, $2::int) n",
        campaign,
        contacts,
    )
    await connection.execute(
        "insert into queue (contact_id, campaign_id, lane, rank) select id, campaign_id, 0, position from contact"
    )
    await connection.execute("vacuum analyze")
    return _World(str(account), str(campaign), str(trunk))


@asynccontextmanager
async def _database(directory: Path) -> AsyncIterator[str]:
    server = EmbeddedPostgres(directory / "postgres")
    server.start()
    try:
        await migrate(server.url)
        yield server.url
    finally:
        server.stop()


def _ms(told: Told, *, without: int) -> float:
    """How long a transaction took: all its statements but the first ones."""
    return sum(mean_ms for _, mean_ms in told.statements_ms[without:])


def _rate(batches: Sequence[Sequence[object]], began: float) -> float:
    return sum(map(len, batches)) / (time.monotonic() - began)


def _array(values: Sequence[object]) -> str:
    return "{" + ",".join(f'"{value}"' if value != "NULL" else "NULL" for value in values) + "}"


def _now() -> int:
    return time.time_ns() // 1_000_000


def _written(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat()
