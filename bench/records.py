"""Call records of a task with 1,000,000 of them: ten details in parallel, and the list filtered by date and score. The
floor is the same SQL in pgbench.
"""

from pathlib import Path

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

RECORDS = 1_000_000
DAYS = 30
PARALLEL = 10
ASKED = 2_000
"""Different details that are asked for in turn."""
RUN_S = 20
DETAIL_P99_MS, LIST_P99_MS = 100, 200
SHARES = (0.5, 0.95, 0.99)

_FIRST = "2026-01-01 00:00:00+08"
_FILTER = "start_at=2026-01-12&end_at=2026-01-18&levels=[[60,100]]"


async def run(directory: Path) -> Result:
    house = House(directory)
    postgres = DataDirectory(house.data).postgres
    make_tellable(postgres)
    async with house:
        connection = await asyncpg.connect(house.database_url)
        try:
            task = await Tasks(house, SHORT).create(channels=1)
            await _fill(connection, task)
            base = f"{house.url}/agent-api/user/{house.account}/task/{task}"
            step = RECORDS // ASKED
            asked = [
                str(row[0])
                for row in await connection.fetch(
                    "select md5(n::text)::uuid from generate_series(1, $1, $2) n", RECORDS, step
                )
            ]
            details = [f"{base}/detail/{record}" for record in asked]
            filtered = f"{base}/record?page=1&per_page=15&{_FILTER}"
            of_detail = await statements_of(connection, postgres, lambda: _ask(house, details[0]), mark="from token")
            of_list = await statements_of(connection, postgres, lambda: _ask(house, filtered), mark="from token")
            matching = await _total(house, filtered)
        finally:
            await connection.close()
        # Whoever asks for a record gives its id as it is; here it is made of a number drawn anew each time.
        drawn = f"md5((1 + {step} * :n::int)::text)::uuid"
        detail_script = f"\\set n random(0, {ASKED - 1})\n" + "\n".join(of_detail).replace(f"'{asked[0]}'", drawn)
        figures = [
            *await _measured("detail", house, details, detail_script, clients=PARALLEL, p99_ms=DETAIL_P99_MS),
            *await _measured("filtered list", house, [filtered], "\n".join(of_list), clients=1, p99_ms=LIST_P99_MS),
        ]
    return Result(
        f"Call records of a task with {RECORDS:,}",
        figures,
        [
            f"{PARALLEL} clients ask for details, each for the next one as soon as it has its answer: {ASKED:,} "
            "different calls in turn. A latency ends with the last byte.",
            f"The list is the first page of 15 with its exact total, {matching:,} calls: a week of the {DAYS} days "
            "and a range of scores. One client asks.",
            f"A detail causes {len(of_detail)} statements and the list {len(of_list)}, those that begin and end "
            "transactions included. pgbench runs them as the server logged them, with as many clients.",
            "Generator, API and PostgreSQL share the machine's two cores.",
        ],
    )


async def _measured(
    what: str, house: House, urls: list[str], script: str, *, clients: int, p99_ms: float
) -> list[Figure]:
    used = [cpu_s_by_part(house.pid)]
    floor = await run_pgbench(house.database_url, script, seconds=RUN_S, clients=clients, tells_latencies=True)
    used.append(cpu_s_by_part(house.pid))
    done = await load(Order(url=urls[0], more_urls=urls[1:], headers=house.headers, seconds=RUN_S, clients=clients))
    used.append(cpu_s_by_part(house.pid))
    assert not done.failed, f"{done.failed} requests failed"
    return [
        *(
            Figure(
                what=f"{what}, p{share * 100:g} with {clients} in parallel",
                unit="ms",
                subject=[percentile(done.latencies_ms, share)],
                floor=[percentile(floor.latencies_ms, share)],
                samples=len(done.latencies_ms),
                target=Target("subject", most=p99_ms) if share == 0.99 else None,
            )
            for share in reversed(SHARES)
        ),
        Figure(
            what=f"{what}, rate",
            unit="requests/s",
            subject=[len(done.latencies_ms) / done.took_s],
            floor=[floor.transactions_per_s],
            samples=len(done.latencies_ms),
        ),
        *(
            Figure(
                what=f"{what}, processor time per request: {part}",
                unit="ms",
                subject=[(used[2][part] - used[1][part]) * 1000 / len(done.latencies_ms)],
                floor=[(used[1][part] - used[0][part]) * 1000 / len(floor.latencies_ms)],
                comparable=False,
            )
            for part in ("api", "database")
        ),
    ]


