"""What it means that the database is out of reach: the only failures that callers are told of in their own words."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg

from waihu.adapters.postgres.pool import Connection, Pool

T = TypeVar("T")

_TRIES = 3

_OUT_OF_REACH = (
    # No connection, a broken one, or no answer in time.
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    # It is starting, stopping, or was stopped in the midst of our statement.
    asyncpg.OperatorInterventionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # No memory, disk or connection left.
    asyncpg.InsufficientResourcesError,
    # Another server has come to the address of ours, which is down.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # It has become a replica.
    asyncpg.ReadOnlySQLTransactionError,
)


@asynccontextmanager
async def reaching(pool: Pool, unavailable: type[Exception]) -> AsyncIterator[Connection]:
    """A connection. Raises `unavailable` when the database cannot be reached; its other complaints pass through."""
    try:
        async with pool.acquire() as connection:
            try:
                yield connection
            except asyncpg.InterfaceError as error:
                # Said of a connection that broke before this statement, and of wrong use.
                if _is_lost(connection):
                    raise unavailable(str(error)) from error
                raise
    except _OUT_OF_REACH as error:
        raise unavailable(str(error) or type(error).__name__) from error


def _is_lost(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool has taken it back already.
        return True


async def transact(pool: Pool, unavailable: type[Exception], work: Callable[[Connection], Awaitable[T]]) -> T:
    """Does `work` in a transaction of its own; again from the start when it met another one crosswise."""
    for tries_left in reversed(range(_TRIES)):
        async with reaching(pool, unavailable) as connection:
            try:
                async with connection.transaction():
                    return await work(connection)
            except asyncpg.DeadlockDetectedError:
                if not tries_left:
                    raise
    raise AssertionError("the last try returns or raises")
