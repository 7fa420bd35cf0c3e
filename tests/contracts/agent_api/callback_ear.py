"""A receiver of callbacks on this machine, and what it heard."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Told:
    event: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)


@dataclass
class Ear:
    """It answers with `status`, after `patience` if that is set."""

    url: str = ""
    status: int = 200
    told: list[Told] = field(default_factory=list)
    patience: asyncio.Event | None = None
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    at_once_max: int = 0

    async def hear(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        self.told.append(Told(request.headers["x-waihu-event"], request.headers, await request.read()))
        self.heard.set()
        if self.patience is not None:
            await self.patience.wait()
        self.at_once -= 1
        headers = {"location": self.url + "/elsewhere"} if self.status == 307 else {}
        return web.Response(status=self.status, headers=headers)

    async def has_heard(self, count: int) -> None:
        """Waits until it has been told so often."""
        while len(self.told) < count:
            self.heard.clear()
            await self.heard.wait()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [told.body for told in self.told]


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    ear = Ear()
    served = web.Application()
    served.router.add_post("/{path:.*}", ear.hear)
    runner = web.AppRunner(served)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ear.url = f"http://127.0.0.1:{runner.addresses[0][1]}/told"
    try:
        yield ear
    finally:
        await runner.cleanup()
