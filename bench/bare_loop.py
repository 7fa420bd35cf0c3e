"""The floor under everything that dials: a bare loop over ARI which places calls and decides nothing.

Its calls take the same way as waihu's: the same endpoint, headers, dialplan with MixMonitor and Stasis, the same sound
files. It stores nothing and knows no rules but two: a rate, and how many calls may be there at once.

Runs as a process of its own, `python -m bench.bare_loop`: an `Order` as JSON comes in, a `Done` goes out.
"""

import asyncio
import sys
import time
from collections import deque
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import msgspec
import uvloop

from waihu.adapters.asterisk.ari import Ari, AriRefused, AriUnreachable, Connected
from waihu.adapters.asterisk.carrier import ATTEMPT_HEADER
from waihu.adapters.asterisk.switch import (
    ANSWERED_EXTENSION,
    APPLICATION_VARIABLE,
    DIALPLAN_CONTEXT,
    RECORDING_VARIABLE,
)

_APPLICATION = "bare-loop"
_EVENTS = ("StasisStart", "PlaybackFinished", "ChannelDestroyed")
_TICK_S = 60.0


class Order(msgspec.Struct, kw_only=True):
    """`endpoint`: the trunk's name at the switch. `sounds`: played one after the other, then the loop hangs up."""

    host: str
    port: int
    user: str
    password: str
    endpoint: str
    numbers: list[str]
    sounds: list[str]
    recordings: str
    calls_per_s: float
    channels: int


class Done(msgspec.Struct):
    """`cpu_s`: processor time that the loop used once it was loaded. `failed`: requests that the switch refused."""

    cpu_s: float
    failed: int


class _Channel(msgspec.Struct):
    id: str


class _Playback(msgspec.Struct):
    target_uri: str


class _Event(msgspec.Struct):
    type: str
    channel: _Channel | None = None
    playback: _Playback | None = None


_decode = msgspec.json.Decoder(_Event).decode


class _Loop:
    def __init__(self, order: Order, ari: Ari, tasks: asyncio.TaskGroup) -> None:
        self._order = order
        self._ari = ari
        self._tasks = tasks
        self._free = asyncio.Semaphore(order.channels)
        self._left: dict[str, deque[str]] = {}
        self._connected = asyncio.Event()
        self._all_over = asyncio.Event()
        self._to_come = len(order.numbers)
        self.failed = 0

    async def run(self) -> None:
        listening = self._tasks.create_task(self._listen())
        await self._connected.wait()
        spacing_s = 1 / self._order.calls_per_s
        start = time.monotonic()
        for number in self._order.numbers:
            await self._free.acquire()
            # A call that had to wait for a channel moves the later ones; a timer that fired late does not.
            start = max(start, time.monotonic() - spacing_s)
            await asyncio.sleep(start - time.monotonic())
            start += spacing_s
            self._tasks.create_task(self._place(number))
        await self._all_over.wait()
        listening.cancel()

    async def _listen(self) -> None:
        async with aclosing(self._ari.listen(_APPLICATION, _EVENTS, _TICK_S)) as messages:
            async for message in messages:
                if isinstance(message, Connected):
                    self._connected.set()
                elif isinstance(message, str):
                    self._heard(_decode(message))

    def _heard(self, event: _Event) -> None:
        if event.playback is not None:
            channel = event.playback.target_uri.removeprefix("channel:")
        elif event.channel is not None:
            channel = event.channel.id
        else:
            return
        if channel not in self._left:
            return
        if event.type == "ChannelDestroyed":
            self._over(channel)
        elif event.type in ("StasisStart", "PlaybackFinished"):
            self._tasks.create_task(self._go_on(channel))

    async def _place(self, number: str) -> None:
        attempt = str(uuid4())
        channel = f"b-{attempt}"
        self._left[channel] = deque(self._order.sounds)
        body = {
            "endpoint": f"PJSIP/{number}@{self._order.endpoint}",
            "context": DIALPLAN_CONTEXT,
            "extension": ANSWERED_EXTENSION,
            "priority": 1,
            "channelId": channel,
            "timeout": 60,
            "variables": {
                f"PJSIP_HEADER(add,{ATTEMPT_HEADER})": attempt,
                RECORDING_VARIABLE: f"{self._order.recordings}/{attempt}.wav",
                APPLICATION_VARIABLE: _APPLICATION,
            },
        }
        if not await self._ask("POST", "channels", body=body):
            self.failed += 1
            self._over(channel)

    async def _go_on(self, channel: str) -> None:
        if sounds := self._left.get(channel):
            path = ("channels", channel, "play", f"p-{uuid4()}")
            await self._ask("POST", *path, query={"media": f"sound:{sounds.popleft().removesuffix('.wav')}"})
        else:
            await self._ask("DELETE", "channels", channel)

    async def _ask(self, method: str, *path: str, query: dict[str, str] | None = None, body: Any = None) -> bool:
        try:
            await self._ari.request(method, *path, query=query, body=body)
        except (AriRefused, AriUnreachable):
            # A call may be over before it is told anything.
            return False
        return True

    def _over(self, channel: str) -> None:
        del self._left[channel]
        self._free.release()
        self._to_come -= 1
        if not self._to_come:
            self._all_over.set()


async def _main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    loaded_s = time.process_time()
    async with Ari(order.host, order.port, order.user, order.password) as ari, asyncio.TaskGroup() as tasks:
        loop = _Loop(order, ari, tasks)
        await loop.run()
    sys.stdout.buffer.write(msgspec.json.encode(Done(time.process_time() - loaded_s, loop.failed)))


if __name__ == "__main__":
    uvloop.run(_main())
