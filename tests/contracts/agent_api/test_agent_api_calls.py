"""Call records: listed, opened with their dialogue, and heard."""

import wave
from pathlib import Path
from typing import Any

import pytest
from agent_world import NOON, StandingClock, Tenant
from seeded_calls import GOODBYE, GREETING, add_call

from waihu.adapters.postgres.pool import Pool
from waihu.application.signed_keys import LIFETIME_MS
from waihu.domain.agent import AgentKind, Script

UTTERANCE_KEYS = {
    *("id", "record_id", "task_id", "notify", "callid", "error_code", "asrtype", "callee", "gender", "asr_elapse"),
    *("record_ms", "volume_gain", "question", "split_question", "question_index", "speak_ms", "play_ms", "keyword"),
    *("answer_id", "answer_text", "answer_content", "word_class", "answer_action", "playback_after_action"),
    *("upstream_answer_action", "upstream_answer_content", "upstream_answer_text", "upstream_answer_id", "score"),
    *("created_at", "updated_at", "bridge_status", "user_id", "is_regular", "expression", "extra", "contents", "tags"),
    *("outbound_collection_record", "voice", "download_voice", "sequence"),
}
RECORD_KEYS = {
    *("id", "task_id", "group_id", "callid", "score", "callee", "caller_number", "duration", "bill", "error_code"),
    *("gender", "level_id", "level_name", "calldate", "answerdate", "hangupdate", "hangupcause", "bridge_callid"),
    *("bridge_number", "bridge_calldate", "bridge_answerdate", "hangup_disposition", "hangup_disposition_str"),
    *("rounds", "read_at", "province_id", "city_id", "operator", "customer_id", "user_id", "processed_at"),
    *("number_created_at", "intention_results", "group_type", "dynamic_variables", "custom_variables", "level"),
    *("gender_str", "crm_customer", "record_llm_intention_tag", "created_at", "updated_at"),
}
TASK_KEYS = {"group_type", "call_notify_url", "call_stop_notify_url", "is_call_in", "recharge_restart", "scene_type"}


@pytest.fixture
async def task(tenant: Tenant, line: str) -> str:
    return await tenant.make_v2(line)


async def records(tenant: Tenant, task: str, query: str = "") -> list[dict[str, Any]]:
    answer = await tenant.ask("GET", f"/user/{{user}}/task/{task}/record?{query}")
    assert answer["code"] == 200, answer
    return list(answer["data"])


@pytest.mark.documented
async def test_the_old_forms_answer_as_those_with_a_user_in_the_path(
    tenant: Tenant, stranger: Tenant, task: str, line: str, pool: Pool, recordings: Path
) -> None:
    (recordings / "call.wav").write_bytes(b"RIFF")
    call = await add_call(pool, task, line, recording="call.wav")
    account = (await tenant.application.access.issue(tenant.partner, account=tenant.user_id)).secret
    sub = await tenant.add_sub_account()
    its_own = (await tenant.application.access.issue(tenant.partner, account=sub)).secret

    for path in (f"record?keyword={call.id}", "record", f"detail/{call.id}", f"record/{call.id}/download-full-voice"):
        new = await tenant.raw("GET", f"/user/{{user}}/task/{task}/{path}")
        for token in (tenant.token, account):
            old = await tenant.raw("GET", f"/task/{task}/{path}", token=token)
            assert (old.status_code, old.content) == (200, new.content), path
        for token in (stranger.token, its_own):
            refused = await tenant.raw("GET", f"/task/{task}/{path}", token=token)
            assert (refused.status_code, refused.json()["message"]) == (404, "任务不存在")
    assert (await tenant.ask("GET", "/task/1/record"))["code"] == 404


