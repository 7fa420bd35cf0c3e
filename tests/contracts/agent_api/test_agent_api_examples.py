"""The vendor's published examples: our answers have every key, type and nesting of theirs, and no other key."""

import json
from pathlib import Path
from typing import Any

import pytest
from agent_world import Tenant
from shapes import differences

from waihu.adapters.postgres.pool import Pool
from waihu.application.services import Application
from waihu.domain.agent import AgentKind, Script

pytestmark = pytest.mark.documented

EXAMPLES = Path(__file__).parent / "examples"


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"agent_api_{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
async def furnished(tenant: Tenant, pool: Pool, application: Application) -> Tenant:
    """A tenant that has one of everything a task can choose from."""
    await pool.execute("insert into seat_group (account_id, name) values ($1, '转人工')", tenant.user_id)
    await pool.execute("insert into background_sound (account_id, name) values ($1, '超市大厅')", tenant.user_id)
    await pool.execute("insert into review_config (account_id, name) values ($1, '质检条件1')", tenant.user_id)
    script = Script(greeting="您好{姓名},您的订单{订单号}已发货。")
    await application.agents.create(tenant.user_id, AgentKind.SCRIPT_V2, "变量话术测试", script)
    return tenant


async def test_init_of_a_2_0_task(furnished: Tenant, line: str) -> None:
    answer = await furnished.ask("GET", "/new/user/{user}/task/create")

    may_be_empty = frozenset({"data.call_in_line_list"})
    assert differences(example("v2_task_create_init"), answer, may_be_empty=may_be_empty) == []
    assert answer["message"] == "返回任务初始化信息成功"


async def test_list_of_2_0_tasks(furnished: Tenant, line: str) -> None:
    await furnished.make_v2(line, remark="备注", end_action=1, bridge_group_id=1)

    answer = await furnished.ask("GET", "/new/user/{user}/task", per_page=1)

    assert differences(example("v2_task_list"), answer) == []
    assert answer["message"] == "返回任务列表信息成功"
    assert list(answer) == ["code", "status", "message", "meta", "data"]


async def test_the_older_path_of_the_2_0_list(furnished: Tenant, line: str) -> None:
    await furnished.make_v2(line)

    answer = await furnished.ask("GET", "/new/user/{user}/subset_task")

    assert differences(example("v2_task_list")["data"], answer["data"]) == []


async def test_edit_of_a_1_0_task(furnished: Tenant, line: str) -> None:
    (rule,) = (await furnished.ask("GET", "/user/{user}/task/create"))["data"]["auto_recycle_rules"]
    task = await furnished.make_v1(
        line, remark="备注", bridge_group_id=1, auto_recycle_rule_id=rule["id"], llm_intention_id=1, end_action=1
    )

    answer = await furnished.ask("GET", f"/user/{{user}}/task/{task}/edit")

    # The vendor has given `time_range` up in favour of `dial_time_group`.
    assert differences(example("v1_task_edit"), answer, may_be_empty=frozenset({"data.time_range"})) == []
    assert answer["message"] == "返回任务初始化信息成功"


async def test_update_of_a_1_0_task(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v1(line)

    answer = await tenant.ask("PUT", f"/user/{{user}}/task/{task}", await tenant.body_v1(line))

    assert answer == example("v1_task_update")
