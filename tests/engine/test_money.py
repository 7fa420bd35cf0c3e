"""What calls cost, and that everybody who adds it up comes to the same: ledger, balances, usage, call records."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from houses import PostgresHouse
from lossy_proxy import LossyProxy
from test_dialing_store import ANNA, BO, CARL, NOW, SILENT_MS, claim, closed, dial, planned
from test_postgres_dialing_store import rows, until_waiting

from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.dialing.events import AttemptRefused, Refusal
from waihu.dialing.records import AttemptAnswered, AttemptClosed, AttemptPlanned, ContactReleased, Record
from waihu.domain.campaign import CampaignPlan, CampaignState, TrunkShare
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import AccountId, NodeId, TrunkId
from waihu.domain.outcome import Outcome
from waihu.ports.dialing_store import StoreUnavailable
from waihu.ports.ledger import EntryKind


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


@pytest.fixture
async def node(house: PostgresHouse) -> NodeId:
    return await house.store.join("here", NOW)


@pytest.fixture
async def other(house: PostgresHouse) -> NodeId:
    return await house.store.join("there", NOW)


async def set_price(house: PostgresHouse, price: str, unit_s: int = 60, *, trunk: TrunkId | None = None) -> None:
    await house.pool.execute(
        "update trunk_allocation set price = $2, billing_unit_s = $3 where trunk_id = $1",
        trunk or house.trunk,
        Decimal(price),
        unit_s,
    )


async def recharge(house: PostgresHouse, amount: int, account: AccountId | None = None) -> Decimal:
    async with PostgresStore(house.pool).writing() as session:
        return await session.ledger.enter(
            account or house.account, EntryKind.RECHARGE, Decimal(amount), None, "test", NOW
        )


async def balance(house: PostgresHouse, account: AccountId | None = None) -> Decimal:
    async with PostgresStore(house.pool).reading() as session:
        return await session.ledger.balance(account or house.account)


def talked(plan: AttemptPlanned, talk_ms: int, **changes: Any) -> AttemptClosed:
    return closed(plan, Outcome.ANSWERED, answered_at=plan.at + 1_000, at=plan.at + 1_000 + talk_ms, **changes)


async def states(house: PostgresHouse, *campaigns: CampaignPlan) -> list[tuple[str, str | None]]:
    looks = [await house.look(campaign.id) for campaign in campaigns]
    return [(look.state.value, look.pause_reason) for look in looks]


# The price of a call


@pytest.mark.parametrize(
    ("talk_ms", "unit_s", "units"),
    [
        (0, 60, 1),
        (1, 60, 1),
        (60_000, 60, 1),
        (60_001, 60, 2),
        (3_599_999, 60, 60),
        (6_000, 6, 1),
        (6_001, 6, 2),
        (999, 1, 1),
    ],
)
async def test_every_started_unit_is_paid(
    house: PostgresHouse, node: NodeId, talk_ms: int, unit_s: int, units: int
) -> None:
    await set_price(house, "0.0125", unit_s)
    plan = await dial(house, node, await house.campaign(), ANNA)

    await house.store.commit(node, [talked(plan, talk_ms)], NOW)

    assert await rows(
        house.pool, "select kind, talk_ms, units, billing_unit_s, price, amount, main_id::text from ledger"
    ) == [("call", talk_ms, units, unit_s, Decimal("0.0125"), Decimal("-0.0125") * units, house.account)]
    assert await balance(house) == Decimal("-0.0125") * units


async def test_a_call_that_nobody_answered_costs_nothing(house: PostgresHouse, node: NodeId) -> None:
    await set_price(house, "1")
    plan = await dial(house, node, await house.campaign(), ANNA)

    await house.store.commit(node, [closed(plan)], NOW)

    assert await rows(house.pool, "select from ledger") == []
    assert await rows(house.pool, "select from balance") == []


async def test_a_call_over_a_trunk_without_a_price_is_written_down_and_touches_no_balance(
    house: PostgresHouse, node: NodeId
) -> None:
    plan = await dial(house, node, await house.campaign(), ANNA)

    await house.store.commit(node, [talked(plan, 61_000)], NOW)

    assert await rows(house.pool, "select units, amount from ledger") == [(2, 0)]
    assert await rows(house.pool, "select from balance") == []


async def test_a_call_is_paid_at_the_price_it_was_planned_at(house: PostgresHouse, node: NodeId) -> None:
    await set_price(house, "1")
    campaign = await house.campaign()
    first = await dial(house, node, campaign, ANNA)
    await set_price(house, "2", 6)
    second = await dial(house, node, campaign, BO)
    await house.pool.execute("delete from trunk_allocation")

    await house.store.commit(node, [talked(first, 7_000), talked(second, 7_000)], NOW)

    assert await rows(house.pool, "select -amount from ledger order by 1") == [(1,), (4,)]


async def test_a_sub_account_pays_its_own_price_from_its_main_accounts_balance(
    house: PostgresHouse, node: NodeId
) -> None:
    await set_price(house, "1")
    sub, poor = await house.sub_account(), await house.sub_account()
    await house.allocate(sub)
    await house.pool.execute("update trunk_allocation set price = 3 where account_id = $1", sub)
    plans = [
        await dial(house, node, await house.campaign(account=account), phone)
        for account, phone in ((house.account, ANNA), (sub, BO), (poor, CARL))
    ]

    await house.store.commit(node, [talked(plan, 1_000) for plan in plans], NOW)

    paid = await rows(house.pool, "select account_id::text, -amount from ledger")
    assert dict(paid) == {house.account: 1, sub: 3, poor: 1}
    assert (await balance(house), await balance(house, sub)) == (-5, -5)


async def test_nobody_hangs_up_before_the_answer_whatever_the_clocks_say(house: PostgresHouse, node: NodeId) -> None:
    await set_price(house, "1")
    plan = await dial(house, node, await house.campaign(), ANNA)
    await house.store.commit(node, [AttemptAnswered(plan.attempt, NOW + 9_000)], NOW)

    await house.store.commit(node, [closed(plan, Outcome.ANSWERED, at=NOW + 5_000)], NOW)

    assert await rows(house.pool, "select talk_ms, units from ledger") == [(0, 1)]
    assert await rows(house.pool, "select closed_at - answered_at = interval '0' from attempt") == [(True,)]


# Once, whatever happens


async def test_a_call_is_billed_once_however_often_its_end_is_committed(
    house: PostgresHouse, node: NodeId, other: NodeId, database_url: str
) -> None:
    await set_price(house, "1")
    plan = await dial(house, node, await house.campaign(), ANNA)
    end = talked(plan, 1_000)

    async with LossyProxy(database_url) as road, await open_pool(road.url) as pool:
        road.lose_answer_to(b"COMMIT;")
        with pytest.raises(StoreUnavailable):
            await PostgresDialingStore(pool).commit(node, [end], NOW)
    await house.store.commit(node, [end], NOW)
    await house.store.commit(other, [replace(end, at=end.at + 90_000)], NOW)
    await house.store.bury(other, [plan.attempt], SILENT_MS, NOW + SILENT_MS)

    assert await rows(house.pool, "select talk_ms, amount from ledger") == [(1_000, -1)]
    assert await balance(house) == -1


async def test_a_lost_engines_answered_calls_are_paid_until_they_are_given_up(
    house: PostgresHouse, node: NodeId, other: NodeId
) -> None:
    await set_price(house, "1", 6)
    campaign = await house.campaign()
    talking, ringing = [await dial(house, other, campaign, phone) for phone in (ANNA, BO)]
    await house.store.commit(other, [AttemptAnswered(talking.attempt, NOW + 1_000)], NOW)

    later = NOW + SILENT_MS
    await house.store.bury(node, [talking.attempt, ringing.attempt], SILENT_MS, later)

    assert await rows(house.pool, "select talk_ms, units from ledger") == [(14_000, 3)]
    assert await balance(house) == -3
    assert await states(house, campaign) == [("paused", "no_balance")]


@pytest.mark.parametrize(
    "change", ["update ledger set amount = 0", "delete from ledger", "truncate ledger", "truncate ledger cascade"]
)
async def test_the_ledger_is_never_changed(house: PostgresHouse, change: str) -> None:
    await recharge(house, 5)
    with pytest.raises(asyncpg.RestrictViolationError):
        await house.pool.execute(change)
    assert await rows(house.pool, "select amount from ledger") == [(5,)]


# All sums agree


_LEDGER = """
    select campaign_id, trunk_id, (at at time zone 'Asia/Shanghai')::date, count(*), sum(talk_ms), sum(units),
        -sum(amount)
    from ledger where kind = 'call' group by 1, 2, 3 order by 1, 2, 3
