"""The application on PostgreSQL."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.pool import open_pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.application.contact_import import ContactImport
from waihu.application.services import Application
from waihu.domain.ids import Instant


def wall_clock() -> Instant:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def open_application(database_url: str, recordings: Path, *, public_url: str = "") -> AsyncIterator[Application]:
    """Everything that waihu can be asked to do."""
    async with await open_pool(database_url) as pool:
        yield Application(PostgresStore(pool), PostgresContactBook(pool), wall_clock, recordings, public_url=public_url)


@asynccontextmanager
async def open_contact_import(database_url: str) -> AsyncIterator[ContactImport]:
    """Imports into any campaign, whoever owns it."""
    async with await open_pool(database_url) as pool:
        yield ContactImport(PostgresContactBook(pool))
