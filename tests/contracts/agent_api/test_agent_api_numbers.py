"""Numbers of a task: added, listed with the reason they wait, reset and deleted."""

from typing import Any

import pytest
from agent_world import NOON, Tenant

from waihu.adapters.postgres.pool import Pool

RUNNING = {"code": 6007, "status": "error", "message": "2.0任务启动中,请先停止任务", "data": []}


def rows(*phones: str, **fields: Any) -> dict[str, Any]:
    return {"data": [{"phone": phone, "sort": 0, **fields} for phone in phones]}


async def add(tenant: Tenant, task: str, body: dict[str, Any], *, suffix: str = "number") -> dict[str, Any]:
    return dict(await tenant.ask("POST", f"/user/{{user}}/task/{task}/{suffix}", body))


async def listed(tenant: Tenant, task: str, **query: Any) -> list[dict[str, Any]]:
    answer = await tenant.ask("GET", f"/user/{{user}}/task/{task}/number", page=1, **query)
    assert answer["code"] == 200, answer
    return list(answer["data"])


async def start(tenant: Tenant, task: str) -> None:
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 200


@pytest.mark.observed
async def test_what_a_public_client_sends(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line)
    body = {"ignore_crm": True, "skip_error": True, **rows("13012121211", extra="0c51fc89-f6cf-405b-bb36-2c06900c3b5e")}

    answer = await add(tenant, task, body)

    assert answer["code"] == 200
    (row,) = await listed(tenant, task)
    assert (row["number"], row["status"], row["extra"]) == ("13012121211", 0, body["data"][0]["extra"])


@pytest.mark.assumed
async def test_numbers_are_listed_in_the_order_in_which_they_came(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)
    came = ["13012121213", "13012121211", "13012121214", "13012121212"]

    await add(tenant, task, rows(*came[:3]))
    await add(tenant, task, rows(came[3]))

    assert [row["number"] for row in await listed(tenant, task)] == came


@pytest.mark.documented
async def test_everything_that_can_be_known_of_a_number(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line)
    component = {"name": "订单号", "type": "text"}
    order = (await tenant.ask("POST", "/user/{user}/customer/component", component))["data"]["id"]
    body = rows(
        "13012121211",
        name="联系人1",
        email="a@example.com",
        company="甲",
        sex=1,
        source_id=1,
        components=[{"id": order, "value": "订单一"}],
        control_select_robot="男",
    )

    await add(tenant, task, body)

    contact = await pool.fetchrow("select name, variables from contact")
    assert contact is not None
    assert contact["name"] == "联系人1"
    assert contact["variables"] == {
        "公司": "甲",
        "邮箱": "a@example.com",
        "control_select_robot": "男",
        "订单号": "订单一",
    }


@pytest.mark.documented
async def test_one_wrong_row_fails_all(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)

    answer = await add(tenant, task, rows("13012121211", "没有号码", "13012121211"))

    assert (answer["code"], answer["message"]) == (422, {"data.1.phone": ["号码格式不正确"]})
    assert await listed(tenant, task) == []


@pytest.mark.documented
async def test_wrong_rows_are_skipped_on_request(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)

    answer = await add(tenant, task, rows("13012121211", "没有号码", "13012121211") | {"skip_error": True})

    assert answer["data"] == {
        "total": 3,
        "success": 1,
        "fail": 2,
        "errors": [
            {"index": 1, "phone": "没有号码", "message": "号码格式不正确"},
            {"index": 2, "phone": "13012121211", "message": "号码重复"},
        ],
    }


@pytest.mark.documented
async def test_a_number_twice_is_refused_unless_it_gets_a_suffix(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)
    await add(tenant, task, rows("13012121211"))

    again = await add(tenant, task, rows("13012121211"))
    suffixed = await add(tenant, task, rows("13012121211") | {"number_add_suffix": True})

    assert again["message"] == {"data.0.phone": ["号码重复"]}
    assert suffixed["code"] == 200
    _, second = await listed(tenant, task)
    phone, suffix = second["number"].split("_")
    assert phone == "13012121211"
    assert suffix.isalnum() and suffix == suffix.lower()


@pytest.mark.documented
@pytest.mark.parametrize(("suffix", "rows_max"), [("number", 100), ("async_number", 200)])
async def test_how_many_rows_one_call_takes(tenant: Tenant, line: str, suffix: str, rows_max: int) -> None:
    task = await tenant.make_v2(line)
    phones = [f"130{number:08}" for number in range(rows_max + 1)]

    too_many = await add(tenant, task, rows(*phones), suffix=suffix)
    none = await add(tenant, task, rows(), suffix=suffix)
    just_right = await add(tenant, task, rows(*phones[:-1]), suffix=suffix)

    assert list(too_many["message"]) == list(none["message"]) == ["data"]
    assert just_right["code"] == 200
    assert (await tenant.ask("GET", f"/user/{{user}}/task/{task}/number"))["meta"]["total"] == rows_max


