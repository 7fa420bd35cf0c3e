"""The loop: step the core, commit what it decided, then do what it asked for.

Events are stepped the moment they come. Decisions queue up behind the running commit and go into the next one
together, so that a busy engine commits in groups; commands wait for the commit of their own decision.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, assert_never

import structlog

from waihu.dialing.commands import CheckCall, ClaimContacts, Command, HangUp, PlaceCall
from waihu.dialing.decision import Decision
from waihu.dialing.dialer import Dialer
from waihu.dialing.events import ClaimFailed, Event, TimePassed
from waihu.dialing.records import Record
from waihu.domain.ids import NodeId
from waihu.engine.calls import Calls
from waihu.engine.clock import SteadyClock
from waihu.ports.dialing_store import DialingStore, StoreUnavailable

log = structlog.get_logger()

_COMMIT_RETRY_S = 0.5

Spawn = Callable[[Coroutine[Any, Any, None]], object]


class Shell:
    """Runs one core against the store and the calls. Everybody else talks to the core through `feed`."""

    def __init__(self, dialer: Dialer, store: DialingStore, node: NodeId, clock: SteadyClock, spawn: Spawn) -> None:
        self.dialer = dialer
        self.calls: Calls
        self._store = store
        self._node = node
        self._clock = clock
        self._spawn = spawn
        self._pending: list[Decision] = []
        self._has_pending = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._alarm: asyncio.TimerHandle | None = None

    def feed(self, event: Event) -> None:
        """Steps the core with `event` now."""
        now = self._clock.now()
        decision = self.dialer.step(event, now)
        if decision.records or decision.commands:
            self._pending.append(decision)
            self._has_pending.set()
            self._idle.clear()
        self._set_alarm(decision.wake_at, now)

    async def run(self) -> None:
        """Commits and commands, for ever."""
        while True:
            await self._has_pending.wait()
            self._has_pending.clear()
            batch, self._pending = self._pending, []
            records = [record for decision in batch for record in decision.records]
            commands = [command for decision in batch for command in decision.commands]
            refused = await self._commit(records) if records else frozenset()
            for command in commands:
                if not (isinstance(command, PlaceCall) and command.attempt in refused):
                    self._spawn(self._run_command(command))
            if not self._pending:
                self._idle.set()

    async def settled(self) -> None:
        """Returns when everything decided so far is committed."""
        await self._idle.wait()

    async def _commit(self, records: list[Record]) -> frozenset[str]:
        # A commit whose answer was lost is repeated as it was: the store recognises what it already has.
        while True:
            try:
                refusals = await self._store.commit(self._node, records, self._clock.now())
            except StoreUnavailable as reason:
                log.warning("commit not answered, repeating it", records=len(records), reason=str(reason))
                await asyncio.sleep(_COMMIT_RETRY_S)
                continue
            for refusal in refusals:
                self.feed(refusal)
            return frozenset(refusal.attempt for refusal in refusals)

    async def _run_command(self, command: Command) -> None:
        match command:
            case PlaceCall():
                await self.calls.place(command)
            case ClaimContacts():
                await self._claim(command)
            case HangUp():
                await self.calls.hang_up(command.attempt)
            case CheckCall():
                await self.calls.check([command.attempt])
            case _:
                assert_never(command)

    async def _claim(self, command: ClaimContacts) -> None:
        try:
            claimed = await self._store.claim(
                self._node, command.campaign, command.count, command.new_first, self._clock.now()
            )
        except StoreUnavailable as reason:
            # What was claimed under a lost answer stays this node's until it is buried with it.
            log.warning("claim not answered", campaign=command.campaign, reason=str(reason))
            self.feed(ClaimFailed(command.campaign))
        else:
            self.feed(claimed)

    def _set_alarm(self, wake_at: int | None, now: int) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if wake_at is not None:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(max(0, wake_at - now) / 1000 + 0.001, self.feed, TimePassed())
