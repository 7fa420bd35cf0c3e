"""What all commands have in common: `--data` and `--json`, how they reach waihu's database, and how they end.

A command ends with 0; with 2 when what it was given is wrong; with 1 when something failed. Errors are one line on the
error output that names the field and the fix. Stack traces go to DATA/logs/cli.log.
"""

import asyncio
import errno
import functools
import inspect
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table
from typer.exceptions import TyperException

from waihu.adapters.tokens.rsa import KeyUnusable
from waihu.application.services import Application
from waihu.bootstrap.application import open_application
from waihu.data_directory import DataDirectory, Running
from waihu.domain.errors import Conflict, DomainError, Invalid, NotFound, Unavailable
from waihu.logs import configure_logs
from waihu.settings import Settings, read_settings

log = structlog.get_logger()


def _directory(written: str) -> Path:
    """Raises BadParameter for nothing, as an unset variable of a shell comes to; a Path would take it for `.`."""
    if not written:
        raise typer.BadParameter("it is empty. Name a directory.")
    return Path(written)


Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIRECTORY",
        parser=_directory,
        help="Where waihu keeps everything. [default: WAIHU_DATA or ~/.local/share/waihu]",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on the output instead of text for people.")]

_FAILED = 1
_BAD_INPUT = 2

app = typer.Typer(
    name="waihu",
    help="A self-hosted platform for AI outbound calling.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
people = Console(highlight=False, soft_wrap=True)


def group(name: str, about: str) -> typer.Typer:
    """Commands about one noun: `waihu NAME …`."""
    commands = typer.Typer(help=about, no_args_is_help=True)
    app.add_typer(commands, name=name)
    return commands


def command(
    commands: typer.Typer, name: str, *, hidden: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a function, async or not, a command whose errors end it as the head of this module says."""

    def decorate(work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def run(**given: Any) -> None:
            try:
                result = work(**given)
                if inspect.iscoroutine(result):
                    asyncio.run(result)
            except typer.Exit:
                raise
            except DomainError as mistake:
                _complain(_told(mistake))
                raise typer.Exit(_FAILED if isinstance(mistake, Unavailable) else _BAD_INPUT) from mistake
            except Exception as failure:
                _complain(_unexpected(failure, given.get("data")))
                raise typer.Exit(_FAILED) from failure

        commands.command(name, hidden=hidden)(run)
        return work

    return decorate


def main() -> None:
    """Runs the command that the arguments ask for, and exits."""
    # Until a command knows where logs go: the output itself is for answers.
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    try:
        status = app(standalone_mode=False)
    except TyperException as misuse:
        # A group without a command has printed its help, and has nothing to add.
        if said := misuse.format_message():
            _complain(said)
        status = _BAD_INPUT
    except typer.Abort:
        status = _FAILED
    sys.exit(status if isinstance(status, int) else 0)


def tell(result: Mapping[str, object], as_json: bool, for_people: RenderableType) -> None:
    """Ends a command: `result` as one JSON object, or something readable for people."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False))  # noqa: T201 (the answer itself)
    else:
        people.print(for_people)


def listing(id_column: str, *columns: str) -> Table:
    """A table of things, the first column of which is an id that people copy."""
    table = Table(box=None, pad_edge=False)
    table.add_column(id_column, no_wrap=True, min_width=36)
    for column in columns:
        table.add_column(column)
    return table


def settings_of(data: Path | None) -> Settings:
    return read_settings(os.environ, data=data)


def running_of(data: Path | None) -> Running:
    """The waihu that is up. Raises Unavailable when none is."""
    settings = settings_of(data)
    running = DataDirectory(settings.data).running()
    if running is None:
        raise Unavailable(f"waihu is not up on {settings.data}. Start it: waihu up --data {settings.data}")
    return running


def database_of(data: Path | None) -> str:
    """WAIHU_DATABASE_URL, or the database of the waihu that is up. Raises Unavailable when none is."""
    settings = settings_of(data)
    logs = DataDirectory(settings.data).logs
    if logs.exists():
        configure_logs("cli", logs, console=False)
    return settings.database_url or running_of(data).database_url


@asynccontextmanager
async def application_of(data: Path | None) -> AsyncIterator[Application]:
    """The application on `database_of(data)`. Raises Unavailable when waihu is not up."""
    settings = settings_of(data)
    directory = DataDirectory(settings.data)
    url = database_of(data)
    # A command signs with the key that the API process verifies with.
    running = directory.running()
    token_key = Path(running.token_key) if running else settings.token_key or directory.token_key
    with database_blamed():
        async with open_application(
            url, directory.recordings, token_key=token_key, callback_allow=(running or settings).callback_allow
        ) as application:
            yield application


@contextmanager
def database_blamed() -> Iterator[None]:
    """What a command at work cannot reach is the database; the errors from there only say how."""
    try:
        yield
    except KeyUnusable:
        raise
    except Unavailable as failure:
        raise Unavailable(f"The database cannot be used: {failure}. Ask waihu doctor.") from failure


def _told(mistake: DomainError) -> str:
    match mistake:
        case Invalid():
            return "; ".join(f"{field}: {' '.join(said)}" for field, said in mistake.problems.items())
        case NotFound():
            return f"{mistake.noun}: there is none with this id."
        case Conflict() | Unavailable():
            return str(mistake)
        case _:
            return str(mistake) or type(mistake).__name__


def _unexpected(failure: Exception, data: Path | None) -> str:
    """The line about an error that nobody foresaw, whose stack goes to the log if there is one."""
    try:
        logs = DataDirectory(settings_of(data).data).logs
        configure_logs("cli", logs, console=False)
    except (DomainError, OSError):
        where = ""
    else:
        log.error("command failed", exc_info=failure)
        where = f" (details in {logs / 'cli.log'})"
    said = _told_by_system(failure) if isinstance(failure, OSError) else f"{type(failure).__name__}: {failure}"
    return said.splitlines()[0] + where


def _told_by_system(failure: OSError) -> str:
    """What the machine refused, and the fix where there is only one."""
    fix = {
        errno.ENOSPC: "Free space on the disk that holds it.",
        errno.EACCES: "Run this as the user whose files these are, or give them to yours.",
    }.get(failure.errno or 0, "")
    about = f"{failure.filename}: " if failure.filename else ""
    return f"{about}{failure.strerror or failure}. {fix}".rstrip()


def _complain(line: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]error:[/] {escape(' '.join(line.split()))}")