@pytest.mark.assumed
async def test_the_asynchronous_call_names_its_batch(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)

    answer = await add(tenant, task, rows("13012121211", "没有号码"), suffix="async_number")

    assert answer["data"]["unique_id"]
    assert len(await listed(tenant, task)) == 1


@pytest.mark.ours
async def test_the_asynchronous_call_tells_of_rows_that_were_refused(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)

    answer = await add(tenant, task, rows("13012121211", "没有号码"), suffix="async_number")

    del answer["data"]["unique_id"]
    refused = {"index": 1, "phone": "没有号码", "message": "号码格式不正确"}
    assert answer["data"] == {"total": 2, "success": 1, "fail": 1, "errors": [refused]}


@pytest.mark.ours
@pytest.mark.parametrize("phone", ["%00", "abc", "%ff", "1" * 3000])
async def test_the_detail_of_what_is_no_number(tenant: Tenant, line: str, phone: str) -> None:
    task = await tenant.make_v2(line)

    answer = await tenant.raw("GET", f"/user/{{user}}/task/{task}/number/detail/{phone}")

    assert (answer.status_code, answer.json()["message"]) == (404, "号码不存在")


@pytest.mark.ours
@pytest.mark.parametrize(
    ("method", "call", "body"),
    [
        ("POST", "number", rows("13012121211")),
        ("POST", "async_number", rows("13012121211")),
        ("PUT", "number-batch-reset", {}),
        ("DELETE", "number-batch-delete", {"customer_info_list": [{"phone": "13012121211"}]}),
    ],
)
async def test_encrypted_numbers_are_refused(
    tenant: Tenant, line: str, method: str, call: str, body: dict[str, Any]
) -> None:
    """How the vendor encrypts is not public: ciphertext must never be taken for a phone."""
    task = await tenant.make_v2(line)

    answer = await tenant.raw(method, f"/user/{{user}}/task/{task}/{call}", {**body, "encryption": "1"})

    said = {"encryption": ["不支持接口加密,请传明文号码,并去掉 encryption 或传 false"]}
    assert (answer.status_code, answer.json()["message"]) == (422, said)


@pytest.mark.ours
@pytest.mark.parametrize("call", ["number", "number/detail/13012121211"])
async def test_numbers_are_not_shown_encrypted(tenant: Tenant, line: str, call: str) -> None:
    task = await tenant.make_v2(line)
    await add(tenant, task, rows("13012121211"))

    plain = await tenant.raw("GET", f"/user/{{user}}/task/{task}/{call}", encryption="false")
    answer = await tenant.raw("GET", f"/user/{{user}}/task/{task}/{call}", encryption="true")

    assert (plain.status_code, answer.status_code) == (200, 422)
    assert list(answer.json()["message"]) == ["encryption"]


@pytest.mark.documented
@pytest.mark.parametrize("call", ["async_number", "number-batch-reset", "number-batch-delete"])
async def test_a_running_2_0_task_refuses(tenant: Tenant, line: str, call: str) -> None:
    task = await tenant.make_v2(line)
    await start(tenant, task)
    method, body = {
        "async_number": ("POST", rows("13012121211")),
        "number-batch-reset": ("PUT", {"is_new_task": True}),
        "number-batch-delete": ("DELETE", {"customer_info_list": [{"phone": "13012121211"}]}),
    }[call]

    answer = await tenant.raw(method, f"/user/{{user}}/task/{task}/{call}", body)

    assert (answer.status_code, answer.json()) == (200, RUNNING)


@pytest.mark.assumed
async def test_what_is_allowed_while_a_task_runs(tenant: Tenant, line: str) -> None:
    """The synchronous call on a 2.0 task, and everything on a 1.0 task."""
    new, old = await tenant.make_v2(line), await tenant.make_v1(line)
    await start(tenant, new)
    await tenant.ask("GET", f"/user/{{user}}/task_start/{old}")

    assert (await add(tenant, new, rows("13012121211")))["code"] == 200
    assert (await add(tenant, old, rows("13012121211"), suffix="async_number"))["code"] == 200
    assert (await tenant.ask("PUT", f"/user/{{user}}/task/{old}/number-batch-reset", {}))["code"] == 200


