"""The calls of this engine at the switch: placing them, following them, and letting the agent talk."""

import asyncio
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from waihu.dialing.commands import PlaceCall
from waihu.dialing.events import CallAnswered, CallEnded, CallNotPlaced, CallPlaced, CallRinging, Event
from waihu.domain.ids import AttemptId, Instant, TrunkId
from waihu.domain.outcome import Ending, HungUpBy
from waihu.engine.clock import SteadyClock
from waihu.engine.line import PhoneLine
from waihu.ports.carrier import (
    Answered,
    Carrier,
    CarrierUnavailable,
    DtmfPressed,
    EarlyMedia,
    Ended,
    NotPlaced,
    OutboundCall,
    PlaybackDone,
    Ringing,
)
from waihu.ports.conversation import Conversation, HungUp
from waihu.ports.dialing_store import CallSheet, DialingStore, Speaker, StoreUnavailable, Turn

if TYPE_CHECKING:
    from waihu.engine.shell import Spawn

log = structlog.get_logger()

_RETRY_S = 1.0
_WAV_HEADER_BYTES = 44
_DISK_FULL_BYTES = 100_000

CARRIER_NOTICES_S = 0.025
"""The core hears of an end so much later: a carrier that is still at our BYE would count a new call as one too many."""

CallEvent = Ringing | EarlyMedia | Answered | Ended | DtmfPressed | PlaybackDone


@dataclass(slots=True)
class Call:
    """A call from its placing until its talk is stored. `placing`: the switch has not said whether it took it."""

    line: PhoneLine
    recording: Path
    sheet: asyncio.Task[CallSheet | None]
    placing: bool = True
    hung_up_by_us: bool = False
    told_over: bool = False


