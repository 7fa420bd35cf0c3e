"""The servers on which customers are called back, each of its own manner: healthy, slow, failing, redirecting, dead."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Json = Any
HOST = "127.0.0.1"


@dataclass
class Push:
    """A POST as it came in; `answer` None: it has not been answered yet."""

    id: str
    raw: bytes
    answer: int | None = None

    @property
    def body(self) -> Json:
        return json.loads(self.raw)


class Receiver:
    """Answers 200 to everything. Its port is taken from the beginning; until it listens, connections are refused."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self._socket = _bound()
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}/notify?from=ai"
        self._runner: web.AppRunner | None = None

    async def listen(self) -> None:
        served = web.Application()
        served.router.add_route("*", "/{path:.*}", self._hear)
        self._runner = web.AppRunner(served)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._socket.close()

    async def answer(self, push: Push) -> web.Response:
        return web.Response(text="success")

    @property
    def accepted(self) -> list[Push]:
        """Those answered well, each once."""
        return list({push.id: push for push in self.pushes if push.answer == 200}.values())

    @property
    def calls(self) -> dict[str, Json]:
        """The calls it was told of, by their ids. Asserts that none was told in two pushes."""
        rows = [row for push in self.accepted if "count" in push.body for row in push.body["data"]]
        told = {row["callid"]: row for row in rows}
        assert len(told) == len(rows), "a call was told under two ids"
        return told

    def told(self, kind: int | str) -> list[Json]:
        """What it was told of other things, by the `type` of their pages."""
        return [push.body for push in self.accepted if push.body.get("type") == kind]

    async def _hear(self, request: web.Request) -> web.Response:
        assert (request.method, request.content_type) == ("POST", "application/json")
        push = Push(request.headers["webhook-id"], await request.read())
        self.pushes.append(push)
        response = await self.answer(push)
        push.answer = response.status
        return response


class Slow(Receiver):
    """Works on what it is told, and answers only when it is `done`."""

    def __init__(self) -> None:
        super().__init__()
        self.done = asyncio.Event()

    async def answer(self, push: Push) -> web.Response:
        await self.done.wait()
        return web.Response(text="success")


class Failing(Receiver):
    """Fails at every push when it comes first."""

    async def answer(self, push: Push) -> web.Response:
        if sum(push.id == each.id for each in self.pushes) == 1:
            return web.Response(status=500)
        return web.Response(text="success")


class Redirecting(Receiver):
    """Sends whoever comes to `elsewhere`, until it is `mended`."""

    def __init__(self, elsewhere: str) -> None:
        super().__init__()
        self.mended = False
        self._elsewhere = elsewhere

    async def answer(self, push: Push) -> web.Response:
        if self.mended:
            return web.Response(text="success")
        return web.Response(status=307, headers={"location": self._elsewhere})


@dataclass(frozen=True)
class Receivers:
    """`trap` is where the redirecting one leads; `dead` does not listen."""

    healthy: Receiver
    stops: Receiver
    slow: Slow
    failing: Failing
    trap: Receiver
    redirecting: Redirecting
    dead: Receiver


@asynccontextmanager
async def receivers() -> AsyncIterator[Receivers]:
    trap = Receiver()
    opened = Receivers(Receiver(), Receiver(), Slow(), Failing(), trap, Redirecting(trap.url), Receiver())
    every = (opened.healthy, opened.stops, opened.slow, opened.failing, trap, opened.redirecting, opened.dead)
    try:
        for receiver in every:
            if receiver is not opened.dead:
                await receiver.listen()
        yield opened
    finally:
        # Else it would keep the server from ending.
        opened.slow.done.set()
        for receiver in every:
            await receiver.close()


def _bound() -> socket.socket:
    taken = socket.socket()
    taken.bind((HOST, 0))
    return taken
