"""Brings a database's schema up to date. `versions/` holds the steps, `models.py` the schema they arrive at."""

from pathlib import Path

import asyncpg

_LOCK = 0x77616968
"""Any number that nobody else locks in this database."""

_TURN_TIMEOUT_S = 120
_TABLE_TIMEOUT_S = 10


async def migrate(url: str) -> None:
    """Upgrades the database at `url` to the newest schema; others who try at the same time wait for it.

    Raises OSError when there is no server, and asyncpg.PostgresError for what the server refuses.
    """
    # Alembic takes as long to import as the rest of waihu, and only this function needs it.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import Connection
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))

    def upgrade(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(url)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"set lock_timeout = '{_TURN_TIMEOUT_S}s'")
            await connection.exec_driver_sql(f"select pg_advisory_lock({_LOCK})")
            # A change of a table waits for its users, and everybody else waits behind it: better to try again later.
            await connection.exec_driver_sql(f"set lock_timeout = '{_TABLE_TIMEOUT_S}s'")
            await connection.commit()
            await connection.run_sync(upgrade)
            await connection.commit()
    except DBAPIError as error:
        said = error.orig.__cause__ if error.orig is not None else None
        raise said or error from None
    finally:
        # Closes the session, and with it the lock goes.
        await engine.dispose()
