"""What the engine writes down for receivers, in the transaction in which it happens: when it is due, and where to."""

from typing import Any

import pytest
from houses import PostgresHouse
from test_dialing_store import ANNA, BO, NOW, closed, dial

from waihu.adapters.postgres.commit import _TALK_STORED_MS
from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories.values import instant
from waihu.dialing.records import CampaignCompleted
from waihu.domain.campaign import EndAction
from waihu.domain.ids import NodeId
from waihu.domain.outcome import Outcome

MAIN, OWN, TASK = "http://127.0.0.1:9/main", "http://127.0.0.1:9/own", "http://127.0.0.1:9/task"


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


@pytest.fixture
async def node(house: PostgresHouse) -> NodeId:
    return await house.store.join("here", NOW)


async def written(house: PostgresHouse) -> list[Any]:
    return await house.pool.fetch("select * from callback order by id")


async def test_an_answered_call_is_told_when_its_talk_is_stored_and_the_others_at_once(
    house: PostgresHouse, node: NodeId
) -> None:
    await house.pool.execute("update account set callback_url = $1", MAIN)
    campaign = await house.campaign()
    talk, busy = [await dial(house, node, campaign, phone) for phone in (ANNA, BO)]

    await house.store.commit(node, [closed(busy, Outcome.BUSY), closed(talk, Outcome.ANSWERED)], NOW)

    due = {row["body"]["attempt"]: instant(row["due_at"]) for row in await written(house)}
    answered = {
        str(row["id"]): row["answered_at"] is not None
        for row in await house.pool.fetch("select id, answered_at from attempt")
    }
    assert due == {attempt: NOW + _TALK_STORED_MS * talked for attempt, talked in answered.items()}
    assert {instant(row["created_at"]) for row in await written(house)} == {NOW}


@pytest.mark.parametrize(
    ("wire", "own", "url", "is_subs"),
    [
        ({}, None, MAIN, False),
        ({}, OWN, OWN, True),
        ({"call_notify_url": TASK}, OWN, TASK, True),
        ({"call_notify_url": TASK}, None, TASK, True),
        ({"call_notify_url": ""}, None, MAIN, False),
        ({"call_notify_url": None}, OWN, OWN, True),
    ],
)
async def test_the_nearest_address_is_told_and_owned(
    house: PostgresHouse, node: NodeId, wire: dict[str, Any], own: str | None, url: str, is_subs: bool
) -> None:
    sub = await house.sub_account()
    await house.pool.execute("update account set callback_url = $2 where id = $1", house.account, MAIN)
    await house.pool.execute("update account set callback_url = $2 where id = $1", sub, own)
    plan = await dial(house, node, await house.campaign(account=sub, wire=wire), ANNA)

    await house.store.commit(node, [closed(plan, Outcome.BUSY)], NOW)

    (row,) = await written(house)
    assert (str(row["account_id"]), row["url"]) == (sub, url)
    assert str(row["owner_id"]) == (sub if is_subs else house.account)


@pytest.mark.parametrize("url", [TASK, "", None])
async def test_the_end_of_a_campaign_is_told_where_it_says(house: PostgresHouse, node: NodeId, url: str | None) -> None:
    await house.pool.execute("update account set callback_url = $1", MAIN)
    campaign = await house.campaign(wire={"call_stop_notify_url": url})

    for _ in range(2):
        await house.store.commit(node, [CampaignCompleted(campaign.id, EndAction.NONE)], NOW)

    told = [(row["kind"], row["url"], row["body"]) for row in await written(house)]
    body = {"campaign": campaign.id, "state": "completed", "reason": None}
    assert told == ([("campaign_stopped", TASK, body)] if url else [])
