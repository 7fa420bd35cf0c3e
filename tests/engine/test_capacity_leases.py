"""Nodes share a trunk through leases in the real database, and no accident lets them exceed it together."""

import asyncio
import random
import time
from dataclasses import dataclass, field

import pytest
from houses import PostgresHouse
from test_dialing_store import NOW, SILENT_MS

from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.dialing.pacing import StartGate
from waihu.dialing.resources import Resource, of_campaign, of_share, of_trunk
from waihu.domain.ids import NodeId
from waihu.ports.dialing_store import Demand

TTL_MS, MARGIN_MS = 600, 50
CALL_MAX_MS = 800
LATE_MS = 300
"""How much later than asked a sleep may end on a busy machine."""
DRAIN_MS = CALL_MAX_MS + MARGIN_MS
RENEW_EVERY_S = 0.08
HEADROOM = 3
CHAOS_S = 5


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


async def renew(house: PostgresHouse, node: NodeId, sequence: int, demand: Demand, ttl_ms: int, drain_ms: int) -> int:
    (grant,) = await house.store.renew(node, sequence, [demand], ttl_ms, drain_ms)
    return grant.channels


async def test_channels_of_a_lost_node_stay_reserved_until_its_calls_must_have_ended(house: PostgresHouse) -> None:
    trunk = of_trunk(house.trunk)
    lost, node = await house.store.join("lost", NOW), await house.store.join("here", NOW)
    assert await renew(house, lost, 1, Demand(trunk, 3, 5), ttl_ms=1, drain_ms=300) == 10

    await asyncio.sleep(0.02)
    assert await renew(house, node, 1, Demand(trunk, 0, 5), TTL_MS, DRAIN_MS) == 0
    await asyncio.sleep(0.3)
    assert await renew(house, node, 2, Demand(trunk, 0, 5), TTL_MS, DRAIN_MS) == 10


async def test_the_burial_of_a_node_frees_its_channels_when_it_can_start_no_more_calls(house: PostgresHouse) -> None:
    trunk = of_trunk(house.trunk)
    lost, node = await house.store.join("lost", NOW), await house.store.join("here", NOW + SILENT_MS)
    await renew(house, lost, 1, Demand(trunk, 3, 5), ttl_ms=300, drain_ms=3_600_000)

    await house.store.bury(node, [], SILENT_MS, NOW + SILENT_MS)

    assert await renew(house, node, 1, Demand(trunk, 0, 5), TTL_MS, DRAIN_MS) == 0
    await asyncio.sleep(0.3)
    assert await renew(house, node, 2, Demand(trunk, 0, 5), TTL_MS, DRAIN_MS) == 10
    assert await house.store.renew(lost, 2, [Demand(trunk, 0, 5)], TTL_MS, DRAIN_MS) == []


async def test_while_a_carrier_may_still_hold_calls_all_channels_of_a_buried_node_stay_reserved(
    house: PostgresHouse,
) -> None:
    trunk = of_trunk(house.trunk)
    lost, node = await house.store.join("lost", NOW), await house.store.join("here", NOW + SILENT_MS)
    # Of the ten that it gets it may use each one before it says so.
    await renew(house, lost, 1, Demand(trunk, 0, 5), ttl_ms=1, drain_ms=3_600_000)

    await house.store.bury(node, [], SILENT_MS, NOW + SILENT_MS, reserve_ms=300)

    assert await renew(house, node, 1, Demand(trunk, 0, 5), TTL_MS, DRAIN_MS) == 0
    await asyncio.sleep(0.31)
    assert await renew(house, node, 2, Demand(trunk, 0, 5), TTL_MS, DRAIN_MS) == 10


async def test_a_renewal_that_was_held_up_on_its_way_does_not_undo_a_later_one(house: PostgresHouse) -> None:
    trunk = of_trunk(house.trunk)
    node = await house.store.join("here", NOW)
    await house.store.renew(node, 2, [Demand(trunk, 6, 0)], TTL_MS, DRAIN_MS)

    assert await house.store.renew(node, 1, [Demand(trunk, 1, 0)], TTL_MS, DRAIN_MS) == []

    assert await house.pool.fetchval("select in_use from capacity_lease") == 6


async def test_a_rate_that_moves_is_given_on_when_the_last_call_under_it_has_left_the_window(
    house: PostgresHouse,
) -> None:
    trunk = of_trunk(house.trunk)
    giver, taker = await house.store.join("giver", NOW), await house.store.join("taker", NOW)
    ttl_ms = 300

    async def rate(node: NodeId, sequence: int, want: int) -> float | None:
        (grant,) = await house.store.renew(node, sequence, [Demand(trunk, 0, want)], ttl_ms, DRAIN_MS)
        return grant.cps

    leased_at = time.monotonic()
    assert await rate(giver, 1, 10) == 10
    assert await rate(taker, 1, 10) == 0
    assert await rate(giver, 2, 10) == 5
    sequence = 2
    while await rate(taker, sequence, 10) == 0:
        assert time.monotonic() < leased_at + 30
        sequence += 1
        await rate(giver, sequence, 10)
        await asyncio.sleep(0.05)

    # It may not have heard that it had to give way, and have gone on until its lease ended.
    assert time.monotonic() - leased_at > ttl_ms / 1000 + 1


