"""The do-not-call list: kept, asked, and obeyed by the next plan."""

from datetime import date
from typing import Any

import pytest
from agent_world import NOON, Tenant

from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool
from waihu.dialing.events import AttemptRefused, Refusal
from waihu.dialing.records import AttemptPlanned, ContactFinished
from waihu.domain.ids import AttemptId, CampaignId
from waihu.domain.outcome import Outcome

pytestmark = pytest.mark.ours

ANNA, BEN = "13012121211", "13012121212"


async def forbid(tenant: Tenant, *phones: str, **fields: Any) -> dict[str, Any]:
    return dict(await tenant.ask("POST", "/user/{user}/do-not-call", {"phones": list(phones), **fields}))


async def listed(tenant: Tenant, **query: Any) -> list[str]:
    return [row["phone"] for row in (await tenant.ask("GET", "/user/{user}/do-not-call", **query))["data"]]


async def test_numbers_come_and_go(tenant: Tenant) -> None:
    first = await forbid(tenant, "+86 130-1212-1211", BEN, BEN, source="投诉")
    again = await forbid(tenant, ANNA)

    assert first["data"] == {"total": 3, "success": 2, "known": 0, "fail": 0}
    assert again["data"] == {"total": 1, "success": 0, "known": 1, "fail": 0}
    assert await listed(tenant) == [ANNA, BEN]
    assert await listed(tenant, keyword="1212") == [ANNA, BEN]
    assert await listed(tenant, keyword="12121212") == [BEN]
    assert await listed(tenant, per_page=1, page=2) == [BEN]
    removed = await tenant.ask("DELETE", "/user/{user}/do-not-call", {"phones": ["130 1212 1211", "13099999999"]})
    assert removed["data"] == {"removed": 1}
    assert await listed(tenant) == [BEN]


async def test_one_wrong_number_fails_all_unless_it_is_to_be_skipped(tenant: Tenant) -> None:
    refused = await forbid(tenant, ANNA, "没有号码")
    skipped = await forbid(tenant, ANNA, "没有号码", skip_error=True)

    assert (refused["code"], refused["message"]) == (422, {"phones.1": ["号码格式不正确"]})
    assert skipped["data"] == {"total": 2, "success": 1, "known": 0, "fail": 1}


@pytest.mark.parametrize("phones", [[], ["13012121211"] * 1001])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_how_many_numbers_one_call_takes(tenant: Tenant, phones: list[str], method: str) -> None:
    answer = await tenant.ask(method, "/user/{user}/do-not-call", {"phones": phones})

    assert (answer["code"], list(answer["message"])) == (422, ["phones"])


async def test_a_number_is_asked_about(tenant: Tenant) -> None:
    await forbid(tenant, ANNA, source="投诉")
    sub = await tenant.add_sub_account()

    known = (await tenant.ask("GET", f"/user/{{user}}/do-not-call/{ANNA}"))["data"]
    unknown = (await tenant.ask("GET", f"/user/{{user}}/do-not-call/{BEN}"))["data"]
    of_sub = (await tenant.ask("GET", f"/user/{{user}}/do-not-call/{ANNA}", sub_user_id=sub))["data"]
    no_number = await tenant.raw("GET", "/user/{user}/do-not-call/x")

    assert known == {"phone": ANNA, "blocked": True, "source": "投诉", "created_at": "2026-03-04 12:00:00"}
    assert unknown == {"phone": BEN, "blocked": False, "source": None, "created_at": None}
    assert of_sub["blocked"]
    assert no_number.status_code == 422


async def test_each_account_has_its_own(tenant: Tenant, stranger: Tenant) -> None:
    await forbid(tenant, ANNA)

    assert await listed(stranger) == []
    await stranger.ask("DELETE", "/user/{user}/do-not-call", {"phones": [ANNA]})
    assert await listed(tenant) == [ANNA]


async def test_a_running_task_finishes_with_the_number_instead_of_calling_it(
    tenant: Tenant, line: str, pool: Pool
) -> None:
    """What an engine does: it has claimed both, plans both, and one is refused."""
    task = await tenant.make_v2(line, maximumcall=2)
    await tenant.ask(
        "POST", f"/user/{{user}}/task/{task}/number", {"data": [{"phone": ANNA, "sort": 0}, {"phone": BEN, "sort": 0}]}
    )
    await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")
    store = PostgresDialingStore(pool)
    node = await store.join("engine", NOON)
    (plan,) = (await store.world()).plans
    claimed = (await store.claim(node, CampaignId(task), 2, True, NOON)).contacts

    await forbid(tenant, ANNA)
    plans = [
        AttemptPlanned(
            attempt=AttemptId(f"00000000-0000-0000-0000-00000000000{place}"),
            contact=contact.id,
            campaign=plan.id,
            account=plan.account,
            trunk=plan.trunks[0].trunk,
            phone=contact.phone,
            number=1,
            day=date(2026, 3, 4),
            daily_cap=None,
            at=NOON,
        )
        for place, contact in enumerate(claimed, start=1)
    ]
    refused = await store.commit(node, plans, NOON)
    assert refused == [AttemptRefused(plans[0].attempt, Refusal.DO_NOT_CALL)]
    await store.commit(node, [ContactFinished(claimed[0].id, plan.id, Outcome.DO_NOT_CALL)], NOON)

    numbers = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/number"))["data"]
    assert [(row["number"], row["status"], row["status_str"], row["time"]) for row in numbers] == [
        (ANNA, 11, "黑名单", 0),
        (BEN, 0, "等待呼叫", 1),
    ]


async def test_a_number_on_the_list_does_not_come_into_a_task(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)
    await forbid(tenant, ANNA)

    answer = await tenant.ask("POST", f"/user/{{user}}/task/{task}/number", {"data": [{"phone": ANNA, "sort": 0}]})

    assert answer["message"] == {"data.0.phone": ["号码在黑名单中"]}
