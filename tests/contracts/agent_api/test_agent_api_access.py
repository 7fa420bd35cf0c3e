"""Whom a request acts for. Who reaches what is shown for every route by test_authorisation_matrix.py."""

import re

import pytest
from agent_world import Tenant
from litestar import get

from waihu.application.services import Application
from waihu.faces.agent_api import ROUTES
from waihu.faces.reach import all_declared

NOWHERE = "00000000-0000-4000-8000-000000000000"

OF_A_TASK = sorted(
    (method, path)
    for handler in ROUTES
    for path in handler.paths
    for method in handler.http_methods
    if "{task_id:str}" in path
)


def filled(path: str, task: str = NOWHERE) -> str:
    """The path with ids in it; {user} is left for the tenant."""
    path = path.replace("{user_id:str}", "{user}").replace("{task_id:str}", task)
    return re.sub(r"{\w+:str}", "1", path)


@pytest.mark.ours
async def test_a_task_of_another_tenant_is_as_unknown_as_one_that_never_was(tenant: Tenant, stranger: Tenant) -> None:
    task = await stranger.make_v2(await stranger.add_line(5))
    body = await tenant.body_v2() | {"caller_line_id": NOWHERE, "customer_info_list": [{"phone": "13012121211"}]}
    body["data"] = [{"phone": "13012121211"}]
    query = {"recordIds[]": NOWHERE}
    for method, path in OF_A_TASK:
        foreign = await tenant.raw(method, filled(path, task), body, **query)
        missing = await tenant.raw(method, filled(path), body, **query)
        assert foreign.status_code in (404, 422), (method, path)
        assert foreign.json() == missing.json(), (method, path)


@pytest.mark.ours
def test_a_route_that_does_not_say_who_may_call_it_fails_at_start() -> None:
    @get("/secrets")
    async def forgotten() -> str:
        return ""

    with pytest.raises(TypeError, match="does not say who may call it"):
        all_declared([forgotten])


@pytest.mark.ours
@pytest.mark.parametrize("sub", ["nobody", "stranger"])
async def test_a_sub_account_of_nobody_or_of_somebody_else(tenant: Tenant, stranger: Tenant, sub: str) -> None:
    named = await stranger.add_sub_account() if sub == "stranger" else NOWHERE
    for query, body in (({"sub_user_id": named}, {}), ({}, {"sub_user_id": named})):
        answer = await tenant.raw("PUT", "/new/user/{user}/task/1", body, **query)
        assert (answer.status_code, answer.json()["message"]) == (404, "用户不存在")


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