@pytest.mark.documented
async def test_numbers_are_reset(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line)
    await add(tenant, task, rows("13012121211", "13012121212", "13012121213"))
    await pool.execute(
        """update contact set finished = true, tries = 1,
           outcome = case key when '13012121211' then 'busy' else 'answered' end"""
    )
    await pool.execute("delete from queue")

    answer = await tenant.ask("PUT", f"/user/{{user}}/task/{task}/number-batch-reset", {"status": [8]})

    assert answer == {"code": 200, "status": "success", "message": "批量重置号码成功"}
    assert [row["status"] for row in await listed(tenant, task)] == [0, 1, 1]
    assert await pool.fetchval("select count(*) from queue") == 1


@pytest.mark.documented
async def test_a_reset_takes_both_bounds_of_a_time_or_none(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)

    answer = await tenant.ask(
        "PUT", f"/user/{{user}}/task/{task}/number-batch-reset", {"start_at": "2026-01-01 00:00:00"}
    )

    assert list(answer["message"]) == ["end_at"]


@pytest.mark.documented
async def test_numbers_are_deleted(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)
    await add(tenant, task, rows("13012121211", "13012121212"))

    answer = await tenant.ask(
        "DELETE",
        f"/user/{{user}}/task/{task}/number-batch-delete",
        {"customer_info_list": [{"phone": "13012121211"}, {"phone": "13099999999"}]},
    )

    assert answer["code"] == 200
    assert [row["number"] for row in await listed(tenant, task)] == ["13012121212"]


@pytest.mark.documented
async def test_the_filters_of_the_list(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line)
    await add(tenant, task, rows("13012121211", "13012121212", "13012121213"))
    await pool.execute("update contact set finished = true, outcome = 'busy' where key = '13012121212'")
    await pool.execute("update contact set outcome = 'busy' where key = '13012121213'")
    await pool.execute("update contact set created_at = '2026-03-04 12:00:00.5+08' where key = '13012121211'")

    async def found(**query: Any) -> list[str]:
        return [row["number"][-1] for row in await listed(tenant, task, **query)]

    assert await found(**{"status[]": [8]}) == ["2"]
    assert await found(**{"status[]": [0]}) == ["1", "3"]
    assert await found(**{"status[]": [0, 8]}) == ["1", "2", "3"]
    assert await found(start_at="2026-03-04 12:00:00", end_at="2026-03-04 12:00:00") == ["1"]
    assert await found(start_at="2026-03-04", end_at="2026-03-04") == ["1"]


@pytest.mark.ours
async def test_every_waiting_number_says_why(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line)
    await add(tenant, task, rows("13012121211", "13012121212", "13012121213", "13012121214"))
    later, before = NOON + 600_000, NOON - 1
    for phone, until in (("13012121211", later), ("13012121212", before)):
        await pool.execute(
            """update contact set hold_reason = 'retry_delay',
               hold_until = to_timestamp($2::bigint / 1000.0) where key = $1""",
            phone,
            until,
        )
    await pool.execute("update contact set finished = true, outcome = 'answered' where key = '13012121214'")

    async def holds() -> list[tuple[str | None, str | None]]:
        return [(row["hold_reason"], row["hold_until"]) for row in await listed(tenant, task)]

    assert await holds() == [("paused", None), ("paused", None), ("paused", None), (None, None)]
    await start(tenant, task)
    retry, turn = ("retry_delay", "2026-03-04 12:10:00"), ("waiting_turn", None)
    assert await holds() == [retry, turn, turn, (None, None)]
    await pool.execute(
        """update campaign set phase = 'waiting_hours', hold_reason = 'calling_hours',
           hold_until = '2026-03-04 13:00:00+08'"""
    )
    hours = ("calling_hours", "2026-03-04 13:00:00")
    assert await holds() == [retry, hours, hours, (None, None)]


@pytest.mark.documented
async def test_one_number(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)
    await add(tenant, task, rows("13012121211", "13012121211_k3x") | {"skip_error": True})

    async def found(phone: str) -> Any:
        return await tenant.ask("GET", f"/user/{{user}}/task/{task}/number/detail/{phone}")

    assert (await found("13012121211"))["data"]["number"] == "13012121211"
    assert (await found("13012121211_k3x"))["data"]["number"] == "13012121211_k3x"
    assert (await found("13099999999"))["message"] == "号码不存在"


@pytest.mark.ours
async def test_a_changed_order_moves_numbers_that_wait(tenant: Tenant, line: str, pool: Pool) -> None:
    task = await tenant.make_v2(line)
    await add(tenant, task, rows("13012121211", "13012121212"))
    taken = "select c.key from queue q join contact c on c.id = q.contact_id order by q.lane, q.rank limit 1"
    assert await pool.fetchval(taken) == "13012121211"

    body = await tenant.body_v2(line, extras={"pop_mode": 2})
    await tenant.ask("PUT", f"/new/user/{{user}}/task/{task}", body)

    assert await pool.fetchval(taken) == "13012121212"
