"""Commands about waihu as a whole: up, demo, doctor, migrate, simulate."""

import os
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.markup import escape
from rich.table import Table

from waihu.cli.frame import Data, Json, app, command, people, settings_of, tell
from waihu.demo.show import run_demo
from waihu.demo.stage import StageFailed
from waihu.doctor import examine_everything
from waihu.domain.errors import Unavailable
from waihu.settings import read_settings
from waihu.up import migrate_only, up

Http = Annotated[str | None, typer.Option("--http", metavar="HOST:PORT", help="Where the API listens.")]


@command(app, "up")
def run_up(
    data: Data = None,
    http: Http = None,
    no_switch: Annotated[bool, typer.Option("--no-switch", help="Without Asterisk: nothing can be called.")] = False,
    engines: Annotated[int, typer.Option("--engines", min=1, max=16, help="How many dialing processes.")] = 1,
    watch: Annotated[bool, typer.Option("--watch", help="Restart API and engine when a source file changes.")] = False,
) -> None:
    """Run waihu in the foreground until Ctrl-C or SIGTERM."""
    settings = read_settings(os.environ, data=data, http=http, no_switch=no_switch, engines=engines)
    uvloop.run(up(settings, watch=watch))


@command(app, "demo")
async def demo(
    data: Annotated[Path, typer.Option("--data", help="Emptied first, and kept afterwards.")] = Path("var/demo"),
    http: Http = None,
) -> None:
    """Call 200 numbers over SIP, with the telephone network in a box on this machine."""
    try:
        await run_demo(data.absolute(), http, people)
    except StageFailed as failure:
        raise Unavailable(str(failure)) from failure


@command(app, "doctor")
async def doctor(data: Data = None, as_json: Json = False) -> None:
    """Look at every part and say how to mend what is wrong."""
    findings = await examine_everything(settings_of(data))
    table = Table("part", "", "finding")
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[red]wrong[/]" if finding.needed else "[yellow]note[/]"
        mend = f"\n[bold]{escape(finding.fix)}[/]" if finding.fix and not finding.ok else ""
        table.add_row(escape(finding.part), mark, escape(finding.detail) + mend)
    healthy = all(finding.ok or not finding.needed for finding in findings)
    rows = [
        {"part": f.part, "ok": f.ok, "needed": f.needed, "detail": f.detail, "fix": "" if f.ok else f.fix}
        for f in findings
    ]
    tell({"ok": healthy, "findings": rows}, as_json, table)
    if not healthy:
        raise typer.Exit(1)


@command(app, "migrate")
async def migrate(data: Data = None, as_json: Json = False) -> None:
    """Bring the database's schema up to date. `waihu up` does this by itself."""
    await migrate_only(settings_of(data))
    tell({"migrated": True}, as_json, "the database's schema is up to date")