class Calls:
    """Follows calls for the core, which hears of them through `feed`, and for the agent, who has the line."""

    def __init__(
        self,
        *,
        carrier: Carrier,
        conversation: Conversation,
        store: DialingStore,
        clock: SteadyClock,
        recordings: Path,
        caller_id: Callable[[TrunkId], str | None],
        feed: Callable[[Event], None],
        spawn: "Spawn",
    ) -> None:
        self._carrier = carrier
        self._conversation = conversation
        self._store = store
        self._clock = clock
        self._recordings = recordings
        self._caller_id = caller_id
        self._feed = feed
        self._spawn = spawn
        self._calls: dict[AttemptId, Call] = {}

    async def place(self, command: PlaceCall) -> None:
        """Starts the call. When the switch's answer is lost the core is told nothing: it will ask by itself."""
        attempt = command.attempt
        if self._clock.now() >= command.not_after:
            self._feed(CallNotPlaced(attempt))
            return
        call = Call(
            line=PhoneLine(attempt, self._carrier, self._clock),
            recording=self._recordings / f"{datetime.now(UTC):%Y%m%d}" / f"{attempt}.wav",
            sheet=asyncio.ensure_future(self._prepare(attempt)),
        )
        self._calls[attempt] = call
        try:
            await self._carrier.place(
                OutboundCall(
                    attempt=attempt,
                    trunk=command.trunk,
                    phone=command.phone,
                    caller_id=self._caller_id(command.trunk),
                    ring_timeout_s=command.ring_timeout_s,
                    recording=call.recording,
                )
            )
        except NotPlaced as reason:
            log.warning("call not placed", attempt=attempt, reason=str(reason))
            self._drop(attempt, call)
            self._feed(CallNotPlaced(attempt))
        except CarrierUnavailable as reason:
            log.warning("no answer whether the call was placed", attempt=attempt, reason=str(reason))
            call.placing = False
        else:
            call.placing = False
            self._feed(CallPlaced(attempt))

    async def hang_up(self, attempt: AttemptId) -> None:
        call = self._calls.get(attempt)
        if call is not None:
            call.hung_up_by_us = True
        try:
            await self._carrier.hang_up(attempt)
        except CarrierUnavailable as reason:
            log.warning("hang-up not answered", attempt=attempt, reason=str(reason))

    async def check(self, attempts: Iterable[AttemptId]) -> None:
        """Asks the switch which of these calls it still has, and tells the core.

        A call still being placed, or waiting for its commit, is not asked about: its answer is on the way.
        """
        asked = {a: call for a in attempts if (call := self._calls.get(a)) is not None and not call.placing}
        try:
            live = {call.attempt: call for call in await self._carrier.live()}
        except CarrierUnavailable as reason:
            log.warning("calls not checked", calls=len(asked), reason=str(reason))
            return
        for attempt, call in asked.items():
            if call.line.over.is_set():
                continue
            if attempt not in live:
                self._over(attempt, call, Ending(gone=True))
            elif live[attempt].answered:
                self._answered(attempt, self._clock.now())

    def heard(self, event: CallEvent) -> None:
        """What the carrier says of one call; of calls that are not this engine's, nothing follows."""
        call = self._calls.get(event.attempt)
        if call is None:
            return
        match event:
            case Ringing() | EarlyMedia():
                self._feed(CallRinging(event.attempt))
            case Answered():
                self._answered(event.attempt, event.at)
            case DtmfPressed():
                call.line.key_pressed(event.digit)
            case PlaybackDone():
                call.line.playback_done(event.playback)
            case Ended():
                call.line.over.set()
                asyncio.get_running_loop().call_later(CARRIER_NOTICES_S, self._over, event.attempt, call, event.ending)

    async def hang_up_all(self) -> None:
        await asyncio.gather(*(self.hang_up(attempt) for attempt in list(self._calls)))

    def _answered(self, attempt: AttemptId, at: Instant) -> None:
        call = self._calls.get(attempt)
        if call is not None and call.line.answered_at is None and not call.line.over.is_set():
            call.line.answered_at = at
            self._feed(CallAnswered(attempt))
            self._spawn(self._converse(attempt, call))

    def _over(self, attempt: AttemptId, call: Call, ending: Ending) -> None:
        if call.told_over:
            return
        call.told_over = True
        if call.line.answered_at is not None and ending.hung_up_by is None:
            ending = replace(ending, hung_up_by=HungUpBy.AGENT if call.hung_up_by_us else HungUpBy.CALLEE)
        self._feed(CallEnded(attempt, ending))
        call.line.over.set()
        if call.line.answered_at is None:
            self._drop(attempt, call)

    def _drop(self, attempt: AttemptId, call: Call) -> None:
        del self._calls[attempt]
        call.sheet.cancel()

    async def _prepare(self, attempt: AttemptId) -> CallSheet | None:
        try:
            sheet = await self._store.sheet(attempt, self._clock.now())
            if sheet is not None:
                await self._conversation.prepare(sheet)
            return sheet
        except StoreUnavailable as reason:
            log.warning("call sheet not read", attempt=attempt, reason=str(reason))
            return None
        except Exception:
            log.exception("conversation could not be prepared", attempt=attempt)
            return None

    async def _converse(self, attempt: AttemptId, call: Call) -> None:
        turns: list[Turn] = []
        sheet = None
        try:
            sheet = await call.sheet
            if sheet is not None and sheet.good_until is not None and self._clock.now() >= sheet.good_until:
                # While it rang, another agent's hour has begun.
                sheet = await self._prepare(attempt) or sheet
            if sheet is not None:
                await self._conversation.talk(sheet, call.line, turns)
        except HungUp:
            pass
        except Exception:
            # A fault of one conversation ends this call politely and no other.
            log.exception("conversation failed", attempt=attempt)
        while not call.line.over.is_set():
            await self.hang_up(attempt)
            try:
                async with asyncio.timeout(10):
                    await call.line.over.wait()
            except TimeoutError:
                await self.check([attempt])
        await self._save(attempt, call, turns, None if sheet is None else sheet.speaker)
        del self._calls[attempt]

    def _recorded(self, attempt: AttemptId, call: Call) -> str | None:
        """The name of the recording; None where nothing was written, as on a full disk."""
        if shutil.disk_usage(self._recordings).free < _DISK_FULL_BYTES:
            log.error("the disk is full: the recording is cut short or missing", attempt=attempt)
        if not call.recording.exists() or call.recording.stat().st_size <= _WAV_HEADER_BYTES:
            return None
        return str(call.recording.relative_to(self._recordings))

    async def _save(self, attempt: AttemptId, call: Call, turns: list[Turn], speaker: Speaker | None) -> None:
        recording = self._recorded(attempt, call)
        while True:
            try:
                await self._store.save_talk(attempt, turns, recording, speaker)
                return
            except StoreUnavailable as reason:
                log.warning("talk not stored yet", attempt=attempt, reason=str(reason))
                await asyncio.sleep(_RETRY_S)