"""
_USAGE = """
    select campaign_id, trunk_id, day, sum(answered), sum(talk_ms), sum(units), sum(cost)
    from trunk_usage group by 1, 2, 3 having sum(answered) > 0 order by 1, 2, 3
"""
_RECORDS = """
    select a.campaign_id, a.trunk_id, (a.closed_at at time zone 'Asia/Shanghai')::date, count(*),
        sum(extract(epoch from a.closed_at - a.answered_at) * 1000)
    from attempt a where a.state = 'closed' and a.answered_at is not null group by 1, 2, 3 order by 1, 2, 3
"""
_BALANCES = """
    select b.account_id, b.amount, (select coalesce(sum(l.amount), 0) from ledger l where l.main_id = b.account_id)
    from balance b
"""


async def test_all_sums_agree_after_many_nodes_closed_calls_at_random(house: PostgresHouse) -> None:
    luck = random.Random(8)
    sub = await house.sub_account()
    trunks = await _trunks(house, ["0", "0.15", "0.0799"])
    stranger = AccountId(
        str(
            await house.pool.fetchval(
                "insert into account (partner_id, name) select partner_id, 'Other' from account limit 1 returning id"
            )
        )
    )
    for account in (house.account, stranger):
        for trunk in trunks[1:]:
            await house.pool.execute(
                "insert into trunk_allocation (trunk_id, account_id, channels_max, price, billing_unit_s) "
                "values ($1, $2, 10, $3, $4) on conflict (trunk_id, account_id) do nothing",
                trunk,
                account,
                Decimal(luck.randrange(1, 9999)) / 10_000,
                luck.choice([1, 6, 60]),
            )
    await recharge(house, 1_000)
    await recharge(house, 1_000, stranger)
    campaigns = []
    for account in (house.account, sub, stranger):
        for _ in range(2):
            campaign = await house.campaign(account=account)
            await house.pool.execute("delete from campaign_trunk where campaign_id = $1", campaign.id)
            await house.pool.executemany(
                "insert into campaign_trunk (campaign_id, trunk_id, position) values ($1, $2, $3)",
                [(campaign.id, trunk, place) for place, trunk in enumerate(trunks)],
            )
            await house.contacts(campaign.id, [f"1380000{number:04}" for number in range(100)])
            usable = trunks[1:] if account == stranger else trunks
            campaigns.append(replace(campaign, trunks=tuple(TrunkShare(trunk) for trunk in usable)))

    async def engine(name: str) -> None:
        own = random.Random(name)
        node = await house.store.join(name, NOW)
        for _ in range(25):
            campaign = own.choice(campaigns)
            # Around midnight in China, so that the days are told apart.
            at = NOW + 14 * 3_600_000 + own.randrange(-60_000, 60_000)
            claimed = (await claim(house, node, campaign, own.randrange(1, 8), new_first=True)).contacts
            plans = [
                replace(planned(campaign, contact, at), trunk=own.choice(campaign.trunks).trunk) for contact in claimed
            ]
            assert await house.store.commit(node, plans, at) == []
            ends: list[Record] = [
                talked(plan, own.choice([0, 1, 5_999, own.randrange(600_000)]))
                if own.random() < 0.6
                else closed(plan, own.choice([Outcome.BUSY, Outcome.TRUNK_ERROR]), own.choice([None, soon()]))
                for plan in plans
            ]
            own.shuffle(ends)
            for batch in (ends[:3], ends, ends[2:]):
                await house.store.commit(node, batch, at)

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(engine(f"engine {number}"))

    ledger = await rows(house.pool, _LEDGER)
    assert len(ledger) > 20
    assert ledger == await rows(house.pool, _USAGE)
    assert [row[:5] for row in ledger] == await rows(house.pool, _RECORDS)
    found = await rows(house.pool, _BALANCES)
    assert len(found) == 2
    assert all(kept == added for _, kept, added in found), found
    assert 2_000 - sum(kept for _, kept, _ in found) == sum(row[-1] for row in ledger)
    counted = "select sum(attempts), sum(answered), sum(trunk_errors), sum(talk_ms) from {}"
    assert await rows(house.pool, counted.format("node_usage")) == await rows(house.pool, counted.format("trunk_usage"))
    counted = "select sum(attempts), sum(answered), sum(trunk_errors) from trunk_usage"
    recorded = (
        "select count(*), count(answered_at), count(*) filter (where outcome = 'trunk_error') from attempt "
        "where state = 'closed'"
    )
    assert await rows(house.pool, counted) == await rows(house.pool, recorded)


def soon() -> Hold:
    return Hold(HoldReason.RETRY_DELAY, NOW)


async def _trunks(house: PostgresHouse, prices: list[str]) -> list[TrunkId]:
    """The house's trunk and others, at these prices for its account."""
    found = [house.trunk]
    for _ in prices[1:]:
        id = await house.pool.fetchval(
            "insert into trunk (name, host, channels_max, cps_max) values ('T', '127.0.0.1', 10, 10) returning id"
        )
        found.append(TrunkId(str(id)))
        await house.pool.execute(
            "insert into trunk_allocation (trunk_id, account_id, channels_max) values ($1, $2, 10)", id, house.account
        )
    for trunk, price in zip(found, prices, strict=True):
        await set_price(house, price, trunk=trunk)
    return found


