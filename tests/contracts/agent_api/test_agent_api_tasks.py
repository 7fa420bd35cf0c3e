"""Tasks of both generations: what is written is what is read, and their states are those the vendor documents."""

from typing import Any

import pytest
from agent_world import NOON, StandingClock, Tenant
from seeded_calls import add_call

from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool

DAY = 86_400_000


async def listed(tenant: Tenant, **query: Any) -> list[dict[str, Any]]:
    return list((await tenant.ask("GET", "/new/user/{user}/task", **query))["data"])


async def edited(tenant: Tenant, task: str) -> dict[str, Any]:
    return dict((await tenant.ask("GET", f"/new/user/{{user}}/task/{task}/edit"))["data"])


# 1.0


@pytest.mark.documented
async def test_a_1_0_update_is_what_the_edit_shows(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v1(line)
    other_line = await tenant.add_line(5, "银河zq")
    init = (await tenant.ask("GET", "/user/{user}/task/create"))["data"]
    update = {
        "caller_line_id": other_line,
        "bridge_group_id": 3,
        "destination_extension": init["big_model_outbound_group"][0]["id"],
        "dial_time_id": init["task_dial_times"][0]["id"],
        "maximumcall": 4,
        "name": "API任务创建测试",
        "remark": "API-test",
        "call_pause_second": 10,
        "auto_recycle_rule_id": init["auto_recycle_rules"][0]["id"],
        "end_action": 1,
        "llm_intention_id": 35,
        "task_type": 1,
    }

    answer = await tenant.ask("PUT", f"/user/{{user}}/task/{task}", update)
    read = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/edit"))["data"]

    assert answer == {"code": 200, "status": "success", "message": "修改成功", "data": ""}
    assert {key: read.get(key) for key in update} == update | {"dial_time_id": None, "task_type": None}
    assert read["dial_time_group"]["id"] == update["dial_time_id"]
    assert read["caller_line_name"] == "银河zq"
    assert read["destination_extension_name"] == "演示大模型话术"
    assert (read["status"], read["status_str"], read["_originate_timeout"]) == (1, "停止", 60)


@pytest.mark.documented
async def test_a_1_0_update_without_a_bridge_group_clears_it(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v1(line, bridge_group_id=3)

    await tenant.ask("PUT", f"/user/{{user}}/task/{task}", await tenant.body_v1(line))

    assert (await tenant.ask("GET", f"/user/{{user}}/task/{task}/edit"))["data"]["bridge_group_id"] is None


@pytest.mark.documented
async def test_a_bridge_group_that_is_sent_needs_a_value(tenant: Tenant, line: str) -> None:
    answer = await tenant.ask("POST", "/user/{user}/task", await tenant.body_v1(line, bridge_group_id=None))

    assert list(answer["message"]) == ["bridge_group_id"]


@pytest.mark.assumed
async def test_what_a_1_0_update_does_not_send_stays(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v1(line, remark="第一个任务", call_pause_second=10, end_action=2)

    await tenant.ask("PUT", f"/user/{{user}}/task/{task}", await tenant.body_v1(line))

    read = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/edit"))["data"]
    assert (read["remark"], read["call_pause_second"], read["end_action"]) == ("第一个任务", 10, 2)


@pytest.mark.documented
async def test_dynamic_seats_and_an_end_action_exclude_each_other(tenant: Tenant, line: str) -> None:
    body = await tenant.body_v1(line, elasticity_type=True, end_action=1)

    answer = await tenant.ask("POST", "/user/{user}/task", body)

    assert answer["message"] == {"end_action": ["任务结束动作不能与动态坐席同时开启"]}


@pytest.mark.assumed
async def test_each_generation_lists_its_own_tasks(tenant: Tenant, line: str) -> None:
    old, new = await tenant.make_v1(line), await tenant.make_v2(line)

    in_1_0 = (await tenant.ask("GET", "/user/{user}/task"))["data"]

    assert [task["uuid"] for task in in_1_0] == [old]
    assert [task["uuid"] for task in await listed(tenant)] == [new]


# Concurrency


@pytest.mark.documented
async def test_concurrency_above_the_residue_is_refused(tenant: Tenant, line: str) -> None:
    in_1_0 = await tenant.ask("POST", "/user/{user}/task", await tenant.body_v1(line, maximumcall=11))
    in_2_0 = await tenant.ask("POST", "/new/user/{user}/task", await tenant.body_v2(line, maximumcall=11))

    assert in_1_0["message"] == in_2_0["message"] == {"maximumcall": ["并发数 11 超过所选线路的剩余并发数 10"]}


@pytest.mark.documented
async def test_running_tasks_take_from_the_residue(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v1(line, maximumcall=7)

    async def residue() -> int:
        init = await tenant.ask("GET", "/new/user/{user}/task/create")
        return int(init["data"]["caller_line_list"][0]["residue"])

    assert await residue() == 10
    await tenant.ask("GET", f"/user/{{user}}/task_start/{task}")
    assert await residue() == 3
    refused = await tenant.ask("POST", "/user/{user}/task", await tenant.body_v1(line, maximumcall=4))
    assert list(refused["message"]) == ["maximumcall"]
    # What a task holds itself is not in its own way.
    assert (await tenant.ask("PUT", f"/user/{{user}}/task/{task}", await tenant.body_v1(line, maximumcall=10)))[
        "code"
    ] == 200
    assert await residue() == 0
    await tenant.ask("GET", f"/user/{{user}}/task_stop/{task}")
    assert await residue() == 10


@pytest.mark.ours
async def test_tasks_that_run_together_share_a_line(tenant: Tenant, line: str) -> None:
    """Both fitted when they were made; what is free goes to whichever needs it, and no line says less than none."""
    for task in (await tenant.make_v2(line, maximumcall=6), await tenant.make_v2(line, maximumcall=6)):
        assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 200

    init = await tenant.ask("GET", "/new/user/{user}/task/create")
    assert init["data"]["caller_line_list"][0]["residue"] == 0


@pytest.mark.documented
async def test_a_finished_task_may_keep_its_channels(tenant: Tenant, line: str, pool: Pool) -> None:
    """End action 2 pauses and locks the concurrency; stopping the task gives it back."""
    task = await tenant.make_v1(line, maximumcall=6, end_action=2)
    await pool.execute("update campaign set state = 'completed', keeps_channels = true")
    init = await tenant.ask("GET", "/new/user/{user}/task/create")
    assert init["data"]["caller_line_list"][0]["residue"] == 4

    await tenant.ask("GET", f"/user/{{user}}/task_stop/{task}")

    init = await tenant.ask("GET", "/new/user/{user}/task/create")
    assert init["data"]["caller_line_list"][0]["residue"] == 10


@pytest.mark.ours
async def test_the_limit_of_a_line_is_held_to_its_residue(tenant: Tenant, line: str) -> None:
    body = await tenant.body_v2({"id": line, "limit": 11}, maximumcall=5)

    answer = await tenant.ask("POST", "/new/user/{user}/task", body)

    assert list(answer["message"]) == ["task_extras.line"]


@pytest.mark.ours
async def test_several_lines_carry_a_task_together(tenant: Tenant, line: str) -> None:
    second = await tenant.add_line(5, "线路二")

    task = await tenant.make_v2(line, second, maximumcall=15)

    assert (await edited(tenant, task))["new_task_extra"]["line"] == [line, second]


@pytest.mark.ours
async def test_a_sub_account_shares_the_lines_of_its_main_account(tenant: Tenant, line: str) -> None:
    sub = await tenant.add_sub_account()
    task = await tenant.make_v1(line, maximumcall=6)
    await tenant.ask("GET", f"/user/{{user}}/task_start/{task}")

    init = (await tenant.ask("GET", "/new/user/{user}/task/create", sub_user_id=sub))["data"]

    assert [(each["line_id"], each["residue"]) for each in init["caller_line_list"]] == [(line, 4)]


@pytest.mark.ours
async def test_a_line_of_somebody_else_cannot_be_chosen(tenant: Tenant, stranger: Tenant) -> None:
    foreign = await stranger.add_line(10)

    answer = await tenant.ask("POST", "/new/user/{user}/task", await tenant.body_v2(foreign))

    assert answer["message"] == {"task_extras.line": ["线路不存在、未分配给该用户或已到期"]}


@pytest.mark.ours
async def test_a_line_whose_time_is_up(tenant: Tenant, line: str, clock: StandingClock) -> None:
    await tenant.application.trunks.allocate(line, tenant.user_id, 10, deadline_at=NOON + DAY)
    task = await tenant.make_v2(line)
    clock.now += 2 * DAY

    init = await tenant.ask("GET", "/new/user/{user}/task/create")
    started = await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")

    assert init["data"]["caller_line_list"] == []
    assert (started["code"], started["message"]) == (
        409,
        "任务的线路不存在、未分配给该用户或已到期,请重新选择线路",
    )


# 2.0


@pytest.mark.documented
async def test_the_newest_published_request(tenant: Tenant, line: str) -> None:
    """Every key of the vendor's newest example, and what of it is read back."""
    init = (await tenant.ask("GET", "/new/user/{user}/task/create"))["data"]
    script = init["outbound_group"][0]["id"]
    extras = {
        "line": [{"id": line, "limit": 2}],
        "destination_extension_list": [{"begin": "09:00", "end": "12:00", "destination_extension": 123}],
        "destination_extension_with_variable_list": [
            {"mode": 1, "values": ["男", "男的"], "destination_extension": script, "sort": 1},
            {"mode": 0, "values": ["女", "女性"], "destination_extension": script, "sort": 0},
            {"mode": 0, "values": ["未知"], "destination_extension": script, "sort": 4},
        ],
        "holiday": [{"begin": "2024-11-01 13:25", "end": "2024-11-03 13:25"}],
        "pop_mode": 1,
        "redial_enabled": 0,
        "redial_new_number_policy": 0,
        "redial_interval": 3,
        "redial_max_times": 3,
        "redial_conditions": {"da_status": [2, 3, 4, 6, 8, 9, 12]},
    }
    sent = {"background_id": 123, "is_group_switch": 2, "task_type": 7, "llm_intention_id": 123, "score_scheme_id": 123}

    task = await tenant.make_v2(maximumcall=2, extras=extras, **sent)

    read = await edited(tenant, task)
    extra = read["new_task_extra"]
    assert {key: read[key] for key in sent} == sent
    assert {key: extra[key] for key in extras} == extras | {
        "redial_enabled": False,
        "redial_new_number_policy": False,
        "redial_conditions": {"hangup_cause": None, "da_status": [2, 3, 4, 6, 8, 9, 12]},
    }


@pytest.mark.documented
async def test_the_older_forms_of_lines_and_holidays(tenant: Tenant, line: str) -> None:
    extras = {"holiday": [{"start": "2024-11-01 13:25", "end": "2024-11-03 13:25"}], "interval_time": 5}

    task = await tenant.make_v2(line, extras=extras)

    extra = (await edited(tenant, task))["new_task_extra"]
    assert extra["line"] == [line]
    assert extra["holiday"] == [{"begin": "2024-11-01 13:25", "end": "2024-11-03 13:25"}]
    assert extra["interval_time"] == 5


@pytest.mark.ours
async def test_tasks_of_both_generations_follow_their_time_group(tenant: Tenant, line: str) -> None:
    """The vendor's 2.0 tasks keep the hours they were made with, and its pages warn of that."""
    new, old = await tenant.make_v2(line), await tenant.make_v1(line)
    (group,) = (await tenant.ask("GET", "/user/{user}/dial-time-group", page=1))["data"]
    content = [{"week": 1, "times": [{"begin_time": "08:00", "end_time": "09:00"}]}]

    await tenant.ask("PUT", f"/user/{{user}}/dial-time-group/{group['id']}", {"name": "早晨", "content": content})

    (row,) = await listed(tenant)
    assert row["uuid"] == new
    assert row["task_extras"]["work_hour"] == [{"end": "09:00", "wday": 1, "begin": "08:00"}]
    followed = (await tenant.ask("GET", f"/user/{{user}}/task/{old}/edit"))["data"]["dial_time_group"]
    assert followed["content"] == content


@pytest.mark.documented
async def test_work_hours_in_both_copies_of_the_list(tenant: Tenant, line: str) -> None:
    """The vendor's example: 03:00 to 19:00 every day, and 20:00 to 23:30 on some."""
    evening = {"begin": "20:00", "end": "23:30"}
    hours = [{"wday": day, "begin": "03:00", "end": "19:00"} for day in (1, 2, 3, 4, 5, 6, 0)]
    hours += [{"wday": day, **evening} for day in (1, 3, 4)]
    await tenant.make_v2(line, extras={"work_hour": hours, "work_week": [1, 2, 3, 4, 5, 6, 0]})

    (row,) = await listed(tenant)

    assert row["task_extras"]["work_week"] == [1, 2, 3, 4, 5, 6, 0]
    assert sorted(map(str, row["task_extras"]["work_hour"])) == sorted(
        str({"end": hour["end"], "wday": hour["wday"], "begin": hour["begin"]}) for hour in hours
    )
    assert row["new_task_extra"]["work_hour"] == [
        {"wday": "-1", "begin": "03:00", "end": "19:00"},
        *({"wday": day, **evening} for day in (1, 3, 4)),
    ]


@pytest.mark.assumed
async def test_a_work_week_narrows_the_hours_of_the_time_group(tenant: Tenant, line: str) -> None:
    await tenant.make_v2(line, extras={"work_week": [1, 3], "work_hour": []})

    (row,) = await listed(tenant)

    assert row["task_extras"]["work_week"] == [1, 3]
    assert len(row["task_extras"]["work_hour"]) == 4


@pytest.mark.ours
async def test_a_work_week_also_narrows_hours_that_come_later(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line, extras={"work_week": [1, 3], "work_hour": []})
    (group,) = (await tenant.ask("GET", "/user/{user}/dial-time-group", page=1))["data"]
    content = [{"week": day, "times": [{"begin_time": "08:00", "end_time": "09:00"}]} for day in range(7)]

    await tenant.ask("PUT", f"/user/{{user}}/dial-time-group/{group['id']}", {"name": "早晨", "content": content})

    (row,) = await listed(tenant)
    assert [(hour["wday"], hour["begin"]) for hour in row["task_extras"]["work_hour"]] == [(1, "08:00"), (3, "08:00")]
    update = await tenant.body_v2(line, extras={"work_week": []})
    await tenant.ask("PUT", f"/new/user/{{user}}/task/{task}", update)
    (row,) = await listed(tenant)
    assert len(row["task_extras"]["work_hour"]) == 7


@pytest.mark.ours
async def test_hours_of_its_own_are_kept_from_its_time_group(tenant: Tenant, line: str) -> None:
    hours = [{"wday": 2, "begin": "10:00", "end": "11:00"}]
    task = await tenant.make_v2(line, extras={"work_hour": hours})
    (group,) = (await tenant.ask("GET", "/user/{user}/dial-time-group", page=1))["data"]
    content = [{"week": 1, "times": [{"begin_time": "08:00", "end_time": "09:00"}]}]
    await tenant.ask("PUT", f"/user/{{user}}/dial-time-group/{group['id']}", {"name": "早晨", "content": content})
    # An update that does not speak of hours leaves them.
    await tenant.ask("PUT", f"/new/user/{{user}}/task/{task}", await tenant.body_v2(line))

    assert (await edited(tenant, task))["new_task_extra"]["work_hour"] == hours


@pytest.mark.ours
@pytest.mark.parametrize("days", [[7], [-1], [1, 9]])
async def test_days_that_there_are_not(tenant: Tenant, line: str, days: list[int]) -> None:
    answer = await tenant.ask("POST", "/new/user/{user}/task", await tenant.body_v2(line, extras={"work_week": days}))

    assert list(answer["message"]) == ["task_extras.work_week"]


@pytest.mark.documented
async def test_a_2_0_update(tenant: Tenant, line: str) -> None:
    """The published request, which leaves out the times; they stay."""
    task = await tenant.make_v2(line, remark="备注", extras={"pop_mode": 2})
    update = await tenant.body_v2(line, name="改名", maximumcall=3)
    rule = {
        "switch_start": "09:00",
        "switch_end": "12:00",
        "group_id": update["destination_extension"],
        "default_group_id": update["destination_extension"],
    }
    update |= {"group_type": "group", "is_group_switch": 1, "group_switch_rule": [rule]}
    update["task_extras"] = {"line": [{"id": line, "limit": 1}], "holiday": [], "work_hour": [], "work_week": []}

    answer = await tenant.ask("PUT", f"/new/user/{{user}}/task/{task}", update)

    read = await edited(tenant, task)
    assert answer["data"] == ""
    assert (read["name"], read["maximumcall"], read["remark"]) == ("改名", 3, "备注")
    assert (read["is_group_switch"], read["group_switch_rule"]) == (1, [rule])
    assert read["new_task_extra"]["start_time"] == "2024-11-01 13:25:26"
    assert read["new_task_extra"]["pop_mode"] == 2
    assert read["new_task_extra"]["line"] == [{"id": line, "limit": 1}]


@pytest.mark.ours
async def test_a_change_of_a_running_task_reaches_the_engines(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line)
    await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")
    store = PostgresDialingStore(pool)
    (before,) = (await store.world()).plans

    await tenant.ask("PUT", f"/new/user/{{user}}/task/{task}", await tenant.body_v2(line, maximumcall=2))

    (after,) = (await store.world()).plans
    assert (before.channels_max, after.channels_max) == (1, 2)


@pytest.mark.observed
async def test_the_agent_of_a_task_decides_how_it_is_called(tenant: Tenant, line: str) -> None:
    init = (await tenant.ask("GET", "/new/user/{user}/task/create"))["data"]
    model = init["big_model_outbound_group"][0]["id"]

    task = await tenant.make_v2(line, destination_extension=str(model))

    read = await edited(tenant, task)
    assert (read["destination_extension"], read["enable_type"], read["group_type"]) == (str(model), 1, "llm")


# States


@pytest.mark.documented
@pytest.mark.parametrize(
    ("phase", "enable", "call_status", "status", "said"),
    [
        ("dialing", True, True, 2, "执行中"),
        ("waiting_hours", True, False, 3, "等待执行"),
        ("waiting_retry", True, False, 3, "等待执行"),
        ("waiting_capacity", True, False, 3, "等待执行"),
        (None, True, False, 3, "等待执行"),
    ],
)
async def test_a_running_task(
    tenant: Tenant, line: str, pool: Pool, phase: str, enable: bool, call_status: bool, status: int, said: str
) -> None:
    task = await tenant.make_v2(line)
    await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")
    await pool.execute("update campaign set phase = $1", phase)

    (row,) = await listed(tenant)
    old = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/edit"))["data"]

    assert (row["enable"], row["new_task_extra"]["call_status"]) == (enable, call_status)
    assert (row["status"], row["status_str"]) == (old["status"], old["status_str"]) == (status, said)


@pytest.mark.ours
async def test_why_a_task_has_stopped(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line)

    async def stop_reason() -> Any:
        return (await tenant.ask("GET", f"/new/user/{{user}}/task/{task}/edit"))["data"]["stop_reason"]

    assert await stop_reason() is None
    for call in ("task_start", "task_stop"):
        await tenant.ask("PUT", f"/new/user/{{user}}/{call}/{task}")
    assert await stop_reason() == "user"
    await pool.execute("update campaign set state = 'completed', pause_reason = null")
    assert await stop_reason() == "completed"


@pytest.mark.documented
@pytest.mark.parametrize("state", ["draft", "ready", "paused", "completed"])
async def test_a_task_that_does_not_run(tenant: Tenant, line: str, pool: Pool, state: str) -> None:
    await tenant.make_v2(line)
    await pool.execute("update campaign set state = $1", state)

    (row,) = await listed(tenant)

    assert (row["enable"], row["new_task_extra"]["call_status"]) == (False, False)
    assert (row["status"], row["status_str"]) == (1, "停止")


@pytest.mark.documented
@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"status": 1}, {"ready"}),
        ({"status": 3}, {"dialing", "waiting"}),
        ({"status[]": [1, 3]}, {"ready", "dialing", "waiting"}),
        ({"name": "dial"}, {"dialing"}),
        ({"name": "%"}, set()),
        ({}, {"ready", "dialing", "waiting"}),
    ],
)
async def test_the_filters_of_the_2_0_list(
    tenant: Tenant, line: str, pool: Pool, asked: dict[str, Any], shown: set[str]
) -> None:
    for name, state, phase in (
        ("ready", "ready", None),
        ("dialing", "running", "dialing"),
        ("waiting", "running", "waiting_hours"),
    ):
        task = await tenant.make_v2(line, name=name)
        await pool.execute("update campaign set state = $2, phase = $3 where id = $1", task, state, phase)

    answer = await tenant.ask("GET", "/new/user/{user}/task", **asked)

    assert {row["name"] for row in answer["data"]} == shown
    assert answer["meta"]["total"] == len(shown)


