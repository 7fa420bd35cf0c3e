"""What every route puts up with: a slash too many, JSON under any content type, numbers as text, lists as one value."""

import json
import re
from typing import Any

import httpx
import pytest
from agent_world import Tenant
from litestar import Litestar
from litestar.routes import HTTPRoute

from waihu.application.services import Application
from waihu.faces import agent_api

PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
NOBODY = "00000000-0000-4000-8000-000000000000"


def routes(application: Application) -> list[tuple[str, str]]:
    """Methods and paths of all routes, as the application has them."""
    served = Litestar([agent_api.router(application)], logging_config=None)
    return sorted(
        (method, route.path)
        for route in served.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/schema")
        for method in route.route_handler_map
        if method != "OPTIONS"
    )


async def ask(tenant: Tenant, method: str, path: str, content: bytes | None, content_type: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {tenant.token}"} | ({"content-type": content_type} if content_type else {})
    return await tenant.http.request(method, path, content=content, headers=headers)


@pytest.mark.ours
async def test_a_trailing_slash_on_every_route(tenant: Tenant, application: Application) -> None:
    """Asked for a user that there is not, so that nothing is done; a route that is not found says another sentence."""
    different = []
    for method, path in routes(application):
        plain = PARAMETER.sub(NOBODY, path)
        body = None if method == "GET" else b"{}"
        without = await ask(tenant, method, plain, body, "application/json")
        with_slash = await ask(tenant, method, f"{plain}/", body, "application/json")
        if without.status_code != with_slash.status_code or "接口不存在" in with_slash.text:
            different.append(f"{method} {path}: {without.text[:80]} / {with_slash.text[:80]}")
        assert "接口不存在" not in without.text, f"{method} {path}"

    assert different == []


@pytest.mark.observed
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/html; charset=utf-8",
        "application/json; charset=GBK",
        "application/vnd.api+json",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "nonsense",
    ],
)
async def test_json_under_any_content_type_on_every_route(
    tenant: Tenant, application: Application, content_type: str
) -> None:
    """An empty object is refused, or taken, whatever it is called."""
    different = []
    for method, path in routes(application):
        if method not in ("POST", "PUT") or path.endswith(("/users", "/background-sound")):
            continue
        plain = PARAMETER.sub("1", path.replace("{user_id:str}", tenant.user_id))
        usual = await ask(tenant, method, plain, b' {"x": 1} ', "application/json")
        odd = await ask(tenant, method, plain, b' {"x": 1} ', content_type)
        if odd.status_code != usual.status_code or odd.status_code >= 500:
            different.append(f"{method} {path}: {usual.status_code} / {odd.status_code} {odd.text[:80]}")

    assert different == []


def as_text(value: Any) -> Any:
    """The same with every number and truth as text, as clients that join strings write it."""
    match value:
        case dict():
            return {key: as_text(each) for key, each in value.items()}
        case list():
            return [as_text(each) for each in value]
        case bool():
            return str(int(value))
        case int():
            return str(value)
    return value


@pytest.mark.observed
async def test_a_2_0_task_in_which_every_number_is_text(tenant: Tenant, line: str) -> None:
    body = await tenant.body_v2({"id": line, "limit": 1}, maximumcall=1)
    script = body["destination_extension"]
    body |= {"is_group_switch": 2, "end_action": 1, "call_notify_type": 1, "task_type": 7, "background_id": 25}
    body["task_extras"] |= {
        "interval_time": 3,
        "work_week": [1, 2],
        "pop_mode": 2,
        "redial_enabled": True,
        "redial_new_number_policy": False,
        "redial_interval": 5,
        "redial_max_times": 2,
        "redial_conditions": {"da_status": [4, 8]},
        "destination_extension_with_variable_list": [
            {"mode": 0, "values": ["1"], "destination_extension": script, "sort": 2}
        ],
    }

    shown = []
    for sent in (body, as_text(body), json.loads(json.dumps(body), parse_int=float)):
        made = await tenant.ask("POST", "/new/user/{user}/task", sent)
        assert made["code"] == 200, made
        read = (await tenant.ask("GET", f"/new/user/{{user}}/task/{made['data']['uuid']}/edit"))["data"]
        del read["uuid"], read["new_task_extra"]["id"]
        shown.append(read)

    assert shown[0] == shown[1] == shown[2]
    assert (shown[0]["is_group_switch"], shown[0]["new_task_extra"]["pop_mode"]) == (2, 2)


@pytest.mark.assumed
@pytest.mark.parametrize("nothing", [None, "", []])
async def test_lists_that_are_nothing(tenant: Tenant, line: str, nothing: Any) -> None:
    lists = ("holiday", "work_hour", "work_week", "redial_conditions", "destination_extension_list")
    extras = dict.fromkeys((*lists, "destination_extension_with_variable_list"), nothing)

    task = await tenant.make_v2(line, extras=extras, group_switch_rule=nothing)

    read = (await tenant.ask("GET", f"/new/user/{{user}}/task/{task}/edit"))["data"]
    assert read["new_task_extra"]["destination_extension_list"] == read["group_switch_rule"] == []


@pytest.mark.documented
async def test_one_object_where_a_list_is_meant(tenant: Tenant, line: str) -> None:
    """The vendor's own example sends `redial_conditions` so."""
    body = await tenant.body_v2(line)
    script = body["destination_extension"]
    body |= {"is_group_switch": "1"}
    body["task_extras"]["destination_extension_list"] = {
        "begin": "9:00", "end": "12:00:00", "destination_extension": str(script)
    }  # fmt: skip
    body["task_extras"]["holiday"] = {"begin": "2026-10-01", "end": "2026-10-08"}

    made = await tenant.ask("POST", "/new/user/{user}/task", body)

    assert made["code"] == 200, made
    extra = (await tenant.ask("GET", f"/new/user/{{user}}/task/{made['data']['uuid']}/edit"))["data"]["new_task_extra"]
    assert extra["destination_extension_list"] == [
        {"begin": "9:00", "end": "12:00:00", "destination_extension": script}
    ]
    assert extra["holiday"] == [{"begin": "2026-10-01 00:00", "end": "2026-10-08 00:00"}]


@pytest.mark.documented
@pytest.mark.parametrize("query", ["status=3", "status[]=3", "status[]=1&status[]=3", "status=[1,3]", "status=[3]"])
async def test_the_status_of_2_0_tasks_as_one_value_or_several(tenant: Tenant, line: str, query: str) -> None:
    task = await tenant.make_v2(line)
    await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")

    answer = await tenant.ask("GET", f"/new/user/{{user}}/task?{query}")

    assert [row["uuid"] for row in answer["data"]] == [task]


@pytest.mark.ours
async def test_every_list_answers_without_a_page(tenant: Tenant, application: Application, line: str) -> None:
    task = await tenant.make_v2(line)
    (node,) = await application.cloud_nodes.all()
    known = {"user_id": tenant.user_id, "task_id": task, "tenant_id": node.id}
    lists = 0
    for method, path in routes(application):
        if method != "GET" or not set(PARAMETER.findall(path)) <= known.keys():
            continue
        plain = PARAMETER.sub(lambda found: known[found[1]], path)
        answer = (await ask(tenant, "GET", plain, None, "")).json()
        if "meta" not in answer:
            continue
        lists += 1
        assert (answer["meta"]["current_page"], type(answer["meta"]["per_page"])) == (1, int), path
        echoed = (await ask(tenant, "GET", f"{plain}?page=1&per_page=3", None, "")).json()
        assert echoed["meta"]["per_page"] == "3", path
    assert lists > 12
