"""An Asterisk of ours as a program of its own: runs until it is told to end, or ends by itself."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

from waihu.adapters.asterisk.instance import AsteriskFailed, AsteriskInstance

_LOOK_INTERVAL_S = 1.0


def say(sentence: str) -> None:
    """One line for whoever watches the program."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


async def serve(instance: AsteriskInstance, start: Callable[[], Awaitable[None]], standing: str) -> None:
    """Starts, says `standing`, and returns after SIGINT or SIGTERM. Raises AsteriskFailed when it ends by itself."""
    told_to_end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    await start()
    say(standing)
    try:
        while not told_to_end.is_set():
            if (status := instance.exit_status()) is not None:
                raise AsteriskFailed(f"Asterisk ended with status {status}.")
            try:
                async with asyncio.timeout(_LOOK_INTERVAL_S):
                    await told_to_end.wait()
            except TimeoutError:
                continue
    finally:
        await instance.stop()
