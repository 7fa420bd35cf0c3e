"""The show: 200 numbers of all kinds are imported and called, and the far side has the last word."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from waihu.adapters.asterisk.carrier_behaviour import Behaviour, number_answering_after
from waihu.adapters.asterisk.carrier_log import CarrierCall, max_concurrent, max_invites_in_window
from waihu.demo.stage import Json, Stage, StageSettings

NUMBERS = 200
FINISHED_WITHIN_S = 600
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
    """Runs the whole demo below `directory`, which is emptied first. Raises StageFailed."""
    shutil.rmtree(directory, ignore_errors=True)
    began = time.monotonic()

    def say(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {what}")

    async with Stage(StageSettings(directory=directory, http=http), say) as stage:
        task = await _create_task(stage)
        await _import_numbers(stage, task)
        say(f"{NUMBERS} numbers imported over HTTP, the task starts")
        await stage.api("PUT", f"/new/user/{stage.account}/task_start/{task}")
        started = time.monotonic()
        await _watch(stage, task, console)
        say(f"every number has its outcome after {time.monotonic() - started:.0f} s")
        recording = await _recording(stage, task, directory)
        console.print(await _outcomes(stage, task))
        _judge(stage.box.calls(), stage, console)
        console.print(f"A recording, both directions:  [bold]{recording}[/]")
        console.print(f"The API, while `make up ARGS='--data {stage.data}'` runs:  [bold]{stage.url}/docs[/]")


async def _create_task(stage: Stage) -> str:
    user = f"/user/{stage.account}"
    choices = (await stage.api("GET", f"/new{user}/task/create"))["data"]
    always = [{"week": day, "times": [{"begin_time": "00:00", "end_time": "24:00"}]} for day in range(7)]
    hours = await stage.api(
        "POST",
        f"{user}/dial-time-group",
        {"name": "全天", "content": always, "is_default": False, "skip_holiday": False},
    )
    created = await stage.api(
        "POST",
        f"/new{user}/task",
        {
            "name": "演示任务",
            "destination_extension": choices["outbound_group"][0]["id"],
            "dial_time_id": hours["data"]["id"],
            "maximumcall": stage.settings.channels,
            "task_extras": {
                "start_time": "2024-01-01 00:00:00",
                "stop_time": "2099-01-01 00:00:00",
                "holiday": [],
                "line": [{"id": stage.line, "limit": stage.settings.channels}],
                "pop_mode": 1,
                "redial_enabled": 1,
                "redial_new_number_policy": 0,
                "redial_interval": 1,
                "redial_max_times": 1,
                "redial_conditions": {"da_status": [4, 8]},
            },
        },
    )
    return str(created["data"]["uuid"])


async def _import_numbers(stage: Stage, task: str) -> None:
    phones = [behaviour.number(serial) for behaviour, share in _SHARES.items() for serial in range(share)]
    phones += [number_answering_after(6, serial) for serial in range(_ANSWERING_LATE)]
    assert len(phones) == NUMBERS
    rows = [
        {"phone": phone, "name": f"{_SURNAMES[i % len(_SURNAMES)]}先生", "extra": f"demo-{i}", "sort": 0}
        for i, phone in enumerate(phones)
    ]
    for begin in range(0, NUMBERS, 100):
        await stage.api(
            "POST",
            f"/user/{stage.account}/task/{task}/number",
            {"ignore_crm": True, "skip_error": False, "data": rows[begin : begin + 100]},
        )


async def _watch(stage: Stage, task: str, console: Console) -> None:
    with Live(console=console, refresh_per_second=4) as live:
        async with asyncio.timeout(FINISHED_WITHIN_S):
            while True:
                row = await _row(stage, task)
                live.update(_progress(row, stage.box.calls()))
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
    target = directory / "recording.wav"
    await stage.download(f"/user/{stage.account}/task/{task}/record/{longest['record_id']}/download-full-voice", target)
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
