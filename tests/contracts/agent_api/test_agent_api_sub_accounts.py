"""Sub-accounts: registered by their main account, shown with what their people say of themselves."""

from typing import Any

import pytest
from agent_world import StandingClock, Tenant

from waihu.application.services import Application

NEW = {
    "name": "子账户1",
    "email": "123456789@qq.com",
    "phone": "123456789",
    "password": "123456",
    "password_confirmation": "123456",
    "subset_data": {"alias": "账户1", "birthday": "2022-07-13", "duty": "员工"},
}
AS_DOCUMENTED = {
    "name": "子账户1",
    "phone": "123456789",
    "email": "123456789@qq.com",
    "sex": 0,
    "alias": "账户1",
    "duty": "员工",
    "landline_phone": None,
    "qq": None,
    "wechat": None,
    "birthday": "2022-07-13",
    "created_at": "2026-03-04 12:00:00",
    "updated_at": "2026-03-04 12:00:00",
}
PATH = "/user/{user}/subset_users"


async def registered(tenant: Tenant, **changes: Any) -> str:
    made = await tenant.ask("POST", PATH, NEW | changes)
    assert made["code"] == 200, made
    return str(made["data"]["id"])


@pytest.mark.documented
async def test_a_sub_account_is_read_in_the_documented_shape(tenant: Tenant) -> None:
    sub = await registered(tenant)

    assert await tenant.ask("GET", f"{PATH}/{sub}/edit") == {
        "code": 200,
        "status": "success",
        "message": "查看子账户信息成功",
        "data": {"id": sub, **AS_DOCUMENTED},
    }


@pytest.mark.assumed
async def test_registering_and_listing_show_the_same_row(tenant: Tenant) -> None:
    made = await tenant.ask("POST", PATH, NEW)
    listed = await tenant.ask("GET", PATH)

    assert made["data"] == listed["data"][0] == {"id": made["data"]["id"], **AS_DOCUMENTED}


@pytest.mark.documented
async def test_sub_accounts_are_filtered(tenant: Tenant, stranger: Tenant) -> None:
    sub = await registered(tenant)
    await registered(tenant, name="分部", email="b@qq.com", phone="55555555")
    await registered(stranger)

    for query in ({"id": sub}, {"id": sub.upper()}, {"name": "账户1"}, {"email": "1234"}, {"phone": "6789"}):
        assert [row["id"] for row in (await tenant.ask("GET", PATH, **query))["data"]] == [sub], query
    for query in ({"id": "nobody"}, {"id": tenant.user_id}, {"name": "_"}):
        assert (await tenant.ask("GET", PATH, **query))["data"] == [], query
    assert (await tenant.ask("GET", PATH, page=2, per_page="1"))["meta"] == {
        "has_pages": True,
        "total": 2,
        "last_page": 2,
        "current_page": 2,
        "per_page": "1",
    }


@pytest.mark.assumed
async def test_a_sub_account_is_changed_and_what_is_not_sent_stays(tenant: Tenant, clock: StandingClock) -> None:
    sub = await registered(tenant)
    clock.now += 1000

    answer = await tenant.ask(
        "PUT", f"{PATH}/{sub}", {"name": "新名", "subset_data": {"wechat": "wx", "sex": "2", "duty": ""}}
    )

    assert answer == {"code": 200, "status": "success", "message": "修改成功", "data": ""}
    assert (await tenant.ask("GET", f"{PATH}/{sub}/edit"))["data"] == {
        "id": sub,
        **AS_DOCUMENTED,
        "name": "新名",
        "wechat": "wx",
        "sex": 2,
        "duty": None,
        "updated_at": "2026-03-04 12:00:01",
    }


@pytest.mark.documented
async def test_a_sub_account_is_deleted(tenant: Tenant, application: Application) -> None:
    sub = await registered(tenant)
    token = (await application.access.issue(tenant.partner, account=sub)).secret

    assert (await tenant.ask("DELETE", f"{PATH}/{sub}"))["message"] == "删除子账户成功"

    assert (await tenant.ask("GET", PATH))["meta"]["total"] == 0
    assert (await tenant.raw("GET", f"{PATH}/{sub}/edit")).status_code == 404
    assert (await tenant.raw("GET", "/token", token=token)).status_code == 401
    assert (await tenant.raw("GET", "/user/{user}/task")).status_code == 200


@pytest.mark.assumed
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"subset_data": {"sex": 3}}, ["subset_data.sex"]),
        ({"subset_data": {"birthday": "13.7.2022"}}, ["subset_data.birthday"]),
        ({"subset_data": {"birthday": "2022-02-30", "sex": 9}}, ["subset_data.birthday", "subset_data.sex"]),
        ({"subset_data": {"alias": "长" * 101}}, ["subset_data.alias"]),
        ({"subset_data": "x"}, ["subset_data"]),
        ({"email": "x", "password": "1"}, ["email", "password"]),
    ],
)
async def test_what_is_refused(tenant: Tenant, changes: Any, fields: list[str]) -> None:
    answer = await tenant.raw("POST", PATH, NEW | changes)

    assert (answer.status_code, list(answer.json()["message"])) == (422, fields)


@pytest.mark.ours
async def test_a_sub_account_has_no_sub_accounts(tenant: Tenant) -> None:
    sub = await registered(tenant)

    answer = await tenant.raw("POST", f"/user/{sub}/subset_users", NEW | {"name": "孙账户"})

    assert (answer.status_code, list(answer.json()["message"])) == (422, ["user_id"])


@pytest.mark.ours
async def test_a_sub_account_is_unique_among_all_accounts_of_the_partner(tenant: Tenant) -> None:
    await registered(tenant)

    taken = await tenant.ask("POST", "/users", {key: value for key, value in NEW.items() if key != "subset_data"})

    assert set(taken["message"]) == {"name", "email", "phone"}


@pytest.mark.ours
async def test_what_the_token_of_a_sub_account_does_with_itself(tenant: Tenant, application: Application) -> None:
    sub, sister = await registered(tenant), await registered(tenant, name="姐妹", email="s@qq.com", phone="66666666")
    token = (await application.access.issue(tenant.partner, account=sub)).secret

    async def status(method: str, path: str) -> int:
        return (await tenant.raw(method, path, {}, token=token)).status_code

    assert await status("GET", f"{PATH}/{sub}/edit") == 200
    assert await status("PUT", f"{PATH}/{sub}") == 200
    assert await status("DELETE", f"{PATH}/{sub}") == 403
    assert await status("GET", f"{PATH}/{sister}/edit") == 404
    assert await status("GET", PATH) == 404
    assert await status("GET", f"/user/{sub}/task") == 200
    assert await status("GET", f"/user/{{user}}/task?sub_user_id={sub}") == 200
