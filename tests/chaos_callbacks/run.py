"""The course of the chaos: receivers and senders start, callbacks are written, senders and some receivers are killed,
the bad receivers are healed, and everything has to arrive.
"""

import asyncio
import multiprocessing
import random
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Self
from uuid import UUID

import msgspec
from tests.chaos_callbacks import receivers, sender
from tests.chaos_callbacks.judge import Verdict, judge, read_log
from tests.chaos_callbacks.outbox import make_calls, settle_accounts, waiting, write_callbacks
from tests.chaos_callbacks.receivers import Manner, Place

from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.application.callback_signature import new_secret

SENDERS = 3
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.chaos_callbacks.sender"])
MANNERS = [Manner.SOUND] * 40 + [Manner.FAILS] * 7 + [Manner.HANGS] * 7 + [Manner.DIES] * 6
"""A third of the receivers is bad."""
ARRIVED_WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` is how long callbacks are written; the kills are spread over it."""

    callbacks: int
    kills: int
    seconds: float
    seed: int
    directory: Path


@dataclass
class Program:
    """A process of ours that says one line when it is ready; its errors go into `log`."""

    arguments: list[str]
    log: Path
    process: Process | None = field(default=None)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.arguments, stdout=PIPE, stderr=log
            )
        assert self.process.stdout is not None
        await self.process.stdout.readline()

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()


class Sender:
    """A sending process: a fork of one that has loaded everything, since how long Python takes to load is not tried
    here, and on a busy machine nothing else could be seen.
    """

    def __init__(self, database_url: str, directory: Path, name: str) -> None:
        self._arguments = (database_url, directory, name)
        self._process: ForkServerProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        self._process = _FORKS.Process(target=sender.main, args=self._arguments)
        self._process.start()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()


async def run(plan: Plan, database_url: str, say: Callable[[str], None]) -> Verdict:
    """`database_url` is migrated, and empty."""
    rnd = random.Random(plan.seed)
    places = _places(rnd)
    healed = plan.directory / "healed"
    async with await open_pool(database_url) as pool, AsyncExitStack() as stack:
        await settle_accounts(pool, places)
        calls = await make_calls(pool, _accounts(places, plan.callbacks, rnd))
        rnd.shuffle(calls)
        say(f"{len(calls)} calls of {len(places)} accounts; a third of their receivers fails, hangs or dies")

        hosts = {}
        for name, manners in (
            ("sound", [Manner.SOUND]),
            ("bad", [Manner.FAILS, Manner.HANGS]),
            ("dying", [Manner.DIES]),
        ):
            course = receivers.Plan(
                [place for place in places if place.manner in manners], str(plan.directory / f"{name}.log"), str(healed)
            )
            file = plan.directory / f"{name}.json"
            file.write_bytes(msgspec.json.encode(course))
            hosts[name] = await stack.enter_async_context(
                Program(["tests.chaos_callbacks.receivers", str(file)], plan.directory / f"{name}.out")
            )
        senders = [
            stack.enter_context(Sender(database_url, plan.directory, f"sender-{number}")) for number in range(SENDERS)
        ]
        await _entered(pool)
        killing = asyncio.create_task(_kill(senders, plan, rnd))
        dying = asyncio.create_task(_die(hosts["dying"], rnd))
        written = await write_callbacks(pool, calls, plan.seconds, rnd, say)
        kills = await killing
        dying.cancel()
        with suppress(asyncio.CancelledError):
            await dying
        say(f"all written; {kills} times a sender was killed; {await waiting(pool)} still wait")

        await hosts["dying"].kill()
        await hosts["dying"].start()
        healed.touch()
        healed_at = asyncio.get_running_loop().time()
        for _ in range(ARRIVED_WITHIN_S):
            if not await waiting(pool):
                break
            await asyncio.sleep(1)
        took_s = asyncio.get_running_loop().time() - healed_at
        say(f"{took_s:.0f} s after the receivers were healed {await waiting(pool)} wait")
    heard = [one for name in hosts for one in read_log(plan.directory / f"{name}.log")]
    return judge(written, heard, places)


async def _entered(pool: Pool) -> None:
    """The senders have started."""
    for _ in range(60):
        if await pool.fetchval("select count(*) from callback_sender") == SENDERS:
            return
        await asyncio.sleep(1)
    raise AssertionError("a sender does not start; its output says why")


async def _kill(senders: list[Sender], plan: Plan, rnd: random.Random) -> int:
    """Kills a sender at each of so many random moments, and starts it again as a supervisor would."""
    began = asyncio.get_running_loop().time()
    kills = 0
    for moment in sorted(rnd.uniform(0.02, 0.98) * plan.seconds for _ in range(plan.kills)):
        await asyncio.sleep(began + moment - asyncio.get_running_loop().time())
        victim = rnd.choice(senders)
        victim.kill()
        victim.start()
        kills += 1
    return kills


async def _die(host: Program, rnd: random.Random) -> None:
    """Kills the process of the dying receivers, in the midst of whatever it is at, and starts it a while later."""
    while True:
        await asyncio.sleep(rnd.uniform(0.5, 3))
        await host.kill()
        await asyncio.sleep(rnd.uniform(0.5, 3))
        await host.start()


def _places(rnd: random.Random) -> list[Place]:
    """Each on an address of its own on this machine."""
    places = []
    for number, manner in enumerate(MANNERS):
        host = f"127.0.{1 + number // 200}.{1 + number % 200}"
        with socket.socket() as taken:
            taken.bind((host, 0))
            port = taken.getsockname()[1]
        places.append(Place(str(UUID(int=rnd.getrandbits(128), version=4)), host, port, manner, new_secret()))
    return places


def _accounts(places: list[Place], count: int, rnd: random.Random) -> list[str]:
    return [place.account for place in rnd.choices(places, k=count)]
