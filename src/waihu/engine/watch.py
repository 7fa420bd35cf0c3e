"""Keeps the core's picture of campaigns and trunks equal to the store's."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from waihu.dialing.dialer import Dialer
from waihu.dialing.events import CampaignStarted, CampaignStopped, ContactsArrived, Event, TrunkWentDown, TrunkWentUp
from waihu.domain.ids import CampaignId, TrunkId
from waihu.engine.leases import Leases
from waihu.ports.carrier import Carrier, CarrierUnavailable, Trunk, TrunkStatus
from waihu.ports.dialing_store import DialingStore, StoreUnavailable

log = structlog.get_logger()

LOOK_EVERY_S = 0.5


class Watch:
    """Reads the store's world and tells the core of differences, the switch of its trunks."""

    def __init__(
        self,
        dialer: Dialer,
        store: DialingStore,
        carrier: Carrier,
        leases: Leases,
        feed: Callable[[Event], None],
    ) -> None:
        self._dialer = dialer
        self._store = store
        self._carrier = carrier
        self._leases = leases
        self._feed = feed
        self._at_switch: dict[TrunkId, Trunk] = {}
        self._trunks: dict[TrunkId, Trunk] = {}
        self._arrivals: Mapping[CampaignId, int] = {}
        self._switch_up = False

    def caller_id(self, trunk: TrunkId) -> str | None:
        known = self._trunks.get(trunk)
        return known.caller_id if known else None

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except StoreUnavailable as reason:
                log.warning("store not read", reason=str(reason))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """One look. Raises StoreUnavailable."""
        world = await self._store.world()
        self._trunks = {limits.trunk.id: limits.trunk for limits in world.trunks}
        await self._tell_switch()
        plans = {plan.id: plan for plan in world.plans}
        news = False
        for campaign in self._dialer.campaigns():
            if campaign not in plans:
                self._feed(CampaignStopped(campaign))
        for plan in plans.values():
            # A deadline that passes, a trunk that is taken from its account, or a group of hours that is edited,
            # changes the plan too.
            if self._dialer.plan_of(plan.id) != plan:
                self._feed(CampaignStarted(plan))
                news = True
            elif world.arrivals[plan.id] != self._arrivals.get(plan.id):
                self._feed(ContactsArrived(plan.id))
                news = True
        self._arrivals = world.arrivals
        if news:
            self._leases.hurry()

    async def switch_up(self) -> None:
        """A fresh switch knows no trunk."""
        self._switch_up = True
        self._at_switch.clear()
        await self._tell_switch()

    async def switch_down(self, reason: str) -> None:
        self._switch_up = False
        for trunk in self._trunks:
            await self._told(TrunkStatus(trunk, up=False, detail=f"the switch is down: {reason}"))

    async def trunk_status(self, status: TrunkStatus) -> None:
        if self._switch_up:
            await self._told(status)

    async def _told(self, status: TrunkStatus) -> None:
        self._feed(TrunkWentUp(status.trunk) if status.up else TrunkWentDown(status.trunk))
        try:
            await self._store.save_trunk_status(status.trunk, status.up, status.detail)
        except StoreUnavailable as reason:
            log.warning("trunk status not stored", reason=str(reason))

    async def _tell_switch(self) -> None:
        if not self._switch_up:
            for unknown in self._trunks.keys() - self._at_switch.keys():
                self._at_switch[unknown] = self._trunks[unknown]
                await self._told(TrunkStatus(unknown, up=False, detail="the switch is down"))
            return
        try:
            for trunk in self._trunks.values():
                if self._at_switch.get(trunk.id) != trunk:
                    await self._carrier.set_trunk(trunk)
                    self._at_switch[trunk.id] = trunk
                    await self._told(await self._carrier.trunk_status(trunk.id))
            for gone in self._at_switch.keys() - self._trunks.keys():
                await self._carrier.remove_trunk(gone)
                del self._at_switch[gone]
        except CarrierUnavailable as reason:
            log.warning("trunks not told to the switch", reason=str(reason))
