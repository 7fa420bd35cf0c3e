"""The port `Carrier` where there is no switch: it is always down, so nothing is called and everything else works."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from waihu.domain.ids import AttemptId, Instant, TrunkId
from waihu.ports.carrier import (
    CarrierEvent,
    CarrierUnavailable,
    LiveCall,
    NotPlaced,
    OutboundCall,
    SwitchDown,
    Trunk,
    TrunkStatus,
)

_REASON = "waihu was started with --no-switch"


class NoSwitch:
    async def events(self) -> AsyncIterator[CarrierEvent]:
        yield SwitchDown(_REASON)
        await asyncio.Event().wait()

    async def place(self, call: OutboundCall) -> None:
        raise NotPlaced(_REASON)

    async def hang_up(self, attempt: AttemptId) -> None:
        raise CarrierUnavailable(_REASON)

    async def play(self, attempt: AttemptId, sound: Path) -> str:
        raise CarrierUnavailable(_REASON)

    async def live(self) -> Sequence[LiveCall]:
        raise CarrierUnavailable(_REASON)

    async def started_at(self) -> Instant:
        raise CarrierUnavailable(_REASON)

    async def set_trunk(self, trunk: Trunk) -> None:
        raise CarrierUnavailable(_REASON)

    async def remove_trunk(self, trunk: TrunkId) -> None:
        raise CarrierUnavailable(_REASON)

    async def trunk_status(self, trunk: TrunkId) -> TrunkStatus:
        return TrunkStatus(trunk, False, _REASON)
