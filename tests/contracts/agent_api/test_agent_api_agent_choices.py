"""Scripts by time and by variable: what is written is what is read, what is refused, and who then talks."""

from datetime import datetime
from typing import Any

import pytest
from agent_world import NOON, Tenant

from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool
from waihu.domain.agent import AgentKind, Script
from waihu.domain.ids import AttemptId, Instant
from waihu.faces.agent_api.times import CHINA

HOUR = 3_600_000


async def script(tenant: Tenant, name: str) -> int:
    agent = await tenant.application.agents.create(tenant.user_id, AgentKind.SCRIPT, name, Script(greeting=name))
    return agent.id


async def edited(tenant: Tenant, task: str) -> dict[str, Any]:
    return dict((await tenant.ask("GET", f"/new/user/{{user}}/task/{task}/edit"))["data"])


async def speaker(pool: Pool, task: str, now: Instant = NOON, phone: str = "13012121211") -> str:
    """Whose greeting a contact hears who answers `now`."""
    attempt = await pool.fetchval(
        """insert into attempt (id, account_id, campaign_id, contact_id, number, trunk_id, node_id, phone, day,
               planned_at)
           select gen_random_uuid(), k.account_id, k.id, c.id, c.attempts + 1, s.trunk_id, 1, c.phone, now(), now()
           from campaign k join campaign_trunk s on s.campaign_id = k.id join contact c on c.campaign_id = k.id
           where k.id = $1 and c.phone = $2 returning id""",
        task,
        phone,
    )
    sheet = await PostgresDialingStore(pool).sheet(AttemptId(str(attempt)), now)
    await pool.execute("delete from attempt where id = $1", attempt)
    assert sheet is not None
    return str(sheet.script["greeting"])


def at(written: str) -> Instant:
    return round(datetime.fromisoformat(f"2026-03-04 {written}").replace(tzinfo=CHINA).timestamp() * 1000)


async def add_number(tenant: Tenant, task: str, phone: str = "13012121211", **fields: Any) -> None:
    body = {"data": [{"phone": phone, "sort": 0, **fields}]}
    assert (await tenant.ask("POST", f"/user/{{user}}/task/{task}/number", body))["code"] == 200


@pytest.mark.documented
async def test_by_time_in_the_form_of_the_create_call(tenant: Tenant, line: str, pool: Pool) -> None:
    morning = await script(tenant, "早上好")
    hours = [{"begin": "09:00", "end": "12:00", "destination_extension": morning}]
    task = await tenant.make_v2(line, is_group_switch=1, extras={"destination_extension_list": hours})
    await add_number(tenant, task)

    read = await edited(tenant, task)

    assert (read["is_group_switch"], read["new_task_extra"]["destination_extension_list"]) == (1, hours)
    assert read["group_switch_rule"] == []
    assert await speaker(pool, task, at("09:00")) == await speaker(pool, task, at("11:59:59")) == "早上好"
    assert (await speaker(pool, task, at("08:59"))).startswith("您好{姓名}")
    assert (await speaker(pool, task, at("12:00"))).startswith("您好{姓名}")


@pytest.mark.documented
async def test_by_time_in_the_form_of_the_update_call(tenant: Tenant, line: str, pool: Pool) -> None:
    morning, rest = await script(tenant, "早上好"), await script(tenant, "您好")
    task = await tenant.make_v2(line)
    await add_number(tenant, task)
    rule = {"switch_start": "09:00", "switch_end": "12:00", "group_id": morning, "default_group_id": rest}
    update = await tenant.body_v2(line, is_group_switch=1, group_switch_rule=[rule])

    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task/{task}", update))["code"] == 200

    read = await edited(tenant, task)
    assert read["group_switch_rule"] == [rule]
    assert read["new_task_extra"]["destination_extension_list"] == []
    assert await speaker(pool, task, at("10:00")) == "早上好"
    assert await speaker(pool, task, at("12:00")) == "您好"


