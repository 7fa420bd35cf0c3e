"""A process of receivers: `python -m tests.chaos_callbacks.receivers PLAN.json`. Each behaves as the plan says until
the heal file exists, and then well. Whatever reaches one is a line in the log, written before the answer leaves.
"""

import asyncio
import json
import os
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from enum import StrEnum
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from aiohttp import web


class Manner(StrEnum):
    SOUND = "sound"
    FAILS = "fails"
    HANGS = "hangs"
    DIES = "dies"
    """Its process is killed again and again, in the midst of answers too."""


class Place(msgspec.Struct):
    """A receiver: where it listens, how it behaves, and the secret of the account that is told there."""

    account: str
    host: str
    port: int
    manner: Manner
    secret: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/told"


class Plan(msgspec.Struct):
    places: list[Place]
    log: str
    healed: str


class Heard(msgspec.Struct):
    """A push that reached a receiver. `answer` 0: none was given, or none yet."""

    at: float
    place: str
    event: str
    things: list[str]
    answer: int
    is_signed: bool


async def serve(plan: Plan) -> None:
    log = os.open(plan.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    runners = []
    for place in plan.places:
        served = web.Application(client_max_size=2**24)
        served.router.add_post("/told", _ear(place, log, Path(plan.healed)))
        runner = web.AppRunner(served)
        await runner.setup()
        await web.TCPSite(runner, place.host, place.port, reuse_address=True).start()
        runners.append(runner)
    print("ready", flush=True)
    await asyncio.Event().wait()


def _ear(place: Place, log: int, healed: Path) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def hear(request: web.Request) -> web.Response:
        raw = await request.read()
        manner = _manner(place, healed)

        def write(answer: int) -> None:
            heard = Heard(
                at=time.time(),
                place=place.host,
                event=request.headers["webhook-id"],
                things=_things(json.loads(raw)),
                answer=answer,
                is_signed=_signature(request, raw, place.secret) == request.headers.get("webhook-signature"),
            )
            os.write(log, msgspec.json.encode(heard) + b"\n")

        match manner:
            case Manner.FAILS:
                write(500)
                return web.Response(status=500)
            case Manner.HANGS:
                write(0)
                await asyncio.sleep(60)
                return web.Response(status=503)
            case Manner.DIES:
                write(0)
                await asyncio.sleep(0.1)
        write(200)
        return web.Response()

    return hear


def _manner(place: Place, healed: Path) -> Manner:
    return Manner.SOUND if healed.exists() else place.manner


def _things(body: dict[str, Any]) -> list[str]:
    """What was told, thing by thing."""
    return [row["callid"] for row in body["data"]] if "count" in body else [body["unique_id"]]


def _signature(request: web.Request, raw: bytes, secret: str) -> str:
    told = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + raw
    return "v1," + b64encode(digest(b64decode(secret.removeprefix("whsec_")), told, sha256)).decode()


if __name__ == "__main__":
    uvloop.run(serve(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)))
