"""Who buries whom, over the real database."""

import asyncio
from contextlib import suppress

import pytest
from houses import PostgresHouse
from test_dialing_store import NOW

from waihu.adapters.no_switch import NoSwitch
from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool
from waihu.domain.ids import Instant, NodeId
from waihu.engine.clock import SteadyClock
from waihu.engine.recovery import SILENT_MS, Recovery
from waihu.ports.dialing_store import NodeBuried, StoreUnavailable


class SetClock(SteadyClock):
    at = NOW

    def now(self) -> Instant:
        return self.at


class CutOff(PostgresDialingStore):
    """Cannot be reached while `down`."""

    down = False

    async def beat(self, node: NodeId, now: Instant) -> None:
        if self.down:
            raise StoreUnavailable("cut off")
        await super().beat(node, now)


async def lives(store: PostgresDialingStore, node: NodeId, now: Instant) -> bool:
    try:
        await store.beat(node, now)
    except NodeBuried:
        return False
    return True


async def beat_once(recovery: Recovery) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await recovery.beat()


@pytest.fixture
async def store(pool: Pool) -> CutOff:
    await PostgresHouse(pool).furnish()
    return CutOff(pool)


async def test_a_node_that_is_silent_for_long_is_buried(store: CutOff) -> None:
    clock = SetClock()
    silent, other = await store.join("one", NOW), await store.join("two", NOW)
    recovery = Recovery(store, NoSwitch(), other, clock)

    clock.at = NOW + SILENT_MS + 1
    await beat_once(recovery)
    await recovery.look()

    assert not await lives(store, silent, clock.at)


async def test_after_an_outage_the_first_to_be_back_lets_the_others_come_back(store: CutOff) -> None:
    clock = SetClock()
    other, first = await store.join("one", NOW), await store.join("two", NOW)
    recovery = Recovery(store, NoSwitch(), first, clock)

    clock.at, store.down = NOW + 10 * SILENT_MS, True
    await beat_once(recovery)
    store.down = False
    await beat_once(recovery)
    await recovery.look()

    assert await lives(store, other, clock.at)


async def test_who_does_not_come_back_after_an_outage_is_buried(store: CutOff) -> None:
    clock = SetClock()
    dead, first = await store.join("one", NOW), await store.join("two", NOW)
    recovery = Recovery(store, NoSwitch(), first, clock)

    store.down = True
    await beat_once(recovery)
    store.down = False
    clock.at = NOW + SILENT_MS + 1
    await beat_once(recovery)
    await recovery.look()

    assert not await lives(store, dead, clock.at)
