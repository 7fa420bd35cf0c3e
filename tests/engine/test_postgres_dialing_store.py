"""What only the real database can show: locks between transactions, lost answers, and the rows others read."""

import asyncio
from collections.abc import Awaitable
from datetime import date
from typing import Any

import asyncpg
import pytest
from houses import PostgresHouse
from lossy_proxy import LossyProxy
from test_dialing_store import (
    ANNA,
    BO,
    CARL,
    NOW,
    SILENT_MS,
    TODAY,
    claim,
    closed,
    dial,
    ids,
    in_ten_minutes,
    planned,
)

from waihu.adapters.postgres.commit import commit_records
from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.adapters.postgres.queries import load
from waihu.dialing.events import AttemptRefused, Refusal
from waihu.dialing.records import AttemptAnswered, CampaignCompleted, ContactFinished, ContactHeld
from waihu.domain.campaign import EndAction
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import CampaignId, ContactId, NodeId, attempt_id
from waihu.domain.outcome import Ending, Outcome
from waihu.ports.dialing_store import Speaker, StoreUnavailable, Turn


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


@pytest.fixture
async def node(house: PostgresHouse) -> NodeId:
    return await house.store.join("here", NOW)


@pytest.fixture
async def other(house: PostgresHouse) -> NodeId:
    return await house.store.join("there", NOW)


async def until_waiting(pool: Pool, work: Awaitable[Any]) -> asyncio.Future[Any]:
    """Starts `work` and returns when it waits for a lock in the database."""
    running = asyncio.ensure_future(work)
    while not await pool.fetchval(
        "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())"
    ):
        assert not running.done(), running.result()
        await asyncio.sleep(0.01)
    return running


async def rows(pool: Pool, query: str, *values: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await pool.fetch(query, *values)]


@pytest.mark.parametrize("file", ["hot_path.sql", "contact_import.sql", "money.sql", "callbacks.sql"])
async def test_every_statement_is_valid(pool: Pool, file: str) -> None:
    statements = load(file)
    async with pool.acquire() as connection:
        if "stage" in statements:
            await statements["stage"].run(connection)
        for query in statements.values():
            await connection.prepare(query.text)


# Locks


async def test_a_pause_that_is_committed_first_wins_over_a_plan(house: PostgresHouse, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, node, campaign)).contacts
    plan = planned(campaign, anna)

    async with house.pool.acquire() as user:
        pause = user.transaction()
        await pause.start()
        await user.execute("update campaign set state = 'paused' where id = $1", campaign.id)
        committing = await until_waiting(house.pool, house.store.commit(node, [plan], NOW))
        await pause.commit()

    assert await committing == [AttemptRefused(plan.attempt, Refusal.STOPPED)]
    assert await house.attempt(plan.attempt) is None


async def test_a_pause_waits_for_the_plan_that_is_being_committed(house: PostgresHouse, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, node, campaign)).contacts
    plan = planned(campaign, anna)

    async with house.pool.acquire() as engine:
        commit = engine.transaction()
        await commit.start()
        assert await commit_records(engine, node, [plan], NOW) == []
        pausing = await until_waiting(
            house.pool, house.pool.execute("update campaign set state = 'paused' where id = $1", campaign.id)
        )
        await commit.commit()

    await pausing
    assert await house.attempt(plan.attempt) == "planned"


async def test_a_plan_that_is_being_committed_while_its_node_is_buried_keeps_its_contact(
    house: PostgresHouse, node: NodeId, other: NodeId
) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA, BO])
    claimed = await claim(house, other, campaign)
    plan = planned(campaign, claimed.contacts[0])
    later = NOW + SILENT_MS

    async with house.pool.acquire() as sleeper:
        commit = sleeper.transaction()
        await commit.start()
        assert await commit_records(sleeper, other, [plan], later) == []
        burying = await until_waiting(house.pool, house.store.bury(node, [], SILENT_MS, later))
        await commit.commit()
    await burying

    # The call may be on its way, so nobody else gets the contact before it is accounted for.
    assert ids(await claim(house, node, campaign, now=later)) == [claimed.contacts[1].id]
    assert [orphan.attempt for orphan in await house.store.orphans(node, later, SILENT_MS)] == [plan.attempt]

    await house.store.bury(node, [plan.attempt], SILENT_MS, later)
    assert (await house.contact(plan.contact)).outcome is Outcome.UNKNOWN


async def test_contacts_being_added_keep_a_campaign_from_completing(house: PostgresHouse, node: NodeId) -> None:
    campaign = await house.campaign()
    async with house.pool.acquire() as user:
        adding = user.transaction()
        await adding.start()
        await user.execute("update campaign set arrivals = arrivals + 1 where id = $1", campaign.id)
        await user.execute("insert into queue values (1, $1, 0, 1, null)", campaign.id)
        record = CampaignCompleted(campaign.id, EndAction.NONE)
        completing = await until_waiting(house.pool, house.store.commit(node, [record], NOW))
        await adding.commit()
    await completing

    assert (await house.look(campaign.id)).state == "running"


