"""The figures of `/metrics`, against the rows that they are about."""

import pytest
from houses import PostgresHouse
from test_dialing_store import ANNA, BO, CARL, NOW, SILENT_MS, claim, closed, dial, in_ten_minutes, planned

from waihu.adapters.postgres.health import trunk_figures, work_figures
from waihu.adapters.postgres.pool import Pool
from waihu.dialing.records import AttemptAnswered, AttemptWithdrawn
from waihu.domain.campaign import CampaignState
from waihu.domain.outcome import Outcome


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


async def test_calls_of_all_engines_are_counted_once(house: PostgresHouse) -> None:
    here, there = await house.store.join("here", NOW), await house.store.join("there", NOW)
    campaign = await house.campaign()
    answered = await dial(house, here, campaign, ANNA)
    talk = closed(answered, Outcome.ANSWERED, answered_at=NOW + 1_000, at=NOW + 62_000)
    await house.store.commit(here, [talk], NOW)
    await house.store.commit(here, [talk], NOW)
    failed = await dial(house, there, campaign, BO)
    await house.store.commit(there, [closed(failed, Outcome.TRUNK_ERROR)], NOW)
    gone = await dial(house, there, campaign, CARL)
    await house.store.commit(there, [AttemptAnswered(gone.attempt, NOW)], NOW)
    later = NOW + SILENT_MS
    await house.store.beat(here, later)
    await house.store.bury(here, [gone.attempt], SILENT_MS, later)
    back = await dial(house, here, campaign, "13800000004")
    await house.store.commit(
        here, [AttemptWithdrawn(back.attempt, back.contact, campaign.id, NOW, in_ten_minutes())], NOW
    )

    figures = await work_figures(house.pool)

    assert (figures.attempts, figures.answered, figures.trunk_errors) == (3, 2, 1)
    assert figures.talk_s == 61 + SILENT_MS / 1000
    assert await house.pool.fetchval("select count(*) from attempt where state = 'closed'") == 3


async def test_contacts_wait_while_their_campaign_runs(house: PostgresHouse) -> None:
    node = await house.store.join("here", NOW)
    running, paused, gone = [await house.campaign() for _ in range(3)]
    for campaign in (running, paused, gone):
        await house.contacts(campaign.id, [ANNA, BO])
    await house.set_state(paused.id, CampaignState.PAUSED)
    await house.pool.execute("update campaign set deleted_at = now() where id = $1", gone.id)
    (anna, _) = (await claim(house, node, running)).contacts
    plan = planned(running, anna)
    await house.store.commit(node, [plan], NOW)
    await house.store.commit(node, [closed(plan)], NOW)

    figures = await work_figures(house.pool)

    assert (figures.running, figures.waiting) == (1, 1)


async def test_calls_on_a_trunk_are_those_that_are_open(house: PostgresHouse) -> None:
    node = await house.store.join("here", NOW)
    idle = await house.pool.fetchval(
        "insert into trunk (name, host, channels_max, cps_max) values ('Idle', '127.0.0.1', 5, 1) returning id::text"
    )
    campaign = await house.campaign()
    over = await dial(house, node, campaign, ANNA)
    await house.store.commit(node, [closed(over)], NOW)
    for phone in (BO, CARL):
        await dial(house, node, campaign, phone)

    figures = await trunk_figures(house.pool)

    assert {each.id: each.in_use for each in figures} == {house.trunk: 2, idle: 0}
