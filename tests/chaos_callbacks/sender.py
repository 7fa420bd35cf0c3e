"""A process that sends, as the API process does. Its days are short: back-off and blackouts take seconds."""

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import aiohttp
import uvloop

from waihu.adapters.postgres.pool import open_pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.adapters.postgres.sender_presence import SenderPresence
from waihu.adapters.webhooks.addresses import Addresses
from waihu.adapters.webhooks.sender import WebhookSender
from waihu.application.callback_news import Newsroom
from waihu.application.callback_sending import CallbackSending, Pace
from waihu.application.recordings import Recordings
from waihu.application.signed_keys import SignedKeys
from waihu.bootstrap.application import wall_clock
from waihu.domain.place import NOWHERE, Place
from waihu.faces.agent_api.callback_events import callback_body

PACE = Pace(first_delay_ms=300, tried_for_ms=3_600_000, failures_max=5, blackout_ms=8_000)
TIMEOUT = aiohttp.ClientTimeout(total=2)


class Nowhere:
    """Phone places that need not be loaded, which takes seconds: here a process lives no longer."""

    async def of(self, phones: Iterable[str]) -> Mapping[str, Place]:
        return dict.fromkeys(phones, NOWHERE)


async def send(database_url: str, directory: Path, name: str) -> None:
    async with (
        await open_pool(database_url) as pool,
        WebhookSender(Addresses(("127.0.0.0/8",)), TIMEOUT) as receiver,
        asyncio.TaskGroup() as tasks,
    ):
        keys = SignedKeys(directory, "number batch", wall_clock)
        newsroom = Newsroom(Recordings(directory, wall_clock).key, keys, Nowhere())
        sending = CallbackSending(PostgresStore(pool), wall_clock, newsroom, PACE)
        presence = SenderPresence(database_url, name)
        tasks.create_task(presence.run())
        words = partial(callback_body, public_url="http://127.0.0.1")
        await sending.run(presence, receiver, words, asyncio.Event())


def main(database_url: str, directory: Path, name: str) -> None:
    with (directory / f"{name}.out").open("ab") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    uvloop.run(send(database_url, directory, name))
