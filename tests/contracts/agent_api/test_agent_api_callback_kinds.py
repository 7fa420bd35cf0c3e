"""What is told of tasks and of numbers, to whom, and that it is told only if it has happened."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from agent_world import StandingClock, Tenant
from callback_ear import Ear
from callback_sender import Sender
from seeded_calls import add_call

from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool
from waihu.application.signed_keys import LIFETIME_MS
from waihu.dialing.records import CampaignCompleted, CampaignPaused
from waihu.domain.campaign import EndAction, PauseReason
from waihu.domain.ids import CampaignId

ANNA, BO, CARL = "13012121211", "13012121212", "13012121213"

TASK_KEYS = {
    *("auto_recycle_rule_id", "call_pause_second", "caller_line_id", "customer_service_id", "destination_extension"),
    *("disable_dial_timegroup", "maximumcall", "name", "recycle_limit", "remark", "uuid", "user_id", "start"),
    *("start_str", "task_type", "enable_type", "create_datetime", "caller_line_name", "destination_extension_name"),
    *("username", "user_type", "outbound_group_time", "caller_line_time", "time_range"),
}
"""Those of the vendor's page, as far as it goes."""


@pytest.fixture
async def told(tenant: Tenant, ear: Ear) -> Tenant:
    """The tenant, who wants to hear."""
    await tenant.ask("PUT", "/user/{user}/callback", {"callback_url": ear.url})
    return tenant


async def add_numbers(tenant: Tenant, task: str, *phones: str, asynchronous: bool = False) -> Any:
    path = f"/user/{{user}}/task/{task}/{'async_number' if asynchronous else 'number'}"
    answer = await tenant.ask("POST", path, {"data": [{"phone": phone, "name": "", "sort": 0} for phone in phones]})
    assert answer["code"] == 200, answer
    return answer["data"]


@pytest.mark.documented
async def test_a_created_task_is_told_with_every_documented_key(
    told: Tenant, line: str, ear: Ear, sender: Sender
) -> None:
    task = await told.make_v2(line, remark="备注", extras={"interval_time": 10})

    await sender.send_all()

    (body,) = ear.bodies
    assert (body["type"], body["mode"]) == (1, "saas_web")
    data = body["task_data"]
    assert data.keys() >= TASK_KEYS
    assert data["uuid"] == task
    assert data["user_id"] == told.user_id
    assert (data["start"], data["start_str"]) == (0, "暂停")
    assert (data["call_pause_second"], data["maximumcall"], data["remark"]) == (10, 1, "备注")
    assert (data["caller_line_id"], data["caller_line_name"]) == (line, "线路一")
    assert (data["username"], data["user_type"]) == ("甲公司", 4)
    assert data["time_range"][0]["content"][0].keys() == {"week", "times"}
    assert data["time_range"][0]["content"][0]["times"][0].keys() == {"begin_time", "end_time"}


@pytest.mark.assumed
async def test_a_deleted_task_is_told_as_type_2(told: Tenant, line: str, ear: Ear, sender: Sender) -> None:
    task = await told.make_v1(line)
    await sender.send_all()

    assert (await told.ask("DELETE", f"/user/{{user}}/task/{task}"))["code"] == 200
    await sender.send_all()

    assert [body["type"] for body in ear.bodies] == [1, 2]
    assert ear.bodies[1]["task_data"]["uuid"] == task
    assert ear.bodies[1]["task_data"]["task_type"] == 1


@pytest.mark.assumed
async def test_a_copied_task_is_a_created_one(told: Tenant, line: str, ear: Ear, sender: Sender) -> None:
    task = await told.make_v2(line)
    copied = (await told.ask("GET", f"/new/user/{{user}}/copy/task/{task}"))["data"]["uuid"]

    await sender.send_all()

    assert [body["task_data"]["uuid"] for body in ear.bodies] == [task, copied]


@pytest.mark.ours
async def test_a_task_that_was_refused_is_not_told(told: Tenant, line: str, ear: Ear, sender: Sender) -> None:
    refused = await told.ask("POST", "/new/user/{user}/task", await told.body_v2(line, maximumcall=1000))

    await sender.send_all()

    assert refused["code"] == 422
    assert ear.told == []


@pytest.mark.assumed
async def test_a_sub_accounts_task_is_told_at_the_address_of_its_main_account(
    told: Tenant, line: str, ear: Ear, sender: Sender
) -> None:
    sub = await told.add_sub_account()
    init = (await told.ask("GET", "/new/user/{user}/task/create", sub_user_id=sub))["data"]
    own = {
        "destination_extension": init["outbound_group"][0]["id"],
        "dial_time_id": init["task_dial_times"][0]["id"],
    }
    await told.make_v2(line, sub_user_id=sub, **own)

    await sender.send_all()

    (body,) = ear.bodies
    assert body["task_data"]["user_id"] == sub
    assert body["task_data"]["user_type"] == 8
    assert ear.told[0].headers["webhook-signature"], "by the secret of whose address it is"


