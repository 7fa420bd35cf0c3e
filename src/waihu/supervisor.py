"""Keeps the parts of waihu running: starts them in order, restarts the one that dies alone, ends them in reverse.

A part is a process. All of them die with this one, even when it is killed: the kernel tells them.
"""

import asyncio
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import structlog

log = structlog.get_logger()

_POLL_S = 0.1
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
# After this long a part counts as healthy, and its next death starts with the first pause again.
_HEALTHY_AFTER_S = 30.0
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping(Exception):
    """The operator asked to stop while waihu was still starting."""


class PartFailed(Exception):
    """A part could not be started; the message says why and what to do."""


class Part(Protocol):
    """Something that runs until it is stopped. `start` may be called again after the end."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None:
        """Returns when the part works, or will soon. Raises PartFailed."""
        ...

    def exit_status(self) -> int | None:
        """None while it runs; otherwise its exit status, negative for a signal."""
        ...

    async def stop(self) -> None:
        """Ends it within a time of its own, by force if need be; does nothing when it has ended."""
        ...


class ProgramPart:
    """A program of ours as a part. `patience_s` is how long it may take to end by itself."""

    def __init__(self, name: str, command: Sequence[str], *, patience_s: float, keep_open: Sequence[int] = ()) -> None:
        self.name = name
        self._command = command
        self._patience_s = patience_s
        self._keep_open = keep_open
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        # Forking takes a millisecond, and the child has to belong to the main thread, see PR_SET_PDEATHSIG.
        self._process = subprocess.Popen(  # noqa: ASYNC220
            self._command,
            stdin=subprocess.DEVNULL,
            pass_fds=self._keep_open,
            # Its own session: Ctrl-C at the terminal is for the supervisor, who keeps the order.
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )

    def exit_status(self) -> int | None:
        assert self._process is not None, "not started"
        return self._process.poll()

    def end(self) -> None:
        """Asks it to end; it is started again like one that died."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Ends it at once; it is started again like one that died."""
        if self._process is not None:
            self._process.kill()

    async def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        deadline = time.monotonic() + self._patience_s
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                log.warning("part did not end in time and is killed", part=self.name)
                self._process.kill()
                self._process.wait()
                return
            await asyncio.sleep(_POLL_S)


class Supervisor:
    """Runs parts. `start` them one by one, then `keep` them all until `stop` is asked for."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._stop_asked = asyncio.Event()

    async def start(self, part: Part) -> None:
        """Raises PartFailed, or Stopping when asked to stop meanwhile."""
        self._parts.append(part)
        await self.unless_stopping(part.start())

    async def unless_stopping(self, work: Coroutine[Any, Any, None]) -> None:
        """Does `work`; cancels it and raises Stopping when asked to stop meanwhile."""
        working = asyncio.create_task(work)
        stop_asked = asyncio.create_task(self._stop_asked.wait())
        try:
            await asyncio.wait((working, stop_asked), return_when=asyncio.FIRST_COMPLETED)
            if not working.done() or working.cancelled():
                working.cancel()
                await asyncio.wait((working,))
                raise Stopping
            working.result()
        finally:
            stop_asked.cancel()

    def ask_to_stop(self) -> None:
        self._stop_asked.set()

    async def keep(self) -> None:
        """Returns when asked to stop. Until then whatever ends by itself is started again."""
        async with asyncio.TaskGroup() as keepers:
            tasks = [keepers.create_task(self._keep(part)) for part in self._parts]
            await self._stop_asked.wait()
            for task in tasks:
                task.cancel()

    async def stop(self) -> None:
        """Ends all parts, the last started first."""
        while self._parts:
            part = self._parts.pop()
            began = time.monotonic()
            await part.stop()
            log.info("part stopped", part=part.name, took_s=round(time.monotonic() - began, 1))

    async def _keep(self, part: Part) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            while (status := part.exit_status()) is None:  # noqa: ASYNC110 (not every part can be waited for)
                await asyncio.sleep(_POLL_S)
            if time.monotonic() - started > _HEALTHY_AFTER_S:
                pause_s = _FIRST_PAUSE_S
            log.error("part ended by itself, starting it again", part=part.name, status=told(status), pause_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            await self._start_again(part, pause_s)

    async def _start_again(self, part: Part, pause_s: float) -> None:
        while True:
            try:
                await part.start()
            except PartFailed as failure:
                log.error("part did not start, trying again", part=part.name, reason=str(failure), pause_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                log.info("part started again", part=part.name)
                return


@contextmanager
def interruptible() -> Iterator[None]:
    """Cancels blocking work in the main thread when the operator asks to stop, as its task would be cancelled."""

    def interrupt(number: int, frame: object) -> None:
        raise asyncio.CancelledError

    # The event loop hears of the signal all the same, through its wake-up pipe.
    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def told(status: int) -> str:
    """An exit status for people: `killed by SIGKILL`, `exit code 1`."""
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"


def _die_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            # It died before the line above; the signal will never come.
            os._exit(1)

    return prepare