# Nothing left


async def test_what_must_pay_is_paused_by_the_call_that_takes_the_last_money(
    house: PostgresHouse, node: NodeId
) -> None:
    await recharge(house, 3)
    free, priced = await _trunks(house, ["0", "2"])
    sub = await house.sub_account()
    pays, of_sub, calls_free = [await house.campaign(account=each) for each in (house.account, sub, house.account)]
    for campaign in (pays, of_sub):
        await house.pool.execute("update campaign_trunk set trunk_id = $2 where campaign_id = $1", campaign.id, priced)
    plans = []
    for phone in (ANNA, BO):
        await house.contacts(pays.id, [phone])
        (contact,) = (await claim(house, node, pays, 1, new_first=True)).contacts
        plans.append(replace(planned(pays, contact), trunk=priced))
    assert await house.store.commit(node, plans, NOW) == []

    await house.store.commit(node, [talked(plans[0], 1_000)], NOW)
    assert await states(house, pays, of_sub, calls_free) == [("running", None)] * 3

    await house.store.commit(node, [talked(plans[1], 1_000)], NOW)
    paused = ("paused", "no_balance")
    assert await states(house, pays, of_sub, calls_free) == [paused, paused, ("running", None)]
    assert await balance(house) == -1
    assert [plan.id for plan in (await house.store.world()).plans] == [calls_free.id]
    assert free == house.trunk


