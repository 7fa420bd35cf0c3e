"""Lines of a partner, and which of its accounts may use them with which scripts."""

from dataclasses import replace
from typing import Any

import pytest
from agent_world import NOON, StandingClock, Tenant
from shapes import differences

from waihu.adapters.postgres.pool import Pool
from waihu.application.services import Application

DAY = 86_400_000

ROW: dict[str, Any] = {
    "id": "line",
    "robot_cli_node_id": "node",
    "user_id": "partner",
    "gateway_id": 1,
    "extension_id": None,
    "name": "线路",
    "description": "",
    "type": 1,
    "call_line": 100,
    "call_number_prefix": "",
    "origination_caller_id_number": "",
    "dial_string": "",
    "destination_prefix": "",
    "created_at": "2026-03-04 12:00:00",
    "updated_at": "2026-03-04 12:00:00",
    "bind_type_str": "IP",
    "line_allocation": [
        {
            "id": 1,
            "line_id": "line",
            "belong_user": "user",
            "name": None,
            "line_concurrency": 1,
            "price": 0.1,
            "agent_cost": 0.1,
            "begin_at": "2026-03-04 12:00:00",
            "deadline_at": "2027-03-04 00:00:00",
            "available_time": 31_536_000,
            "created_at": "2026-03-04 12:00:00",
        }
    ],
}
"""The keys and types of the vendor's example, in its order."""
OURS = {"cps", "status"}
OURS_OF_ALLOCATION = {"residue", "billing_unit_s", "group_ids", "remark"}


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
        name, "sip.example.com", caller_id="0571000", channels_max=100, cps_max=10, partner=tenant.partner
    )
    return kept.trunk.id


async def give(tenant: Tenant, line: str, **body: Any) -> dict[str, Any]:
    answer = await tenant.ask("POST", f"/new/user/{{user}}/line/{line}", {"line_concurrency": 5, **body})
    assert answer["code"] == 200, answer
    made: dict[str, Any] = answer["data"]
    return made


@pytest.mark.documented
async def test_a_line_that_nobody_has_yet_is_in_the_list_of_its_partner(tenant: Tenant, clock: StandingClock) -> None:
    (node,) = (await tenant.ask("GET", "/cloud_node"))["data"]
    line = await own_line(tenant)
    clock.now = NOON + DAY
    kept = await tenant.application.trunks.read(line)
    await tenant.application.trunks.change(replace(kept, name="改名线路"))

    answer = await tenant.ask("GET", "/new_line_list", id=node["id"])

    assert answer["message"] == "返回所属代理线路列表成功"
    assert answer["data"] == [
        {
            "id": line,
            "robot_cli_node_id": node["id"],
            "user_id": tenant.partner,
            "gateway_id": 0,
            "extension_id": None,
            "name": "改名线路",
            "description": "",
            "type": 1,
            "call_line": 100,
            "call_number_prefix": "",
            "origination_caller_id_number": "0571000",
            "dial_string": "",
            "destination_prefix": "",
            "created_at": "2026-03-04 12:00:00",
            "updated_at": "2026-03-05 12:00:00",
            "bind_type_str": "IP",
            "cps": 10,
            "status": False,
            "line_allocation": [],
        }
    ]


@pytest.mark.documented
async def test_a_row_has_the_form_of_the_vendors_example(tenant: Tenant) -> None:
    await give(tenant, await own_line(tenant), deadline_at="2027-03-04 00:00:00")

    (row,) = await listed(tenant)

    assert [key for key in row if key not in OURS] == list(ROW)
    (allocation,) = row["line_allocation"]
    assert [key for key in allocation if key not in OURS_OF_ALLOCATION] == list(ROW["line_allocation"][0])
    for key in OURS:
        del row[key]
    for key in OURS_OF_ALLOCATION:
        del allocation[key]
    assert differences([ROW], [row]) == []


@pytest.mark.ours
async def test_how_a_carrier_is_reached_is_nobodys_to_read(tenant: Tenant) -> None:
    await tenant.application.trunks.add(
        "自有线路",
        "carrier.example.com",
        username="line-user",
        password="line-password",
        register=True,
        channels_max=100,
        cps_max=10,
        partner=tenant.partner,
    )

    told = str(await listed(tenant))

    assert [word for word in ("carrier.example.com", "line-user", "line-password") if word in told] == []


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
        "line_id": line,
        "belong_user": tenant.user_id,
        "name": None,
        "line_concurrency": 5,
        "price": 0.1234,
        "agent_cost": 0,
        "begin_at": "2026-03-04 12:00:00",
        "deadline_at": "2026-11-28 00:00:00",
        "available_time": 269 * 86_400,
        "created_at": "2026-03-04 12:00:00",
        "residue": 5,
        "billing_unit_s": 60,
        "group_ids": [],
        "remark": None,
    }
    (row,) = await listed(tenant)
    assert row["line_allocation"] == [made]
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

    assert made["belong_user"] == sub
    (row,) = await listed(tenant)
    assert [each["belong_user"] for each in row["line_allocation"]] == [sub, tenant.user_id]
    (of_sub,) = await listed(tenant, user_id=sub)
    assert of_sub["line_allocation"] == [made]


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
    assert row["line_allocation"] == [made]


@pytest.mark.ours
async def test_a_line_of_the_whole_installation_is_everybodys_to_give_and_shows_only_own_accounts(
    tenant: Tenant, stranger: Tenant
) -> None:
    line = await tenant.add_line(10)

    made = await give(stranger, line)

    assert made["belong_user"] == stranger.user_id
    ((of_tenant,), (of_stranger,)) = (await listed(tenant), await listed(stranger))
    assert (of_tenant["user_id"], of_stranger["user_id"]) == (None, None)
    assert [each["belong_user"] for each in of_tenant["line_allocation"]] == [tenant.user_id]
    assert of_stranger["line_allocation"] == [made]
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
    assert (await listed(tenant))[0]["line_allocation"] == []
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
    assert [each["group_ids"] for each in (await listed(tenant))[0]["line_allocation"]] == [[second["id"]]]

    await bind(first["id"], second["id"])
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 200
    await bind()
    assert [each["group_ids"] for each in (await listed(tenant))[0]["line_allocation"]] == [[]]


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

    (allocation,) = row["line_allocation"]
    assert (allocation["deadline_at"], allocation["available_time"]) == ("2026-03-03 12:00:00", 0)
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
