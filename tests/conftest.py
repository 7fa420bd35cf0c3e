"""A real PostgreSQL for every test that wants one: our own server, or the one WAIHU_TEST_DATABASE_URL names."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from waihu.adapters.postgres.embedded import EmbeddedPostgres
from waihu.adapters.postgres.migrations import migrate
from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.adapters.postgres.schema import metadata
from waihu.adapters.tokens.rsa import RsaTokenSigner

GIVEN = {"cloud_node"}
"""Tables with rows that the migrations bring along."""

_GIVEN_SERVER = os.environ.get("WAIHU_TEST_DATABASE_URL")


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """The URL of a server on which we may create databases."""
    if _GIVEN_SERVER:
        yield _GIVEN_SERVER
        return
    # pytest's temporary directories are private to root, and then the server could not run as another account.
    with tempfile.TemporaryDirectory(prefix="waihu-postgres-") as parent:
        Path(parent).chmod(0o711)
        data = Path(parent) / "data"
        data.mkdir()
        # Nothing here outlives the tests, so nothing has to reach the disk.
        (data / "own.conf").write_text("fsync = off\nfull_page_writes = off\n")
        server = EmbeddedPostgres(data)
        server.start()
        yield server.url
        server.stop()


@pytest.fixture(scope="session")
def migrated_template(database_server: str) -> Iterator[str]:
    """The name of a database with our schema and nothing in it."""
    with _database(database_server) as name:
        asyncio.run(migrate(_on(database_server, name)))
        yield name


@pytest.fixture(scope="module")
def database_url(database_server: str, migrated_template: str) -> Iterator[str]:
    """A migrated database of the module's own."""
    with _database(database_server, migrated_template) as name:
        yield _on(database_server, name)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to the module's database, empty again for each test."""
    async with await open_pool(database_url) as pool:
        tables = (table.name for table in reversed(metadata.sorted_tables) if table.name not in GIVEN)
        emptied = "; ".join(f"delete from {name}" for name in tables)
        # The ledger keeps what it has, except for its owner.
        await pool.execute(
            f"alter table ledger disable trigger user; {emptied}; alter table ledger enable trigger user"
        )
        yield pool


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> RsaTokenSigner:
    """Signs tokens with one key for all tests."""
    return RsaTokenSigner(tmp_path_factory.mktemp("signer") / "token-key.pem")


@contextmanager
def _database(server: str, template: str = "template1") -> Iterator[str]:
    name = f"waihu_test_{uuid4().hex[:12]}"
    _ask(server, f"create database {name} template {template}")
    yield name
    if _GIVEN_SERVER:
        # Our own server goes as a whole, which is faster.
        _ask(server, f"drop database {name}")


def _on(server: str, database: str) -> str:
    return urlsplit(server)._replace(path=f"/{database}").geturl()


def _ask(url: str, statement: str) -> None:
    async def ask() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(ask())
