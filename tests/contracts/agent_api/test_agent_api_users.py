"""A partner's users: registered, shown, changed, logged in and deleted."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from agent_world import StandingClock, Tenant
from argon2 import PasswordHasher

from waihu.adapters.postgres.pool import Pool
from waihu.application.login_links import LIFETIME_MS
from waihu.application.services import Application
from waihu.domain.errors import Unauthenticated

NEW = {
    "name": "测试租户_会员5",
    "email": "ema1il@xx.com",
    "phone": "186151681144",
    "password": "123456",
    "password_confirmation": "123456",
}


async def registered(tenant: Tenant, **changes: Any) -> str:
    made = await tenant.ask("POST", "/users", NEW | changes)
    assert made["code"] == 200, made
    return str(made["data"]["id"])


async def refused(tenant: Tenant, method: str, path: str, body: Any) -> dict[str, Any]:
    answer = await tenant.raw(method, path, body)
    assert (answer.status_code, answer.json()["status"], answer.json()["data"]) == (422, "error", [])
    message = answer.json()["message"]
    assert isinstance(message, dict)
    return message


# Registering


@pytest.mark.observed
async def test_a_user_is_registered_with_the_vendors_own_example(tenant: Tenant) -> None:
    made = await tenant.ask("POST", "/users", NEW)

    user = made["data"].pop("id")
    assert made["data"] == {"name": "测试租户_会员5", "email": "ema1il@xx.com", "phone": "186151681144"}
    assert (await tenant.ask("GET", f"/users/{user}/edit"))["data"] == {"id": user, **made["data"]}


@pytest.mark.documented
@pytest.mark.parametrize("prefix", ["", "/agent-api"])
async def test_the_routes_of_users_answer_with_and_without_the_prefix(tenant: Tenant, prefix: str) -> None:
    headers = {"authorization": f"Bearer {tenant.token}"}

    made = await tenant.http.post(f"{prefix}/users", json=NEW, headers=headers)
    user = made.json()["data"]["id"]
    login = await tenant.http.post(f"{prefix}/user/{user}/authorize", headers=headers)
    gone = await tenant.http.delete(f"{prefix}/users/{user}", headers=headers)

    assert [made.status_code, login.status_code, gone.status_code] == [200, 200, 200]


@pytest.mark.ours
async def test_a_new_user_can_make_a_task_at_once(tenant: Tenant) -> None:
    user = await registered(tenant)

    init = (await tenant.ask("GET", f"/new/user/{user}/task/create"))["data"]

    assert init["outbound_group"]
    assert init["task_dial_times"]


@pytest.mark.ours
async def test_a_password_is_kept_as_an_argon2_hash_only(tenant: Tenant, pool: Pool) -> None:
    user = await registered(tenant)

    kept = await pool.fetchval("select password_hash from account where id = $1", user)

    assert kept.startswith("$argon2id$")
    assert PasswordHasher().verify(kept, "123456")
    assert "123456" not in await pool.fetchval("select account::text from account where id = $1", user)


@pytest.mark.documented
async def test_a_user_is_made_in_the_cloud_node_that_is_named(tenant: Tenant) -> None:
    (node,) = (await tenant.ask("GET", "/cloud_node"))["data"]
    assert node["name"] == "waihu"

    assert await registered(tenant, tenant_id=node["id"].upper())
    other = NEW | {"name": "别的", "email": "b@xx.com", "phone": "18615168115"}
    for tenant_id in ("f2d216a3-9ea5-4f1d-a170-ce9ebed49eaf", "nowhere"):
        assert await refused(tenant, "POST", "/users", other | {"tenant_id": tenant_id}) == {
            "tenant_id": ["tenant_id 所指的云节点不存在"]
        }


@pytest.mark.assumed
@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"name": " "}, {"name": ["账户名必须是 1 到 100 个字符"]}),
        ({"name": "长" * 101}, {"name": ["账户名必须是 1 到 100 个字符"]}),
        ({"email": "nobody"}, {"email": ["邮箱格式不正确"]}),
        ({"email": "a b@xx.com"}, {"email": ["邮箱格式不正确"]}),
        ({"email": "a@xx"}, {"email": ["邮箱格式不正确"]}),
        ({"phone": "1234"}, {"phone": ["手机号必须是 5 到 20 位数字"]}),
        ({"phone": "1" * 21}, {"phone": ["手机号必须是 5 到 20 位数字"]}),
        ({"phone": "1861516x"}, {"phone": ["手机号必须是 5 到 20 位数字"]}),
        ({"password": "12345"}, {"password": ["密码必须是 6 到 128 个字符"]}),
        ({"password_confirmation": "654321"}, {"password": ["两次输入的密码不一致"]}),
        (
            {"email": "", "password": None},
            {"email": ["email 不能为空"], "password": ["password 不能为空"]},
        ),
        (
            {"email": "x", "phone": "x"},
            {"email": ["邮箱格式不正确"], "phone": ["手机号必须是 5 到 20 位数字"]},
        ),
    ],
)
async def test_what_is_refused_is_said_by_field(tenant: Tenant, changes: Any, problems: Any) -> None:
    assert await refused(tenant, "POST", "/users", NEW | changes) == problems


@pytest.mark.observed
async def test_numbers_are_taken_for_a_phone_and_a_password(tenant: Tenant) -> None:
    assert await registered(tenant, phone=186151681144, password=123456, password_confirmation="123456")


@pytest.mark.observed
async def test_name_email_and_phone_are_unique_within_the_partner(tenant: Tenant, stranger: Tenant) -> None:
    user = await registered(tenant)

    assert await refused(tenant, "POST", "/users", NEW | {"email": "EMA1IL@xx.com"}) == {
        "email": ["邮箱已被使用"],
        "name": ["账户名已被使用"],
        "phone": ["手机号已被使用"],
    }
    # Others do not learn of it, and it is free again when the account is gone.
    assert await registered(stranger)
    await tenant.ask("DELETE", f"/users/{user}")
    assert await registered(tenant)


@pytest.mark.ours
async def test_of_two_who_take_a_name_at_the_same_time_one_gets_it(tenant: Tenant) -> None:
    answers = await asyncio.gather(*(tenant.ask("POST", "/users", NEW) for _ in range(4)))

    assert sorted(answer["code"] for answer in answers) == [200, 422, 422, 422]


# Shown and changed


@pytest.mark.observed
async def test_users_are_listed_and_filtered(tenant: Tenant, stranger: Tenant) -> None:
    user = await registered(tenant)
    await tenant.add_sub_account()
    await registered(stranger)

    everybody = await tenant.ask("GET", "/users")
    # The one from the command line is a user, too; a sub-account is none.
    assert {row["id"] for row in everybody["data"]} == {user, tenant.user_id}
    assert (await tenant.ask("GET", "/users", name="测试"))["data"][0] == {
        "id": user,
        "name": "测试租户_会员5",
        "phone": "186151681144",
        "email": "ema1il@xx.com",
        "created_at": "2026-03-04 12:00:00",
        "updated_at": "2026-03-04 12:00:00",
    }
    for query in ({"name": "会员"}, {"email": "EMA1"}, {"phone": "8114"}):
        assert [row["id"] for row in (await tenant.ask("GET", "/users", **query))["data"]] == [user], query
    assert (await tenant.ask("GET", "/users", name="100%"))["data"] == []
    assert (await tenant.ask("GET", "/users", per_page="1"))["meta"]["per_page"] == "1"


@pytest.mark.observed
async def test_a_user_is_changed(tenant: Tenant, clock: StandingClock, pool: Pool) -> None:
    user = await registered(tenant)
    clock.now += 60_000

    answer = await tenant.ask(
        "PUT", f"/users/{user}", NEW | {"name": "新名", "password": "654321", "password_confirmation": "654321"}
    )

    assert answer == {"code": 200, "status": "success", "message": "修改成功", "data": ""}
    (row,) = (await tenant.ask("GET", "/users", phone=NEW["phone"]))["data"]
    assert (row["name"], row["updated_at"]) == ("新名", "2026-03-04 12:01:00")
    kept = await pool.fetchval("select password_hash from account where id = $1", user)
    assert PasswordHasher().verify(kept, "654321")


@pytest.mark.assumed
async def test_what_is_not_sent_stays(tenant: Tenant, pool: Pool) -> None:
    user = await registered(tenant)
    before = await pool.fetchval("select password_hash from account where id = $1", user)

    await tenant.ask("PUT", f"/users/{user}", {"phone": "13012121211", "password": ""})

    shown = (await tenant.ask("GET", f"/users/{user}/edit"))["data"]
    assert (shown["name"], shown["phone"]) == ("测试租户_会员5", "13012121211")
    assert await pool.fetchval("select password_hash from account where id = $1", user) == before


@pytest.mark.ours
async def test_a_change_is_checked_like_a_registration(tenant: Tenant) -> None:
    user = await registered(tenant)
    await registered(tenant, name="另一", email="b@xx.com", phone="18615168115")

    assert await refused(tenant, "PUT", f"/users/{user}", {"name": "另一"}) == {"name": ["账户名已被使用"]}
    assert await refused(tenant, "PUT", f"/users/{user}", {"email": "nobody"}) == {"email": ["邮箱格式不正确"]}
    assert await refused(tenant, "PUT", f"/users/{user}", {"password": "123456"}) == {
        "password": ["两次输入的密码不一致"]
    }
    # An account of the command line has no e-mail; nobody is made to invent one.
    assert (await tenant.ask("PUT", f"/users/{tenant.user_id}", {"phone": "13012121212"}))["code"] == 200


@pytest.mark.ours
async def test_a_user_of_another_partner_does_not_exist(tenant: Tenant, stranger: Tenant) -> None:
    user = await registered(stranger)

    for method, path in (
        ("GET", "/users/{}/edit"),
        ("PUT", "/users/{}"),
        ("DELETE", "/users/{}"),
        ("POST", "/user/{}/authorize"),
    ):
        answer = await tenant.raw(method, path.format(user), {})
        assert (answer.status_code, answer.json()["message"]) == (404, "用户不存在")


# Deleting


@pytest.mark.ours
async def test_deleting_a_user_ends_what_runs_and_keeps_what_was_recorded(
    tenant: Tenant, application: Application, pool: Pool
) -> None:
    user = await registered(tenant)
    there = Tenant(tenant.http, application, tenant.partner, user, tenant.token)  # type: ignore[arg-type]
    line = await there.add_line(5)
    running, sub = await there.make_v2(line), await there.add_sub_account()
    assert (await there.ask("PUT", f"/new/user/{{user}}/task_start/{running}"))["code"] == 200
    tokens = [(await application.access.issue(tenant.partner, account=account)).secret for account in (user, sub)]

    assert await tenant.ask("DELETE", f"/users/{user}") == {"code": 200, "status": "success", "message": "删除成功"}

    campaign = await pool.fetchrow("select state, pause_reason, keeps_channels from campaign where id = $1", running)
    assert tuple(campaign) == ("paused", "account_deleted", False)
    assert await pool.fetchval("select count(*) from trunk_allocation where account_id = $1", user) == 0
    for token in tokens:
        assert (await tenant.raw("GET", "/token", token=token)).status_code == 401
    for path in (f"/users/{user}/edit", f"/user/{user}/task", f"/user/{sub}/task"):
        assert (await tenant.raw("GET", path)).status_code == 404
    assert (await tenant.raw("DELETE", f"/users/{user}")).status_code == 404


@pytest.mark.ours
async def test_a_token_that_was_forgotten_goes_with_its_account(
    tenant: Tenant, application: Application, pool: Pool
) -> None:
    """The token's own row may still be good."""
    user = await registered(tenant)
    token = (await application.access.issue(tenant.partner, account=user)).secret
    await tenant.ask("DELETE", f"/users/{user}")
    await pool.execute("update token set revoked_at = null")

    assert (await tenant.raw("GET", "/token", token=token)).status_code == 401


