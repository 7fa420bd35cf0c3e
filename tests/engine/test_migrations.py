"""The migrations arrive at the schema of models.py, from nothing and only once."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from waihu.adapters.postgres import migrations
from waihu.adapters.postgres.migrations import migrate
from waihu.adapters.postgres.schema import metadata


async def test_the_migrations_and_the_models_agree(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database_url))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_storage_options_and_collations_arrive_too(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    options = dict(
        await connection.fetch(
            "select relname, reloptions from pg_class where relkind = 'r' and reloptions is not null"
        )
    )
    collations = await connection.fetch(
        "select table_name || '.' || column_name from information_schema.columns "
        "where collation_name = 'C' and table_schema = 'public' order by 1"
    )
    await connection.close()

    assert options.keys() == {
        table.name for table in metadata.sorted_tables if table.dialect_options["postgresql"]["with"]
    }
    assert [row[0] for row in collations] == sorted(
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if getattr(column.type, "collation", None) == "C"
    )


async def test_processes_that_migrate_at_the_same_time_do_it_once(database_server: str) -> None:
    name = "waihu_test_migrated_twice"
    server = await asyncpg.connect(database_server)
    await server.execute(f"drop database if exists {name}")
    await server.execute(f"create database {name}")
    url = database_server.rpartition("/")[0] + f"/{name}"

    await asyncio.gather(migrate(url), migrate(url))
    await migrate(url)

    connection = await asyncpg.connect(url)
    newest = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
    assert await connection.fetch("select version_num from alembic_version") == [(newest,)]
    # The session that held the lock is gone.
    assert await connection.fetchval("select count(*) from pg_locks where locktype = 'advisory'") == 0
    await connection.close()
    await server.execute(f"drop database {name}")
    await server.close()


async def test_what_is_wrong_with_the_server_is_said_in_its_own_words() -> None:
    with pytest.raises(OSError):
        await migrate("postgresql://nobody@127.0.0.1:1/nowhere")


async def test_a_wrong_password_is_said_in_the_servers_words(database_server: str) -> None:
    login, _, place = database_server.rpartition("@")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await migrate(f"{login}wrong@{place}")


def test_only_migrating_imports_alembic() -> None:
    check = (
        "import sys, waihu.adapters.postgres.migrations, waihu.adapters.postgres.dialing_store, "
        "waihu.adapters.postgres.contact_import, waihu.adapters.postgres.repositories; "
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
