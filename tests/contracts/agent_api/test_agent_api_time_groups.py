"""Call-time groups: kept as they were sent, one default per account, none deleted under a task."""

from typing import Any

import pytest
from agent_world import Tenant

PATH = "/user/{user}/dial-time-group"
CONTENT = [
    {"week": 1, "times": [{"end_time": "20:00", "begin_time": "08:00"}, {"end_time": "22:00", "begin_time": "20:30"}]},
    {"week": 3, "times": [{"end_time": "24:00", "begin_time": "08:00"}]},
]
NEW = {"name": "周一周三拨打", "content": CONTENT, "is_default": False, "skip_holiday": True}


async def groups(tenant: Tenant) -> dict[str, dict[str, Any]]:
    return {group["name"]: group for group in (await tenant.ask("GET", PATH, page=1))["data"]}


@pytest.mark.documented
async def test_a_new_account_has_one(tenant: Tenant) -> None:
    (group,) = (await groups(tenant)).values()

    assert (group["name"], group["is_default"], group["user_id"]) == ("系统呼叫时间", True, tenant.user_id)
    assert [day["week"] for day in group["content"]] == [0, 1, 2, 3, 4, 5, 6]
    assert {str(day["times"]) for day in group["content"]} == {
        str([{"end_time": "12:00", "begin_time": "09:00"}, {"end_time": "18:00", "begin_time": "13:00"}])
    }


@pytest.mark.documented
async def test_a_group_is_kept_as_it_was_sent(tenant: Tenant) -> None:
    assert (await tenant.ask("POST", PATH, NEW))["code"] == 200

    group = (await groups(tenant))["周一周三拨打"]
    assert {key: group[key] for key in NEW} == NEW


@pytest.mark.documented
async def test_what_an_update_does_not_send_stays(tenant: Tenant) -> None:
    group = (await tenant.ask("POST", PATH, NEW))["data"]["id"]

    answer = await tenant.ask("PUT", f"{PATH}/{group}", {"name": "改名"})

    assert answer["message"] == "修改成功"
    changed = (await groups(tenant))["改名"]
    assert answer["data"] == changed
    assert {key: changed[key] for key in NEW} == NEW | {"name": "改名"}


@pytest.mark.ours
async def test_there_is_one_default(tenant: Tenant) -> None:
    await tenant.ask("POST", PATH, NEW | {"is_default": True})

    assert {name: group["is_default"] for name, group in (await groups(tenant)).items()} == {
        "系统呼叫时间": False,
        "周一周三拨打": True,
    }


@pytest.mark.documented
async def test_a_group_is_deleted(tenant: Tenant) -> None:
    group = (await tenant.ask("POST", PATH, NEW))["data"]["id"]

    assert (await tenant.ask("DELETE", f"{PATH}/{group}"))["code"] == 200

    assert list(await groups(tenant)) == ["系统呼叫时间"]
    assert (await tenant.raw("DELETE", f"{PATH}/{group}")).status_code == 404


@pytest.mark.ours
async def test_a_group_that_a_task_uses_stays(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)
    (group,) = (await groups(tenant)).values()

    answer = await tenant.ask("DELETE", f"{PATH}/{group['id']}")
    await tenant.ask("DELETE", f"/new/user/{{user}}/task/{task}")
    afterwards = await tenant.ask("DELETE", f"{PATH}/{group['id']}")

    assert (answer["code"], answer["message"]) == (409, "该呼叫时间组正被 1 个任务使用,请先修改这些任务")
    assert afterwards["code"] == 200


@pytest.mark.ours
async def test_a_group_of_another_tenant_is_not_there(tenant: Tenant, stranger: Tenant) -> None:
    (group,) = (await groups(stranger)).values()

    for method in ("PUT", "DELETE"):
        answer = await tenant.raw(method, f"{PATH}/{group['id']}", {"name": "我的"})
        assert (answer.status_code, answer.json()["message"]) == (404, "呼叫时间组不存在")


@pytest.mark.documented
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"content": []}, ["content"]),
        ({"content": [{"week": 1, "times": [{"begin_time": "09:00", "end_time": "08:00"}]}]}, ["content"]),
        ({"content": [{"week": 8, "times": [{"begin_time": "08:00", "end_time": "09:00"}]}]}, ["content"]),
        ({"content": [{"times": []}]}, ["content.0.week"]),
        ({"is_default": "maybe"}, ["is_default"]),
    ],
)
async def test_a_group_that_is_refused(tenant: Tenant, changes: dict[str, Any], fields: list[str]) -> None:
    answer = await tenant.ask("POST", PATH, NEW | changes)

    assert (answer["code"], sorted(answer["message"])) == (422, fields)
