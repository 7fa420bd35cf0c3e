"""The application on PostgreSQL."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from waihu.adapters.passwords.argon2id import Argon2Hasher
from waihu.adapters.phone_places import LibraryPhonePlaces
from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.pool import open_pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.adapters.speech.shelf import DirectoryShelf
from waihu.adapters.tokens.rsa import RsaTokenSigner
from waihu.adapters.webhooks.addresses import Addresses
from waihu.application.contact_import import ContactImport
from waihu.application.services import Application
from waihu.domain.ids import Instant


def wall_clock() -> Instant:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def open_application(
    database_url: str,
    recordings: Path,
    *,
    token_key: Path,
    callback_allow: Sequence[str] = (),
    public_url: str = "",
) -> AsyncIterator[Application]:
    """Everything that waihu can be asked to do. `recordings` is in the data directory, and beside it are the sounds
    that clients bring along. `token_key` is the file with the key that signs tokens;
    `callback_allow` are networks of our own that callbacks may go to.
    """
    async with await open_pool(database_url) as pool:
        yield Application(
            PostgresStore(pool),
            PostgresContactBook(pool),
            wall_clock,
            recordings,
            signer=RsaTokenSigner(token_key),
            passwords=Argon2Hasher(),
            places=LibraryPhonePlaces(),
            addresses=Addresses(callback_allow),
            shelf=DirectoryShelf(recordings.parent / "sounds"),
            public_url=public_url,
        )


@asynccontextmanager
async def open_contact_import(database_url: str) -> AsyncIterator[ContactImport]:
    """Imports into any campaign, whoever owns it."""
    async with await open_pool(database_url) as pool:
        yield ContactImport(PostgresContactBook(pool), wall_clock)
