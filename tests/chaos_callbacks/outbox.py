"""The tenants of the chaos, their calls, and the callbacks that are written about them while it goes on."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

from tests.chaos_callbacks.receivers import Place

from waihu.adapters.postgres.pool import Pool

_NUMBERS_SHARE = 50
"""One callback of so many is about a batch of numbers, and is told alone; the others are finished calls."""
_WRITES_PER_S = 20

_ACCOUNTS = """
    with accounts as (
        insert into account (id, partner_id, name, callback_url, callback_secret)
        select id, $1, 'chaos ' || id, url, secret from unnest($2::uuid[], $3::text[], $4::text[]) as a(id, url, secret)
        returning id
    ),
    agents as (
        insert into agent (account_id, kind, name) select id, 'script', 'chaos' from accounts returning id, account_id
    )
    insert into campaign (id, account_id, name, origin, channels_max, agent_id, agent_version)
    select account_id, account_id, 'chaos', 'agent_api_v2', 1, id, 1 from agents
"""

_CALLS = """
    with contacts as (
        insert into contact (campaign_id, position, key, name, extra)
        select a, place, '130' || lpad(place::text, 8, '0'), '李雷', gen_random_uuid()::text
        from unnest($1::uuid[]) with ordinality as a(a, place)
        returning id, campaign_id, key
    )
    insert into attempt (id, account_id, campaign_id, contact_id, number, trunk_id, node_id, phone, day, state,
                         planned_at, placed_at, closed_at, outcome)
    select gen_random_uuid(), campaign_id, campaign_id, id, 1, $2, 1, key, current_date, 'closed', now(), now(), now(),
           'no_answer'
    from contacts
    returning id::text, account_id::text
"""

# As the engine writes them when calls close.
_FINISHED = """
    insert into callback (account_id, owner_id, url, kind, body, due_at, created_at)
    select a.account_id, t.owner_id, t.url, 'call_finished', jsonb_build_object('attempt', a.id), $2, $2
    from attempt a cross join lateral callback_address(a.account_id, null, 'call_finished') t
    where a.id = any($1)
"""

_BATCH = """
    with batch as (
        insert into number_batch (id, account_id, campaign_id, change, numbers, created_at)
        values ($1, $2, $2, 'added', array['13012121211'], $3) returning id, account_id
    )
    insert into callback (account_id, owner_id, url, kind, body, due_at, created_at)
    select b.account_id, t.owner_id, t.url, 'numbers_changed', jsonb_build_object('batch', b.id), $3, $3
    from batch b cross join lateral callback_address(b.account_id, null, 'numbers_changed') t
"""


async def settle_accounts(pool: Pool, places: Sequence[Place]) -> None:
    partner = await pool.fetchval("insert into partner (name) values ('chaos') returning id")
    await pool.execute(
        _ACCOUNTS,
        partner,
        [place.account for place in places],
        [place.url for place in places],
        [place.secret for place in places],
    )
    await pool.execute(
        "insert into agent_version (agent_id, version, definition) select id, 1, '{}' from agent where name = 'chaos'"
    )


async def make_calls(pool: Pool, accounts: Sequence[str]) -> list[tuple[str, str]]:
    """A closed call for each of `accounts`; answers call and account."""
    rows = await pool.fetch(_CALLS, accounts, str(uuid4()))
    return [(row["id"], row["account_id"]) for row in rows]


async def write_callbacks(
    pool: Pool, calls: Sequence[tuple[str, str]], seconds: float, rnd: random.Random, say: Callable[[str], None]
) -> dict[str, tuple[str, float]]:
    """Writes a callback for each of `calls` over so many seconds; answers whose it is, and when it was committed. Says
    how long the database took at worst, for a machine that stands still cannot be blamed on a sender.
    """
    longest_s = 0.0
    written: dict[str, tuple[str, float]] = {}
    began = time.monotonic()
    done = 0
    while done < len(calls):
        share = min(1.0, (time.monotonic() - began) / seconds) if seconds else 1.0
        portion = calls[done : max(done + 1, int(len(calls) * share))]
        asked_at = time.monotonic()
        batches = [(str(uuid4()), account) for _, account in portion if rnd.randrange(_NUMBERS_SHARE) == 0]
        finished = portion[: len(portion) - len(batches)]
        async with pool.acquire() as connection, connection.transaction():
            now = await connection.fetchval("select clock_timestamp()")
            await connection.execute(_FINISHED, [call for call, _ in finished], now)
            for batch, account in batches:
                await connection.execute(_BATCH, batch, account, now)
        committed = time.time()
        longest_s = max(longest_s, time.monotonic() - asked_at)
        written |= {thing: (account, committed) for thing, account in (*finished, *batches)}
        done += len(portion)
        await asyncio.sleep(1 / _WRITES_PER_S)
    say(f"the longest of our own commits took {longest_s:.3f} s")
    return written


async def waiting(pool: Pool) -> int:
    count: int = await pool.fetchval("select count(*) from callback where delivered_at is null and given_up_at is null")
    return count
