"""The application on PostgreSQL."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.application.contact_import import ContactImport
from waihu.application.services import Application
from waihu.domain.errors import Unavailable
from waihu.domain.ids import Instant


def wall_clock() -> Instant:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def open_application(database_url: str, recordings: Path, *, public_url: str = "") -> AsyncIterator[Application]:
    """Everything that waihu can be asked to do. Raises Unavailable when the database cannot be reached."""
    async with _pool(database_url) as pool:
        yield Application(PostgresStore(pool), PostgresContactBook(pool), wall_clock, recordings, public_url=public_url)


@asynccontextmanager
async def open_contact_import(database_url: str) -> AsyncIterator[ContactImport]:
    """Imports into any campaign, whoever owns it. Raises Unavailable when the database cannot be reached."""
    async with _pool(database_url) as pool:
        yield ContactImport(PostgresContactBook(pool))


@asynccontextmanager
async def _pool(database_url: str) -> AsyncIterator[Pool]:
    try:
        pool = await open_pool(database_url)
    except (OSError, asyncpg.PostgresError) as failure:
        raise Unavailable(f"The database cannot be reached: {failure}. Is it running?") from failure
    async with pool:
        yield pool
