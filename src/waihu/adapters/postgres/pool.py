"""Connections to PostgreSQL: one kind of pool for everybody, with jsonb as Python values."""

import asyncpg
import msgspec

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

Pool = asyncpg.Pool
Connection = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection


async def open_pool(url: str, *, size_max: int = 10) -> Pool:
    """A pool over `url` (`postgresql://…`), opened lazily up to `size_max` connections."""
    return await asyncpg.create_pool(url, min_size=1, max_size=size_max, init=_speak_json)


async def _speak_json(connection: asyncpg.Connection) -> None:
    # The leading byte is jsonb's version on the wire; the binary form saves PostgreSQL a text round trip.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + _encode(value),
        decoder=lambda raw: _decode(raw[1:]),
        format="binary",
    )
