"""The 2.0 task list of an account with 100,000 tasks: its highest rate, and its latency at half of it. The floor is the
same SQL in pgbench.
"""

from pathlib import Path
from statistics import median

import aiohttp
import asyncpg

from bench.figures import Figure, Result, Target, percentile
from bench.house import House
from bench.open_loop import Order, load
from bench.pgbench import run_pgbench
from bench.processes import cpu_s_by_part
from bench.statements import make_tellable, statements_of
from bench.tasks import SHORT, Tasks
from waihu.data_directory import DataDirectory

ROUNDS = 3
TASKS = 100_000
CLIENTS = 8
FULL_S = 5
HALF_S, HALF_MAX_S = 20, 60
SAMPLES = 1_100
"""A p99 needs a thousand."""
P99_MS = 100
SHARES = (0.5, 0.95, 0.99)


async def run(directory: Path) -> Result:
    house = House(directory)
    postgres = DataDirectory(house.data).postgres
    make_tellable(postgres)
    async with house:
        url = f"{house.url}/agent-api/new/user/{house.account}/task?page=1&per_page=15"
        connection = await asyncpg.connect(house.database_url)
        try:
            await _multiply(connection, await Tasks(house, SHORT).create(channels=1))
            statements = await statements_of(connection, postgres, lambda: _ask_once(house, url), mark="from token")
        finally:
            await connection.close()
        script = "\n".join(statements)
        tps, rps = [], []
        for _ in range(ROUNDS):
            told = await run_pgbench(house.database_url, script, seconds=FULL_S, clients=CLIENTS)
            tps.append(told.transactions_per_s)
            full = await load(Order(url=url, headers=house.headers, seconds=FULL_S, clients=CLIENTS))
            assert not full.failed, f"{full.failed} requests failed"
            rps.append(len(full.latencies_ms) / full.took_s)
        half_per_s = median(rps) / 2
        # A slow machine takes longer to give as many samples.
        half_s = min(HALF_MAX_S, max(HALF_S, round(SAMPLES / half_per_s)))
        used = [cpu_s_by_part(house.pid)]
        floor = await run_pgbench(house.database_url, script, seconds=half_s, clients=CLIENTS, rate_per_s=half_per_s)
        used.append(cpu_s_by_part(house.pid))
        half = await load(Order(url=url, headers=house.headers, seconds=half_s, rate_per_s=half_per_s))
        used.append(cpu_s_by_part(house.pid))
    return Result(
        f"2.0 task list, {TASKS:,} tasks in one account",
        [
            *(
                Figure(
                    what=f"p{share * 100:g} at {half_per_s:.0f} requests/s",
                    unit="ms",
                    subject=[percentile(half.latencies_ms, share)],
                    floor=[percentile(floor.latencies_ms, share)],
                    samples=len(half.latencies_ms),
                    target=Target("subject", most=P99_MS) if share == 0.99 else None,
                )
                for share in reversed(SHARES)
            ),
            *(
                Figure(
                    what=f"processor time per request: {part}",
                    unit="ms",
                    subject=[(used[2][part] - used[1][part]) * 1000 / len(half.latencies_ms)],
                    floor=[(used[1][part] - used[0][part]) * 1000 / len(floor.latencies_ms)],
                    comparable=False,
                )
                for part in ("api", "database")
            ),
            Figure(what="highest rate", unit="requests/s", subject=rps, floor=tps, samples=round(sum(rps) * FULL_S)),
            Figure(
                what="failed requests",
                unit="requests",
                subject=[half.failed],
                samples=len(half.latencies_ms) + half.failed,
                target=Target("subject", most=0),
            ),
        ],
        [
            "The first page of 15 with the exact total, asked with a bearer token; one API process. Latencies count "
            "from the instant a request should have started, arrivals at random, until its last byte.",
            f"A request causes {len(statements)} statements, those that begin and end transactions included. pgbench "
            f"runs them as the server logged them, on {CLIENTS} connections; as many clients ask the API for its "
            "highest rate.",
            "Generator, API and PostgreSQL share the machine's two cores.",
        ],
    )


async def _multiply(connection: asyncpg.Connection, task: str) -> None:
    """Copies the task, its trunk and its counters, so that there are `TASKS` of them, made one minute apart."""
    rows = await connection.fetch(
        "select column_name from information_schema.columns "
        "where table_name = 'campaign' and column_name not in ('id', 'number', 'name', 'created_at')"
    )
    columns = ", ".join(row["column_name"] for row in rows)
    await connection.execute(
        f"insert into campaign (name, created_at, {columns}) "
        f"select '任务 ' || n, now() - n * interval '1 minute', {columns} "
        "from campaign, generate_series(2, $2::int) n where id = $1",
        task,
        TASKS,
    )
    await connection.execute(
        "insert into campaign_trunk (campaign_id, trunk_id, position, channels_max) "
        "select c.id, s.trunk_id, s.position, s.channels_max from campaign c, campaign_trunk s "
        "where s.campaign_id = $1 and c.id <> $1",
        task,
    )
    await connection.execute(
        "insert into campaign_stat (campaign_id, slot, contacts, finished) "
        "select id, 0, 1000, 900 from campaign on conflict do nothing"
    )
    # A week of calls.
    await connection.execute(
        "insert into trunk_usage (campaign_id, trunk_id, day, slot, account_id, attempts, answered, talk_ms) "
        "select c.id, s.trunk_id, current_date - n, 0, c.account_id, 200, 90, 1700000 "
        "from campaign c join campaign_trunk s on s.campaign_id = c.id, generate_series(1, 7) n"
    )
    await connection.execute("vacuum analyze")


async def _ask_once(house: House, url: str) -> None:
    async with aiohttp.ClientSession(headers=house.headers) as session, session.get(url) as response:
        answer = await response.json(content_type=None)
        assert response.status == 200 and len(answer["data"]) == 15, answer
        assert answer["meta"]["total"] == TASKS, answer["meta"]