@pytest.mark.documented
async def test_by_variable(tenant: Tenant, line: str, pool: Pool) -> None:
    him, her, whoever = await script(tenant, "先生"), await script(tenant, "女士"), await script(tenant, "客户")
    rules = [
        {"mode": 1, "values": ["男", "男的"], "destination_extension": him, "sort": 1},
        {"mode": 0, "values": ["女", "女性"], "destination_extension": her, "sort": 0},
        {"mode": 0, "values": ["未知"], "destination_extension": whoever, "sort": 4},
    ]
    task = await tenant.make_v2(line, is_group_switch=2, extras={"destination_extension_with_variable_list": rules})
    for phone, value in (("13012121211", "男士"), ("13012121212", "女"), ("13012121213", "未知"), ("13012121214", "")):
        await add_number(tenant, task, phone, control_select_robot=value)
    await add_number(tenant, task, "13012121215")

    assert (await edited(tenant, task))["new_task_extra"]["destination_extension_with_variable_list"] == rules
    said = [await speaker(pool, task, phone=f"1301212121{n}") for n in range(1, 6)]
    assert said[:3] == ["先生", "女士", "客户"]
    assert all(each.startswith("您好{姓名}") for each in said[3:])


@pytest.mark.ours
async def test_a_list_that_is_not_switched_on_changes_nothing(tenant: Tenant, line: str, pool: Pool) -> None:
    hours = [{"begin": "00:00", "end": "24:00", "destination_extension": 999_999}]
    task = await tenant.make_v2(line, is_group_switch=0, extras={"destination_extension_list": hours})
    await add_number(tenant, task)

    assert (await edited(tenant, task))["new_task_extra"]["destination_extension_list"] == hours
    assert (await speaker(pool, task)).startswith("您好{姓名}")


@pytest.mark.ours
async def test_versions_are_pinned_until_the_task_is_updated(tenant: Tenant, line: str, pool: Pool) -> None:
    day = await script(tenant, "第一版")
    hours = [{"begin": "00:00", "end": "24:00", "destination_extension": day}]
    task = await tenant.make_v2(line, is_group_switch=1, extras={"destination_extension_list": hours})
    await add_number(tenant, task)
    await tenant.application.agents.change(tenant.user_id, day, Script(greeting="第二版"))

    assert await speaker(pool, task) == "第一版"
    copied = (await tenant.ask("GET", f"/new/user/{{user}}/copy/task/{task}"))["data"]["uuid"]
    await add_number(tenant, copied)
    assert await speaker(pool, copied) == "第一版"
    await tenant.ask("PUT", f"/new/user/{{user}}/task/{task}", await tenant.body_v2(line))
    assert await speaker(pool, task) == "第二版"


@pytest.mark.ours
async def test_what_the_update_does_not_send_stays(tenant: Tenant, line: str) -> None:
    day = await script(tenant, "白天")
    hours = [{"begin": "09:00", "end": "18:00", "destination_extension": day}]
    task = await tenant.make_v2(line, is_group_switch=1, extras={"destination_extension_list": hours})

    await tenant.ask("PUT", f"/new/user/{{user}}/task/{task}", await tenant.body_v2(line, name="改名"))

    read = await edited(tenant, task)
    assert (read["name"], read["is_group_switch"]) == ("改名", 1)
    assert read["new_task_extra"]["destination_extension_list"] == hours


EXTRAS = "task_extras."
LIST, VARIABLES = f"{EXTRAS}destination_extension_list", f"{EXTRAS}destination_extension_with_variable_list"


