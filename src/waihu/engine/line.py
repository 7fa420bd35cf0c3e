"""One answered call as the agent has it: plays to the callee, waits for keys, and ends under the agent's feet."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from waihu.domain.ids import AttemptId, Instant
from waihu.engine.clock import SteadyClock
from waihu.ports.carrier import Carrier, CarrierUnavailable
from waihu.ports.conversation import HungUp

T = TypeVar("T")


class PhoneLine:
    """Implements `ports.conversation.Line`; `Calls` tells it what the carrier said."""

    def __init__(self, attempt: AttemptId, carrier: Carrier, clock: SteadyClock) -> None:
        self.answered_at: Instant | None = None
        self.over = asyncio.Event()
        self._attempt = attempt
        self._carrier = carrier
        self._clock = clock
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self._played: dict[str, asyncio.Event] = {}

    @property
    def elapsed_ms(self) -> int:
        return 0 if self.answered_at is None else self._clock.now() - self.answered_at

    async def play(self, sound: Path) -> None:
        if self.over.is_set():
            raise HungUp
        try:
            playback = await self._carrier.play(self._attempt, sound)
        except CarrierUnavailable as lost:
            raise HungUp from lost
        await self._unless_over(self._playback(playback).wait())

    async def key(self, timeout_s: float) -> str | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._unless_over(self._keys.get())
        except TimeoutError:
            return None

    def playback_done(self, playback: str) -> None:
        self._playback(playback).set()

    def key_pressed(self, digit: str) -> None:
        self._keys.put_nowait(digit)

    def _playback(self, playback: str) -> asyncio.Event:
        # The event may overtake the answer to the request that started the playback.
        return self._played.setdefault(playback, asyncio.Event())

    async def _unless_over(self, wanted: Awaitable[T]) -> T:
        asked = asyncio.ensure_future(wanted)
        over = asyncio.ensure_future(self.over.wait())
        try:
            await asyncio.wait({asked, over}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return asked.result()
            raise HungUp
        finally:
            asked.cancel()
            over.cancel()