async def test_many_nodes_at_once_neither_dial_twice_nor_beyond_the_daily_cap(house: PostgresHouse) -> None:
    cap = 2
    campaigns = [await house.campaign(daily_cap=cap) for _ in range(3)]
    phones = [f"138000000{number:02}" for number in range(20)]
    for campaign in campaigns:
        await house.contacts(campaign.id, phones)

    async def engine(name: str) -> None:
        node = await house.store.join(name, NOW)
        for turn in range(12):
            campaign = campaigns[turn % len(campaigns)]
            claimed = await claim(house, node, campaign, 7, now=NOW + turn)
            plans = [planned(campaign, contact) for contact in claimed.contacts]
            refusals = {r.attempt: r.refusal for r in await house.store.commit(node, plans, NOW)}
            assert set(refusals.values()) <= {Refusal.DAILY_CAP}
            records = []
            for plan in plans:
                if plan.attempt in refusals:
                    records.append(ContactHeld(plan.contact, campaign.id, Hold(HoldReason.DAILY_CAP, NOW)))
                else:
                    records.append(closed(plan, Outcome.BUSY, Hold(HoldReason.RETRY_DELAY, NOW)))
            await house.store.commit(node, records, NOW)

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(engine(f"engine {number}"))

    counted = await rows(house.pool, "select phone, count(*) from attempt group by phone order by phone")
    assert counted == [(phone, cap) for phone in phones]
    assert await rows(house.pool, "select distinct calls from phone_day") == [(cap,)]
    assert await rows(house.pool, "select count(*) from queue where node_id is null") == [(60,)]


# Lost answers


async def test_a_commit_whose_answer_was_lost_can_be_repeated(
    house: PostgresHouse, node: NodeId, database_url: str
) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, node, campaign)).contacts
    plan = planned(campaign, anna)

    async with LossyProxy(database_url) as road, await open_pool(road.url) as pool:
        store = PostgresDialingStore(pool)
        road.lose_answer_to(b"COMMIT;")
        with pytest.raises(StoreUnavailable):
            await store.commit(node, [plan], NOW)
        assert await house.attempt(plan.attempt) == "planned", "it was committed, only nobody heard of it"

        assert await store.commit(node, [plan], NOW) == []
    assert await house.calls_counted(ANNA, TODAY) == 1


async def test_contacts_claimed_under_a_lost_answer_come_with_the_next_claim(
    house: PostgresHouse, node: NodeId, database_url: str
) -> None:
    campaign = await house.campaign()
    contacts = await house.contacts(campaign.id, [ANNA, BO])

    async with LossyProxy(database_url) as road, await open_pool(road.url) as pool:
        lossy = replace_store(house, PostgresDialingStore(pool))
        road.lose_answer_to(b"COMMIT;")
        with pytest.raises(StoreUnavailable):
            await claim(lossy, node, campaign)
        assert ids(await claim(house, node, campaign)) == [], "the claim was committed"

        assert ids(await claim(lossy, node, campaign)) == contacts
        assert ids(await claim(lossy, node, campaign)) == []


def replace_store(house: PostgresHouse, store: PostgresDialingStore) -> PostgresHouse:
    copy = PostgresHouse(house.pool)
    copy.store, copy.account, copy.trunk = store, house.account, house.trunk
    return copy


async def test_a_store_that_cannot_be_reached_says_so(house: PostgresHouse, node: NodeId, database_url: str) -> None:
    async with LossyProxy(database_url) as road:
        pool = await open_pool(road.url)
    store = PostgresDialingStore(pool)

    for attempt in (lambda: store.beat(node, NOW), store.world, lambda: store.commit(node, [], NOW)):
        with pytest.raises(StoreUnavailable):
            await attempt()
    pool.terminate()


async def test_a_session_that_is_killed_in_the_midst_of_a_commit_makes_the_store_unavailable(
    house: PostgresHouse, node: NodeId
) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    async with house.pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("select from attempt where id = $1 for update", plan.attempt)
        committing = await until_waiting(house.pool, house.store.commit(node, [closed(plan)], NOW))
        await house.pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
        )
        with pytest.raises(StoreUnavailable):
            await committing

    await house.store.commit(node, [closed(plan)], NOW)
    assert await house.attempt(plan.attempt) == "closed"


async def test_a_database_that_does_not_answer_in_time_is_unavailable(
    house: PostgresHouse, node: NodeId, database_url: str
) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    async with (
        await open_pool(database_url, timeout_s=0.05) as pool,
        house.pool.acquire() as blocker,
        blocker.transaction(),
    ):
        await blocker.execute("select from attempt where id = $1 for update", plan.attempt)
        with pytest.raises(StoreUnavailable):
            await PostgresDialingStore(pool).commit(node, [closed(plan)], NOW)