async def test_a_lost_nodes_rate_is_given_on_one_window_after_its_lease_has_ended(house: PostgresHouse) -> None:
    trunk = of_trunk(house.trunk)
    lost, node = await house.store.join("lost", NOW), await house.store.join("here", NOW)
    await house.store.renew(lost, 1, [Demand(trunk, 0, 5)], 1, 1)
    lost_at = time.monotonic()

    sequence = 1
    while not (await house.store.renew(node, sequence, [Demand(trunk, 0, 5)], 60_000, 1))[0].cps:
        assert time.monotonic() < lost_at + 30
        sequence += 1
        await asyncio.sleep(0.05)

    assert time.monotonic() - lost_at > 1.0


async def test_shares_are_whole_and_add_up_to_the_limit(house: PostgresHouse) -> None:
    await house.limit_trunk(17, 7.9)
    trunk = of_trunk(house.trunk)
    nodes = [await house.store.join(f"node {number}", NOW) for number in range(4)]
    wants = (1, 5, 40, 14)

    for sequence in (1, 2, 3):
        grants = [
            (await house.store.renew(node, sequence, [Demand(trunk, 0, want)], 60_000, DRAIN_MS))[0]
            for node, want in zip(nodes, wants, strict=True)
        ]
        # Nobody was starting calls under the rate that he gave up.
        await house.pool.execute("update capacity_lease set cps_before_until = '-infinity'")

    assert sum(grant.channels for grant in grants) == 17
    assert [grant.cps for grant in grants] == [1, 0, 5, 1]


async def test_what_a_campaign_may_use_of_a_trunk_is_its_own_limit_or_the_trunks(house: PostgresHouse) -> None:
    one, two = await house.campaign(), await house.campaign()
    await house.pool.execute("update campaign_trunk set channels_max = 4 where campaign_id = $1", one.id)
    node = await house.store.join("here", NOW)
    names = [of_share(one.id, house.trunk), of_share(two.id, house.trunk), of_campaign(one.id), of_trunk(house.trunk)]

    grants = await house.store.renew(node, 1, [Demand(name, 0, 1) for name in names], TTL_MS, DRAIN_MS)
    assert [(grant.resource, grant.channels, grant.cps) for grant in grants] == [
        (names[0], 4, None),
        (names[1], 10, None),
        (names[2], 10, None),
        (names[3], 10, 10),
    ]

    await house.pool.execute("update trunk set deleted_at = now()")
    grants = await house.store.renew(node, 2, [Demand(name, 0, 1) for name in names], TTL_MS, DRAIN_MS)
    assert [(grant.channels, grant.cps) for grant in grants] == [(0, None), (0, None), (10, None), (0, 0)]


# Chaos


@dataclass
class Carrier:
    """The far side: counts what really happens, whoever does it."""

    limit: int
    live: int = 0
    most: int = 0
    excess: int = 0
    starts: list[float] = field(default_factory=list)

    async def call(self, duration_s: float) -> None:
        self.starts.append(time.monotonic())
        self.live += 1
        self.most = max(self.most, self.live)
        self.excess = max(self.excess, self.live - self.limit)
        await asyncio.sleep(duration_s)
        self.live -= 1

    def most_starts_within(self, window_s: float) -> int:
        most = first = 0
        for last, at in enumerate(self.starts):
            while self.starts[first] <= at - window_s:
                first += 1
            most = max(most, last - first + 1)
        return most


