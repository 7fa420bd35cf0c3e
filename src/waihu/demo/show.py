"""The show: 200 numbers of all kinds are imported and called, and the far side has the last word."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from waihu.adapters.asterisk.carrier_behaviour import Behaviour, number_answering_after
from waihu.adapters.asterisk.carrier_log import CarrierCall, max_concurrent, max_invites_in_window
from waihu.data_directory import DataDirectory
from waihu.demo.stage import STAGED, WAIHU, Json, Stage, StageSettings
from waihu.domain.errors import Conflict, Invalid

NUMBERS = 200
FINISHED_WITHIN_S = 600
_RECORDING = "recording.wav"
_LEFT = {*STAGED, _RECORDING}
LINE_EVERY_S = 20
_SHARES: Mapping[Behaviour, int] = {
    # No-answer numbers first: each of them rings for a minute, twice.
    Behaviour.RINGS: 6,
    Behaviour.RINGS_ONCE: 6,
    Behaviour.BUSY_ONCE: 16,
    Behaviour.BUSY: 8,
    Behaviour.TALKS: 72,
    Behaviour.HANGS_UP: 14,
    Behaviour.PRESSES_ONE: 10,
    Behaviour.VOICEMAIL: 8,
    Behaviour.SILENT: 4,
    Behaviour.POWERED_OFF: 10,
    Behaviour.EMPTY_NUMBER: 10,
    Behaviour.UNKNOWN_NUMBER: 8,
    Behaviour.UNAVAILABLE: 6,
    Behaviour.DECLINES: 6,
    Behaviour.FORBIDS: 4,
    Behaviour.CONGESTED: 4,
}
_ANSWERING_LATE = 8
_SURNAMES = "赵钱孙李周吴郑王冯陈"


async def run_demo(directory: Path, http: str | None, console: Console) -> None:
    """Runs the whole demo below `directory`, which is emptied first.

    Raises StageFailed, and Conflict or Invalid where emptying would destroy something else than an earlier demo.
    """
    _clear(directory)
    began = time.monotonic()

    def say(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {what}")

    async with Stage(StageSettings(directory=directory, http=http), say) as stage:
        task = await stage.create_task("演示任务", retried=[4, 8])
        await _import_numbers(stage, task)
        say(f"{NUMBERS} numbers imported over HTTP, the task starts")
        await stage.start_task(task)
        started = time.monotonic()
        await _watch(stage, task, console)
        say(f"every number has its outcome after {time.monotonic() - started:.0f} s")
        recording = await _recording(stage, task, directory)
        console.print(await _outcomes(stage, task))
        _judge(stage.box.calls(), stage, console)
        console.print(f"A recording, both directions:  [bold]{recording}[/]")
        console.print(f"The API, while `make up ARGS='--data {stage.data}'` runs:  [bold]{stage.url}/docs[/]")


def _clear(directory: Path) -> None:
    if DataDirectory(directory / WAIHU).running() is not None:
        raise Conflict("already_up", f"A demo, or its waihu, is up in {directory}. Stop it, or choose another --data.")
    if not directory.exists():
        return
    if not directory.is_dir() or any(path.name not in _LEFT for path in directory.iterdir()):
        raise Invalid.field(
            "--data",
            f"{directory} holds something else than an earlier demo, which would empty it. Choose another directory.",
        )
    shutil.rmtree(directory)


async def _import_numbers(stage: Stage, task: str) -> None:
    phones = [behaviour.number(serial) for behaviour, share in _SHARES.items() for serial in range(share)]
    phones += [number_answering_after(6, serial) for serial in range(_ANSWERING_LATE)]
    assert len(phones) == NUMBERS
    rows = [
        {"phone": phone, "name": f"{_SURNAMES[i % len(_SURNAMES)]}先生", "extra": f"demo-{i}", "sort": 0}
        for i, phone in enumerate(phones)
    ]
    await stage.import_numbers(task, rows)


async def _watch(stage: Stage, task: str, console: Console) -> None:
    """Shows the calls until the task has ended: live on a terminal, a line now and then elsewhere."""
    last_line = 0.0
    with Live(console=console, refresh_per_second=4) if console.is_terminal else nullcontext() as live:
        async with asyncio.timeout(FINISHED_WITHIN_S):
            while True:
                row = await _row(stage, task)
                progress = _progress(row, stage.box.calls())
                if live is not None:
                    live.update(progress)
                elif time.monotonic() - last_line > LINE_EVERY_S:
                    last_line = time.monotonic()
                    console.print(progress)
                if row["status"] == 1:
                    return
                await asyncio.sleep(0.5)


async def _row(stage: Stage, task: str) -> Json:
    rows = (await stage.api("GET", f"/new/user/{stage.account}/task", params={"page": "1", "per_page": "50"}))["data"]
    return next(row for row in rows if row["uuid"] == task)


def _progress(row: Json, seen: list[CarrierCall]) -> Table:
    at_carrier = sum(call.ended_at_ms is None for call in seen)
    talking = sum(call.ended_at_ms is None and call.answered_at_ms is not None for call in seen)
    table = Table("task", "calls placed", "at the carrier now", "talking now", "answered so far")
    answered = sum(call.answered_at_ms is not None for call in seen)
    table.add_row(row["status_str"], str(len(seen)), str(at_carrier), str(talking), str(answered))
    return table


async def _outcomes(stage: Stage, task: str) -> Table:
    counts: Counter[tuple[int, str]] = Counter()
    for page in range(1, NUMBERS // 100 + 1):
        numbers = await stage.api(
            "GET", f"/user/{stage.account}/task/{task}/number", params={"page": str(page), "per_page": "100"}
        )
        counts.update((number["status"], number["status_str"]) for number in numbers["data"])
    table = Table("status", "outcome", "numbers", title="Every number, by outcome")
    for (status, name), count in sorted(counts.items()):
        table.add_row(str(status), name, str(count))
    table.add_row("", "all", str(counts.total()), style="bold")
    return table


async def _recording(stage: Stage, task: str, directory: Path) -> Path:
    records = await stage.api(
        "GET", f"/user/{stage.account}/task/{task}/record", params={"page": "1", "per_page": "100"}
    )
    longest = max(records["data"], key=lambda record: record["bill"])
    target = directory / _RECORDING
    await stage.download(f"/user/{stage.account}/task/{task}/record/{longest['callid']}/download-full-voice", target)
    return target


def _judge(seen: list[CarrierCall], stage: Stage, console: Console) -> None:
    """What the far side saw, whatever waihu says of itself."""
    table = Table("the carrier's own count", "seen", "allowed")
    repeated = len(seen) - len({call.attempt for call in seen})
    per_number = Counter(call.number for call in seen)
    table.add_row("calls", str(len(seen)), "")
    table.add_row("numbers called", str(len(per_number)), str(NUMBERS))
    table.add_row("attempt ids seen twice", str(repeated), "0")
    table.add_row("most calls to one number", str(max(per_number.values())), "2")
    table.add_row("most calls at once", str(max_concurrent(seen)), str(stage.settings.channels))
    table.add_row("most calls in one second", str(max_invites_in_window(seen, 1000)), str(stage.settings.calls_per_s))
    console.print(table)
