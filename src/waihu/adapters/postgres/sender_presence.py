"""A sender's place among the senders (`ports/callbacks.py`): a connection that holds a lock, for as long as it lives.

When a process is killed, its connections end with it, the server lets go of its lock, and the others take its pushes
over at their next beat. When the server itself fails, everybody's locks are gone, and nobody is taken for dead before
all have had time to come back. A sender that the network cuts off, and no other, is taken for dead: what it was at is
told again, under the same event.
"""

import asyncio
import time

import asyncpg
import structlog

from waihu.adapters.postgres.queries import load

SQL = load("callbacks.sql")

_LOCK = 0x77686B
"""Any number; together with a sender's own it names its lock."""

_BEAT_S = 0.25
_PATIENCE_S = 5.0
_RETRY_S = 0.25
_JUDGES_AFTER_S = 10.0

log = structlog.get_logger()


class SenderPresence:
    """`name` is this process' own among all that live; the next process of that name takes its place at once."""

    def __init__(self, database_url: str, name: str) -> None:
        self._url = database_url
        self._name = name
        self._number: int | None = None
        self._is_seen = False

    @property
    def sender(self) -> int | None:
        return self._number if self._is_seen else None

    async def run(self) -> None:
        """Enters, and enters again when it has to, until it is cancelled."""
        while True:
            try:
                await self._live()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as reason:
                log.warning("this sender is not seen by the others", reason=str(reason) or type(reason).__name__)
            self._is_seen = False
            await asyncio.sleep(_RETRY_S)

    async def _live(self) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=_PATIENCE_S,
            command_timeout=_PATIENCE_S,
            # The server finds out soon that a machine is gone which could not say so.
            server_settings={"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "2"},
        )
        try:
            await self._enter(connection)
            entered_at = time.monotonic()
            while True:
                judges = time.monotonic() - entered_at > _JUDGES_AFTER_S
                row = await SQL["beat"].row(connection, sender=self._number, judges=judges, lock=_LOCK)
                if row is None or not row["is_known"]:
                    log.warning("this sender was taken for dead", sender=self._number)
                    return
                await asyncio.sleep(_BEAT_S)
        finally:
            self._is_seen = False
            # Not a polite goodbye, which would take as long as the server needs: the lock goes with the connection.
            connection.terminate()

    async def _enter(self, connection: asyncpg.Connection) -> None:
        before = self._number
        async with connection.transaction():
            await SQL["begin_life"].run(connection)
            row = await SQL["join_senders"].row(connection, name=self._name)
            assert row is not None
            # Held before the others can see the number.
            await connection.execute("select pg_advisory_lock($1, $2)", _LOCK, row["id"])
            await SQL["take_over"].run(connection, sender=row["id"], before=before, name=self._name)
        self._number = row["id"]
        self._is_seen = True
