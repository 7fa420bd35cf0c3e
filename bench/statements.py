"""Which statements a request causes: heard from PostgreSQL itself, so that a floor runs the same by construction."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

_SETTINGS = """\
log_destination = jsonlog
log_statement = all
log_error_verbosity = default
log_parameter_max_length = -1
"""
_FILE = "own.conf"
_SETTLE_S = 0.5
_STATEMENT = re.compile(r"(?:statement|execute [^:]*): (.*)", re.DOTALL)
_VALUE = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")


def make_tellable(postgres: Path) -> None:
    """Prepares the server in this directory, before its first start, for `statements_of`."""
    postgres.mkdir(parents=True)
    (postgres / _FILE).touch()


async def statements_of(
    connection: asyncpg.Connection, postgres: Path, request: Callable[[], Awaitable[object]], mark: str
) -> list[str]:
    """The statements that `request` caused, in their order, with its values written into them.

    Others use the database too: only those connections count on which a statement contained `mark`.
    """
    async with _told_everything(postgres):
        await request()
        await connection.execute("select 'here it begins'")
        await request()
        await connection.execute("select 'here it ends'")
    log = max((postgres / "log").glob("*.json"), key=lambda path: path.stat().st_mtime)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    said = [line["message"] for line in lines]
    begin = next(place for place, message in enumerate(said) if "here it begins" in message)
    end = next(place for place, message in enumerate(said) if "here it ends" in message)
    between = lines[begin + 1 : end]
    ours = {line["pid"] for line in between if mark in line["message"]}
    return [
        _with_values(found[1], line.get("detail", ""))
        for line in between
        if line["pid"] in ours and (found := _STATEMENT.match(line["message"]))
    ]


@asynccontextmanager
async def _told_everything(postgres: Path) -> AsyncIterator[None]:
    """While it lasts the server logs every statement, of all sessions."""
    try:
        await _set(postgres, _SETTINGS)
        yield
    finally:
        await _set(postgres, "")


async def _set(postgres: Path, settings: str) -> None:
    """Lets the running server read these settings of its operator."""
    (postgres / _FILE).write_text(settings)
    server = int((postgres / "cluster" / "postmaster.pid").read_text().split()[0])
    os.kill(server, signal.SIGHUP)
    await asyncio.sleep(_SETTLE_S)


def _with_values(statement: str, detail: str) -> str:
    values = {int(number): value for number, value in _VALUE.findall(detail)}
    return re.sub(r"\$(\d+)", lambda found: values[int(found[1])], statement).rstrip("; \n") + ";"