@pytest.mark.documented
@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ([1], {"ready"}),
        ([2], {"dialing"}),
        ([3], {"waiting"}),
        ([2, 3], {"dialing", "waiting"}),
        ([1, 9], {"ready", "dialing", "waiting"}),
    ],
)
async def test_the_status_filter_of_the_1_0_list(
    tenant: Tenant, line: str, pool: Pool, status: list[int], shown: set[str]
) -> None:
    for name, state, phase in (
        ("ready", "ready", None),
        ("dialing", "running", "dialing"),
        ("waiting", "running", None),
    ):
        task = await tenant.make_v1(line, name=name)
        await pool.execute("update campaign set state = $2, phase = $3 where id = $1", task, state, phase)

    answer = await tenant.ask("GET", "/user/{user}/task", **{"status[]": status})

    assert {row["name"] for row in answer["data"]} == shown


@pytest.mark.documented
async def test_pages(tenant: Tenant, line: str, clock: StandingClock) -> None:
    for number in range(3):
        clock.now += 1000
        await tenant.make_v2(line, name=f"任务{number}")

    second = await tenant.ask("GET", "/new/user/{user}/task", page=2, per_page=1)
    default = await tenant.ask("GET", "/new/user/{user}/task")
    beyond = await tenant.ask("GET", "/new/user/{user}/task", page=9)

    assert [row["name"] for row in second["data"]] == ["任务1"]
    assert second["meta"] == {"has_pages": True, "total": 3, "last_page": 3, "current_page": 2, "per_page": "1"}
    assert default["meta"] == {"has_pages": False, "total": 3, "last_page": 1, "current_page": 1, "per_page": 15}
    assert (beyond["data"], beyond["meta"]["total"]) == ([], 3)