async def test_nothing_is_planned_after_the_pause_and_what_is_in_progress_goes_on(
    house: PostgresHouse, node: NodeId, other: NodeId
) -> None:
    await set_price(house, "1")
    await recharge(house, 1)
    campaign = await house.campaign()
    last, late = await dial(house, node, campaign, ANNA), await dial(house, other, campaign, BO)
    await house.contacts(campaign.id, [CARL])
    (carl,) = (await claim(house, other, campaign, 1, new_first=True)).contacts

    await house.store.commit(node, [talked(last, 1_000)], NOW)

    plan = planned(campaign, carl)
    assert await house.store.commit(other, [plan], NOW) == [AttemptRefused(plan.attempt, Refusal.STOPPED)]
    await house.store.commit(other, [talked(late, 1_000), ContactReleased(plan.contact, campaign.id)], NOW)
    assert (await balance(house), await house.attempt(late.attempt)) == (-1, "closed")


async def test_money_that_comes_starts_nothing_by_itself(house: PostgresHouse, node: NodeId) -> None:
    await set_price(house, "1")
    campaign = await house.campaign()
    await house.store.commit(node, [talked(await dial(house, node, campaign, ANNA), 1_000)], NOW)

    assert await recharge(house, 100) == 99

    assert await states(house, campaign) == [("paused", "no_balance")]


