"""Connections to PostgreSQL: one kind of pool for everybody, with jsonb as Python values."""

import asyncpg
import msgspec

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

Pool = asyncpg.Pool
Connection = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection


async def open_pool(url: str, *, size_max: int = 10, timeout_s: float | None = None) -> Pool:
    """A pool over `url` (`postgresql://…`), opened lazily up to `size_max` connections.

    A statement that is not answered within `timeout_s` raises TimeoutError.
    """
    return await asyncpg.create_pool(
        url,
        # None at first: a process that starts while the database is down waits for it like one that runs.
        min_size=0,
        max_size=size_max,
        command_timeout=timeout_s,
        connection_class=_Connection,
        init=_speak_json,
        # A server may be set up to lose the last commits in a crash. A lost plan would be dialled twice.
        server_settings={"synchronous_commit": "on"},
    )


class _Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        # Whoever borrows a connection leaves nothing behind in its session; cleaning it up each time would cost as
        # much as a claim.
        return ""


async def _speak_json(connection: asyncpg.Connection) -> None:
    # The leading byte is jsonb's version on the wire; the binary form saves PostgreSQL a text round trip.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + _encode(value),
        decoder=lambda raw: _decode(raw[1:]),
        format="binary",
    )
