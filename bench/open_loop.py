"""A load generator for one HTTP resource, in a process of its own, `python -m bench.open_loop`: an `Order` as JSON
comes in, a `Done` goes out.

With a rate, requests start when they should, whether the earlier ones are back or not, and a latency counts from that
instant: a server that stalls cannot make its clients wait in silence.
"""

import asyncio
import random
import sys
import time
from itertools import cycle

import aiohttp
import msgspec
import uvloop

_TIMEOUT_S = 30


class Order(msgspec.Struct, kw_only=True):
    """`rate_per_s` None: `clients` ask again as soon as they are answered, for the highest rate there is."""

    url: str
    more_urls: list[str] = []
    """These as well, in turn."""
    headers: dict[str, str]
    seconds: float
    clients: int = 1
    rate_per_s: float | None = None
    seed: int = 1


class Done(msgspec.Struct):
    """`latencies_ms` of the answers with status 200, the whole body read; `failed`: all others."""

    latencies_ms: list[float]
    failed: int
    took_s: float


class _Asker:
    def __init__(self, order: Order, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._urls = cycle((order.url, *order.more_urls))
        self.latencies_ms: list[float] = []
        self.failed = 0

    async def ask(self, due: float) -> None:
        try:
            async with self._session.get(next(self._urls)) as response:
                await response.read()
                good = response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            good = False
        if good:
            self.latencies_ms.append((time.monotonic() - due) * 1000)
        else:
            self.failed += 1


async def load(order: Order) -> Done:
    """Runs the generator."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.open_loop"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        said, _ = await process.communicate(msgspec.json.encode(order))
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, "the generator failed"
    return msgspec.json.decode(said, type=Done)


async def _main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    async with aiohttp.ClientSession(
        headers=order.headers,
        timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
        connector=aiohttp.TCPConnector(limit=0),
    ) as session:
        asker = _Asker(order, session)
        began = time.monotonic()
        if order.rate_per_s is None:
            await asyncio.gather(*(_keep_asking(asker, began + order.seconds) for _ in range(order.clients)))
        else:
            await _ask_at_rate(asker, order, order.rate_per_s)
        took_s = time.monotonic() - began
    sys.stdout.buffer.write(msgspec.json.encode(Done(asker.latencies_ms, asker.failed, took_s)))


async def _keep_asking(asker: _Asker, end: float) -> None:
    while (now := time.monotonic()) < end:
        await asker.ask(now)


async def _ask_at_rate(asker: _Asker, order: Order, rate_per_s: float) -> None:
    """Arrivals at random, as of independent clients."""
    rnd = random.Random(order.seed)
    due = time.monotonic()
    end = due + order.seconds
    async with asyncio.TaskGroup() as requests:
        while (due := due + rnd.expovariate(rate_per_s)) < end:
            await asyncio.sleep(due - time.monotonic())
            requests.create_task(asker.ask(due))


if __name__ == "__main__":
    uvloop.run(_main())
