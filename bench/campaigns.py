"""Runs of calls on a stage: by waihu, through its HTTP API and database, and by the bare loop on the same switch."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from bench.bare_loop import Done, Order
from bench.tasks import Tasks
from waihu.adapters.asterisk.carrier_log import CarrierCall
from waihu.adapters.asterisk.trunks import object_name
from waihu.adapters.speech.sounds import SoundStore
from waihu.data_directory import DataDirectory, Running
from waihu.demo.stage import Stage, StageFailed, StageSettings
from waihu.domain.agent import Script
from waihu.domain.ids import TrunkId

_BOX_ADDRESS = "127.0.0.78"
_LOOK_EVERY_S = 0.5
# Beyond this a run has not got slow, it has got stuck.
_ENDED_WITHIN_S = 240


@dataclass(frozen=True, slots=True)
class Run:
    """`calls` as the carrier saw them, in the order of their INVITEs. `started_at_ms`: when it was asked for."""

    calls: list[CarrierCall]
    started_at_ms: int
    loop: Done | None = None


def stage_of(directory: Path, *, channels: int, calls_per_s: int) -> AbstractAsyncContextManager[Stage]:
    settings = StageSettings(directory=directory, channels=channels, calls_per_s=calls_per_s, box_address=_BOX_ADDRESS)
    return Stage(settings, lambda said: print(f"  {said}", flush=True))


class Campaigns:
    """Runs on one stage, one after the other; no number is called twice. Every answered call is told `script`."""

    def __init__(self, stage: Stage, script: Script) -> None:
        self._stage = stage
        self._tasks = Tasks(stage, script)
        running = DataDirectory(stage.data).running()
        assert running is not None and running.ari_url is not None, "the stage is up, with a switch"
        self._running: Running = running

    async def by_waihu(self, numbers: Sequence[str], channels: int) -> Run:
        """`prepare` and `start`."""
        return await self.start(await self.prepare(numbers, channels), numbers)

    async def prepare(self, numbers: Sequence[str], channels: int) -> str:
        """Creates a task and imports its numbers, both over HTTP; answers its id."""
        task = await self._tasks.create(channels)
        await self._stage.import_numbers(task, [{"phone": phone, "name": "", "sort": 0} for phone in numbers])
        return task

    async def start(self, task: str, numbers: Sequence[str]) -> Run:
        """Starts the task and waits until the carrier has seen the end of every call."""
        before = self._ended()
        started_at_ms = round(time.time() * 1000)
        await self._stage.start_task(task)
        await self._wait_for_ends(before + len(numbers))
        return Run(self._calls(numbers), started_at_ms)

    async def by_bare_loop(self, numbers: Sequence[str], channels: int, calls_per_s: float) -> Run:
        """The same without waihu, which stands idle beside it."""
        ari = urlsplit(self._running.ari_url)
        recordings = Path(self._running.recordings) / "bare-loop"
        recordings.mkdir(exist_ok=True)
        sound = await SoundStore(Path(self._running.speech)).line(self._tasks.script.greeting, self._tasks.script.voice)
        order = Order(
            host=str(ari.hostname),
            port=ari.port or 0,
            user=unquote(ari.username or ""),
            password=unquote(ari.password or ""),
            endpoint=object_name(TrunkId(self._stage.line)),
            numbers=list(numbers),
            sounds=[str(sound)],
            recordings=str(recordings),
            calls_per_s=calls_per_s,
            channels=channels,
        )
        before = self._ended()
        started_at_ms = round(time.time() * 1000)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.bare_loop"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(_ENDED_WITHIN_S):
                said, _ = await process.communicate(msgspec.json.encode(order))
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if process.returncode != 0:
            raise StageFailed("the bare loop failed")
        await self._wait_for_ends(before + len(numbers))
        return Run(self._calls(numbers), started_at_ms, msgspec.json.decode(said, type=Done))

    def _calls(self, numbers: Sequence[str]) -> list[CarrierCall]:
        wanted = set(numbers)
        calls = [call for call in self._stage.box.calls() if call.number in wanted]
        if len(calls) != len(wanted):
            raise StageFailed(f"the carrier saw {len(calls)} calls to {len(wanted)} numbers")
        return calls

    async def _wait_for_ends(self, count: int) -> None:
        async with asyncio.timeout(_ENDED_WITHIN_S):
            while self._ended() < count:  # noqa: ASYNC110 (another program's log can only be looked at)
                await asyncio.sleep(_LOOK_EVERY_S)

    def _ended(self) -> int:
        """Calls that the carrier has logged the end of. Counted without reading the log as a whole, which costs."""
        log = self._stage.box.settings.directory / "calls.log"
        return log.read_bytes().count(b" ended ") if log.exists() else 0
