"""The port `Carrier` on Asterisk: calls, trunks and what becomes of them, over the REST interface of the switch."""

import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import msgspec

from waihu.adapters.asterisk import events as wire
from waihu.adapters.asterisk.ari import Ari, AriRefused, AriUnreachable, Connected, Disconnected, Tick
from waihu.adapters.asterisk.call_events import CallEvents, attempt_of, channel_id
from waihu.adapters.asterisk.switch import (
    ANSWERED_EXTENSION,
    APPLICATION_VARIABLE,
    DIALPLAN_CONTEXT,
    RECORDING_VARIABLE,
)
from waihu.adapters.asterisk.trunks import SwitchTrunks, object_name
from waihu.domain.ids import AttemptId, Instant, TrunkId
from waihu.ports.carrier import (
    Answered,
    CarrierEvent,
    CarrierUnavailable,
    LiveCall,
    NotPlaced,
    OutboundCall,
    SwitchDown,
    SwitchUp,
    Trunk,
    TrunkStatus,
)

ATTEMPT_HEADER = "X-Waihu-Attempt"

# Registrations change without an event, so they are looked at.
_TICK_S = 2.0


class AsteriskCarrier:
    """Calls through one switch. Used as an async context manager around everything else.

    `application` names this engine at the switch; two engines on one switch need two names. A trunk is asked
    by OPTIONS every `qualify_interval_s`.
    """

    def __init__(self, ari: Ari, application: str = "waihu", qualify_interval_s: int = 30) -> None:
        self._ari = ari
        self._application = application
        self._calls = CallEvents()
        self._trunks = SwitchTrunks(ari, qualify_interval_s)

    async def __aenter__(self) -> Self:
        await self._ari.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._ari.__aexit__(kind, raised, trace)

    async def events(self) -> AsyncGenerator[CarrierEvent]:
        """See the port. After SwitchUp, Answered comes for every call that was answered while nobody listened."""
        async with aclosing(self._ari.listen(self._application, wire.EVENT_TYPES, _TICK_S)) as messages:
            async for message in messages:
                match message:
                    case Connected():
                        yield SwitchUp()
                        for answered in await self._missed_answers():
                            yield answered
                    case Disconnected(reason):
                        self._calls.forget()
                        self._trunks.forget()
                        yield SwitchDown(reason)
                    case Tick():
                        for status in await self._trunks.changed_registrations():
                            yield status
                    case str():
                        match wire.decode_event(message):
                            case None:
                                pass
                            case wire.ContactStatusChange(contact_info=contact):
                                if contact.contact_status in ("Reachable", "Unreachable"):
                                    for status in await self._trunks.changed_contact(contact.aor):
                                        yield status
                            case event:
                                if (told := self._calls.told(event)) is not None:
                                    yield told

    async def place(self, call: OutboundCall) -> None:
        """See the port. A call whose attempt is at the switch already counts as placed: it is there once."""
        if not re.fullmatch(r"\+?[0-9]+", call.phone):
            raise ValueError("a number to dial is made of digits")
        trunk = await self._trunks.settled(call.trunk)
        body = {
            "endpoint": f"PJSIP/{call.phone}@{object_name(call.trunk)}",
            "context": DIALPLAN_CONTEXT,
            "extension": ANSWERED_EXTENSION,
            "priority": 1,
            "channelId": channel_id(call.attempt),
            "timeout": call.ring_timeout_s,
            "variables": {
                f"PJSIP_HEADER(add,{ATTEMPT_HEADER})": call.attempt,
                RECORDING_VARIABLE: str(call.recording),
                APPLICATION_VARIABLE: self._application,
            },
        }
        caller_id = call.caller_id or (trunk and (trunk.caller_id or trunk.username))
        if caller_id:
            body["callerId"] = caller_id
        try:
            await self._ari.request("POST", "channels", body=body)
        except AriRefused as refusal:
            # 409 says that the call is there already, but after it has been true once, Asterisk says it of later
            # failures too.
            if refusal.status != 409 or not await self._is_live(call.attempt):
                raise NotPlaced(f"the switch refused the call: {refusal}") from refusal
        except AriUnreachable as failure:
            if failure.sent:
                raise CarrierUnavailable(str(failure)) from failure
            raise NotPlaced(f"the switch cannot be reached: {failure}") from failure

    async def hang_up(self, attempt: AttemptId) -> None:
        await self._ask_call("DELETE", attempt)

    async def play(self, attempt: AttemptId, sound: Path) -> str:
        """See the port. When the call is over nothing is heard and no PlaybackDone comes: its Ended says so.

        Raises CarrierUnavailable.
        """
        if sound.suffix != ".wav" or not sound.is_absolute():
            raise ValueError(f"a sound is a .wav file with its whole path, not {sound}")
        playback = f"p-{uuid4()}"
        # Asterisk chooses the format by itself and wants the name without its ending.
        media = {"media": f"sound:{sound.with_suffix('')}"}
        await self._ask_call("POST", attempt, "play", playback, query=media)
        return playback

    async def live(self) -> Sequence[LiveCall]:
        try:
            listed = await self._ari.request("GET", "channels")
        except (AriRefused, AriUnreachable) as failure:
            raise CarrierUnavailable(str(failure)) from failure
        channels = msgspec.json.decode(listed, type=list[wire.Channel])
        return [
            LiveCall(attempt, channel.state == "Up", wire.instant_of(channel.creationtime))
            for channel in channels
            if (attempt := attempt_of(channel.id)) is not None
        ]

    async def started_at(self) -> Instant:
        try:
            told = await self._ari.request("GET", "asterisk", "info", query={"only": "status"})
        except (AriRefused, AriUnreachable) as failure:
            raise CarrierUnavailable(str(failure)) from failure
        return wire.instant_of(msgspec.json.decode(told, type=wire.Info).status.startup_time)

    async def set_trunk(self, trunk: Trunk) -> None:
        await self._trunks.set(trunk)

    async def remove_trunk(self, trunk: TrunkId) -> None:
        await self._trunks.remove(trunk)

    async def trunk_status(self, trunk: TrunkId) -> TrunkStatus:
        """Raises CarrierUnavailable. A trunk that the switch does not know is down."""
        return await self._trunks.status(trunk)

    async def _ask_call(self, method: str, attempt: AttemptId, *path: str, query: dict[str, str] | None = None) -> None:
        """Something about a call that may be over: then nothing happens. Raises CarrierUnavailable."""
        try:
            await self._ari.request(method, "channels", channel_id(attempt), *path, query=query)
        except AriUnreachable as failure:
            raise CarrierUnavailable(str(failure)) from failure
        except AriRefused as refusal:
            # 404: no such channel. 409, 412: it is about to end, and obeys no more.
            if refusal.status not in (404, 409, 412):
                raise CarrierUnavailable(str(refusal)) from refusal

    async def _is_live(self, attempt: AttemptId) -> bool:
        try:
            await self._ari.request("GET", "channels", channel_id(attempt))
        except AriUnreachable as failure:
            raise CarrierUnavailable(str(failure)) from failure
        except AriRefused as refusal:
            if refusal.status != 404:
                raise CarrierUnavailable(str(refusal)) from refusal
            return False
        return True

    async def _missed_answers(self) -> list[Answered]:
        try:
            live = await self.live()
        except CarrierUnavailable:
            # The connection is going down again, which comes as the next event.
            return []
        now = round(time.time() * 1000)
        return [self._calls.found_answered(call.attempt, now) for call in live if call.answered]