async def test_a_mistake_of_ours_is_not_called_unavailable(house: PostgresHouse, node: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    with pytest.raises(asyncpg.DataError):
        await house.store.commit(node, [closed(plan, ending=Ending(sip_code=1_000_000))], NOW)


# Main accounts and sub-accounts


async def test_a_main_accounts_do_not_call_list_holds_for_its_sub_accounts(house: PostgresHouse, node: NodeId) -> None:
    sub = await house.sub_account()
    campaign = await house.campaign(account=sub)
    await house.contacts(campaign.id, [ANNA, BO])
    plans = [planned(campaign, contact) for contact in (await claim(house, node, campaign)).contacts]
    await house.forbid(ANNA)
    await house.pool.execute("insert into do_not_call (account_id, phone) values ($1, $2)", sub, BO)

    assert [refused.refusal for refused in await house.store.commit(node, plans, NOW)] == [Refusal.DO_NOT_CALL] * 2


async def test_a_sub_accounts_calls_count_for_its_main_account(house: PostgresHouse, node: NodeId) -> None:
    sub = await house.sub_account()
    await dial(house, node, await house.campaign(account=sub), ANNA)
    campaign = await house.campaign(daily_cap=1)
    await house.contacts(campaign.id, [ANNA])

    (anna,) = (await claim(house, node, campaign)).contacts

    assert anna.calls_today == 1
    assert await house.calls_counted(ANNA, TODAY) == 1


async def test_the_day_of_a_call_is_the_day_in_the_campaigns_zone(house: PostgresHouse, node: NodeId) -> None:
    hours = await house.pool.fetchval(
        "insert into calling_hours (account_id, name, week, zone) "
        "values ($1, 'h', $2, 'America/New_York') returning id",
        house.account,
        [[[0, 1440]]] * 7,
    )
    campaign = await house.campaign(calling_hours_id=hours)
    await house.contacts(campaign.id, [ANNA])
    await house.pool.execute("insert into phone_day values ($1, $2, $3, 4)", house.account, date(2026, 3, 1), ANNA)

    (anna,) = (await claim(house, node, campaign)).contacts

    assert anna.calls_today == 4


# Rows that others read


async def test_counters_say_how_far_a_campaign_is(house: PostgresHouse, node: NodeId) -> None:
    campaign = await house.campaign()
    talk, fault, busy = [await dial(house, node, campaign, phone) for phone in (ANNA, BO, CARL)]
    (dan,) = await house.contacts(campaign.id, ["13800000004"])
    await claim(house, node, campaign)
    records = [
        AttemptAnswered(talk.attempt, NOW + 1000),
        closed(talk, Outcome.ANSWERED, answered_at=NOW + 1000, at=NOW + 31_500),
        closed(fault, Outcome.TRUNK_ERROR),
        closed(busy, Outcome.BUSY, in_ten_minutes()),
        ContactFinished(dan, campaign.id, Outcome.DO_NOT_CALL),
    ]

    await house.store.commit(node, records, NOW)
    await house.store.commit(node, records, NOW)

    counted = await rows(
        house.pool,
        "select sum(contacts), sum(finished) from campaign_stat where campaign_id = $1",
        campaign.id,
    )
    assert counted == [(4, 3)]
    used = await rows(
        house.pool,
        "select trunk_id::text, day, attempts, answered, trunk_errors, talk_ms, units from trunk_usage "
        "where campaign_id = $1",
        campaign.id,
    )
    assert used == [(house.trunk, TODAY, 3, 1, 1, 30_500, 1)]


async def test_an_attempt_keeps_the_evidence(house: PostgresHouse, node: NodeId) -> None:
    plan = await dial(house, node, await house.campaign(), ANNA)
    ending = Ending(sip_code=486, q850=17, announcement=Outcome.BUSY, timed_out=True)

    await house.store.commit(node, [closed(plan, ending=ending, ringing_at=NOW + 200)], NOW)

    assert await rows(
        house.pool,
        "select outcome, sip_code, q850, announcement, timed_out, hung_up_by, ringing_at - placed_at from attempt",
    ) == [("busy", 486, 17, "busy", True, None, (await house.pool.fetchval("select interval '100 ms'")))]


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        ({}, ["answered", "busy"]),
        ({"call_notify_type": 2}, ["answered", "busy"]),
        ({"call_notify_type": "1"}, ["busy"]),
        ({"call_notify_type": 0}, []),
    ],
)
async def test_whoever_wants_to_hear_of_calls_is_told_of_each_once(
    house: PostgresHouse, node: NodeId, wire: dict[str, Any], told: list[str]
) -> None:
    await house.pool.execute("update account set callback_url = 'http://127.0.0.1:9/calls'")
    campaign = await house.campaign(account=await house.sub_account(), wire=wire)
    talk, busy = [await dial(house, node, campaign, phone) for phone in (ANNA, BO)]
    records = [closed(talk, Outcome.ANSWERED), closed(busy, Outcome.BUSY, in_ten_minutes())]

    await house.store.commit(node, records, NOW)
    await house.store.commit(node, records, NOW)

    outcomes = await rows(
        house.pool,
        "select a.outcome from callback b join attempt a on a.id = (b.body ->> 'attempt')::uuid "
        "where b.kind = 'call_finished' and b.url = 'http://127.0.0.1:9/calls' order by a.outcome",
    )
    assert [outcome for (outcome,) in outcomes] == told


