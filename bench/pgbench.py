"""Runs pgbench, PostgreSQL's own load generator: the floor under everything that asks the database something."""

import asyncio
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from waihu.adapters.postgres.embedded_runner import find_binaries
from waihu.adapters.postgres.queries import Query

_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_STATEMENT = re.compile(r"^\s+([\d.]+)\s+\d+\s+(\S.*)$", re.MULTILINE)


class PgbenchFailed(Exception):
    """It stopped; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Told:
    """`transactions_per_s` with all statements; `statements_ms`: each statement's first line and its mean time;
    `latencies_ms`: of every transaction, from its intended start, when they were asked for.
    """

    transactions_per_s: float
    statements_ms: Sequence[tuple[str, float]]
    latencies_ms: Sequence[float] = ()


async def run_pgbench(
    url: str,
    script: str,
    *,
    transactions: int | None = None,
    seconds: int | None = None,
    clients: int = 1,
    rate_per_s: float | None = None,
    tells_latencies: bool = False,
    variables: Mapping[str, object] | None = None,
) -> Told:
    """Runs `script` for a number of transactions of each client or for some seconds, statements prepared once.

    With `rate_per_s` transactions start when they should, at random with that mean, and their latencies are told; else
    one follows the other, and they are told if `tells_latencies`.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "script.sql"
        file.write_text(script)
        options = ["-n", "-r", "-M", "prepared", "-c", str(clients), "-f", str(file)]
        options += ["-t", str(transactions)] if transactions else ["-T", str(seconds)]
        options += [word for name, value in (variables or {}).items() for word in ("-D", f"{name}={value}")]
        if rate_per_s is not None:
            options += ["-R", str(rate_per_s)]
        if rate_per_s is not None or tells_latencies:
            options += ["-l", f"--log-prefix={directory}/log"]
        process = await asyncio.create_subprocess_exec(
            *(str(find_binaries() / "pgbench"), *options, url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said = (await process.communicate())[0].decode()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        rate = _RATE.search(said)
        if process.returncode != 0 or rate is None:
            raise PgbenchFailed(said)
        statements = said.partition("statement latencies")[2]
        return Told(
            float(rate[1]),
            [(line, float(mean_ms)) for mean_ms, line in _STATEMENT.findall(statements)],
            _latencies_ms(Path(directory)),
        )


def in_pgbench_form(query: Query) -> str:
    """The statement as a line of a script, with its values as pgbench's variables of the same names."""
    return re.sub(r"\$(\d+)", lambda found: f":{query.names[int(found[1]) - 1]}", query.text) + ";"


def _latencies_ms(directory: Path) -> list[float]:
    """The third column of its logs: µs, from the intended start when a rate is given."""
    lines = [line.split() for log in directory.glob("log*") for line in log.read_text().splitlines()]
    return [int(columns[2]) / 1000 for columns in lines]
