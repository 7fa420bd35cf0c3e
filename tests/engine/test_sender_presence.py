"""Senders see who of them lives: a killed one is replaced at once, one that lost the database is waited for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from waihu.adapters.postgres import sender_presence
from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.sender_presence import SenderPresence


@asynccontextmanager
async def present(url: str, name: str) -> AsyncIterator[SenderPresence]:
    """Ends as a process does that is killed: its connection is gone, and nothing was said."""
    presence = SenderPresence(url, name)
    running = asyncio.create_task(presence.run())
    await until(lambda: has_entered(presence))
    yield presence
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def has_entered(presence: SenderPresence) -> bool:
    return presence.sender is not None


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        for _ in range(3000):
            if await is_so():
                return
            await asyncio.sleep(0.01)


async def known(pool: Pool) -> list[str]:
    return [row["name"] for row in await pool.fetch("select name from callback_sender order by id")]


async def lease(pool: Pool, sender: int | None) -> None:
    await pool.execute(
        """insert into callback_receiver (id, account_id, url, turn, sender_id)
           values (gen_random_uuid(), gen_random_uuid(), 'http://127.0.0.1/', 1, $1)""",
        sender,
    )


async def test_a_killed_sender_is_missed_by_the_others(pool: Pool, database_url: str) -> None:
    async with present(database_url, "stays"):
        async with present(database_url, "goes"):
            assert await known(pool) == ["stays", "goes"]

        await until(lambda: _is(known(pool), ["stays"]))


async def test_the_next_process_of_a_name_replaces_the_one_before_at_once(pool: Pool, database_url: str) -> None:
    async with present(database_url, "here") as first:
        number = first.sender
    assert await known(pool) == ["here"], "Nobody was there to miss it."

    async with present(database_url, "here") as second:
        assert second.sender != number
        assert await known(pool) == ["here"]


async def test_after_a_fault_of_the_server_the_others_have_a_while_to_come_back(
    pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with present(database_url, "late"):
        pass
    # What a crash of the server does to an unlogged table.
    await pool.execute("delete from server_life")
    async with present(database_url, "quick"):
        await asyncio.sleep(4 * sender_presence._BEAT_S)
        assert await known(pool) == ["late", "quick"]

        monkeypatch.setattr(sender_presence, "_JUDGES_AFTER_S", 0)
        await until(lambda: _is(known(pool), ["quick"]))


async def test_after_a_fault_of_the_server_every_sender_is_still_at_what_it_was_at(
    pool: Pool, database_url: str
) -> None:
    async with present(database_url, "one") as one, present(database_url, "other") as other:
        before = {one.sender, other.sender}
        await lease(pool, one.sender)
        await pool.execute("delete from server_life")
        await break_connections(database_url)

        await until(lambda: _is(_numbers(one, other), before, equal=False))
        leased_by = await pool.fetchval("select sender_id from callback_receiver")
        assert leased_by == one.sender
        assert sorted(await known(pool)) == ["one", "other"]


async def _numbers(*presences: SenderPresence) -> set[int | None]:
    return {presence.sender for presence in presences}


async def _is(asked: Awaitable[Any], expected: Any, *, equal: bool = True) -> bool:
    found = await asked
    if equal:
        return bool(found == expected)
    return None not in found and not found & expected


async def break_connections(database_url: str) -> None:
    """As a server does whose process has crashed: it ends everybody's connection."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        """select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and query ilike '%callback_sender%' and pid <> pg_backend_pid()"""
    )
    await connection.close()