async def _fill(connection: asyncpg.Connection, task: str) -> None:
    """`RECORDS` closed calls of the task, evenly over `DAYS` days: two of five were answered, in a talk of five turns,
    and every fourth of those has a score.
    """
    await connection.execute(
        """insert into contact (campaign_id, position, key, name, extra, variables, attempts, tries, finished, outcome)
           select $1, n, (13000000000 + n)::text, '客户' || n, md5('extra' || n), '{"公司": "甲公司"}', 1, 1, true,
               case when n % 5 < 2 then 'answered' else 'no_answer' end
           from generate_series(1, $2::int) n order by n""",
        task,
        RECORDS,
    )
    await connection.execute(
        """insert into attempt (id, account_id, campaign_id, contact_id, number, trunk_id, node_id, phone, day, state,
               planned_at, placed_at, answered_at, closed_at, outcome, q850, hung_up_by, recording, agent_id, score,
               intention)
           select md5(c.position::text)::uuid, k.account_id, k.id, c.id, 1, s.trunk_id, 1, c.phone, t.at::date,
               'closed', t.at, t.at, case when talks then t.at + interval '9 s' end, t.at + interval '50 s', c.outcome,
               case when talks then 16 else 19 end, case when talks then 'callee' end,
               case when talks then '20260101/' || c.position || '.wav' end, k.agent_id,
               case when talks and c.position % 4 = 0 then c.position % 120 else 0 end,
               case when talks and c.position % 4 = 0 then 1 + c.position % 6 else 0 end
           from contact c join campaign k on k.id = c.campaign_id join campaign_trunk s on s.campaign_id = k.id
           cross join lateral (
               select $2::text::timestamptz + c.position * make_interval(secs => $3::float8) as at,
                   c.outcome = 'answered' as talks
           ) t
           where c.campaign_id = $1 order by c.position""",
        task,
        _FIRST,
        DAYS * 86_400 / RECORDS,
    )
    await connection.execute(
        """insert into trunk_usage (campaign_id, trunk_id, day, slot, account_id, attempts, answered, talk_ms)
           select campaign_id, trunk_id, (closed_at at time zone 'Asia/Shanghai')::date, 1, account_id, count(*),
               count(answered_at), coalesce(sum(extract(epoch from closed_at - answered_at) * 1000), 0)
           from attempt group by 1, 2, 3, 5"""
    )
    await connection.execute(
        """insert into turn (attempt_id, sequence, speaker, text, dtmf, at_ms)
           select a.id, n, case when n % 2 = 0 then 'callee' else 'agent' end, '您好,这里是外呼演示,请问方便吗?',
               case when n % 2 = 0 then '1' end, n * 4000
           from attempt a, generate_series(1, 5) n where a.answered_at is not null order by a.planned_at, n"""
    )
    await connection.execute("vacuum analyze")


async def _ask(house: House, url: str) -> None:
    await _answer(house, url)


async def _total(house: House, url: str) -> int:
    total: int = (await _answer(house, url))["meta"]["total"]
    assert 0 < total < RECORDS, "a filter that filters"
    return total


async def _answer(house: House, url: str) -> dict[str, dict[str, int]]:
    async with aiohttp.ClientSession(headers=house.headers) as session, session.get(url) as response:
        answer: dict[str, dict[str, int]] = await response.json(content_type=None)
        assert response.status == 200, answer
        return answer
