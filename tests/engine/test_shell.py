"""The engine's loop over the real database, when the database is silent at the worst moment."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from houses import PostgresHouse
from lossy_proxy import LossyProxy
from small_engine import SmallEngine
from test_dialing_store import ANNA, NOW

from waihu.adapters.no_switch import NoSwitch
from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.dialing.events import CampaignStarted, CapacityGranted
from waihu.dialing.resources import of_campaign, of_trunk
from waihu.domain.campaign import CampaignState
from waihu.domain.ids import AttemptId
from waihu.domain.outcome import Ending, Outcome
from waihu.ports.carrier import Ended, NotPlaced, OutboundCall

SILENT_S = 0.2


class RingingSwitch(NoSwitch):
    """Every call rings until the test ends it. As in a real switch no two calls have one name."""

    def __init__(self) -> None:
        self.placed: list[AttemptId] = []

    async def place(self, call: OutboundCall) -> None:
        if call.attempt in self.placed:
            raise NotPlaced("the name is in use")
        self.placed.append(call.attempt)


async def until(happens: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(30):
        while not await happens():  # noqa: ASYNC110 (what another connection commits can only be looked at)
            await asyncio.sleep(0.01)


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


@pytest.fixture
async def road(database_url: str) -> AsyncIterator[LossyProxy]:
    async with LossyProxy(database_url) as road:
        yield road


async def test_a_commit_that_was_not_answered_in_time_is_neither_lost_nor_done_twice(
    house: PostgresHouse, road: LossyProxy, tmp_path: Path
) -> None:
    campaign = await house.campaign(channels_max=1)
    (anna,) = await house.contacts(campaign.id, [ANNA])
    switch = RingingSwitch()

    async def is_claimed() -> bool:
        return await house.pool.fetchval("select node_id is not null from queue")

    async def is_placed() -> bool:
        return bool(switch.placed)

    async def is_completed() -> bool:
        return (await house.look(campaign.id)).state is CampaignState.COMPLETED

    async with await open_pool(road.url, timeout_s=SILENT_S) as pool, asyncio.TaskGroup() as tasks:
        store = PostgresDialingStore(pool)
        engine = SmallEngine(store, await store.join("here", NOW), switch, tasks, tmp_path)
        engine.shell.feed(CapacityGranted(of_campaign(campaign.id), 1))
        engine.shell.feed(CampaignStarted(campaign))
        await until(is_claimed)
        await engine.shell.settled()

        road.swallow_answer_to(b"COMMIT;")
        engine.shell.feed(CapacityGranted(of_trunk(house.trunk), 1))
        await until(is_placed)

        assert switch.placed == engine.dialer.live()
        assert [await house.attempt(attempt) for attempt in switch.placed] == ["planned"]
        assert (await house.contact(anna)).attempts == 1

        road.swallow_answer_to(b"COMMIT;")
        engine.calls.heard(Ended(switch.placed[0], engine.clock.now(), Ending(sip_code=486)))
        await until(is_completed)
        await engine.shell.settled()
        engine.running.cancel()

    look = await house.contact(anna)
    assert (look.tries, look.finished, look.outcome) == (1, True, Outcome.BUSY)
    assert await house.pool.fetchval("select sum(calls) from phone_day") == 1
    assert await house.pool.fetchval("select sum(finished) from campaign_stat") == 1
    assert len(switch.placed) == 1
