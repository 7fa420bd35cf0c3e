"""What was there before there was a ledger."""

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from waihu.adapters.postgres import migrations
from waihu.adapters.postgres.migrations import migrate

ENDED = datetime(2026, 3, 1, 16, 0, 30, tzinfo=UTC)


async def test_calls_of_before_are_entered_at_no_price_and_counted_by_trunk_and_day(database_server: str) -> None:
    name = f"waihu_test_{uuid4().hex[:12]}"
    server = await asyncpg.connect(database_server)
    await server.execute(f"create database {name}")
    url = database_server.rpartition("/")[0] + f"/{name}"
    await _upgrade(url, "0002")
    connection = await asyncpg.connect(url)
    account, campaign, trunk = await _calls(connection)

    await migrate(url)

    entered = await connection.fetch("select account_id, main_id, amount, at, talk_ms, units, price from ledger")
    assert [tuple(row) for row in entered] == [(account, account, 0, ENDED, 90_500, 2, 0)]
    used = await connection.fetch(
        "select campaign_id, trunk_id, day, slot, attempts, answered, trunk_errors, talk_ms, units, cost "
        "from trunk_usage"
    )
    # It had just become the second of March in China.
    assert [tuple(row) for row in used] == [(campaign, trunk, date(2026, 3, 2), 0, 2, 1, 1, 90_500, 2, 0)]
    await connection.close()
    await server.execute(f"drop database {name}")
    await server.close()


async def _calls(connection: asyncpg.Connection) -> tuple[object, object, object]:
    """An answered call, one that the trunk failed, and one in progress."""
    partner = await connection.fetchval("insert into partner (name) values ('P') returning id")
    account = await connection.fetchval("insert into account (partner_id, name) values ($1, 'A') returning id", partner)
    campaign, trunk = uuid4(), uuid4()
    for number, (state, outcome, talked) in enumerate(
        [("closed", "answered", True), ("closed", "trunk_error", False), ("answered", None, True)]
    ):
        await connection.execute(
            """insert into attempt (id, account_id, campaign_id, contact_id, number, trunk_id, node_id, phone, day,
                   state, planned_at, answered_at, closed_at, outcome)
               values ($1, $2, $3, $4, 1, $5, 1, '1', '2026-03-01', $6, $7,
                   case when $8 then $9::timestamptz - interval '90.5 s' end, case when $10 then $9::timestamptz end,
                   $11)""",
            *(uuid4(), account, campaign, number, trunk, state, ENDED, talked, ENDED, state == "closed", outcome),
        )
    return account, campaign, trunk


async def _upgrade(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))

    def upgrade(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url))
    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
        await connection.commit()
    await engine.dispose()
