"""Somebody chooses what somebody else is just taking away: one of the two is told, in the words of the face."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from agent_world import Tenant
from asyncpg import Connection
from test_agent_api_choices import RULE

from waihu.adapters.postgres.pool import Pool

pytestmark = pytest.mark.ours

HOURS = {
    "name": "上午",
    "content": [{"week": day, "times": [{"begin_time": "09:00", "end_time": "12:00"}]} for day in range(7)],
    "is_default": False,
    "skip_holiday": False,
}
CHOSEN = pytest.mark.parametrize(
    ("noun", "body", "table", "field"),
    [
        ("redial-rule", RULE, "retry_rule", "auto_recycle_rule_id"),
        ("dial-time-group", HOURS, "calling_hours", "dial_time_id"),
    ],
)


@CHOSEN
async def test_what_is_taken_away_meanwhile_is_named(
    tenant: Tenant, line: str, pool: Pool, noun: str, body: dict[str, Any], table: str, field: str
) -> None:
    made = (await tenant.ask("POST", f"/user/{{user}}/{noun}", body))["data"]
    task = await tenant.body_v2(line, **{field: made["id"]})

    async with pool.acquire() as other:
        removal = other.transaction()
        await removal.start()
        await other.execute(f"delete from {table} where id = $1", made["id"])
        choosing = await until_waiting(pool, 1, tenant.ask("POST", "/new/user/{user}/task", task))
        await removal.commit()

    answer = await choosing
    assert (answer["code"], list(answer["message"])) == (422, [field])


@CHOSEN
async def test_what_is_chosen_meanwhile_is_not_taken_away(
    tenant: Tenant, line: str, pool: Pool, noun: str, body: dict[str, Any], table: str, field: str
) -> None:
    made = (await tenant.ask("POST", f"/user/{{user}}/{noun}", body))["data"]
    task = await tenant.body_v2(line, **{field: made["id"]})

    async with pool.acquire() as other:
        # Holds up whoever saves a task, when the rest of it has been looked at.
        await hold_up(other, tenant)
        choosing = await until_waiting(pool, 1, tenant.ask("POST", "/new/user/{user}/task", task))
        removing = await until_waiting(pool, 2, tenant.ask("DELETE", f"/user/{{user}}/{noun}/{made['id']}"))
        await other.execute("rollback")

    assert (await choosing)["code"] == 200
    assert (await removing)["code"] == 409


@CHOSEN
async def test_what_is_copied_meanwhile_is_not_taken_away(
    tenant: Tenant, line: str, pool: Pool, noun: str, body: dict[str, Any], table: str, field: str
) -> None:
    made = (await tenant.ask("POST", f"/user/{{user}}/{noun}", body))["data"]
    task = await tenant.make_v2(line, **{field: made["id"]})

    async with pool.acquire() as other:
        await other.execute("begin")
        await other.execute("lock table campaign_trunk in share mode")
        copying = await until_waiting(pool, 1, tenant.ask("GET", f"/new/user/{{user}}/copy/task/{task}"))
        deleting = await until_waiting(pool, 2, tenant.ask("DELETE", f"/new/user/{{user}}/task/{task}"))
        removing = await until_waiting(pool, 3, tenant.ask("DELETE", f"/user/{{user}}/{noun}/{made['id']}"))
        await other.execute("rollback")

    assert [(await each)["code"] for each in (copying, deleting, removing)] == [200, 200, 409]


async def hold_up(connection: Connection, tenant: Tenant) -> None:
    await connection.execute("begin")
    await connection.execute("select from trunk_allocation where account_id = $1 for update", tenant.user_id)


async def until_waiting(pool: Pool, count: int, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Starts `work` and returns when so many statements wait for locks in the database, or it is done."""
    running = asyncio.create_task(work)
    while not running.done():
        waiting = await pool.fetchval(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        if waiting >= count:
            break
        await asyncio.sleep(0.01)
    return running
