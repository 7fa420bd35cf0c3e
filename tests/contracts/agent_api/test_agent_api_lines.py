"""Lines of a partner, and which of its accounts may use them with which scripts."""

from typing import Any

import pytest
from agent_world import NOON, Tenant

from waihu.adapters.postgres.pool import Pool
from waihu.application.services import Application

DAY = 86_400_000


async def listed(tenant: Tenant, **query: Any) -> list[dict[str, Any]]:
    (node,) = (await tenant.ask("GET", "/cloud_node"))["data"]
    answer = await tenant.ask("GET", "/new_line_list", id=node["id"], **query)
    assert answer["code"] == 200, answer
    assert answer["meta"]["total"] == len(answer["data"])
    found: list[dict[str, Any]] = answer["data"]
    return found


async def own_line(tenant: Tenant, name: str = "自有线路") -> str:
    """A line of the tenant's partner that nobody may use yet."""
    kept = await tenant.application.trunks.add(
        name, "sip.example.com", channels_max=100, cps_max=10, partner=tenant.partner
    )
    return kept.trunk.id


async def give(tenant: Tenant, line: str, **body: Any) -> dict[str, Any]:
    answer = await tenant.ask("POST", f"/new/user/{{user}}/line/{line}", {"line_concurrency": 5, **body})
    assert answer["code"] == 200, answer
    made: dict[str, Any] = answer["data"]
    return made


@pytest.mark.assumed
async def test_a_line_that_nobody_has_yet_is_in_the_list_of_its_partner(tenant: Tenant) -> None:
    line = await own_line(tenant)

    (row,) = await listed(tenant)

    assert (row["id"], row["line_id"], row["name"], row["line_concurrency"], row["cps"]) == (
        line,
        line,
        "自有线路",
        100,
        10,
    )
    assert (row["line_allocation"], row["line_allocations"]) == (None, [])
    assert row["new_line"]["bind_type_str"] == "IP"


@pytest.mark.documented
async def test_the_node_must_be_named(tenant: Tenant) -> None:
    missing = await tenant.ask("GET", "/new_line_list")
    wrong = await tenant.ask("GET", "/new_line_list", id="2533f3f6-7ac1-4b55-b1de-7d308ce00d89")
    assert (missing["code"], list(missing["message"])) == (422, ["id"])
    assert (wrong["code"], list(wrong["message"])) == (422, ["id"])


@pytest.mark.documented
async def test_a_given_line_is_what_a_task_can_choose(tenant: Tenant) -> None:
    line = await own_line(tenant)

    made = await give(tenant, line, deadline_at="2026-11-28 00:00:00", price=0.1234)

    assert made == {
        "id": made["id"],
        "user_id": tenant.user_id,
        "line_id": line,
        "line_concurrency": 5,
        "residue": 5,
        "deadline_at": "2026-11-28 00:00:00",
        "price": 0.1234,
        "billing_unit_s": 60,
        "group_ids": [],
        "remark": None,
    }
    (row,) = await listed(tenant)
    assert row["line_allocation"] == made
    (offered,) = (await tenant.ask("GET", "/new/user/{user}/task/create"))["data"]["caller_line_list"]
    assert (offered["line_id"], offered["line_concurrency"], offered["available_at"]) == (
        line,
        5,
        "2026-11-28 00:00:00",
    )
    await tenant.make_v2(line, maximumcall=5)


@pytest.mark.assumed
async def test_giving_a_line_again_changes_what_was_given_and_keeps_the_price(tenant: Tenant) -> None:
    line = await own_line(tenant)
    first = await give(tenant, line, price="0.5", billing_unit_s=6)

    second = await give(tenant, line, line_concurrency="7")

    assert second == {**first, "line_concurrency": 7, "residue": 7}


@pytest.mark.documented
async def test_a_line_can_be_given_to_a_sub_account(tenant: Tenant) -> None:
    line, sub = await own_line(tenant), await tenant.add_sub_account()

    made = await give(tenant, line, sub_user_id=sub)
    await give(tenant, line)

    assert made["user_id"] == sub
    (row,) = await listed(tenant)
    assert row["line_allocation"] is None
    assert {each["user_id"] for each in row["line_allocations"]} == {sub, tenant.user_id}
    (of_sub,) = await listed(tenant, user_id=sub)
    assert of_sub["line_allocation"] == made


