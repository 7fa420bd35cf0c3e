"""`waihu contacts …`: numbers from files."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from waihu.application.contact_import import ImportReport
from waihu.bootstrap.application import open_contact_import
from waihu.cli.frame import Data, Json, command, database_blamed, database_of, group, tell
from waihu.domain.errors import Invalid
from waihu.domain.ids import CampaignId

contacts = group("contacts", "Contacts: the numbers of a task.")

_REJECTED_SHOWN = 10


@command(contacts, "import")
async def import_file(
    task: Annotated[str, typer.Argument(help="The task's id.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV or Excel workbook.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import the numbers of a CSV or Excel file into a task; the first row names the columns."""
    campaign = _campaign(task)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = Console(stderr=True)
    url = database_of(data)
    with database_blamed(), Progress(*columns, console=terminal, disable=as_json or not terminal.is_terminal) as shown:
        bar = shown.add_task(escape(file.name), total=None)
        async with open_contact_import(url) as contact_import:
            report = await contact_import.add_file(
                campaign, file, file.name, lambda done, total: shown.update(bar, completed=done, total=total)
            )
        shown.update(bar, total=shown.tasks[0].completed)
    tell(_as_json(report), as_json, _for_people(report))


def _campaign(task: str) -> CampaignId:
    try:
        return CampaignId(str(UUID(task)))
    except ValueError:
        raise Invalid.field("TASK", f"“{task}” is no task id; the API and its task list show it.") from None


def _as_json(report: ImportReport) -> dict[str, object]:
    return {
        "accepted": report.accepted,
        "duplicate": report.duplicate,
        "invalid": report.invalid,
        "do_not_call": report.do_not_call,
        "rejected": [{"line": one.line, "reason": one.reason, "problem": one.problem} for one in report.rejected],
    }


def _for_people(report: ImportReport) -> str:
    lines = [
        f"{report.accepted:>9,} accepted",
        f"{report.duplicate:>9,} duplicate",
        f"{report.invalid:>9,} invalid",
        f"{report.do_not_call:>9,} on the do-not-call list",
        *(f"[dim]line {one.line}: {escape(one.problem)}[/]" for one in report.rejected[:_REJECTED_SHOWN]),
    ]
    return "\n".join(lines)
