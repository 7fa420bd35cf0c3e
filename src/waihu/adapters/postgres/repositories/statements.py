"""Statements whose filters vary are built with SQLAlchemy Core and run by asyncpg."""

from collections.abc import Sequence
from typing import Any

from asyncpg import Record
from sqlalchemy import ARRAY, ColumnElement, Select, any_, literal
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from waihu.adapters.postgres.pool import Connection

_DIALECT = dialect.dialect()  # type: ignore[no-untyped-call]


async def rows(connection: Connection, statement: Select[Any]) -> list[Record]:
    return await connection.fetch(*compiled(statement))


async def total(connection: Connection, statement: Select[Any]) -> int:
    counted = await connection.fetchval(*compiled(statement))
    assert isinstance(counted, int)
    return counted


def among(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    """The column is one of `values`. A single one is compared directly, which keeps an index in order."""
    if len(values) == 1:
        return column == values[0]
    return column == any_(literal(list(values), ARRAY(column.type)))


def contains(column: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """The column contains `part`, letter case aside; % and _ mean themselves."""
    return column.icontains(part, autoescape=True)


def compiled(statement: Select[Any]) -> tuple[str, *tuple[object, ...]]:
    """The statement as asyncpg takes it, and its values."""
    written = statement.compile(dialect=_DIALECT)
    assert written.positiontup is not None
    return (str(written), *(written.params[name] for name in written.positiontup))