class Node:
    """An engine reduced to its leases: it keeps the node's half of the protocol, and its calls outlive it."""

    def __init__(
        self, store: PostgresDialingStore, id: NodeId, resource: Resource, carrier: Carrier, restlessness: float
    ) -> None:
        self._restlessness = restlessness
        self._store = store
        self._id = id
        self._resource = resource
        self._carrier = carrier
        self._gate = StartGate(0)
        self._luck = random.Random(id)
        self._channels = 0
        self._until = 0.0
        self._in_use = 0
        self._want = 60

    async def live(self, calls: asyncio.TaskGroup) -> None:
        """Dials and renews until it is cancelled, which is its sudden death."""
        async with asyncio.TaskGroup() as work:
            work.create_task(self._renew())
            work.create_task(self._dial(calls))

    async def _renew(self) -> None:
        for sequence in range(1, 10_000):
            sent = time.monotonic()
            floor = self._in_use
            if sent < self._until:
                # Calls that it may start before the answer is here. Others may have what it held under an old lease.
                floor = max(self._in_use, min(self._channels, self._in_use + HEADROOM))
            self._channels = floor
            demand = Demand(self._resource, floor, self._want)
            (grant,) = await self._store.renew(self._id, sequence, [demand], TTL_MS, DRAIN_MS)
            fate = self._luck.random()
            if fate < 0.02:
                # Cut off from the database for longer than its lease lives and its calls last.
                await asyncio.sleep((TTL_MS + DRAIN_MS) / 1000 + 1)
            elif fate < 0.8:
                if fate < 0.3:
                    # A slow answer.
                    await asyncio.sleep(self._luck.uniform(0, 0.3))
                self._channels = grant.channels
                self._gate.set_rate(grant.cps)
                self._until = sent + (TTL_MS - MARGIN_MS) / 1000
            # Otherwise the answer is lost: the node lives on with its floor, and its old lease runs out.
            if self._luck.random() < self._restlessness:
                self._want = self._luck.choice([0, 2, 20, 60])
            await asyncio.sleep(RENEW_EVERY_S * self._luck.uniform(0.5, 1.5))

    async def _dial(self, calls: asyncio.TaskGroup) -> None:
        while True:
            now = time.monotonic()
            now_ms = int(now * 1000)
            start = self._gate.next_start(now_ms)
            may_start = start is not None and start <= now_ms and now < self._until
            if may_start and self._want and self._in_use < self._channels:
                self._gate.plan(now_ms)
                self._gate.confirm(now_ms)
                self._in_use += 1
                calls.create_task(self._call())
            await asyncio.sleep(0.002)

    async def _call(self) -> None:
        await self._carrier.call(self._luck.uniform(0.1, (CALL_MAX_MS - LATE_MS) / 1000))
        self._in_use -= 1


async def run_chaos(
    house: PostgresHouse, resource: Resource, carrier: Carrier, url: str, *, restlessness: float
) -> list[int]:
    """Lets nodes come, die and lose answers for `CHAOS_S`; answers the sums of channels seen in the database.

    `restlessness`: how often, at its renewals, a node wants more or less than before.
    """
    luck = random.Random(7)
    sums: list[int] = []
    nodes: list[asyncio.Task[None]] = []
    reserved = "select coalesce(sum(channels), 0) from capacity_lease where reclaim_at > clock_timestamp()"
    async with await open_pool(url, size_max=20) as pool, asyncio.TaskGroup() as calls:
        end = time.monotonic() + CHAOS_S
        while time.monotonic() < end:
            while len(nodes) < 3:
                store = PostgresDialingStore(pool)
                node = Node(store, await store.join(f"node {luck.random()}", NOW), resource, carrier, restlessness)
                nodes.append(asyncio.create_task(node.live(calls)))
            for _ in range(20):
                sums.append(await house.pool.fetchval(reserved))
                await asyncio.sleep(0.01)
            for task in nodes:
                assert not task.done(), task.exception()
            if luck.random() < 0.15:
                nodes.pop(luck.randrange(len(nodes))).cancel()
        for task in nodes:
            task.cancel()
        await asyncio.gather(*nodes, return_exceptions=True)
    return sums


async def test_nodes_that_die_and_lose_answers_never_hold_more_channels_than_there_are(
    house: PostgresHouse, database_url: str
) -> None:
    campaign = await house.campaign(channels_max=12)
    carrier = Carrier(12)
    sums = await run_chaos(house, of_campaign(campaign.id), carrier, database_url, restlessness=0.5)

    assert max(sums) <= 12
    assert carrier.excess == 0
    # Otherwise nothing was tried.
    assert len(carrier.starts) > 12


async def test_nodes_that_die_and_lose_answers_never_start_calls_faster_than_the_trunk_allows(
    house: PostgresHouse, database_url: str
) -> None:
    await house.limit_trunk(500, 20)
    carrier = Carrier(500)
    await run_chaos(house, of_trunk(house.trunk), carrier, database_url, restlessness=0.05)

    assert carrier.most_starts_within(1.0) <= 20
    assert len(carrier.starts) > 20


async def test_a_lower_limit_holds_as_soon_as_every_lease_has_been_renewed_and_calls_have_ended(
    house: PostgresHouse, database_url: str
) -> None:
    before, after = 12, 5
    campaign = await house.campaign(channels_max=before)
    carrier = Carrier(before)

    async def lower() -> None:
        await asyncio.sleep(CHAOS_S / 4)
        await house.pool.execute("update campaign set channels_max = $1", after)
        await asyncio.sleep((TTL_MS + DRAIN_MS + CALL_MAX_MS + 3 * LATE_MS) / 1000)
        carrier.limit = after

    lowering = asyncio.create_task(lower())
    await run_chaos(house, of_campaign(campaign.id), carrier, database_url, restlessness=0.5)
    await lowering

    assert carrier.limit == after
    assert carrier.excess == 0
    assert carrier.most > after