@pytest.mark.documented
async def test_one_number_is_told_in_the_push(told: Tenant, line: str, ear: Ear, sender: Sender) -> None:
    task = await told.make_v2(line)
    await sender.send_all()
    ear.told.clear()

    await add_numbers(told, task, ANNA)
    await sender.send_all()

    (body,) = ear.bodies
    assert len(body.pop("unique_id")) == 36
    assert body == {
        "type": "import_number",
        "mode": "single",
        "user_id": told.user_id,
        "task_id": task,
        "data": {"number": ANNA},
    }


@pytest.mark.documented
async def test_several_numbers_are_told_by_a_link_that_opens_without_a_token(
    told: Tenant, http: httpx.AsyncClient, line: str, ear: Ear, sender: Sender
) -> None:
    task = await told.make_v2(line)
    await sender.send_all()
    ear.told.clear()

    await add_numbers(told, task, ANNA, BO)
    await sender.send_all()

    (body,) = ear.bodies
    assert (body["type"], body["mode"], body["task_id"]) == ("import_number", "batch", task)
    url = body["data"]["url"]
    assert url.startswith("https://calls.example.com/agent-api/download-number?key=")
    answer = await http.get(url.removeprefix("https://calls.example.com"))
    assert answer.json() == {"numbers": [ANNA, BO]}


@pytest.mark.documented
async def test_deleted_numbers_are_told(
    told: Tenant, http: httpx.AsyncClient, line: str, ear: Ear, sender: Sender
) -> None:
    task = await told.make_v2(line)
    await add_numbers(told, task, ANNA, BO, CARL)
    await sender.send_all()
    ear.told.clear()

    for phones in ([ANNA, BO], [CARL], ["13099999999"]):
        answer = await told.ask(
            "DELETE",
            f"/user/{{user}}/task/{task}/number-batch-delete",
            {"customer_info_list": [{"phone": phone} for phone in phones]},
        )
        assert answer["code"] == 200
    await sender.send_all()

    batch, single = ear.bodies
    assert (batch["type"], batch["mode"]) == ("del_number", "batch")
    numbers = await http.get(batch["data"]["url"].removeprefix("https://calls.example.com"))
    assert numbers.json() == {"numbers": [ANNA, BO]}
    assert (single["type"], single["mode"], single["data"]) == ("del_number", "single", {"number": CARL})


@pytest.mark.ours
async def test_only_numbers_that_were_taken_in_are_told(
    told: Tenant, http: httpx.AsyncClient, line: str, ear: Ear, sender: Sender
) -> None:
    task = await told.make_v2(line)
    await add_numbers(told, task, ANNA)
    await sender.send_all()
    ear.told.clear()

    await add_numbers(told, task, ANNA, BO, CARL, asynchronous=True)
    await add_numbers(told, task, ANNA, asynchronous=True)
    await sender.send_all()

    (body,) = ear.bodies
    numbers = await http.get(body["data"]["url"].removeprefix("https://calls.example.com"))
    assert numbers.json() == {"numbers": [BO, CARL]}


@pytest.mark.assumed
async def test_the_batch_of_an_asynchronous_import_can_be_asked_for(
    tenant: Tenant, stranger: Tenant, line: str
) -> None:
    # Also when nobody listens.
    task = await tenant.make_v2(line)
    batch = (await add_numbers(tenant, task, ANNA, BO, asynchronous=True))["unique_id"]

    asked = await tenant.ask("GET", f"/user/{{user}}/identification/{batch}")

    assert asked["data"].pop("data")["url"].startswith("https://calls.example.com/agent-api/download-number?key=")
    assert asked["data"] == {
        "type": "import_number",
        "mode": "batch",
        "unique_id": batch,
        "user_id": tenant.user_id,
        "task_id": task,
    }
    foreign = await stranger.raw("GET", f"/user/{{user}}/identification/{batch}")
    assert foreign.status_code == 404
    assert (await tenant.raw("GET", f"/user/{{user}}/identification/{uuid4()}")).json() == foreign.json()
    assert (await tenant.raw("GET", "/user/{user}/identification/none")).status_code == 404