@pytest.mark.observed
async def test_a_task_without_a_line_does_not_start(tenant: Tenant) -> None:
    task = await tenant.make_v2()

    answer = await tenant.raw("PUT", f"/new/user/{{user}}/task_start/{task}")

    assert answer.status_code == answer.json()["code"] == 409
    assert answer.json()["message"] == "任务未配置外呼线路,请先为任务选择线路"


@pytest.mark.ours
async def test_a_task_whose_time_is_over_does_not_start(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line, extras={"stop_time": "2026-03-01 00:00:00"})

    answer = await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")

    assert (answer["code"], answer["message"]) == (409, "任务停止时间已过,请先修改任务的停止时间")


@pytest.mark.assumed
async def test_starting_and_stopping_twice_is_once(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line)

    for verb, state in (("start", "running"), ("start", "running"), ("stop", "paused"), ("stop", "paused")):
        answer = await tenant.ask("PUT", f"/new/user/{{user}}/task_{verb}/{task}")
        assert answer["code"] == 200
        assert await pool.fetchval("select state from campaign") == state
    assert await pool.fetchval("select pause_reason from campaign") == "user"


@pytest.mark.assumed
async def test_a_copy(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2({"id": line, "limit": 2}, maximumcall=2, remark="备注", extras={"pop_mode": 0})
    await tenant.ask("POST", f"/user/{{user}}/task/{task}/number", {"data": [{"phone": "13012121211"}]})

    copy = (await tenant.ask("GET", f"/new/user/{{user}}/copy/task/{task}"))["data"]["uuid"]

    was, read = await edited(tenant, task), await edited(tenant, copy)
    assert read["name"] == "二号任务_副本"
    changed = {"uuid", "name", "new_task_extra"}
    assert {key: read[key] for key in read.keys() - changed} == {key: was[key] for key in was.keys() - changed}
    assert read["new_task_extra"]["line"] == was["new_task_extra"]["line"]
    assert (await tenant.ask("GET", f"/user/{{user}}/task/{copy}/number"))["meta"]["total"] == 0


@pytest.mark.assumed
async def test_a_deleted_task_is_gone(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)

    answer = await tenant.ask("DELETE", f"/new/user/{{user}}/task/{task}")

    assert answer == {"code": 200, "status": "success", "message": "删除成功"}
    assert await listed(tenant) == []
    gone = await tenant.raw("GET", f"/new/user/{{user}}/task/{task}/edit")
    assert (gone.status_code, gone.json()["message"]) == (404, "任务不存在")


@pytest.mark.assumed
async def test_a_running_task_is_stopped_before_it_is_deleted(tenant: Tenant, line: str) -> None:
    new, old = await tenant.make_v2(line), await tenant.make_v1(line)
    await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{new}")
    await tenant.ask("GET", f"/user/{{user}}/task_start/{old}")

    of_2_0 = await tenant.ask("DELETE", f"/new/user/{{user}}/task/{new}")
    of_1_0 = await tenant.ask("DELETE", f"/user/{{user}}/task/{old}")

    assert of_2_0 == {"code": 6007, "status": "error", "message": "2.0任务启动中,请先停止任务", "data": []}
    assert (of_1_0["code"], of_1_0["message"]) == (409, "任务启动中,请先停止任务")


@pytest.mark.observed
async def test_the_figures_of_a_task_by_line(tenant: Tenant, line: str, pool: Pool) -> None:
    other = await tenant.add_line(10, "线路二")
    task = await tenant.make_v2(line, other, maximumcall=2)
    await pool.execute("insert into campaign_stat (campaign_id, slot, contacts, finished) values ($1, 0, 5, 2)", task)
    await pool.execute(
        """insert into trunk_usage (campaign_id, account_id, trunk_id, day, slot, attempts, answered, trunk_errors,
               talk_ms)
           values ($1, $4, $2, '2026-03-03', 0, 3, 1, 1, 8000), ($1, $4, $2, '2026-03-04', 1, 1, 1, 0, 500),
               ($1, $4, $3, '2026-03-04', 1, 2, 0, 2, 0)""",
        task,
        line,
        other,
        tenant.user_id,
    )

    (row,) = await listed(tenant)

    info = row["new_task_extra"]["call_info"][line]
    of_other = row["new_task_extra"]["call_info"][other]
    assert (of_other["dialed_number_total"], of_other["gateway_error_hangup_total"], of_other["bill"]) == (2, 2, 0)
    assert row["new_task_extra"]["number_count"] == 5
    assert (info["dialed_number_total"], info["answer_total"], info["bill"]) == (4, 2, 8500)
    assert (info["gateway_error_hangup_total"], info["normal_hangup_total"]) == (1, 3)
    assert (info["cps"], info["limit"], info["calling_count"], info["answering_count"]) == (10, 2, 0, 0)


@pytest.mark.ours
async def test_lines_that_carry_a_task_together_have_their_own_figures(tenant: Tenant, line: str, pool: Pool) -> None:
    second = await tenant.add_line(5, "线路二")
    task = await tenant.make_v2(line, second, maximumcall=15)
    await pool.execute(
        """insert into trunk_usage (campaign_id, account_id, trunk_id, day, slot, attempts, answered, trunk_errors,
               talk_ms)
           values ($1, $4, $2, '2026-03-04', 0, 1, 1, 0, 8400), ($1, $4, $3, '2026-03-04', 0, 1, 0, 1, 0)""",
        task,
        line,
        second,
        tenant.user_id,
    )
    await add_call(pool, task, second, phone="13012121213", talk_ms=None, is_over=False)

    (row,) = await listed(tenant)

    shown = ("dialed_number_total", "answer_total", "gateway_error_hangup_total", "bill", "calling_count", "limit")
    info = row["new_task_extra"]["call_info"]
    assert list(info) == [line, second]
    assert [tuple(each[name] for name in shown) for each in info.values()] == [
        (1, 1, 0, 8400, 0, 15),
        (1, 0, 1, 0, 1, 15),
    ]
