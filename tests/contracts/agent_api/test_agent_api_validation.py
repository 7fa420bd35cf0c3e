"""What is refused, under which name, and what a tolerant server takes all the same."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest
from agent_world import Tenant
from litestar import Litestar

from waihu.adapters.passwords.argon2id import Argon2Hasher
from waihu.adapters.phone_places import LibraryPhonePlaces
from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.adapters.speech.shelf import DirectoryShelf
from waihu.adapters.tokens.rsa import RsaTokenSigner
from waihu.adapters.webhooks.addresses import Addresses
from waihu.application.services import Application
from waihu.faces import agent_api
from waihu.ports.tokens import Audience, Claims

LONG = "长" * 256


async def refused_fields(tenant: Tenant, method: str, path: str, body: Any) -> list[str]:
    answer = await tenant.raw(method, path, body)
    assert answer.status_code == 422, answer.text
    said = answer.json()
    assert (said["code"], said["status"], said["data"]) == (422, "error", [])
    assert list(said) == ["code", "status", "message", "data"]
    for sentences in said["message"].values():
        assert sentences
        assert all(isinstance(sentence, str) and sentence for sentence in sentences)
    return sorted(said["message"])


@pytest.mark.documented
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": LONG}, ["name"]),
        ({"name": "  "}, ["name"]),
        ({"name": ["一"]}, ["name"]),
        ({"name": "a\0b"}, ["name"]),
        ({"maximumcall": 0}, ["maximumcall"]),
        ({"maximumcall": -1}, ["maximumcall"]),
        ({"maximumcall": "很多"}, ["maximumcall"]),
        ({"maximumcall": 1.5}, ["maximumcall"]),
        ({"maximumcall": True}, ["maximumcall"]),
        ({"maximumcall": None}, ["maximumcall"]),
        ({"maximumcall": 10**12}, ["maximumcall"]),
        ({"caller_line_id": "不是线路"}, ["caller_line_id"]),
        ({"destination_extension": 999_999}, ["destination_extension"]),
        ({"destination_extension": 10**17}, ["destination_extension"]),
        ({"dial_time_id": 0}, ["dial_time_id"]),
        ({"auto_recycle_rule_id": 999_999}, ["auto_recycle_rule_id"]),
        ({"call_pause_second": -1}, ["call_pause_second"]),
        ({"call_pause_second": 99_999}, ["call_pause_second"]),
        ({"end_action": 3}, ["end_action"]),
        ({"task_type": 2}, ["task_type"]),
        ({"elasticity_type": "perhaps"}, ["elasticity_type"]),
        ({"name": "", "maximumcall": "x", "end_action": "x"}, ["end_action", "maximumcall", "name"]),
        ({"dial_time_id": 999_999, "destination_extension": 999_999}, ["destination_extension", "dial_time_id"]),
    ],
)
async def test_a_1_0_task(tenant: Tenant, line: str, changes: dict[str, Any], fields: list[str]) -> None:
    body = await tenant.body_v1(line, **changes)

    assert await refused_fields(tenant, "POST", "/user/{user}/task", body) == fields


@pytest.mark.documented
@pytest.mark.parametrize("missing", ["name", "maximumcall", "caller_line_id", "destination_extension", "dial_time_id"])
async def test_a_1_0_task_without_a_required_field(tenant: Tenant, line: str, missing: str) -> None:
    body = await tenant.body_v1(line)
    del body[missing]

    assert await refused_fields(tenant, "POST", "/user/{user}/task", body) == [missing]


@pytest.mark.documented
@pytest.mark.parametrize(
    ("extras", "fields"),
    [
        ({"start_time": "昨天"}, ["task_extras.start_time"]),
        ({"start_time": "2026-13-01 00:00:00"}, ["task_extras.start_time"]),
        ({"start_time": "0001-01-01 00:00:00"}, ["task_extras.start_time"]),
        ({"stop_time": "2020-01-01 00:00:00"}, ["task_extras.stop_time"]),
        ({"holiday": [{"begin": "2026-01-02 00:00", "end": "2026-01-01 00:00"}]}, ["task_extras.holiday"]),
        ({"holiday": [{"begin": "春节", "end": "2026-01-01 00:00"}]}, ["task_extras.holiday"]),
        ({"holiday": [{"begin": "0001-01-01 00:00", "end": "2026-01-01 00:00"}]}, ["task_extras.holiday"]),
        ({"holiday": [{"begin": "2026-01-02 00:00"}]}, ["task_extras.holiday.0.end"]),
        ({"holiday": [{"end": "2026-01-02 00:00"}]}, ["task_extras.holiday"]),
        ({"line": [{"limit": 1}]}, ["task_extras.line.0.id"]),
        ({"line": [{"id": "x", "limit": 0}]}, ["task_extras.line.0.limit"]),
        ({"line": ["不是线路"]}, ["task_extras.line"]),
        ({"work_hour": [{"wday": 1, "begin": "19:00", "end": "09:00"}]}, ["task_extras.work_hour"]),
        ({"work_hour": [{"wday": 7, "begin": "09:00", "end": "19:00"}]}, ["task_extras.work_hour"]),
        ({"work_hour": [{"wday": 1, "begin": "25:00", "end": "26:00"}]}, ["task_extras.work_hour"]),
        ({"work_hour": [{"wday": 1, "begin": "09:00", "end": "19:00"}], "work_week": [2]}, ["task_extras.work_week"]),
        ({"pop_mode": 3}, ["task_extras.pop_mode"]),
        ({"interval_time": -1}, ["task_extras.interval_time"]),
        ({"redial_enabled": 1}, ["task_extras.redial_conditions"]),
        ({"redial_enabled": 1, "redial_conditions": {"da_status": [1]}}, ["task_extras.redial_conditions"]),
        ({"redial_enabled": 1, "redial_conditions": {"da_status": [11]}}, ["task_extras.redial_conditions"]),
        ({"redial_enabled": 1, "redial_conditions": {"da_status": ["9" * 5000]}}, ["task_extras.redial_conditions"]),
        ({"redial_max_times": 51}, ["task_extras.redial_max_times"]),
        ({"redial_interval": -1}, ["task_extras.redial_interval"]),
        (
            {"redial_enabled": 1, "redial_interval": 99_999, "redial_conditions": {"da_status": [4]}},
            ["task_extras.redial_interval"],
        ),
    ],
)
async def test_the_extras_of_a_2_0_task(tenant: Tenant, line: str, extras: dict[str, Any], fields: list[str]) -> None:
    body = await tenant.body_v2(line, extras=extras)

    assert await refused_fields(tenant, "POST", "/new/user/{user}/task", body) == fields


@pytest.mark.documented
@pytest.mark.parametrize("missing", ["line", "holiday", "start_time", "stop_time"])
async def test_keys_that_a_new_2_0_task_must_send(tenant: Tenant, line: str, missing: str) -> None:
    """Lines and holidays must be sent even when they are empty."""
    body = await tenant.body_v2(line)
    del body["task_extras"][missing]

    assert await refused_fields(tenant, "POST", "/new/user/{user}/task", body) == [f"task_extras.{missing}"]


@pytest.mark.ours
async def test_inbound_tasks_are_refused(tenant: Tenant, line: str) -> None:
    body = await tenant.body_v2(line, is_call_in=1)

    assert await refused_fields(tenant, "POST", "/new/user/{user}/task", body) == ["is_call_in"]


@pytest.mark.ours
async def test_nothing_is_changed_by_an_update_that_is_refused(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v1(line)
    before = await tenant.ask("GET", f"/user/{{user}}/task/{task}/edit")

    await refused_fields(
        tenant, "PUT", f"/user/{{user}}/task/{task}", await tenant.body_v1(line, name="改名", maximumcall=99)
    )

    assert await tenant.ask("GET", f"/user/{{user}}/task/{task}/edit") == before


@pytest.mark.ours
@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"page": "0"}, ["page"]),
        ({"page": "x"}, ["page"]),
        ({"per_page": "-1"}, ["per_page"]),
        ({"per_page": "100000"}, ["per_page"]),
        ({"page": "x", "per_page": "x"}, ["page", "per_page"]),
        ({"status": "x"}, ["status.0"]),
    ],
)
async def test_the_query_of_a_list(tenant: Tenant, query: dict[str, str], fields: list[str]) -> None:
    answer = await tenant.raw("GET", "/new/user/{user}/task", **query)

    assert answer.status_code == 422
    assert sorted(answer.json()["message"]) == fields


@pytest.mark.ours
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("number?start_at=2026-01-02&end_at=2026-01-01", "end_at"),
        ("record?start_at=2026-01-02 00:00:00&end_at=2026-01-01 23:59:59", "end_at"),
        ("record?hangup_date[]=2026-01-02&hangup_date[]=2026-01-01", "hangup_date"),
    ],
)
async def test_a_filter_that_ends_before_it_begins(tenant: Tenant, line: str, path: str, field: str) -> None:
    task = await tenant.make_v2(line)

    assert await refused_fields(tenant, "GET", f"/user/{{user}}/task/{task}/{path}", None) == [field]


@pytest.mark.ours
async def test_a_reset_of_a_span_that_ends_before_it_begins(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)
    span = {"start_at": "2026-01-02 00:00:00", "end_at": "2026-01-01 00:00:00"}

    assert await refused_fields(tenant, "PUT", f"/user/{{user}}/task/{task}/number-batch-reset", span) == ["end_at"]


@pytest.mark.ours
@pytest.mark.parametrize("group", ["0", "abc", "9" * 25, "9" * 5000, "%00", "-1"])
async def test_a_time_group_that_does_not_exist(tenant: Tenant, group: str) -> None:
    answer = await tenant.raw("DELETE", f"/user/{{user}}/dial-time-group/{group}")

    assert (answer.status_code, answer.json()["message"]) == (404, "呼叫时间组不存在")


# Bodies that cannot be read


@pytest.mark.ours
@pytest.mark.parametrize("body", [b"{", b"[1]", b'"task"', b"1", b"\xff\xfe", b'{"name": "\xff"}', b"[" * 5000])
async def test_a_body_that_is_no_json_object(tenant: Tenant, body: bytes) -> None:
    answer = await tenant.http.post(
        f"/agent-api/new/user/{tenant.user_id}/task",
        content=body,
        headers={"authorization": f"Bearer {tenant.token}", "content-type": "application/json"},
    )

    assert answer.status_code == 400
    assert answer.json() == {"code": 400, "status": "error", "message": "请求体不是有效的 JSON 对象", "data": []}


@pytest.mark.ours
@pytest.mark.parametrize("body", [{}, [], None])
async def test_an_empty_body_lacks_every_required_field(tenant: Tenant, body: Any) -> None:
    fields = await refused_fields(tenant, "POST", "/user/{user}/task", body)

    assert fields == ["caller_line_id", "destination_extension", "dial_time_id", "maximumcall", "name"]


@pytest.mark.ours
async def test_a_failure_of_ours_shows_a_number_and_no_trace(
    tenant: Tenant, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    await pool.execute("alter table campaign rename to campaign_elsewhere")
    try:
        answer = await tenant.raw("GET", "/new/user/{user}/task")
    finally:
        await pool.execute("alter table campaign_elsewhere rename to campaign")

    said = answer.json()
    assert (answer.status_code, said["code"], said["status"], said["data"]) == (500, 500, "error", [])
    incident = said["message"].removeprefix("服务器内部错误,事件编号 ")
    assert len(incident) == 12
    assert incident in capsys.readouterr().out
    assert "campaign" not in answer.text


@pytest.mark.ours
@pytest.mark.parametrize("instead", ["nobody", "a stranger's server", "a server without our database"])
async def test_a_database_that_is_down(
    recordings: Path, signer: RsaTokenSigner, database_url: str, instead: str
) -> None:
    """Also when another server has come to its address meanwhile."""
    token = signer.sign(Claims(str(uuid4()), str(uuid4()), Audience.API, 0, 1000))
    ours = urlsplit(database_url)
    url = {
        "nobody": "postgresql://nobody@127.0.0.1:1/none",
        "a stranger's server": ours._replace(netloc=f"stranger:wrong@{ours.hostname}:{ours.port}").geturl(),
        "a server without our database": ours._replace(path="/none").geturl(),
    }[instead]
    async with asyncpg.create_pool(url, min_size=0) as pool:
        application = Application(
            PostgresStore(pool),
            PostgresContactBook(pool),
            lambda: 0,
            recordings,
            signer=signer,
            passwords=Argon2Hasher(),
            places=LibraryPhonePlaces(),
            addresses=Addresses(("127.0.0.0/8",)),
            shelf=DirectoryShelf(recordings.parent / "sounds"),
        )
        served = Litestar([agent_api.router(application)], logging_config=None)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://testserver") as http:
            answer = await http.get("/agent-api/user/1/task", headers={"authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["message"]) == (503, "服务暂不可用,请稍后重试")


# Tolerance


@pytest.mark.observed
async def test_numbers_as_text_and_text_as_numbers(tenant: Tenant, line: str) -> None:
    body = {key: str(value) for key, value in (await tenant.body_v1(line)).items()} | {"name": 20240101}

    task = (await tenant.ask("POST", "/user/{user}/task", body))["data"]["uuid"]

    assert (await tenant.ask("GET", f"/user/{{user}}/task/{task}/edit"))["data"]["name"] == "20240101"


@pytest.mark.observed
@pytest.mark.parametrize("said", [1, "1", True, "true", "TRUE"])
async def test_truth_in_many_forms(tenant: Tenant, line: str, said: Any) -> None:
    extras = {"redial_enabled": said, "redial_conditions": [{"hangup_cause": None, "da_status": ["4", 8, "failed"]}]}

    task = await tenant.make_v2(line, extras=extras)

    extra = (await tenant.ask("GET", f"/new/user/{{user}}/task/{task}/edit"))["data"]["new_task_extra"]
    assert (extra["redial_enabled"], extra["redial_conditions"]["da_status"]) == (True, [4, 8])


@pytest.mark.observed
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
async def test_json_under_any_content_type(tenant: Tenant, line: str, content_type: str) -> None:
    body = json.dumps(await tenant.body_v1(line)).encode()

    answer = await _post(tenant, body, {"content-type": content_type} if content_type else {})

    assert answer.json()["code"] == 200


@pytest.mark.assumed
async def test_a_form(tenant: Tenant, line: str) -> None:
    body = "&".join(f"{key}={value}" for key, value in (await tenant.body_v1(line)).items()).encode()

    answer = await _post(tenant, body, {"content-type": "application/x-www-form-urlencoded"})

    assert answer.json()["code"] == 200


async def _post(tenant: Tenant, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return await tenant.http.post(
        f"/agent-api/user/{tenant.user_id}/task",
        content=body,
        headers={"authorization": f"Bearer {tenant.token}", **headers},
    )


@pytest.mark.documented
@pytest.mark.parametrize("query", ["status=1", "status[]=1", "status[0]=1", "status=[1]", "status%5B%5D=1"])
async def test_lists_in_the_forms_of_php(tenant: Tenant, line: str, query: str) -> None:
    await tenant.make_v2(line)

    answer = await tenant.ask("GET", f"/new/user/{{user}}/task?{query}")

    assert answer["meta"]["total"] == 1


@pytest.mark.ours
async def test_a_trailing_slash(tenant: Tenant) -> None:
    assert (await tenant.ask("GET", "/new/user/{user}/task/"))["code"] == 200


@pytest.mark.ours
async def test_keys_that_nobody_knows_are_passed_over(tenant: Tenant, line: str) -> None:
    await tenant.make_v2(line, something_new={"a": 1}, extras={"something_else": 2})
