"""Who reaches what. The matrix is made of the routes themselves, so that a new one is in it from the start."""

import re

import pytest
from agent_world import StandingClock, Tenant

from waihu.application.access import DAY_MS
from waihu.application.services import Application
from waihu.faces.agent_api import calls, numbers, tasks_v1, tasks_v2, time_groups

NOWHERE = "00000000-0000-4000-8000-000000000000"

ROUTES = sorted(
    (method, path)
    for module in (tasks_v1, tasks_v2, numbers, calls, time_groups)
    for handler in module.ROUTES
    for path in handler.paths
    for method in handler.http_methods
    if method != "OPTIONS"
)
OF_A_TASK = [(method, path) for method, path in ROUTES if "{task_id:str}" in path]

every_route = pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{m} {p}" for m, p in ROUTES])
every_route_of_a_task = pytest.mark.parametrize(("method", "path"), OF_A_TASK, ids=[f"{m} {p}" for m, p in OF_A_TASK])


def filled(path: str, task: str = NOWHERE) -> str:
    """The path with ids in it; {user} is left for the tenant."""
    path = path.replace("{user_id:str}", "{user}").replace("{task_id:str}", task)
    return re.sub(r"{(record_id|group_id|phone):str}", "1", path)


async def refused(tenant: Tenant, method: str, path: str, token: str) -> None:
    answer = await tenant.raw(method, filled(path), {}, token=token)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthenticated."})


def is_missing(answer: dict[str, object]) -> bool:
    return (answer["code"], answer["status"], answer["data"]) == (404, "error", [])


@pytest.mark.assumed
@every_route
async def test_without_a_token(tenant: Tenant, method: str, path: str) -> None:
    await refused(tenant, method, path, token="")


@pytest.mark.assumed
@every_route
async def test_with_a_token_that_nobody_issued(tenant: Tenant, method: str, path: str) -> None:
    await refused(tenant, method, path, token="waihu_of_my_own")


@pytest.mark.ours
@every_route
async def test_with_an_expired_token(tenant: Tenant, clock: StandingClock, method: str, path: str) -> None:
    clock.now += 365 * DAY_MS
    await refused(tenant, method, path, tenant.token)


@pytest.mark.ours
@every_route
async def test_with_a_revoked_token(tenant: Tenant, application: Application, method: str, path: str) -> None:
    (token,) = await application.access.tokens(tenant.partner)
    await application.access.revoke(token.id)
    await refused(tenant, method, path, tenant.token)


@pytest.mark.ours
@every_route
async def test_with_the_token_of_another_tenant(tenant: Tenant, stranger: Tenant, method: str, path: str) -> None:
    answer = await tenant.raw(method, filled(path), {}, token=stranger.token)

    assert answer.status_code == 404
    assert answer.json()["message"] == "用户不存在"


@pytest.mark.ours
@every_route
async def test_for_a_sub_account_of_another_tenant(tenant: Tenant, stranger: Tenant, method: str, path: str) -> None:
    sub = await stranger.add_sub_account()

    in_query = await tenant.raw(method, filled(path), {}, sub_user_id=sub)
    in_body = await tenant.raw(method, filled(path), {"sub_user_id": sub})

    assert in_query.json()["message"] == in_body.json()["message"] == "用户不存在"


@pytest.mark.ours
@every_route_of_a_task
async def test_a_task_of_another_tenant_is_not_there(tenant: Tenant, stranger: Tenant, method: str, path: str) -> None:
    """It is answered exactly as a task that nobody has."""
    task = await stranger.make_v2(await stranger.add_line(5))
    body = await tenant.body_v2() | {"caller_line_id": NOWHERE, "customer_info_list": [{"phone": "13012121211"}]}
    body["data"] = [{"phone": "13012121211"}]
    query = {"recordIds[]": NOWHERE}

    foreign = await tenant.raw(method, filled(path, task), body, **query)
    missing = await tenant.raw(method, filled(path), body, **query)

    assert foreign.status_code == 404
    assert foreign.json() == missing.json()


@pytest.mark.documented
async def test_a_sub_account_is_named_in_the_query(tenant: Tenant) -> None:
    sub = await tenant.add_sub_account()

    answer = await tenant.ask("GET", "/new/user/{user}/task/create", sub_user_id=sub)

    assert {group["user_id"] for group in answer["data"]["outbound_group"]} == {sub}


@pytest.mark.documented
async def test_a_sub_account_is_named_in_the_body(tenant: Tenant, application: Application) -> None:
    sub = await tenant.add_sub_account()
    kept = await application.trunks.add("子线路", "sip.example.com", channels_max=5, cps_max=1)
    await application.trunks.allocate(kept.trunk.id, sub, 5)
    init = (await tenant.ask("GET", "/user/{user}/task/create", sub_user_id=sub))["data"]
    body = await tenant.body_v1(
        kept.trunk.id,
        sub_user_id=sub,
        destination_extension=init["outbound_group"][0]["id"],
        dial_time_id=init["task_dial_times"][0]["id"],
    )

    await tenant.ask("POST", "/user/{user}/task", body)

    assert (await tenant.ask("GET", "/user/{user}/task"))["meta"]["total"] == 0
    assert (await tenant.ask("GET", "/user/{user}/task", sub_user_id=sub))["meta"]["total"] == 1
    assert (await tenant.ask("GET", "/user/{user}/all_task"))["meta"]["total"] == 1


@pytest.mark.ours
@pytest.mark.parametrize("owner", ["main account", "sub-account"])
async def test_the_token_of_one_account(tenant: Tenant, application: Application, owner: str) -> None:
    """A main account's token reaches it and its sub-accounts; a sub-account's token reaches only that one."""
    sub, sister = await tenant.add_sub_account("甲"), await tenant.add_sub_account("乙")
    mine = tenant.user_id if owner == "main account" else sub
    token = (await application.access.issue(tenant.partner, account=mine)).secret

    async def reaches(**query: str) -> bool:
        return (await tenant.raw("GET", "/user/{user}/task", token=token, **query)).status_code == 200

    assert await reaches() is (owner == "main account")
    assert await reaches(sub_user_id=sub)
    assert await reaches(sub_user_id=sister) is (owner == "main account")


@pytest.mark.ours
async def test_a_stranger_learns_nothing_before_being_let_in(tenant: Tenant, stranger: Tenant) -> None:
    """Neither a body that is wrong nor one that is no JSON is read before the token."""
    for body in (b"{", b'{"name": 1}'):
        answer = await tenant.http.put(f"/agent-api/user/{tenant.user_id}/task/1", content=body)
        assert answer.status_code == 401