# Logging in


def ticket_of(url: str) -> str:
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://calls.example.com/console/login"
    return parse_qs(parts.query)["ticket"][0]


@pytest.mark.assumed
async def test_a_login_link_is_good_once(tenant: Tenant, application: Application) -> None:
    ticket = ticket_of((await tenant.ask("POST", "/user/{user}/authorize"))["data"])

    assert await application.login_links.redeem(ticket) == tenant.user_id
    with pytest.raises(Unauthenticated):
        await application.login_links.redeem(ticket)


@pytest.mark.documented
@pytest.mark.parametrize("place", ["body", "query"])
async def test_a_login_link_may_be_for_a_sub_account(tenant: Tenant, application: Application, place: str) -> None:
    named = {"sub_user_id": await tenant.add_sub_account()}

    if place == "body":
        made = await tenant.ask("POST", "/user/{user}/authorize", named)
    else:
        made = await tenant.ask("POST", "/user/{user}/authorize", **named)

    assert await application.login_links.redeem(ticket_of(made["data"])) == named["sub_user_id"]


@pytest.mark.ours
async def test_a_login_link_ends_after_five_minutes(
    tenant: Tenant, application: Application, clock: StandingClock
) -> None:
    late, in_time = [ticket_of((await tenant.ask("POST", "/user/{user}/authorize"))["data"]) for _ in range(2)]
    clock.now += LIFETIME_MS - 1000
    assert await application.login_links.redeem(in_time) == tenant.user_id
    clock.now += 1000
    with pytest.raises(Unauthenticated):
        await application.login_links.redeem(late)


@pytest.mark.ours
async def test_a_login_ticket_is_no_token_and_a_token_no_ticket(tenant: Tenant, application: Application) -> None:
    ticket = ticket_of((await tenant.ask("POST", "/user/{user}/authorize"))["data"])

    assert (await tenant.raw("GET", "/token", token=ticket)).status_code == 401
    with pytest.raises(Unauthenticated):
        await application.login_links.redeem(tenant.token)