@pytest.mark.assumed
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "line_concurrency"),
        ({"line_concurrency": 0}, "line_concurrency"),
        ({"line_concurrency": 1, "price": -1}, "price"),
        ({"line_concurrency": 1, "price": "NaN"}, "price"),
        ({"line_concurrency": 1, "price": 0.00001}, "price"),
        ({"line_concurrency": 1, "price": True}, "price"),
        ({"line_concurrency": 1, "price": "1e99"}, "price"),
        ({"line_concurrency": 1, "billing_unit_s": 0}, "billing_unit_s"),
        ({"line_concurrency": 1, "deadline_at": "morgen"}, "deadline_at"),
    ],
)
async def test_what_cannot_be_given_is_refused_under_the_clients_names(
    tenant: Tenant, body: dict[str, Any], field: str
) -> None:
    line = await own_line(tenant)
    answer = await tenant.ask("POST", f"/new/user/{{user}}/line/{line}", body)
    assert (answer["code"], list(answer["message"])) == (422, [field])


@pytest.mark.ours
async def test_lines_of_another_partner_do_not_exist(tenant: Tenant, stranger: Tenant) -> None:
    line = await own_line(tenant)
    made = await give(tenant, line)

    assert await listed(stranger) == []
    refused = [
        await stranger.raw("POST", f"/new/user/{{user}}/line/{line}", {"line_concurrency": 1}),
        await stranger.raw("DELETE", f"/new/user/{{user}}/line/{made['id']}"),
        await stranger.raw("PUT", "/new/user/{user}/line_bind_group", {"id": made["id"], "group_ids": []}),
        await stranger.raw("POST", f"/new/user/{tenant.user_id}/line/{line}", {"line_concurrency": 1}),
        await tenant.raw("POST", "/new/user/{user}/line/nothing", {"line_concurrency": 1}),
        await tenant.raw("DELETE", "/new/user/{user}/line/" + "9" * 5000),
        await tenant.raw("DELETE", "/new/user/{user}/line/-1"),
    ]
    assert [answer.status_code for answer in refused] == [404] * 7
    (row,) = await listed(tenant)
    assert row["line_allocation"] == made


@pytest.mark.ours
async def test_a_line_of_the_whole_installation_is_everybodys_to_give_and_shows_only_own_accounts(
    tenant: Tenant, stranger: Tenant
) -> None:
    line = await tenant.add_line(10)

    made = await give(stranger, line)

    assert made["user_id"] == stranger.user_id
    ((of_tenant,), (of_stranger,)) = (await listed(tenant), await listed(stranger))
    assert of_tenant["line_allocation"]["user_id"] == tenant.user_id
    assert of_stranger["line_allocation"] == made
    foreign = await tenant.raw(
        "GET", "/new_line_list", id=(await tenant.ask("GET", "/cloud_node"))["data"][0]["id"], user_id=stranger.user_id
    )
    assert foreign.status_code == 404


@pytest.mark.ours
async def test_an_account_gives_itself_nothing(tenant: Tenant, application: Application) -> None:
    line = await own_line(tenant)
    own = (await application.access.issue(tenant.partner, account=tenant.user_id)).secret
    for method, path, body in (
        ("GET", "/new_line_list", None),
        ("POST", f"/new/user/{{user}}/line/{line}", {"line_concurrency": 1}),
        ("DELETE", "/new/user/{user}/line/1", None),
        ("PUT", "/new/user/{user}/line_bind_group", {"id": 1, "group_ids": []}),
    ):
        assert (await tenant.raw(method, path, body, token=own)).status_code == 403


