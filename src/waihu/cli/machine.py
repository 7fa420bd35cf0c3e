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
from waihu.domain.errors import Invalid, Unavailable
from waihu.settings import read_settings
from waihu.simulator.forecast import Forecast, local, simulate
from waihu.simulator.hostile import hostile
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


@command(app, "simulate")
def run_simulation(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A campaign, as in examples/campaign.toml.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Other seeds, other people.")] = 1,
    in_hostile_world: Annotated[bool, typer.Option("--hostile", help="No forecast: replay a hostile world.")] = False,
    contacts: Annotated[int, typer.Option("--contacts", min=1, help="How many the hostile world has.")] = 200,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Forecast a campaign with the code that dials it, or replay a hostile world by its seed."""
    if in_hostile_world:
        _replay(seed, contacts, as_json)
    elif file is None:
        raise Invalid.field("FILE", "is missing: name a campaign file, for example examples/campaign.toml.")
    else:
        found = simulate(file, seed)
        tell(_forecast_fields(found), as_json, _forecast_table(found))


def _replay(seed: int, contacts: int, as_json: bool) -> None:
    violations = hostile([seed], contacts)
    told = "\n".join(escape(str(violation)) for violation in violations) or "no promise was broken"
    tell({"seed": seed, "violations": [str(violation) for violation in violations]}, as_json, told)
    if violations:
        raise typer.Exit(1)


def _forecast_fields(found: Forecast) -> dict[str, object]:
    return {
        "begin": local(found.begin, found.zone),
        "finished": found.finished_at and local(found.finished_at, found.zone),
        "contacts": found.contacts,
        "unfinished": found.unfinished,
        "attempts": found.attempts,
        "answered": found.answered,
        "outcomes": {outcome.value: count for outcome, count in found.outcomes.items()},
        "channels_most": found.channels_most,
        "hours": [
            {
                "begin": local(hour.begin, found.zone),
                "attempts": hour.attempts,
                "answered": hour.answered,
                "fill": round(hour.fill, 3),
            }
            for hour in found.hours
        ],
    }


def _forecast_table(found: Forecast) -> Table:
    finished = local(found.finished_at, found.zone) if found.finished_at else f"no, {found.unfinished} are left"
    outcomes = ", ".join(f"{outcome.value} {count}" for outcome, count in sorted(found.outcomes.items()))
    table = Table(
        "hour",
        "calls",
        "answered",
        "channels in use",
        title=f"Finished: {finished}",
        caption=f"{found.contacts} contacts, {found.attempts} calls, {found.answered} answered, "
        f"at most {found.channels_most} channels at once\n{outcomes}",
    )
    for hour in found.hours:
        table.add_row(local(hour.begin, found.zone), str(hour.attempts), str(hour.answered), f"{hour.fill:.0%}")
    return table


@command(app, "migrate")
async def migrate(data: Data = None, as_json: Json = False) -> None:
    """Bring the database's schema up to date. `waihu up` does this by itself."""
    await migrate_only(settings_of(data))
    tell({"migrated": True}, as_json, "the database's schema is up to date")