async def test_engines_that_plan_and_close_while_the_money_runs_out_neither_stop_nor_plan_beyond_it(
    house: PostgresHouse,
) -> None:
    await set_price(house, "1")
    await recharge(house, 60)
    campaigns = [await house.campaign() for _ in range(4)]
    for campaign in campaigns:
        await house.contacts(campaign.id, [f"1380000{number:04}" for number in range(200)])
    refused: Counter[Refusal] = Counter()

    async def engine(name: str) -> None:
        own = random.Random(name)
        node = await house.store.join(name, NOW)
        open_calls: list[AttemptPlanned] = []
        for _ in range(40):
            # Plans and ends in one commit, over all campaigns, as a busy engine commits them.
            plans = [
                planned(campaign, contact)
                for campaign in campaigns
                for contact in (await claim(house, node, campaign, 1, new_first=True)).contacts
            ]
            ends: list[Record] = [talked(plan, 1_000) for plan in open_calls]
            own.shuffle(plans)
            turned_away = await house.store.commit(node, [*plans, *ends], NOW)
            refused.update(each.refusal for each in turned_away)
            not_taken = {each.attempt for each in turned_away}
            open_calls = [plan for plan in plans if plan.attempt not in not_taken]
        await house.store.commit(node, [talked(plan, 1_000) for plan in open_calls], NOW)

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(engine(f"engine {number}"))

    assert set(refused) <= {Refusal.STOPPED}
    assert await states(house, *campaigns) == [("paused", "no_balance")] * 4
    # Beyond the money went only what was in progress, or planned in the very commit that found out.
    assert -60 < await balance(house) <= 0
    assert await rows(house.pool, "select count(*) from attempt where state <> 'closed'") == [(0,)]
    assert [(kept, added) for _, kept, added in await rows(house.pool, _BALANCES)] == [
        (await balance(house), await balance(house))
    ]


async def test_a_commit_that_takes_the_last_money_locks_campaigns_before_balances(
    house: PostgresHouse, node: NodeId
) -> None:
    await set_price(house, "1")
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    async with house.pool.acquire() as planner:
        planning = planner.transaction()
        await planning.start()
        await planner.execute("select from campaign where id = $1 for share", campaign.id)
        closing = await until_waiting(house.pool, house.store.commit(node, [talked(plan, 1_000)], NOW))
        # Whoever holds the campaign gets at the balance: it is not what he would wait for.
        await planner.execute("set local lock_timeout = '1s'")
        await planner.execute("insert into balance values ($1, 0)", house.account)
        await planning.commit()
    await closing

    assert await states(house, campaign) == [("paused", "no_balance")]
    assert await balance(house) == -1


@pytest.mark.parametrize("kind", [EntryKind.DEDUCTION, EntryKind.ZEROING])
async def test_taking_the_money_away_pauses_too(house: PostgresHouse, kind: EntryKind) -> None:
    await set_price(house, "1")
    await recharge(house, 7)
    campaign = await house.campaign()

    async with PostgresStore(house.pool).writing() as session:
        if kind is EntryKind.ZEROING:
            assert await session.ledger.zero(house.account, "r", "me", NOW) == 7
        else:
            assert await session.ledger.enter(house.account, kind, Decimal(-7), "r", "me", NOW) == 0

    assert await states(house, campaign) == [("paused", "no_balance")]
    assert await rows(house.pool, "select amount, remark, done_by from ledger where kind = $1", kind) == [
        (-7, "r", "me")
    ]


async def test_a_balance_of_zero_is_zeroed_without_an_entry(house: PostgresHouse) -> None:
    async with PostgresStore(house.pool).writing() as session:
        assert await session.ledger.zero(house.account, None, "me", NOW) == 0
    assert await rows(house.pool, "select from ledger") == []


async def test_a_price_that_comes_later_pauses_what_cannot_pay_it(house: PostgresHouse) -> None:
    campaign = await house.campaign()

    async def price(value: str) -> None:
        async with PostgresStore(house.pool).writing() as session:
            await session.trunks.allocate(house.trunk, house.account, 10, None, Decimal(value), None, None, NOW)

    await recharge(house, 1)
    await price("0.5")
    assert await states(house, campaign) == [("running", None)]
    async with PostgresStore(house.pool).writing() as session:
        await session.trunks.allocate(house.trunk, house.account, 10, None, None, 30, None, NOW)
    assert await rows(house.pool, "select price, billing_unit_s from trunk_allocation") == [(Decimal("0.5"), 30)]

    await house.pool.execute("update balance set amount = 0")
    await price("0.4")
    assert await states(house, campaign) == [("paused", "no_balance")]