@pytest.mark.documented
async def test_a_line_that_was_taken_away_can_no_longer_be_called_over(tenant: Tenant) -> None:
    line = await own_line(tenant)
    made = await give(tenant, line)
    task = await tenant.make_v2(line)

    answer = await tenant.ask("DELETE", f"/new/user/{{user}}/line/{made['id']}")

    assert (answer["code"], "data" in answer) == (200, False)
    assert (await listed(tenant))[0]["line_allocation"] is None
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 409
    assert (await tenant.ask("DELETE", f"/new/user/{{user}}/line/{made['id']}"))["code"] == 404


@pytest.mark.documented
async def test_a_line_bound_to_scripts_is_for_their_tasks_only(tenant: Tenant) -> None:
    line = await own_line(tenant)
    made = await give(tenant, line)
    first, second = (await tenant.ask("GET", "/group/{user}"))["data"]
    task = await tenant.make_v2(line, destination_extension=first["id"])

    async def bind(*groups: int) -> None:
        body = {"id": made["id"], "group_ids": list(groups)}
        assert (await tenant.ask("PUT", "/new/user/{user}/line_bind_group", body))["code"] == 200

    await bind(second["id"])
    refused = await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")
    assert (refused["code"], refused["message"]) == (409, "任务的线路未绑定该任务的话术,请重新选择线路或话术")
    body = await tenant.body_v2(line, destination_extension=first["id"])
    assert "task_extras.line" in (await tenant.ask("POST", "/new/user/{user}/task", body))["message"]
    assert (await listed(tenant))[0]["line_allocation"]["group_ids"] == [second["id"]]

    await bind(first["id"], second["id"])
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 200
    await bind()
    assert (await listed(tenant))[0]["line_allocation"]["group_ids"] == []


@pytest.mark.documented
async def test_only_a_main_account_binds_scripts_and_only_those_of_its_own_house(
    tenant: Tenant, stranger: Tenant
) -> None:
    line, sub = await own_line(tenant), await tenant.add_sub_account()
    made = await give(tenant, line)
    (of_sub, *_) = (await tenant.ask("GET", "/group/{user}", sub_user_id=sub))["data"]
    (foreign, *_) = (await stranger.ask("GET", "/group/{user}"))["data"]

    async def bind(group: int, **more: Any) -> Any:
        return await tenant.ask(
            "PUT", "/new/user/{user}/line_bind_group", {"id": made["id"], "group_ids": [group], **more}
        )

    assert (await bind(of_sub["id"]))["code"] == 200
    assert list((await bind(foreign["id"]))["message"]) == ["group_ids"]
    assert (await bind(of_sub["id"], sub_user_id=sub))["code"] == 409


@pytest.mark.assumed
async def test_a_line_whose_time_is_up_stays_in_the_list(tenant: Tenant, pool: Pool) -> None:
    line = await own_line(tenant)
    await tenant.application.trunks.allocate(line, tenant.user_id, 3, deadline_at=NOON - DAY)

    (row,) = await listed(tenant)

    assert row["line_allocation"]["deadline_at"] == "2026-03-03 12:00:00"
    assert (await tenant.ask("GET", "/new/user/{user}/task/create"))["data"]["caller_line_list"] == []


@pytest.mark.documented
async def test_the_scripts_of_a_user_and_of_all_users_of_a_node(tenant: Tenant, stranger: Tenant) -> None:
    sub = await tenant.add_sub_account()
    (node,) = (await tenant.ask("GET", "/cloud_node"))["data"]

    own = await tenant.ask("GET", "/group/{user}", per_page="1")
    everybodys = await tenant.ask("GET", f"/agent_group/tenant/{node['id']}")

    assert own["meta"] == {"has_pages": True, "total": 2, "last_page": 2, "current_page": 1, "per_page": "1"}
    assert (own["data"][0]["user_id"], own["data"][0]["group_type"], own["data"][0]["default"]) == (
        tenant.user_id,
        "group",
        True,
    )
    assert {row["user_id"] for row in everybodys["data"]} == {tenant.user_id, sub}
    assert (await tenant.ask("GET", "/agent_group/tenant/nowhere"))["code"] == 404
    assert (await stranger.ask("GET", f"/group/{tenant.user_id}"))["code"] == 404
