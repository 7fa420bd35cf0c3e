"""What changes in the database reaches a running campaign, also when it is no rule of its own."""

import pytest
from houses import PostgresHouse
from test_dialing_store import NOW

from waihu.adapters.no_switch import NoSwitch
from waihu.adapters.postgres.pool import Pool
from waihu.dialing.dialer import Dialer
from waihu.dialing.events import ContactsArrived, Event
from waihu.dialing.records import CampaignPhased, Record
from waihu.domain.campaign import Phase
from waihu.domain.hold import HoldReason
from waihu.domain.ids import NodeId, TrunkId
from waihu.engine.clock import SteadyClock
from waihu.engine.leases import Leases
from waihu.engine.watch import Watch
from waihu.ports.carrier import Trunk, TrunkStatus

ALL_DAY, EVENINGS = [[[0, 1440]]] * 7, [[[1140, 1260]]] * 7


class QuietSwitch(NoSwitch):
    """Takes every trunk, and all are up."""

    async def set_trunk(self, trunk: Trunk) -> None:
        pass

    async def trunk_status(self, trunk: TrunkId) -> TrunkStatus:
        return TrunkStatus(trunk, True, "200 OK")


class Engine:
    """The core and its watch over a house. It is ten in the morning all the time."""

    def __init__(self, house: PostgresHouse) -> None:
        self.events: list[Event] = []
        self.records: list[Record] = []
        self.dialer = Dialer()
        leases = Leases(self.dialer, house.store, NodeId(1), SteadyClock(), self.feed)
        self.watch = Watch(self.dialer, house.store, QuietSwitch(), leases, self.feed)

    def feed(self, event: Event) -> None:
        self.events.append(event)
        self.records += self.dialer.step(event, NOW).records

    async def sees(self) -> tuple[Phase | None, HoldReason | None] | None:
        """What a look at the store lets the campaign do; None when it goes on as before."""
        self.records.clear()
        await self.watch.look()
        phases = [record for record in self.records if isinstance(record, CampaignPhased)]
        if not phases:
            return None
        (told,) = phases
        return told.phase, told.hold and told.hold.reason


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


@pytest.fixture
async def engine(house: PostgresHouse) -> Engine:
    hours = await house.pool.fetchval(
        "insert into calling_hours (account_id, name, week, zone) values ($1, 'day', $2, 'Asia/Shanghai') returning id",
        house.account,
        ALL_DAY,
    )
    await house.campaign(calling_hours_id=hours)
    engine = Engine(house)
    await engine.watch.switch_up()
    assert await engine.sees() == (Phase.WAITING_CAPACITY, HoldReason.NO_CHANNEL), "nothing is leased yet"
    assert await engine.sees() is None
    return engine


async def test_a_running_campaign_loses_a_trunk_whose_allocation_ends(house: PostgresHouse, engine: Engine) -> None:
    await house.pool.execute("update trunk_allocation set deadline_at = now()")

    assert await engine.sees() == (Phase.WAITING_CAPACITY, HoldReason.NO_TRUNK)


async def test_a_running_campaign_loses_a_trunk_that_is_removed(house: PostgresHouse, engine: Engine) -> None:
    await house.pool.execute("update trunk set deleted_at = now()")

    assert await engine.sees() == (Phase.WAITING_CAPACITY, HoldReason.NO_TRUNK)


async def test_edited_hours_reach_the_campaigns_that_follow_them(house: PostgresHouse, engine: Engine) -> None:
    await house.pool.execute("update calling_hours set week = $1", EVENINGS)

    assert await engine.sees() == (Phase.WAITING_HOURS, HoldReason.CALLING_HOURS)


async def test_an_edited_retry_rule_reaches_the_campaigns_that_follow_it(house: PostgresHouse, engine: Engine) -> None:
    rule = await house.pool.fetchval(
        "insert into retry_rule (account_id, name, enabled, retries_max, delay_s) "
        "values ($1, 'r', true, 2, $2) returning id",
        house.account,
        {"busy": 60},
    )
    (campaign,) = engine.dialer.campaigns()
    await house.pool.execute("update campaign set retry_rule_id = $1", rule)
    await engine.sees()

    await house.pool.execute("update retry_rule set retries_max = 5")
    await engine.sees()

    plan = engine.dialer.plan_of(campaign)
    assert plan is not None
    assert plan.retry.retries_max == 5


async def test_contacts_that_come_into_a_running_campaign_are_told_once(house: PostgresHouse, engine: Engine) -> None:
    (campaign,) = engine.dialer.campaigns()
    engine.events.clear()
    await house.contacts(campaign, ["13000000001"])
    await engine.watch.look()
    assert engine.events == [ContactsArrived(campaign)]

    await engine.watch.look()
    assert engine.events == [ContactsArrived(campaign)]
