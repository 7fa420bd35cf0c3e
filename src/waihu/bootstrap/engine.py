"""The engine process."""

import asyncio
import gc
import hashlib
import signal
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from waihu.adapters.asterisk.carrier import AsteriskCarrier
from waihu.adapters.no_switch import NoSwitch
from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import open_pool
from waihu.adapters.speech.scripted import ScriptedConversation
from waihu.adapters.speech.sounds import SoundStore
from waihu.bootstrap.watch import ari_of
from waihu.data_directory import Running
from waihu.engine.node import run_engine
from waihu.ports.carrier import Carrier

_CONNECTIONS = 8

_STATEMENT_TIMEOUT_S = 10.0
"""A database that is silent for so long is treated like one that is gone; what was asked is asked again."""


async def serve_engine(running: Running, place: str) -> None:
    """Calls until SIGTERM, then lets calls end and leaves. `place` names it among all engines."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pool = await open_pool(running.database_url, size_max=_CONNECTIONS, timeout_s=_STATEMENT_TIMEOUT_S)
    # Two engines on one switch need two names there; a place may hold characters that no name may.
    application = f"waihu-{hashlib.sha256(place.encode()).hexdigest()[:8]}"
    async with pool, _carrier(running, application) as carrier:
        # What is there now stays as long as the process: looking through it for garbage would stop all calls for
        # some 30 ms each time.
        gc.collect()
        gc.freeze()
        await run_engine(
            name=place,
            store=PostgresDialingStore(pool),
            carrier=carrier,
            conversation=ScriptedConversation(SoundStore(Path(running.speech))),
            recordings=Path(running.recordings),
            stop=stop,
        )


def _carrier(running: Running, application: str) -> AbstractAsyncContextManager[Carrier]:
    if running.ari_url is None:
        return nullcontext(NoSwitch())
    return AsteriskCarrier(ari_of(running.ari_url), application)