@pytest.mark.observed
@pytest.mark.parametrize("how", ["over", "forged", "none", "of a recording"])
async def test_a_key_that_opens_nothing_is_422(
    tenant: Tenant, http: httpx.AsyncClient, clock: StandingClock, line: str, how: str
) -> None:
    task = await tenant.make_v2(line)
    batch = (await add_numbers(tenant, task, ANNA, BO, asynchronous=True))["unique_id"]
    url = (await tenant.ask("GET", f"/user/{{user}}/identification/{batch}"))["data"]["data"]["url"]
    key = url.partition("?key=")[2]
    match how:
        case "over":
            clock.now += LIFETIME_MS + 1
        case "forged":
            key = key[:-2] + ("AA" if key[-2:] != "AA" else "BB")
        case "none":
            key = ""
        case _:
            key = tenant.application.recordings.key(batch)

    answer = await http.get("/agent-api/download-number", params={"key": key})

    assert answer.status_code == 422
    assert answer.json()["message"] == "号码链接无效或已过期"


@pytest.mark.assumed
@pytest.mark.parametrize("how", ["by a user", "at its end", "by the engine"])
async def test_a_stopped_task_is_told_at_the_address_that_it_names(
    tenant: Tenant, pool: Pool, clock: StandingClock, line: str, ear: Ear, other_ear: Ear, sender: Sender, how: str
) -> None:
    await tenant.ask("PUT", "/user/{user}/callback", {"callback_url": other_ear.url})
    task = await tenant.make_v2(line, call_stop_notify_url=ear.url)
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 200
    engine = PostgresDialingStore(pool)
    node = await engine.join("here", clock.now)

    match how:
        case "by a user":
            await tenant.ask("PUT", f"/new/user/{{user}}/task_stop/{task}")
            await tenant.ask("PUT", f"/new/user/{{user}}/task_stop/{task}")
            reason = "user"
        case "at its end":
            await engine.commit(node, [CampaignCompleted(CampaignId(task), EndAction.NONE)], clock.now)
            reason = "completed"
        case _:
            await engine.commit(node, [CampaignPaused(CampaignId(task), PauseReason.NO_TRUNK)], clock.now)
            reason = "no_trunk"
    await sender.send_all()

    (body,) = ear.bodies
    assert (body["type"], body["mode"]) == (3, "saas_web")
    assert (body["task_data"]["uuid"], body["task_data"]["stop_reason"]) == (task, reason)
    assert (body["task_data"]["status"], body["task_data"]["status_str"]) == (1, "停止")
    assert [other["type"] for other in other_ear.bodies] == [1], "Its creation, at the account's address."


@pytest.mark.assumed
async def test_calls_of_a_task_with_an_address_of_its_own_are_told_there(
    told: Tenant, pool: Pool, clock: StandingClock, line: str, ear: Ear, other_ear: Ear, sender: Sender
) -> None:
    task = await told.make_v2(line, call_notify_url=other_ear.url)
    await sender.send_all()
    call = await add_call(pool, task, line)
    # As the engine finds out where.
    await pool.execute(
        """insert into callback (account_id, owner_id, url, kind, body, due_at, created_at)
           select a.account_id, t.owner_id, t.url, 'call_finished', jsonb_build_object('attempt', a.id), $2, $2
           from attempt a join campaign c on c.id = a.campaign_id
           cross join lateral callback_address(a.account_id, c.wire ->> 'call_notify_url', 'call_finished') t
           where a.id = $1""",
        call.id,
        await pool.fetchval("select due_at from callback limit 1"),
    )

    await sender.send_all()

    assert [body["data"][0]["callid"] for body in other_ear.bodies] == [call.id]
    assert other_ear.told[0].headers["webhook-signature"]


@pytest.mark.assumed
@pytest.mark.parametrize("field", ["call_notify_url", "call_stop_notify_url"])
@pytest.mark.parametrize("url", ["http://10.1.2.3/", "http://169.254.169.254/latest", "http://[fd00::1]/x", "ftp://e/"])
async def test_a_task_cannot_name_an_internal_address(tenant: Tenant, line: str, field: str, url: str) -> None:
    made = await tenant.raw("POST", "/new/user/{user}/task", await tenant.body_v2(line, **{field: url}))

    assert made.status_code == 422
    assert list(made.json()["message"]) == [field]
    task = await tenant.make_v1(line)
    changed = await tenant.raw("PUT", f"/user/{{user}}/task/{task}", await tenant.body_v1(line, **{field: url}))
    assert changed.status_code == 422


@pytest.mark.observed
async def test_a_tasks_addresses_are_shown_again(tenant: Tenant, line: str) -> None:
    urls = {"call_notify_url": "http://127.0.0.1:1/a", "call_stop_notify_url": "http://127.0.0.1:1/b"}
    task = await tenant.make_v2(line, **urls)

    shown = (await tenant.ask("GET", f"/new/user/{{user}}/task/{task}/edit"))["data"]

    assert {name: shown[name] for name in urls} == urls
