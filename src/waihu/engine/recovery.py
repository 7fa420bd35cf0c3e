"""After a crash: accounts for the calls of engines that are no more, so that none is lost and none dialled twice."""

import asyncio

import structlog

from waihu.domain.ids import Instant, NodeId
from waihu.engine.clock import SteadyClock
from waihu.ports.carrier import Carrier, CarrierUnavailable
from waihu.ports.dialing_store import DialingStore, StoreUnavailable

log = structlog.get_logger()

SILENT_MS = 15_000
"""A node that has not beaten for so long is taken for dead. Its leases have expired long before."""

VANISHED_MS = 65_000
"""By then a carrier has given up a call whose other end is gone: it has rung for a minute, or heard no audio."""

LOOK_EVERY_S = 3.0
BEAT_EVERY_S = 2.0


class Recovery:
    """Buries dead nodes: hangs up what they left at the switch, then closes their attempts as unknown.

    It is not known whether such a call rang at somebody's ear, so it is never dialled again by itself.
    """

    def __init__(self, store: DialingStore, carrier: Carrier, node: NodeId, clock: SteadyClock) -> None:
        self._store = store
        self._carrier = carrier
        self._node = node
        self._clock = clock
        self._judges_from: Instant = 0

    async def beat(self) -> None:
        """Says that this node lives, for ever. Raises NodeBuried."""
        while True:
            try:
                await self._store.beat(self._node, self._clock.now())
            except StoreUnavailable as reason:
                log.warning("heartbeat not stored", reason=str(reason))
                # The others could not be heard either. They get as long to be heard again as the dead are waited for.
                self._judges_from = self._clock.now() + SILENT_MS
            await asyncio.sleep(BEAT_EVERY_S)

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except StoreUnavailable as reason:
                log.warning("recovery waits for the store", reason=str(reason))
            except CarrierUnavailable as reason:
                log.warning("recovery waits for the switch", reason=str(reason))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """One look. Raises StoreUnavailable, CarrierUnavailable."""
        if self._clock.now() < self._judges_from:
            return
        orphans = await self._store.orphans(self._node, self._clock.now(), SILENT_MS)
        if orphans:
            live = {call.attempt for call in await self._carrier.live()}
            for orphan in orphans:
                if orphan.attempt in live:
                    await self._carrier.hang_up(orphan.attempt)
            log.info("calls of a lost engine closed", calls=len(orphans))
        buried = [orphan.attempt for orphan in orphans]
        reserve_ms = await self._reserve_ms()
        await self._store.bury(self._node, buried, SILENT_MS, self._clock.now(), reserve_ms=reserve_ms)

    async def _reserve_ms(self) -> int:
        """How long channels of the dead stay reserved: calls that vanished with a switch are not over for the
        carrier, who hears nothing of it for a while.
        """
        try:
            started_at = await self._carrier.started_at()
        except CarrierUnavailable:
            return VANISHED_MS
        return max(0, started_at + VANISHED_MS - self._clock.now())