@pytest.mark.ours
async def test_a_main_accounts_token_opens_what_its_sub_account_called(tenant: Tenant, line: str, pool: Pool) -> None:
    sub = Tenant(tenant.http, tenant.application, tenant.partner, await tenant.add_sub_account(), tenant.token)
    task = await sub.make_v2(line)
    call = await add_call(pool, task, line)
    account = (await tenant.application.access.issue(tenant.partner, account=tenant.user_id)).secret

    (row,) = (await tenant.raw("GET", f"/task/{task}/record", token=account)).json()["data"]

    assert row["id"] == call.id


@pytest.mark.ours
async def test_the_total_of_all_calls_is_exact_without_counting_them(
    tenant: Tenant, task: str, line: str, pool: Pool
) -> None:
    other = await tenant.add_line(10, "线路二")
    for place, each in enumerate((line, line, other)):
        await add_call(pool, task, each, phone=f"1301212121{place}")
    await add_call(pool, task, line, phone="13012121219", talk_ms=None, is_over=False)
    await add_call(pool, await tenant.make_v2(line), line)

    whole = await tenant.ask("GET", f"/user/{{user}}/task/{task}/record", page=2, per_page=2)
    some = await tenant.ask("GET", f"/user/{{user}}/task/{task}/record", keyword="13012121210")

    assert (whole["meta"]["total"], len(whole["data"])) == (3, 1)
    assert (some["meta"]["total"], len(some["data"])) == (1, 1)


@pytest.mark.documented
async def test_the_list(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    call = await add_call(pool, task, line)

    answer = await tenant.ask("GET", f"/user/{{user}}/task/{task}/record")

    assert answer["message"] == "查看通话记录列表成功"
    (row,) = answer["data"]
    documented = ("tags", "tag_groups", "operator_name", "extra", "name", "company", "send_wechat_data", "components")
    assert {key: row[key] for key in documented} == {
        "tags": [],
        "tag_groups": [],
        "operator_name": "联通",
        "extra": "0c51fc89-f6cf-405b-bb36-2c06900c3b5e",
        "name": "李雷",
        "company": "甲公司",
        "send_wechat_data": [],
        "components": [],
    }
    assert row["id"] == row["callid"] == call.id


@pytest.mark.observed
async def test_times_and_lengths_of_a_call(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    await add_call(pool, task, line)
    await add_call(pool, task, line, phone="13012121212", talk_ms=None, outcome="busy", began_at=NOON - 60_000)

    answered, busy = await records(tenant, task)

    assert (answered["calldate"], answered["answerdate"], answered["hangupdate"]) == (
        "2026-03-04 12:00:00",
        "2026-03-04 12:00:12",
        "2026-03-04 12:00:20",
    )
    assert (answered["bill"], answered["duration"], answered["rounds"]) == (8_400, 20_400, 1)
    assert (answered["status"], answered["hangup_disposition"]) == (1, 2)
    assert (busy["bill"], busy["duration"], busy["answerdate"], busy["status"]) == (0, 20_000, None, 8)


@pytest.mark.documented
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "21"),
        ("keyword=1211", "1"),
        ("keyword=%25", ""),
        ("start_at=2026-03-04 12:30:00", "2"),
        ("end_at=2026-03-04 12:00:00", "1"),
        ("start_at=2026-03-04&end_at=2026-03-04", "21"),
        ("hangup_date[]=2026-03-04 12:30:00&hangup_date[]=2026-03-04 14:00:00", "2"),
        ("levels[0][]=0&levels[0][]=100", "1"),
        ("levels=[[100,500]]", "2"),
        ("levels=[[0,119.5],[120.5,500]]", "1"),
        ("levels=[[0,100],[100,500]]", "21"),
        ("levels[]=100&levels[]=500", "2"),
        ("levels=[[500,100]]", ""),
        ("intention_tags[]=1", "2"),
        ("intention_tags=1", "2"),
        ("intention_tags[]=2&intention_tags[]=1", "2"),
        ("intention_tags[]=2", ""),
        ("intention_tags[]=9", ""),
        ("intention_tags[]=70000", ""),
        ("levels=[[0,10]]&intention_tags[]=1", ""),
        ("levels=[[0,10]]&keyword=1211&start_at=2026-03-04&end_at=2026-03-04", "1"),
        ("per_page=1", "2"),
        ("per_page=1&page=2", "1"),
    ],
)
async def test_the_filters_of_the_list(
    tenant: Tenant, task: str, line: str, pool: Pool, query: str, shown: str
) -> None:
    await add_call(pool, task, line, phone="13012121211")
    await add_call(pool, task, line, phone="13012121222", began_at=NOON + 3_600_000, score=120, intention=1)

    assert "".join(row["callee"][-1] for row in await records(tenant, task, query)) == shown


