"""What an engine writes about a few contacts touches those few, however many others are claimed or being called.

Counted as PostgreSQL counts; time has no part in it.
"""

from collections.abc import Callable

import pytest
from houses import PostgresHouse
from test_dialing_store import NOW, closed, in_ten_minutes, planned

from waihu.adapters.postgres.commit import SQL, commit_records
from waihu.adapters.postgres.pool import Connection, Pool
from waihu.dialing.records import (
    AttemptAnswered,
    AttemptPlanned,
    AttemptWithdrawn,
    ContactFinished,
    ContactHeld,
    ContactReleased,
    Record,
)
from waihu.domain.campaign import CampaignPlan
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import ContactId, NodeId
from waihu.domain.outcome import Outcome

CLAIMED, CALLED, BATCH = 4_000, 2_000, 5
TOUCHED_MAX = 8 * BATCH
"""Of queue, attempt and contact together: each contact of a batch is looked up in all of them."""

Write = Callable[[AttemptPlanned], Record]


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


@pytest.fixture
async def crowd(house: PostgresHouse) -> tuple[NodeId, CampaignPlan, list[AttemptPlanned]]:
    """A node that has claimed thousands of contacts and is calling half of them, and its plans: first the calls, then
    those to come. The planner last looked when nothing was claimed.
    """
    node, campaign = await house.store.join("here", NOW), await house.campaign()
    await house.pool.execute(
        "insert into contact (campaign_id, position, key) "
        "select $1, n, 13000000000 + n from generate_series(1, $2::int) n",
        campaign.id,
        CLAIMED,
    )
    await house.pool.execute("insert into queue select id, campaign_id, 0, position from contact")
    await house.pool.execute("vacuum analyze queue, attempt, contact")
    await house.pool.execute("update queue set node_id = $1", node)
    contacts = [
        DueContact(ContactId(row["id"]), row["phone"])
        for row in await house.pool.fetch("select id, phone from contact order by id")
    ]
    plans = [planned(campaign, contact) for contact in contacts]
    async with house.pool.acquire() as connection, connection.transaction():
        assert not await commit_records(connection, node, plans[:CALLED], NOW)
    return node, campaign, plans


async def touched(connection: Connection) -> int:
    """Entries of the large tables and their indexes that this connection has been through; within a transaction, a
    difference is exact.
    """
    counted: int = await connection.fetchval(
        """select sum(pg_stat_get_xact_tuples_returned(c.oid))::bigint
           from pg_class c left join pg_index i on i.indexrelid = c.oid
           where coalesce(i.indrelid, c.oid) in ('queue'::regclass, 'attempt'::regclass, 'contact'::regclass)"""
    )
    return counted


HOLD = Hold(HoldReason.DAILY_CAP, NOW + 1)


@pytest.mark.parametrize(
    ("write", "of_calls"),
    [
        pytest.param(lambda plan: plan, False, id="plan"),
        pytest.param(lambda plan: ContactReleased(plan.contact, plan.campaign), False, id="release"),
        pytest.param(lambda plan: ContactHeld(plan.contact, plan.campaign, HOLD), False, id="hold"),
        pytest.param(
            lambda plan: ContactFinished(plan.contact, plan.campaign, Outcome.DO_NOT_CALL), False, id="finish"
        ),
        pytest.param(lambda plan: AttemptAnswered(plan.attempt, NOW), True, id="answer"),
        pytest.param(
            lambda plan: AttemptWithdrawn(plan.attempt, plan.contact, plan.campaign, NOW, HOLD), True, id="withdraw"
        ),
        pytest.param(lambda plan: closed(plan, retry=None), True, id="close"),
        pytest.param(lambda plan: closed(plan, retry=in_ten_minutes()), True, id="close and wait"),
    ],
)
async def test_a_batch_touches_its_own_rows_only(
    house: PostgresHouse, crowd: tuple[NodeId, CampaignPlan, list[AttemptPlanned]], write: Write, of_calls: bool
) -> None:
    node, _, plans = crowd
    plans = plans[:CALLED] if of_calls else plans[CALLED:]
    async with house.pool.acquire() as connection:
        # A statement that comes often is planned for values that are not known: from the sixth time on.
        for turn in range(8):
            batch = [write(plan) for plan in plans[turn * BATCH : (turn + 1) * BATCH]]
            async with connection.transaction():
                before = await touched(connection)
                assert not await commit_records(connection, node, batch, NOW + 60_000)
                assert 0 < await touched(connection) - before <= TOUCHED_MAX


async def test_what_a_campaign_does_is_told_without_walking_what_is_claimed(
    house: PostgresHouse, crowd: tuple[NodeId, CampaignPlan, list[AttemptPlanned]]
) -> None:
    _, campaign, _ = crowd
    other = await house.store.join("there", NOW)
    async with house.pool.acquire() as connection:
        for _ in range(8):
            async with connection.transaction():
                before = await touched(connection)
                await SQL["phase"].run(
                    connection,
                    node=other,
                    campaigns=[campaign.id],
                    phases=["waiting_retry"],
                    reasons=["retry_delay"],
                    untils=[None],
                )
                assert await touched(connection) - before <= TOUCHED_MAX
    assert (await house.look(campaign.id)).phase is None, "the other node has calls, and speaks for the campaign"
