"""Calls per second through the whole path: numbers in PostgreSQL, a task started over HTTP, engine, switch, carrier.
The floor is a bare ARI loop that places calls of the same shape on the same switch.
"""

from collections import defaultdict
from pathlib import Path

from bench.campaigns import Campaigns, Run, stage_of
from bench.far_side import calls_per_s, holds_ms
from bench.figures import Figure, Result, Target
from bench.machine import udp_buffer_errors
from bench.processes import cpu_s, cpu_s_by_part
from bench.tasks import SHORT
from waihu.adapters.asterisk.carrier_behaviour import Behaviour
from waihu.demo.stage import Stage

ROUNDS = 3
OFFERED_PER_S = 50
CALLS = 1_250
WARM_UP_CALLS = 60
# Twice what is in use at any time, so that only the rate binds.
CHANNELS = 300
RATIO = 0.8


async def run(directory: Path) -> Result:
    async with stage_of(directory, channels=CHANNELS, calls_per_s=OFFERED_PER_S) as stage:
        campaigns = Campaigns(stage, SHORT)
        await campaigns.by_waihu(_numbers(0, WARM_UP_CALLS), CHANNELS)
        lost = udp_buffer_errors()
        floor, subject = _Half(stage), _Half(stage)
        for turn in range(ROUNDS):
            first = WARM_UP_CALLS + 2 * turn * CALLS
            with floor:
                floor.add(await campaigns.by_bare_loop(_numbers(first, CALLS), CHANNELS, OFFERED_PER_S))
            numbers = _numbers(first + CALLS, CALLS)
            task = await campaigns.prepare(numbers, CHANNELS)
            with subject:
                subject.add(await campaigns.start(task, numbers))
        lost = udp_buffer_errors() - lost
    return Result(
        f"calls per second through the whole path, {OFFERED_PER_S}/s offered",
        [
            Figure(
                what="calls/s at the far side",
                unit="calls/s",
                subject=subject.rates,
                floor=floor.rates,
                samples=ROUNDS * CALLS,
                target=Target("ratio", least=RATIO),
            ),
            Figure(
                what="calls talked to the end",
                unit="share",
                subject=subject.talked,
                floor=floor.talked,
                samples=ROUNDS * CALLS,
            ),
            Figure(what="mean hold of a call", unit="ms", subject=subject.holds_ms, floor=floor.holds_ms),
            Figure(what="from start of the task to the first INVITE", unit="ms", subject=subject.first_ms),
            Figure(
                what="processor time per call, all together",
                unit="ms",
                subject=subject.all_cpu_ms,
                floor=floor.all_cpu_ms,
            ),
            *(
                Figure(
                    what=f"of it {part}",
                    unit="ms",
                    subject=subject.cpu_ms[part],
                    floor=floor.cpu_ms[part],
                    comparable=False,
                )
                for part in ("switch", "carrier", "engine", "database", "api", "supervisor", "bare loop")
            ),
        ],
        [
            f"{ROUNDS} rounds of {CALLS:,} calls each, floor and subject in turns; each call is answered at once, "
            "recorded, told one short line and hung up.",
            "The trunk's own rate is the offer. waihu keeps a guard of 50 ms on every second, so that the carrier "
            "never sees one call too many, which alone makes the ratio 0.952 at most.",
            "While the loop runs, waihu stands idle beside it and hears the events of its calls.",
            f"UDP datagrams lost to full buffers during the run: {lost}.",
        ],
    )


class _Half:
    """One side's rounds. Used as a context manager around each, to see what processor time the round took."""

    def __init__(self, stage: Stage) -> None:
        self.rates: list[float] = []
        self.talked: list[float] = []
        self.holds_ms: list[float] = []
        self.first_ms: list[float] = []
        self.cpu_ms: defaultdict[str, list[float]] = defaultdict(list)
        self._stage = stage

    @property
    def all_cpu_ms(self) -> list[float]:
        """Of each round, all parts together."""
        return [sum(parts) for parts in zip(*self.cpu_ms.values(), strict=True)]

    def __enter__(self) -> None:
        self._before = self._cpu_s()

    def __exit__(self, *_: object) -> None:
        for part, used_s in self._cpu_s().items():
            self.cpu_ms[part].append((used_s - self._before[part]) * 1000 / CALLS)

    def _cpu_s(self) -> dict[str, float]:
        used = cpu_s_by_part(self._stage.pid)
        used["carrier"] = cpu_s(self._stage.box.instance.pid)
        return used

    def add(self, run: Run) -> None:
        self.rates.append(calls_per_s(run.calls))
        talked = [call for call in run.calls if call.answered_at_ms is not None and call.q850 == 16]
        self.talked.append(len(talked) / len(run.calls))
        self.holds_ms.append(sum(holds_ms(run.calls)) / len(run.calls))
        self.first_ms.append(run.calls[0].invited_at_ms - run.started_at_ms)
        if run.loop is not None:
            self.cpu_ms["bare loop"].append(run.loop.cpu_s * 1000 / CALLS)


def _numbers(first: int, count: int) -> list[str]:
    return [Behaviour.TALKS.number(serial) for serial in range(first, first + count)]
