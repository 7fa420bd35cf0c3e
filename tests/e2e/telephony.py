"""What the tests with a real switch and a carrier in a box share: a caller, and addresses of their own."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from waihu.adapters.asterisk.ari import Ari
from waihu.adapters.asterisk.carrier import AsteriskCarrier
from waihu.adapters.asterisk.carrier_box import CarrierBox
from waihu.adapters.asterisk.configuration import AriAccount
from waihu.adapters.asterisk.instance import AsteriskInstance
from waihu.domain.ids import AttemptId, TrunkId
from waihu.ports.carrier import Answered, CarrierEvent, Ended, OutboundCall, SwitchUp, Trunk

ACCOUNT = AriAccount("waihu", "a-password-of-this-test")
TRUNK = TrunkId("box")

# Longer than anything a test waits for when all is well.
PATIENCE_S = 30

E = TypeVar("E", bound=CarrierEvent)


def loopback_address() -> str:
    """An address of this run's own: all its ports are free, whoever else tests on this machine."""
    return f"127.{random.randint(64, 250)}.{random.randint(0, 250)}.{random.randint(1, 250)}"


def recording_of(attempt: AttemptId, directory: Path) -> Path:
    return directory / f"{attempt}.wav"


class Caller:
    """Places calls through a carrier and remembers all that it tells."""

    def __init__(self, carrier: AsteriskCarrier, recordings: Path) -> None:
        self.carrier = carrier
        self.told: list[CarrierEvent] = []
        self.recordings = recordings
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        async for event in self.carrier.events():
            async with self._news:
                self.told.append(event)
                self._news.notify_all()

    async def hears(self, kind: type[E], matches: Callable[[E], bool] = lambda _: True, after: int = 0) -> E:
        """The first such event among those told after the `after`-th, now or later."""

        def found() -> E | None:
            return next((e for e in self.told[after:] if isinstance(e, kind) and matches(e)), None)

        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: found() is not None)
        event = found()
        assert event is not None
        return event

    async def place(
        self, phone: str, *, trunk: TrunkId = TRUNK, ring_timeout_s: int = 20, caller_id: str | None = None
    ) -> AttemptId:
        attempt = AttemptId(str(uuid4()))
        recording = recording_of(attempt, self.recordings)
        await self.carrier.place(OutboundCall(attempt, trunk, phone, caller_id, ring_timeout_s, recording))
        return attempt

    async def answered(self, attempt: AttemptId) -> Answered:
        return await self.hears(Answered, lambda event: event.attempt == attempt)

    async def ended(self, attempt: AttemptId) -> Ended:
        return await self.hears(Ended, lambda event: event.attempt == attempt)

    def story(self, attempt: AttemptId) -> list[str]:
        """Names of the events of one call, in their order."""
        return [type(e).__name__ for e in self.told if getattr(e, "attempt", None) == attempt]


@asynccontextmanager
async def caller_at(switch: AsteriskInstance, recordings: Path, application: str = "waihu") -> AsyncIterator[Caller]:
    """Another engine at the switch. OPTIONS go out every second, so that a trunk's fate is soon known."""
    http_port = switch.settings.http_port
    assert http_port is not None
    ari = Ari(switch.settings.address, http_port, ACCOUNT.user, ACCOUNT.password)
    async with AsteriskCarrier(ari, application, qualify_interval_s=1) as carrier:
        caller = Caller(carrier, recordings)
        listening = asyncio.create_task(caller.listen())
        try:
            # Before that nobody is told what becomes of a call.
            await caller.hears(SwitchUp)
            yield caller
        finally:
            listening.cancel()
            await asyncio.wait([listening])


def trunk_to(box: CarrierBox, trunk: TrunkId = TRUNK, **fields: str | bool) -> Trunk:
    return Trunk(trunk, box.settings.address, box.settings.sip_port, **fields)  # type: ignore[arg-type]