@pytest.mark.ours
@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"is_group_switch": 3}, "is_group_switch"),
        ({"is_group_switch": 1}, LIST),
        ({"is_group_switch": 2}, VARIABLES),
        ({"is_group_switch": 1, LIST: [("12:00", "09:00", "own")]}, f"{LIST}.0"),
        ({"is_group_switch": 1, LIST: [("9 Uhr", "12:00", "own")]}, f"{LIST}.0"),
        ({"is_group_switch": 1, LIST: [("09:00", "12:00", "own"), ("11:00", "13:00", "own")]}, f"{LIST}.1"),
        ({"is_group_switch": 1, LIST: [("09:00", "12:00", "foreign")]}, f"{LIST}.0.destination_extension"),
        ({"is_group_switch": 1, LIST: [("09:00", "12:00", 999_999)]}, f"{LIST}.0.destination_extension"),
        ({"is_group_switch": 2, VARIABLES: [(["a"], "own"), (["b"], 999_999)]}, f"{VARIABLES}.1.destination_extension"),
        ({"is_group_switch": 2, VARIABLES: [([], "own")]}, f"{VARIABLES}.0.values"),
        ({"is_group_switch": 2, VARIABLES: [(["a", " "], "own")]}, f"{VARIABLES}.0.values"),
        ({"is_group_switch": 1, "group_switch_rule": [("09:00", "12:00", 999_999)]}, "group_switch_rule.0.group_id"),
        (
            {"is_group_switch": 1, "group_switch_rule": [("09:00", "12:00", "own", 999_999)]},
            "group_switch_rule.0.default_group_id",
        ),
        (
            {"is_group_switch": 1, "group_switch_rule": [("09:00", "10:00", "own", 1), ("11:00", "12:00", "own", 2)]},
            "group_switch_rule",
        ),
        (
            {
                "is_group_switch": 1,
                "group_switch_rule": [("09:00", "10:00", "own")],
                LIST: [("09:00", "11:00", "own")],
            },
            "group_switch_rule",
        ),
    ],
)
async def test_what_is_refused_and_under_which_name(
    tenant: Tenant, stranger: Tenant, line: str, sent: dict[str, Any], named: str
) -> None:
    ids = {"own": await script(tenant, "自己的"), "foreign": await script(stranger, "别人的")}

    def agent(named: Any) -> Any:
        return ids.get(named, named)

    body = await tenant.body_v2(line, is_group_switch=sent["is_group_switch"])
    if LIST in sent:
        body["task_extras"]["destination_extension_list"] = [
            {"begin": begin, "end": end, "destination_extension": agent(who)} for begin, end, who in sent[LIST]
        ]
    if VARIABLES in sent:
        body["task_extras"]["destination_extension_with_variable_list"] = [
            {"mode": 0, "values": values, "destination_extension": agent(who), "sort": 0}
            for values, who in sent[VARIABLES]
        ]
    if "group_switch_rule" in sent:
        body["group_switch_rule"] = [
            {"switch_start": begin, "switch_end": end, "group_id": agent(who)}
            | ({"default_group_id": agent(rest[0])} if rest else {})
            for begin, end, who, *rest in sent["group_switch_rule"]
        ]

    answer = await tenant.ask("POST", "/new/user/{user}/task", body)

    assert (answer["code"], list(answer["message"])) == (422, [named])


@pytest.mark.ours
async def test_a_line_for_other_scripts_refuses_the_choice_too(tenant: Tenant, line: str) -> None:
    day = await script(tenant, "白天")
    init = (await tenant.ask("GET", "/new/user/{user}/task/create"))["data"]
    own = init["outbound_group"][0]["id"]
    (allocation,) = (await tenant.application.campaigns.options(tenant.user_id)).trunks
    hours = [{"begin": "09:00", "end": "12:00", "destination_extension": day}]
    body = await tenant.body_v2(
        line, is_group_switch=1, destination_extension=own, extras={"destination_extension_list": hours}
    )

    await tenant.application.trunks.bind(tenant.user_id, allocation.id, [own])
    refused = await tenant.ask("POST", "/new/user/{user}/task", body)
    await tenant.application.trunks.bind(tenant.user_id, allocation.id, [own, day])
    taken = await tenant.ask("POST", "/new/user/{user}/task", body)

    assert list(refused["message"]) == ["task_extras.line"]
    assert taken["code"] == 200


@pytest.mark.ours
async def test_an_edit_of_the_time_group_reaches_the_dialing_plan(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line, extras={"work_week": [1, 3]})
    await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")
    store = PostgresDialingStore(pool)
    (before,) = (await store.world()).plans
    (group,) = (await tenant.ask("GET", "/user/{user}/dial-time-group", page=1))["data"]
    content = [{"week": day, "times": [{"begin_time": "20:00", "end_time": "21:00"}]} for day in (1, 2)]

    await tenant.ask("PUT", f"/user/{{user}}/dial-time-group/{group['id']}", {"name": "晚上", "content": content})

    (after,) = (await store.world()).plans
    assert [day for day, windows in enumerate(before.hours.week) if windows] == [1, 3]
    assert [(day, w.begin_min) for day, windows in enumerate(after.hours.week) for w in windows] == [(1, 20 * 60)]
