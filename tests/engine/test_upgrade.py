"""Databases that are in use come up to date with all that is in them, and are then like new ones.

`released/` has them as earlier releases left them, apart from our migrations: an edit of one that was released shows
here as a difference.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from test_dialing_store import NOW

from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.health import work_figures
from waihu.adapters.postgres.migrations import migrate
from waihu.adapters.postgres.pool import open_pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.domain.ids import AccountId, CampaignId, TrunkId
from waihu.ports.rows import CallFilter, CampaignFilter, Origin, Paging

FIRST = (Path(__file__).parent / "released" / "first.sql").read_text(encoding="utf-8")
# The first migration was edited once, before it was settled that none ever is.
FIRST_WITH_MORE_INDEXES = f"""
    {FIRST}
    drop index campaign_page_idx;
    create index campaign_page_idx on campaign (account_id, created_at desc, id desc) include (origin, state)
        where deleted_at is null;
    create index campaign_total_idx on campaign (account_id, origin, state) where deleted_at is null;
    create index campaign_holding_idx on campaign (account_id)
        where (state = 'running' or keeps_channels) and deleted_at is null;
"""

MAIN, SUB = (AccountId(f"00000000-0000-4000-8000-0000000000b{n}") for n in (1, 2))
ONE, TWO, ENDED, DELETED = (CampaignId(f"00000000-0000-4000-8000-0000000000d{n}") for n in range(1, 5))
TRUNK = TrunkId("00000000-0000-4000-8000-0000000000c1")

_SHAPE = {
    "columns": """
        select c.relname, c.relkind::text, c.reloptions, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            a.attidentity::text, a.attgenerated::text, a.attcollation, pg_get_expr(d.adbin, d.adrelid)
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v') order by 1, 4
    """,
    "constraints": """
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace and contype <> 'n' order by 1, 2
    """,
    "indexes": "select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1",
    "functions": """
        select proname, pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace order by 1
    """,
    "views": "select viewname, definition from pg_views where schemaname = 'public' order by 1",
    "triggers": "select tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 1",
}


@asynccontextmanager
async def database(server: str, content: str) -> AsyncIterator[str]:
    name = f"waihu_test_{uuid4().hex[:12]}"
    url = server.rpartition("/")[0] + f"/{name}"
    ruler = await asyncpg.connect(server)
    await ruler.execute(f"create database {name}")
    connection = await asyncpg.connect(url)
    await connection.execute(content)
    await connection.close()
    yield url
    await ruler.execute(f"drop database {name}")
    await ruler.close()


async def looked_at(url: str, *queries: str) -> list[list[tuple[object, ...]]]:
    connection = await asyncpg.connect(url)
    found = [[tuple(row) for row in await connection.fetch(query)] for query in queries]
    await connection.close()
    return found


@pytest.mark.parametrize("released", [FIRST, FIRST_WITH_MORE_INDEXES], ids=["first", "first with more indexes"])
async def test_an_upgraded_database_is_like_a_new_one(database_server: str, database_url: str, released: str) -> None:
    async with database(database_server, released) as url:
        await migrate(url)
        upgraded = await looked_at(url, *_SHAPE.values())

    new = await looked_at(database_url, *_SHAPE.values())
    for kind, theirs, ours in zip(_SHAPE, upgraded, new, strict=True):
        assert theirs == ours, kind


async def test_nothing_is_lost_and_everything_goes_on(database_server: str) -> None:
    kept = "select (select count(*) from {0}), '{0}'"
    tables = (
        *("partner", "account", "trunk", "trunk_allocation", "calling_hours", "retry_rule", "agent", "agent_version"),
        *("seat_group", "background_sound", "review_config", "do_not_call", "campaign", "campaign_trunk"),
        *("campaign_stat", "contact", "queue", "attempt", "turn", "phone_day", "node", "capacity_lease", "callback"),
    )
    async with database(database_server, FIRST) as url:
        before = await looked_at(url, *(kept.format(table) for table in tables))
        assert all(rows[0][0] for rows in before), "there is something in every table"
        await migrate(url)
        assert await looked_at(url, *(kept.format(table) for table in tables)) == before

        async with await open_pool(url) as pool:
            users, engine = PostgresStore(pool), PostgresDialingStore(pool)
            world = await engine.world()
            assert {plan.id: [share.trunk for share in plan.trunks] for plan in world.plans} == {
                ONE: [TRUNK],
                TWO: [TRUNK],
            }
            assert [plan.daily_cap for plan in world.plans] == [3, 3]

            async with users.looking() as session:
                listed = await session.campaigns.page(
                    CampaignFilter((MAIN,), (Origin.AGENT_API_V1, Origin.AGENT_API_V2)), Paging(1, 15)
                )
                calls = await session.calls.page(ONE, CallFilter(), Paging(1, 2))
                some = await session.calls.page(ONE, CallFilter(phone_part="1390000000"), Paging(1, 2))
            assert {view.campaign.id for view in listed.items} == {ONE, ENDED}
            (one,) = (view for view in listed.items if view.campaign.id == ONE)
            # Its hours were those of its group, which it follows from now on.
            assert (one.campaign.rules.week, one.campaign.rules.calling_hours) == (None, 1)
            assert (one.progress.contacts, one.progress.finished) == (5, 2)
            assert (calls.total, some.total, len(calls.items)) == (3, 3, 2)

            figures = await work_figures(pool)
            assert (figures.attempts, figures.answered, figures.trunk_errors, figures.talk_s) == (3, 1, 1, 61)

            node = await engine.join("host-1", NOW)
            (orphan,) = await engine.orphans(node, NOW, 15_000)
            await engine.bury(node, [orphan.attempt], 15_000, NOW)
            claimed = await engine.claim(node, ONE, 10, False, NOW)
            assert [contact.phone for contact in claimed.contacts] == ["13900000003", "13900000005"]
            assert (await work_figures(pool)).attempts == 4