async def test_nobody_is_told_where_nobody_asked(house: PostgresHouse, node: NodeId) -> None:
    await house.pool.execute("update account set callback_url = ''")
    plan = await dial(house, node, await house.campaign(), ANNA)

    await house.store.commit(node, [closed(plan)], NOW)

    assert await rows(house.pool, "select * from callback") == []


async def test_a_lost_call_is_told_too(house: PostgresHouse, node: NodeId, other: NodeId) -> None:
    await house.pool.execute("update account set callback_url = 'http://127.0.0.1:9/calls'")
    plan = await dial(house, other, await house.campaign(), ANNA)

    await house.store.bury(node, [plan.attempt], SILENT_MS, NOW + SILENT_MS)

    assert await rows(house.pool, "select body ->> 'attempt' from callback") == [(plan.attempt,)]


@pytest.mark.parametrize("action", EndAction)
async def test_a_completed_campaign_keeps_its_channels_only_where_it_says_so(
    house: PostgresHouse, node: NodeId, action: EndAction
) -> None:
    campaign = await house.campaign(end_action=action)

    await house.store.commit(node, [CampaignCompleted(campaign.id, action)], NOW)

    assert await rows(house.pool, "select state, keeps_channels from campaign") == [
        ("completed", action is EndAction.PAUSE_AND_KEEP)
    ]


# Talking


async def test_the_agent_gets_the_pinned_script_and_the_contacts_variables(house: PostgresHouse, node: NodeId) -> None:
    agent = await house.pool.fetchval(
        "insert into agent (account_id, kind, name, version) values ($1, 'script', 'A', 2) returning id", house.account
    )
    for version, greeting in ((1, "你好,{姓名}"), (2, "新的问候")):
        await house.pool.execute(
            "insert into agent_version (agent_id, version, definition) values ($1, $2, $3)",
            agent,
            version,
            {"greeting": greeting},
        )
    await house.pool.execute("update trunk set caller_id = '02100000000'")
    campaign = await house.campaign(agent_id=agent, agent_version=1)
    plan = await dial(house, node, campaign, ANNA)
    await house.pool.execute("update contact set name = '张三', variables = $1", {"公司": "河畔", "级别": "A"})

    sheet = await house.store.sheet(plan.attempt, NOW)

    assert sheet is not None
    assert (sheet.script, sheet.caller_id) == ({"greeting": "你好,{姓名}"}, "02100000000")
    names = {"姓名": "张三", "name": "张三", "公司": "河畔", "company": "河畔", "手机号": ANNA, "phone": ANNA}
    assert sheet.variables == {"级别": "A", **names}


async def test_an_unknown_attempt_has_no_call_sheet(house: PostgresHouse) -> None:
    assert await house.store.sheet(attempt_id(CampaignId("nowhere"), ContactId(1), 1), NOW) is None


async def test_a_talk_may_be_saved_again_with_more(house: PostgresHouse, node: NodeId) -> None:
    plan = await dial(house, node, await house.campaign(), ANNA)
    turns = [Turn("agent", "你好", 10), Turn("callee", "", 900, dtmf="1")]

    await house.store.save_talk(plan.attempt, turns[:1], None, None)
    await house.store.save_talk(plan.attempt, turns, "20260302/a.wav", Speaker(7, 2))
    await house.store.save_talk(plan.attempt, turns, None, None)

    assert await rows(house.pool, "select sequence, speaker, text, dtmf, at_ms from turn order by sequence") == [
        (1, "agent", "你好", None, 10),
        (2, "callee", "", "1", 900),
    ]
    kept = await rows(house.pool, "select recording, agent_id, agent_version from attempt")
    assert kept == [("20260302/a.wav", 7, 2)]


async def test_what_the_switch_says_of_a_trunk_is_kept(house: PostgresHouse) -> None:
    await house.store.save_trunk_status(house.trunk, True, "200 OK in 3 ms")

    assert await rows(house.pool, "select is_up, status_detail from trunk") == [(True, "200 OK in 3 ms")]
