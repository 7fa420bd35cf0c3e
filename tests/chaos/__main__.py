"""Runs the chaos: three campaigns share a trunk under two engines, parts are killed, limits change; then judges.

python -m tests.chaos [--numbers 2000] [--kills 20] [--seed 1] [--directory var/chaos]
"""

import argparse
import asyncio
import random
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.judge import Limits, judge, read_attempts
from tests.chaos.kill import PARTS, kill_part

from waihu.adapters.asterisk.carrier_behaviour import Behaviour
from waihu.demo.stage import Stage, StageFailed, StageSettings

CHANNELS, CALLS_PER_S = 30, 12
FEWER_CHANNELS, FEWER_CALLS_PER_S = 16, 6
ENGINES = 2
CAMPAIGNS = 3
FINISHED_WITHIN_S = 1800
_MIX = (
    [Behaviour.TALKS] * 8
    + [Behaviour.HANGS_UP] * 4
    + [Behaviour.BUSY] * 3
    + [Behaviour.BUSY_ONCE] * 3
    + [Behaviour.UNKNOWN_NUMBER, Behaviour.UNAVAILABLE, Behaviour.DECLINES, Behaviour.EMPTY_NUMBER]
)


@dataclass(frozen=True, slots=True)
class Plan:
    numbers: int
    kills: int
    seed: int
    directory: Path


@dataclass(slots=True)
class Course:
    """What was done to waihu, for the judge."""

    limits: list[Limits] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)


async def main(plan: Plan) -> int:
    shutil.rmtree(plan.directory, ignore_errors=True)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {what}", flush=True)

    settings = StageSettings(directory=plan.directory, channels=CHANNELS, calls_per_s=CALLS_PER_S, engines=ENGINES)
    async with Stage(settings, say) as stage:
        tasks = [await _task(stage, number) for number in range(CAMPAIGNS)]
        rnd = random.Random(plan.seed)
        phones = [rnd.choice(_MIX).number(serial) for serial in range(plan.numbers)]
        for number, task in enumerate(tasks):
            rows = [{"phone": phone, "name": "", "sort": 0} for phone in phones[number::CAMPAIGNS]]
            await stage.import_numbers(task, rows)
        course = Course([Limits(0, CHANNELS, CALLS_PER_S)])
        for task in tasks:
            await stage.start_task(task)
        say(f"{plan.numbers} numbers in {CAMPAIGNS} tasks; {plan.kills} kills follow, seed {plan.seed}")
        await _disturb(stage, plan, rnd, course, say)
        await _finish(stage, tasks, say)
        attempts = await read_attempts(stage.data)
        faults = judge(stage.box.calls(), attempts, phones, course.limits)
        for fault in faults:
            print(f"FAULT  {fault}")
        counts = {part: course.killed.count(part) for part in PARTS}
        print(f"killed: {counts}; calls at the carrier: {len(stage.box.calls())}; attempts: {len(attempts)}")
        print(f"{len(faults)} faults, {plan.numbers} numbers, seed {plan.seed}")
        return 1 if faults else 0


async def _task(stage: Stage, number: int) -> str:
    """One of three tasks: each takes its numbers in another order, the third has only a share of the trunk."""
    channels = CHANNELS // 2 if number == 2 else None
    return await stage.create_task(
        f"chaos {number}", retried=[8], order=number % 3, new_first=bool(number % 2), channels=channels
    )


async def _disturb(stage: Stage, plan: Plan, rnd: random.Random, course: Course, say: Callable[[str], None]) -> None:
    """Kills parts at random instants, and lowers and raises the trunk's limits between."""
    for number in range(plan.kills):
        await asyncio.sleep(rnd.uniform(3, 12))
        part = rnd.choice(PARTS)
        if await kill_part(stage, part):
            course.killed.append(part)
            say(f"killed: {part}")
        if number % 6 == 2:
            fewer = (number // 6) % 2 == 0
            channels, cps = (FEWER_CHANNELS, FEWER_CALLS_PER_S) if fewer else (CHANNELS, CALLS_PER_S)
            if await _set_limits(stage, channels, cps):
                course.limits.append(Limits(int(time.time() * 1000), channels, cps))
                say(f"trunk limits are now {channels} channels, {cps} calls/s")
    if await _set_limits(stage, CHANNELS, CALLS_PER_S):
        course.limits.append(Limits(int(time.time() * 1000), CHANNELS, CALLS_PER_S))


async def _set_limits(stage: Stage, channels: int, cps: int) -> bool:
    for _ in range(40):
        try:
            await stage.command("trunk", "set", stage.line, "--channels", str(channels), "--cps", str(cps))
        except StageFailed:
            # The database may have just been killed.
            await asyncio.sleep(0.5)
        else:
            return True
    return False


async def _finish(stage: Stage, tasks: list[str], say: Callable[[str], None]) -> None:
    """Waits until every task has stopped by itself."""
    deadline = time.monotonic() + FINISHED_WITHIN_S
    while time.monotonic() < deadline:
        try:
            rows = (await stage.api("GET", f"/new/user/{stage.account}/task", params={"per_page": "50"}))["data"]
        except Exception as reason:
            say(f"the API does not answer yet: {reason}")
            await asyncio.sleep(2)
            continue
        states = {row["uuid"]: row["status"] for row in rows}
        if all(states.get(task) == 1 for task in tasks):
            say("all tasks have ended")
            return
        await asyncio.sleep(1)
    raise StageFailed(f"the tasks did not end within {FINISHED_WITHIN_S} s: {states}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--numbers", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=Path("var/chaos"))
    sys.exit(asyncio.run(main(Plan(**vars(parser.parse_args())))))