async def test_a_completed_campaign_that_gets_contacts_runs_again_only_if_it_can_pay(house: PostgresHouse) -> None:
    await set_price(house, "1")
    campaign = await house.campaign()
    for money, state in ((0, ("paused", "no_balance")), (5, ("running", None))):
        await house.pool.execute("update campaign set state = 'completed', pause_reason = null")
        if money:
            await recharge(house, money)
        await house.contacts(campaign.id, [f"1380000010{money}"])
        assert await states(house, campaign) == [state]


# Who may use a trunk


async def test_a_trunk_that_was_taken_away_carries_no_further_call(house: PostgresHouse, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, node, campaign)).contacts
    allocation = await house.pool.fetchval("select id from trunk_allocation")

    async with PostgresStore(house.pool).writing() as session:
        assert await session.trunks.withdraw(house.account, allocation, NOW)

    plan = planned(campaign, anna)
    assert await house.store.commit(node, [plan], NOW) == [AttemptRefused(plan.attempt, Refusal.NO_TRUNK)]
    (known,) = (await house.store.world()).plans
    assert known.trunks == ()


async def test_an_allocation_whose_time_is_up_carries_no_further_call(house: PostgresHouse, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, node, campaign)).contacts
    await house.pool.execute("update trunk_allocation set deadline_at = $1", datetime(2026, 1, 1, tzinfo=UTC))

    plan = planned(campaign, anna)
    assert await house.store.commit(node, [plan], NOW) == [AttemptRefused(plan.attempt, Refusal.NO_TRUNK)]


async def test_an_allocation_bound_to_agents_is_for_their_campaigns_only(house: PostgresHouse) -> None:
    agents = [
        await house.pool.fetchval(
            "insert into agent (account_id, kind, name) values ($1, 'script', 'A') returning id", house.account
        )
        for _ in range(2)
    ]
    campaigns = [await house.campaign(agent_id=agent) for agent in agents]
    allocation = await house.pool.fetchval("select id from trunk_allocation")

    async def shown() -> dict[str, int]:
        return {plan.id: len(plan.trunks) for plan in (await house.store.world()).plans}

    async with PostgresStore(house.pool).writing() as session:
        assert await session.trunks.bind(house.account, allocation, frozenset([agents[0]]))
    assert await shown() == {campaigns[0].id: 1, campaigns[1].id: 0}

    async with PostgresStore(house.pool).writing() as session:
        assert await session.trunks.bind(house.account, allocation, None)
    assert await shown() == {campaigns[0].id: 1, campaigns[1].id: 1}


# What was there before


async def test_calls_count_on_the_day_in_china_on_which_they_ended(house: PostgresHouse, node: NodeId) -> None:
    campaign = await house.campaign()
    # A minute before midnight in China.
    at = int(datetime(2026, 3, 2, 15, 59, tzinfo=UTC).timestamp() * 1000)
    for phone, talk_ms in ((ANNA, 58_000), (BO, 59_500)):
        await house.contacts(campaign.id, [phone])
        (contact,) = (await claim(house, node, campaign, 1, new_first=True)).contacts
        plan = planned(campaign, contact, at)
        await house.store.commit(node, [plan], NOW)
        await house.store.commit(node, [talked(plan, talk_ms)], NOW)

    assert await rows(house.pool, "select day, answered, talk_ms from trunk_usage order by day") == [
        (date(2026, 3, 2), 1, 58_000),
        (date(2026, 3, 3), 1, 59_500),
    ]


async def test_a_state_that_is_not_running_is_left_alone(house: PostgresHouse, node: NodeId) -> None:
    await set_price(house, "1")
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)
    await house.set_state(campaign.id, CampaignState.PAUSED)

    await house.store.commit(node, [talked(plan, 1_000)], NOW)

    assert await states(house, campaign) == [("paused", "user")]
