"""`waihu dnc …`: numbers that an account never calls."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from waihu.application.do_not_call import ForbidReport
from waihu.cli.frame import Data, Json, application_of, command, group, tell

dnc = group("dnc", "Do-not-call lists.")

_LINES_SHOWN = 10


@command(dnc, "import")
async def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV or Excel workbook.")],
    account: Annotated[str, typer.Option("--account", help="Whose list it is; its sub-accounts obey it too.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put the numbers of a CSV or Excel file on an account's list; the first row names the columns."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = Console(stderr=True)
    async with application_of(data) as application:
        owner = await application.accounts.read(account)
        with Progress(*columns, console=terminal, disable=as_json or not terminal.is_terminal) as shown:
            bar = shown.add_task(escape(file.name), total=None)
            report = await application.do_not_call.add_file(
                owner.id, file, file.name, lambda done, total: shown.update(bar, completed=done, total=total)
            )
            shown.update(bar, total=shown.tasks[0].completed)
    tell(_as_json(report), as_json, _for_people(report))


def _as_json(report: ForbidReport) -> dict[str, object]:
    return {
        "added": report.added,
        "known": report.known,
        "invalid": report.invalid,
        "invalid_lines": report.invalid_at,
    }


def _for_people(report: ForbidReport) -> str:
    lines = [
        f"{report.added:>9,} added",
        f"{report.known:>9,} on the list already",
        f"{report.invalid:>9,} invalid",
        *(f"[dim]line {line}: no number[/]" for line in report.invalid_at[:_LINES_SHOWN]),
    ]
    return "\n".join(lines)
