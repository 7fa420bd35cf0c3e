"""What the database says about itself, about the engines that beat in it, and about what it holds: for `/health`,
`/metrics` and `waihu doctor`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from waihu.adapters.postgres.pool import Pool
from waihu.application.health import Finding
from waihu.domain.ids import Instant

# Several beats; an engine that is only busy is not called dead.
_SILENT_S = 10
_CLOCK_APART_S = 2
_DOWN = (
    "waihu up starts its own again by itself, and logs to postgres/log. That of WAIHU_DATABASE_URL is yours to start."
)


async def look_at_database(pool: Pool) -> Finding:
    # A server that has become a replica answers queries, but is of no use.
    try:
        async with pool.acquire() as connection:
            version = await connection.fetchval("show server_version")
            read_only = await connection.fetchval("show transaction_read_only") == "on"
    except (OSError, asyncpg.PostgresError) as failure:
        return Finding("database", False, f"It cannot be reached: {failure}", _DOWN)
    if read_only:
        return Finding("database", False, "It is read-only.", "Point WAIHU_DATABASE_URL at the primary server.")
    return Finding("database", True, f"PostgreSQL {version}")


async def look_at_engines(pool: Pool, now: Instant) -> Finding:
    """At least one engine lives, by the beats in the database."""
    beats = await pool.fetch(
        "select beat_at from node where ended_at is null and beat_at > $1 order by beat_at desc",
        datetime.fromtimestamp(now / 1000 - 3600, UTC),
    )
    ages_s = [now / 1000 - beat["beat_at"].timestamp() for beat in beats]
    alive = sum(age_s <= _SILENT_S for age_s in ages_s)
    if alive:
        return Finding("engine", True, "1 engine" if alive == 1 else f"{alive} engines")
    last = f"; the last beat came {ages_s[0]:.0f} s ago" if ages_s else ""
    return Finding("engine", False, f"No engine is alive{last}.", "waihu up starts one; its log is logs/engine-1.log.")


async def look_at_clock(pool: Pool, now: Instant) -> Finding:
    """The database's clock against ours: leases and calling hours are written with one and read with the other."""
    theirs: float = await pool.fetchval("select extract(epoch from clock_timestamp())::float8")
    apart_s = abs(theirs - now / 1000)
    if apart_s > _CLOCK_APART_S:
        return Finding("database's clock", False, f"It is {apart_s:.0f} s away from ours.", "Run NTP on both machines.")
    return Finding("database's clock", True, f"{apart_s:.1f} s from ours")


@dataclass(frozen=True, slots=True)
class TrunkFigures:
    id: str
    name: str
    is_up: bool
    detail: str
    channels_max: int
    in_use: int


async def trunk_figures(pool: Pool) -> list[TrunkFigures]:
    """Every trunk, as the engines last saw it."""
    rows = await pool.fetch(
        """
        select t.id::text, t.name, t.is_up, t.status_detail, t.channels_max, coalesce(o.calls, 0)::int as in_use
        from trunk t
        left join (select trunk_id, count(*) as calls from open_attempt group by trunk_id) o on o.trunk_id = t.id
        where t.deleted_at is null order by t.created_at
        """
    )
    return [TrunkFigures(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class WorkFigures:
    """Calls of all campaigns since the beginning; and of now, `running` campaigns, their `waiting` contacts, and
    `callbacks_due`.
    """

    running: int
    waiting: int
    attempts: int
    answered: int
    trunk_errors: int
    talk_s: float
    callbacks_due: int


async def work_figures(pool: Pool) -> WorkFigures:
    # From small counters: what is counted by campaign, or by trunk and day, is too much to sum at every scrape.
    row = await pool.fetchrow(
        """
        select (select count(*) from campaign where state = 'running' and deleted_at is null),
               (select coalesce(sum(s.contacts - s.finished), 0)::bigint
                from campaign c join campaign_stat s on s.campaign_id = c.id
                where c.state = 'running' and c.deleted_at is null),
               coalesce(sum(attempts), 0)::bigint, coalesce(sum(answered), 0)::bigint,
               coalesce(sum(trunk_errors), 0)::bigint, coalesce(sum(talk_ms), 0)::float8 / 1000,
               (select count(*) from callback where delivered_at is null and given_up_at is null)
        from node_usage
        """
    )
    assert row is not None, "an aggregate always has a row"
    return WorkFigures(*row)