@pytest.mark.ours
@pytest.mark.parametrize(
    "query",
    [
        "start_at=x",
        "end_at=x",
        "levels=[[a,b]]",
        'levels=[["a",1]]',
        "levels=[[1]]",
        "levels=[[1,2],3]",
        "levels=5",
        "levels=[[1,NaN]]",
        "hangup_date[]=x",
        "intention_tags[]=A",
    ],
)
async def test_filters_that_are_refused(tenant: Tenant, task: str, query: str) -> None:
    answer = await tenant.raw("GET", f"/user/{{user}}/task/{task}/record?{query}")

    assert answer.status_code == 422


@pytest.mark.observed
async def test_the_detail_has_every_key_that_was_seen(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    call = await add_call(pool, task, line)
    (row,) = (await tenant.ask("GET", "/new/user/{user}/task"))["data"]

    answer = await tenant.ask("GET", f"/user/{{user}}/task/{task}/detail/{call.id}")

    assert answer["message"] == "查看通话记录详情成功"
    detail = answer["data"]
    assert set(detail) == {"records", "is_crm_exists", "user_id", "info", "callee", "mobile_info", "utterances"}
    assert all(set(record) == UTTERANCE_KEYS for record in detail["records"])
    assert detail["info"]["record"].keys() >= RECORD_KEYS
    assert detail["info"]["task"].keys() == row.keys() | TASK_KEYS
    assert isinstance(detail["info"]["task"]["destination_extension"], str)
    assert isinstance(detail["info"]["task"]["group"]["id"], int)
    assert detail["info"]["record"]["crm_customer"]["expect_transaction_fee"] == "0.00"
    assert set(detail["mobile_info"]) == {"mobile_type", "province", "city"}


UTTERANCE_TYPES: dict[str, tuple[type | None, ...]] = {
    **dict.fromkeys(("id", "record_id", "task_id", "callid", "callee", "question", "created_at", "user_id"), (str,)),
    **dict.fromkeys(("notify", "voice", "download_voice"), (str,)),
    **dict.fromkeys(("error_code", "question_index", "speak_ms", "play_ms", "playback_after_action"), (int,)),
    **dict.fromkeys(("score", "sequence"), (int,)),
    **dict.fromkeys(("record_ms", "answer_action", "bridge_status"), (int, None)),
    **dict.fromkeys(("asrtype", "keyword", "answer_id", "answer_text", "answer_content", "word_class"), (str, None)),
    **dict.fromkeys(("gender", "asr_elapse", "volume_gain", "split_question", "updated_at", "expression"), (None,)),
    **dict.fromkeys(("upstream_answer_action", "upstream_answer_content", "upstream_answer_text"), (None,)),
    **dict.fromkeys(("upstream_answer_id", "outbound_collection_record"), (None,)),
    "is_regular": (bool,),
    "extra": (list, dict, None),
    "contents": (list,),
    "tags": (list,),
}
RECORD_TYPES: dict[str, tuple[type | None, ...]] = {
    **dict.fromkeys(("id", "task_id", "callid", "callee", "level_name", "calldate", "hangupdate"), (str,)),
    **dict.fromkeys(("hangupcause", "hangup_disposition_str", "customer_id", "user_id", "number_created_at"), (str,)),
    **dict.fromkeys(("group_type", "gender_str", "created_at", "updated_at"), (str,)),
    **dict.fromkeys(("group_id", "score", "duration", "bill", "error_code", "gender", "rounds"), (int,)),
    "intention_results": (int,),
    **dict.fromkeys(("caller_number", "level_id", "bridge_callid", "bridge_number", "bridge_calldate"), (None,)),
    **dict.fromkeys(("bridge_answerdate", "level", "read_at", "custom_variables"), (None,)),
    **dict.fromkeys(("hangup_disposition", "province_id", "city_id", "operator"), (int, None)),
    **dict.fromkeys(("answerdate", "processed_at"), (str, None)),
    "dynamic_variables": (dict,),
    "crm_customer": (dict,),
    "record_llm_intention_tag": (list,),
}
CONTENT_TYPES: dict[str, tuple[type | None, ...]] = {
    "id": (str,),
    "file_id": (str, None),
    "sort": (int,),
    "status": (bool,),
    "translate_text": (str,),
}
CUSTOMER_TYPES: dict[str, tuple[type | None, ...]] = {
    "phone": (str,),
    "name": (str,),
    "extra": (str, None),
    "sort": (int,),
    "expect_transaction_fee": (str,),
    "components": (list,),
}


def wrong(types: dict[str, tuple[type | None, ...]], answer: dict[str, Any]) -> dict[str, Any]:
    """What is missing, or has another type than was seen."""
    assert types.keys() <= answer.keys(), types.keys() - answer.keys()
    return {
        key: answer[key]
        for key, may_be in types.items()
        if (None if answer[key] is None else type(answer[key])) not in may_be
    }


@pytest.mark.observed
async def test_the_detail_has_the_types_that_were_seen(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    for phone, talk_ms in (("13012121211", 8_400), ("13012121212", None)):
        call = await add_call(pool, task, line, phone=phone, talk_ms=talk_ms)

        detail = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/detail/{call.id}"))["data"]

        assert UTTERANCE_TYPES.keys() == UTTERANCE_KEYS
        assert RECORD_TYPES.keys() == RECORD_KEYS
        assert [wrong(UTTERANCE_TYPES, row) for row in detail["records"]] == [{}] * len(detail["records"])
        assert [row["sequence"] for row in detail["records"]] == list(range(1, len(detail["records"]) + 1))
        assert [wrong(CONTENT_TYPES, each) for row in detail["records"] for each in row["contents"]] == (
            [{}] * sum(len(row["contents"]) for row in detail["records"])
        )
        record = detail["info"]["record"]
        assert wrong(RECORD_TYPES, record) == {}
        assert wrong(CUSTOMER_TYPES, record["crm_customer"]) == {}
        assert (type(detail["is_crm_exists"]), type(detail["user_id"]), detail["callee"]) == (bool, str, None)
        assert all(isinstance(value, str) for value in detail["mobile_info"].values())
        assert detail["utterances"] == []


@pytest.mark.ours
async def test_the_script_that_talked_is_the_group(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    agent = await tenant.application.agents.create(tenant.user_id, AgentKind.SCRIPT_V2, "早班", Script(greeting="早"))
    talked = await add_call(pool, task, line, agent=agent.id)
    await add_call(pool, task, line, phone="13012121212", talk_ms=None, outcome="busy", began_at=NOON - 60_000)

    answered, busy = await records(tenant, task)
    record = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/detail/{talked.id}"))["data"]["info"]["record"]

    own = (await tenant.ask("GET", "/new/user/{user}/task/create"))["data"]["outbound_group"][0]
    assert (answered["group_id"], answered["group"]) == (agent.id, {"id": agent.id, "name": "早班"})
    assert busy["group"] == {"id": own["id"], "name": own["name"]}
    assert (record["group_id"], record["group"]["name"], record["group_type"]) == (agent.id, "早班", "robot")


@pytest.mark.observed
async def test_the_grade_of_a_call(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    call = await add_call(pool, task, line, score=85, intention=2)

    (row,) = await records(tenant, task)
    record = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/detail/{call.id}"))["data"]["info"]["record"]

    for shown in (row, record):
        assert (shown["score"], shown["intention_results"], shown["level_name"]) == (85, 2, "B-意向客户")


@pytest.mark.assumed
async def test_the_judgement_of_a_call_that_was_not_judged(
    tenant: Tenant, stranger: Tenant, task: str, line: str, pool: Pool
) -> None:
    call = await add_call(pool, task, line)
    path = f"/user/{{user}}/task/{task}/record/{{}}/llm_intention_tag"

    answer = await tenant.ask("GET", path.replace("{}", call.id))
    foreign = await stranger.raw("GET", path.replace("{}", call.id))
    unknown = await tenant.raw("GET", path.replace("{}", task))

    assert (answer["code"], answer["data"]) == (200, [])
    assert (foreign.status_code, unknown.status_code) == (404, 404)


@pytest.mark.observed
async def test_the_dialogue_of_a_call(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    call = await add_call(pool, task, line)

    said = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/detail/{call.id}"))["data"]["records"]

    assert [
        (row["sequence"], row["notify"], row["question_index"], row["question"], row["answer_content"]) for row in said
    ] == [
        (1, "enter", 0, "", "您好李雷,这里是外呼演示。"),
        (2, "asrprogress_notify", 1, "1", None),
        (3, "asrmessage_notify", 1, "1", "已为您确认。"),
        (4, "wait_result", 1, "", "再见。"),
    ]
    assert [row["callee"] for row in said] == ["13012121211", "13012121211", "+8613012121211", "13012121211"]
    assert said[0]["extra"] == []
    assert all(row["answer_text"] for row in said if row["answer_content"])
    assert {row["record_id"] for row in said} == {row["callid"] for row in said} == {call.id}


@pytest.mark.observed
async def test_a_call_in_which_nobody_answers_the_greeting(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    call = await add_call(pool, task, line, turns=(GREETING, GOODBYE))

    said = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/detail/{call.id}"))["data"]["records"]

    assert [row["notify"] for row in said] == ["enter", "wait_result"]


@pytest.mark.observed
async def test_a_contact_without_a_name_gets_one(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    await add_call(pool, task, line, name=None)

    (row,) = await records(tenant, task)

    phone, suffix = row["name"].split("_")
    assert (phone, len(suffix)) == ("13012121211", 8)


@pytest.mark.ours
async def test_a_call_outlives_its_number(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    call = await add_call(pool, task, line)
    await pool.execute("delete from contact")

    assert [row["id"] for row in await records(tenant, task)] == [call.id]
    assert (await tenant.ask("GET", f"/user/{{user}}/task/{task}/detail/{call.id}"))["code"] == 200


@pytest.mark.ours
async def test_calls_that_have_not_ended_are_not_shown(tenant: Tenant, task: str, line: str, pool: Pool) -> None:
    call = await add_call(pool, task, line)
    for state in ("planned", "answered", "withdrawn"):
        await pool.execute("update attempt set state = $1", state)
        assert await records(tenant, task) == []
        missing = await tenant.raw("GET", f"/user/{{user}}/task/{task}/detail/{call.id}")
        assert (missing.status_code, missing.json()["message"]) == (404, "通话记录不存在")


# Recordings


@pytest.fixture
def wav(recordings: Path) -> bytes:
    path = recordings / "2026" / "call.wav"
    path.parent.mkdir()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(200)) * 10)
    return path.read_bytes()


async def voice(tenant: Tenant, task: str, call: str, byte_range: str | None = None) -> Any:
    headers = {"authorization": f"Bearer {tenant.token}"} | ({"range": byte_range} if byte_range else {})
    path = f"/agent-api/user/{tenant.user_id}/task/{task}/record/{call}/download-full-voice"
    return await tenant.http.get(path, headers=headers)


@pytest.mark.documented
async def test_a_recording(tenant: Tenant, task: str, line: str, pool: Pool, wav: bytes) -> None:
    call = await add_call(pool, task, line, recording="2026/call.wav")

    answer = await voice(tenant, task, call.id)

    assert (answer.status_code, answer.content) == (200, wav)
    assert (answer.headers["content-type"], answer.headers["accept-ranges"]) == ("audio/wav", "bytes")
    assert answer.headers["content-length"] == str(len(wav))


@pytest.mark.ours
@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=44-143", 44, 144),
        ("bytes=2000-", 2000, 2044),
        ("bytes=-44", 2000, 2044),
        ("bytes=-9999", 0, 2044),
        ("bytes=2000-9999", 2000, 2044),
    ],
)
async def test_a_part_of_a_recording(
    tenant: Tenant, task: str, line: str, pool: Pool, wav: bytes, asked: str, begin: int, end: int
) -> None:
    call = await add_call(pool, task, line, recording="2026/call.wav")

    answer = await voice(tenant, task, call.id, asked)

    assert (answer.status_code, answer.content) == (206, wav[begin:end])
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(wav)}"
    assert answer.headers["content-length"] == str(end - begin)


@pytest.mark.ours
@pytest.mark.parametrize(
    ("asked", "status"),
    [("bytes=2044-", 416), ("bytes=5-4", 200), ("bytes=-", 200), ("bytes=0-1,4-5", 200), ("x", 200)],
)
async def test_ranges_that_are_none(
    tenant: Tenant, task: str, line: str, pool: Pool, wav: bytes, asked: str, status: int
) -> None:
    call = await add_call(pool, task, line, recording="2026/call.wav")

    answer = await voice(tenant, task, call.id, asked)

    assert answer.status_code == status
    assert answer.content == (wav if status == 200 else b"")


@pytest.mark.ours
@pytest.mark.parametrize("recording", [None, "2026/gone.wav", "../outside.wav", "/etc/hostname"])
async def test_recordings_that_are_not_there(
    tenant: Tenant, task: str, line: str, pool: Pool, recordings: Path, recording: str | None
) -> None:
    (recordings.parent / "outside.wav").write_bytes(b"RIFF")
    call = await add_call(pool, task, line, recording=recording)

    answer = await voice(tenant, task, call.id)

    assert (answer.status_code, answer.json()["message"]) == (404, "录音不存在")


@pytest.mark.assumed
async def test_links_to_many_recordings(tenant: Tenant, task: str, line: str, pool: Pool, wav: bytes) -> None:
    call = await add_call(pool, task, line, recording="2026/call.wav")
    silent = await add_call(pool, task, line, phone="13012121212")
    path = f"/user/{{user}}/task/{task}/batch_record/download-full-voice"

    answer = await tenant.ask("GET", path, **{"recordIds[]": [call.id, silent.id, "x"]})

    (voice,) = answer["data"]
    assert voice["record_id"] == call.id
    assert voice["url"].startswith("https://calls.example.com/agent-api/download-voice?key=")
    too_many = await tenant.ask("GET", path, **{"recordIds[]": [call.id] * 31})
    assert list(too_many["message"]) == ["recordIds"]


@pytest.mark.observed
async def test_a_link_needs_no_token_and_ends(
    tenant: Tenant, task: str, line: str, pool: Pool, wav: bytes, clock: StandingClock
) -> None:
    call = await add_call(pool, task, line, recording="2026/call.wav")
    path = f"/user/{{user}}/task/{task}/batch_record/download-full-voice"
    (voice,) = (await tenant.ask("GET", path, **{"recordIds[]": call.id}))["data"]
    link = voice["url"].removeprefix("https://calls.example.com")

    opened = await tenant.http.get(link)
    forged = await tenant.http.get(link[:-1] + ("A" if link[-1] != "A" else "Q"))
    nothing = await tenant.http.get("/agent-api/download-voice")
    clock.now += LIFETIME_MS + 1
    late = await tenant.http.get(link)

    assert (opened.status_code, opened.content) == (200, wav)
    assert [answer.status_code for answer in (forged, nothing, late)] == [422, 422, 422]
