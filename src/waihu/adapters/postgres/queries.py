"""SQL from files: each statement is named by a line `-- name: claim` and takes its values by name, `:campaign`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)
_VALUE = re.compile(r"(?<!:):([a-z]\w*)")


@dataclass(frozen=True, slots=True)
class Query:
    """A statement in PostgreSQL's own form, and the names of its values in the order of $1, $2, …"""

    text: str
    names: tuple[str, ...]

    async def rows(self, connection: Connection, **values: Any) -> list[Record]:
        return await connection.fetch(self.text, *self._ordered(values))

    async def row(self, connection: Connection, **values: Any) -> Record | None:
        return await connection.fetchrow(self.text, *self._ordered(values))

    async def run(self, connection: Connection, **values: Any) -> None:
        await connection.execute(self.text, *self._ordered(values))

    def _ordered(self, values: Mapping[str, Any]) -> list[Any]:
        assert values.keys() == set(self.names), f"the statement takes {self.names}"
        return [values[name] for name in self.names]


def load(file: str) -> dict[str, Query]:
    """The statements of `file`, which lies beside this module."""
    _, *parts = _NAME.split((files(__package__) / file).read_text())
    return {name: _query(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def _query(text: str) -> Query:
    text = _COMMENT.sub("", text).strip().removesuffix(";")
    names = tuple(dict.fromkeys(_VALUE.findall(text)))
    return Query(_VALUE.sub(lambda found: f"${names.index(found[1]) + 1}", text), names)
