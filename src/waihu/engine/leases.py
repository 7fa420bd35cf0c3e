"""This node's share of trunks and campaigns, leased from the store so that all nodes together keep every limit.

The protocol (floor, drain, sequence) is explained in docs/decisions/0004-capacity-leases.md.
"""

import asyncio
from collections.abc import Callable

import structlog

from waihu.dialing.dialer import Dialer
from waihu.dialing.events import CapacityGranted, Event
from waihu.dialing.resources import Resource
from waihu.domain.ids import NodeId
from waihu.engine.clock import SteadyClock
from waihu.ports.dialing_store import Demand, DialingStore, Grant, StoreUnavailable

log = structlog.get_logger()

TTL_MS = 4_000
MARGIN_MS = 500
"""A lease is given up here before it expires in the store: clocks run at slightly different rates."""

RENEW_EVERY_S = 1.0
REPLY_WITHIN_S = 0.8
"""After this the store may have given our rate to others (it keeps it for one second), so starts must cease."""

DRAIN_MS = 2 * 3_600_000
"""How long channels of a node that is not heard of stay reserved: no call may last longer."""

HEADROOM = 3
"""Calls that may be started beyond those in use while a renewal is on its way."""


class Leases:
    """Renews in the background; `hurry` renews at once, for a campaign that has just started."""

    def __init__(
        self, dialer: Dialer, store: DialingStore, node: NodeId, clock: SteadyClock, feed: Callable[[Event], None]
    ) -> None:
        self._dialer = dialer
        self._store = store
        self._node = node
        self._clock = clock
        self._feed = feed
        self._sequence = 0
        self._held: dict[Resource, Grant] = {}
        self._until_monotonic_ms = 0
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        self._hurry.set()

    async def run(self) -> None:
        while True:
            self._hurry.clear()
            await self._renew()
            try:
                async with asyncio.timeout(RENEW_EVERY_S):
                    await self._hurry.wait()
            except TimeoutError:
                pass

    async def _renew(self) -> None:
        self._clock.resync()
        sent_monotonic_ms = self._clock.monotonic_ms()
        demands = self._fall_back_to_floors()
        if not demands:
            return
        self._sequence += 1
        try:
            async with asyncio.timeout(REPLY_WITHIN_S):
                grants = await self._store.renew(self._node, self._sequence, demands, TTL_MS, DRAIN_MS)
        except (StoreUnavailable, TimeoutError) as reason:
            log.warning("leases not renewed", reason=str(reason) or type(reason).__name__)
            self._keep_floors_without_starts()
            return
        self._held = {grant.resource: grant for grant in grants}
        self._until_monotonic_ms = sent_monotonic_ms + TTL_MS - MARGIN_MS
        for grant in grants:
            self._grant(grant.resource, grant.channels, grant.cps)

    def _fall_back_to_floors(self) -> list[Demand]:
        """What is reported as kept must not be exceeded until the store's answer is here."""
        demands = []
        # After the deadline nothing was started, so nothing beyond the calls in progress has to be kept.
        headroom = HEADROOM if self._clock.monotonic_ms() < self._until_monotonic_ms else 0
        for resource, (in_use, want) in sorted(self._dialer.demands(self._clock.now()).items()):
            held = self._held.get(resource)
            floor = in_use if held is None else max(in_use, min(held.channels, in_use + headroom))
            demands.append(Demand(resource, floor, max(0, in_use + want - floor)))
            self._grant(resource, floor, held.cps if held else 0)
            self._held[resource] = Grant(resource, floor, held.cps if held else 0)
        for resource in self._held.keys() - {demand.resource for demand in demands}:
            del self._held[resource]
            self._feed(CapacityGranted(resource, 0))
        return demands

    def _keep_floors_without_starts(self) -> None:
        for held in list(self._held.values()):
            if held.cps is not None:
                self._held[held.resource] = Grant(held.resource, held.channels, 0)
                self._grant(held.resource, held.channels, 0)

    def _grant(self, resource: Resource, channels: int, cps: float | None) -> None:
        left_ms = self._until_monotonic_ms - self._clock.monotonic_ms()
        self._feed(CapacityGranted(resource, channels, cps, self._clock.now() + left_ms))
