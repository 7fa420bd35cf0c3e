"""Redial rules, transfer groups, quality checks and background sounds: made, changed, used by tasks, and taken away."""

import io
import wave
from array import array
from pathlib import Path
from typing import Any

import httpx
import pytest
from agent_world import Tenant

from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool
from waihu.domain.outcome import Outcome

pytestmark = pytest.mark.ours

RULE = {
    "name": "关机重呼",
    "max_times": 3,
    "details": [{"number_status": 6, "time": 30}, {"number_status": 8, "time": 5}],
}
GROUP = {"name": "客服", "members": ["8001", "130 1212 1211"]}
CONFIG = {"name": "合规", "prompt": "是否说明了来电目的?"}
NOUNS = [("redial-rule", RULE), ("transfer-group", GROUP), ("quality-config", CONFIG)]


async def made(tenant: Tenant, noun: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await tenant.ask("POST", f"/user/{{user}}/{noun}", body)
    assert answer["code"] == 200, answer
    return dict(answer["data"])


async def init(tenant: Tenant) -> dict[str, Any]:
    return dict((await tenant.ask("GET", "/new/user/{user}/task/create"))["data"])


@pytest.mark.parametrize(("noun", "body"), NOUNS)
async def test_what_is_made_is_listed_read_and_taken_away(tenant: Tenant, noun: str, body: dict[str, Any]) -> None:
    before = (await tenant.ask("GET", f"/user/{{user}}/{noun}"))["meta"]["total"]
    row = await made(tenant, noun, body)

    listed = await tenant.ask("GET", f"/user/{{user}}/{noun}", page=1, per_page=50)
    read = await tenant.ask("GET", f"/user/{{user}}/{noun}/{row['id']}")
    removed = await tenant.ask("DELETE", f"/user/{{user}}/{noun}/{row['id']}")
    gone = await tenant.raw("GET", f"/user/{{user}}/{noun}/{row['id']}")

    assert listed["meta"]["total"] == before + 1
    assert listed["data"][-1] == read["data"] == row
    assert removed["code"] == 200
    assert gone.status_code == 404


@pytest.mark.parametrize(("noun", "body"), NOUNS)
async def test_what_is_not_sent_stays(tenant: Tenant, noun: str, body: dict[str, Any]) -> None:
    row = await made(tenant, noun, body)

    changed = (await tenant.ask("PUT", f"/user/{{user}}/{noun}/{row['id']}", {"name": "新名字"}))["data"]

    times = {"updated_at": row["updated_at"]}
    assert changed | times == row | {"name": "新名字"}


@pytest.mark.parametrize(("noun", "body"), NOUNS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_what_belongs_to_somebody_else_is_not_there(
    tenant: Tenant, stranger: Tenant, noun: str, body: dict[str, Any], method: str
) -> None:
    row = await made(stranger, noun, body)

    for id in (row["id"], "x", "999999999999", "-1"):
        answer = await tenant.raw(method, f"/user/{{user}}/{noun}/{id}", None if method != "PUT" else {"name": "我的"})
        assert answer.status_code == 404

    assert (await stranger.ask("GET", f"/user/{{user}}/{noun}/{row['id']}"))["data"] == row


@pytest.mark.parametrize(
    ("noun", "body", "field"),
    [
        ("redial-rule", RULE | {"name": " "}, "name"),
        ("redial-rule", RULE | {"details": []}, "details"),
        ("redial-rule", RULE | {"max_times": 51}, "max_times"),
        ("redial-rule", RULE | {"max_times": 0}, "max_times"),
        ("redial-rule", RULE | {"details": [{"number_status": 1, "time": 5}]}, "details.0.number_status"),
        ("redial-rule", RULE | {"details": [{"number_status": 11, "time": 5}]}, "details.0.number_status"),
        ("redial-rule", RULE | {"details": [{"number_status": 6, "time": -1}]}, "details.0.time"),
        ("redial-rule", RULE | {"details": [{"number_status": 6, "time": 50_000}]}, "details.0.time"),
        (
            "redial-rule",
            RULE | {"details": [{"number_status": 6, "time": 5}, {"number_status": "6", "time": 6}]},
            "details.1.number_status",
        ),
        ("transfer-group", GROUP | {"name": ""}, "name"),
        ("transfer-group", GROUP | {"members": []}, "members"),
        ("transfer-group", GROUP | {"members": ["8001", "没有"]}, "members.1"),
        ("transfer-group", GROUP | {"members": ["8001", "8001"]}, "members.1"),
        ("transfer-group", GROUP | {"strategy": 7}, "strategy"),
        ("quality-config", CONFIG | {"prompt": " "}, "prompt"),
        ("quality-config", {"name": "合规"}, "prompt"),
    ],
)
async def test_what_is_refused_and_under_which_name(
    tenant: Tenant, noun: str, body: dict[str, Any], field: str
) -> None:
    answer = await tenant.ask("POST", f"/user/{{user}}/{noun}", body)

    assert (answer["code"], list(answer["message"])) == (422, [field])


@pytest.mark.parametrize("noun", ["redial-rule", "quality-config"])
async def test_one_at_most_is_the_default(tenant: Tenant, noun: str) -> None:
    body = dict(NOUNS)[noun]
    first = await made(tenant, noun, body | {"is_default": True})
    second = await made(tenant, noun, body | {"is_default": True})

    listed = (await tenant.ask("GET", f"/user/{{user}}/{noun}", per_page=50))["data"]
    assert [row["id"] for row in listed if row["is_default"]] == [second["id"]]
    await tenant.ask("PUT", f"/user/{{user}}/{noun}/{first['id']}", {"is_default": True})
    listed = (await tenant.ask("GET", f"/user/{{user}}/{noun}", per_page=50))["data"]
    assert [row["id"] for row in listed if row["is_default"]] == [first["id"]]


# Redial rules


async def test_a_rule_is_offered_in_the_form_and_shows_its_minutes(tenant: Tenant) -> None:
    row = await made(tenant, "redial-rule", RULE)

    offered = (await init(tenant))["auto_recycle_rules"][-1]

    assert offered == {key: value for key, value in row.items() if key != "max_times"}
    assert [(each["number_status"], each["time"], each["number_status_str"]) for each in offered["details"]] == [
        (6, 30, "关机"),
        (8, 5, "占线"),
    ]
    assert row["max_times"] == 3


async def test_an_edit_of_a_rule_reaches_the_tasks_that_follow_it(tenant: Tenant, line: str, pool: Pool) -> None:
    row = await made(tenant, "redial-rule", RULE)
    task = await tenant.make_v2(line, auto_recycle_rule_id=row["id"])
    await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")
    store = PostgresDialingStore(pool)
    (before,) = (await store.world()).plans

    changed = {"details": [{"number_status": 6, "time": 1}], "max_times": 9}
    await tenant.ask("PUT", f"/user/{{user}}/redial-rule/{row['id']}", changed)
    (after,) = (await store.world()).plans
    await tenant.ask("PUT", f"/user/{{user}}/redial-rule/{row['id']}", {"status": False})
    (switched_off,) = (await store.world()).plans

    assert before.retry.delay_s == {Outcome.POWERED_OFF: 1800, Outcome.BUSY: 300}
    assert (after.retry.delay_s, after.retry.retries_max) == ({Outcome.POWERED_OFF: 60}, 9)
    assert switched_off.retry.delay_s == {}


@pytest.mark.parametrize(
    ("noun", "body", "setting"),
    [
        ("redial-rule", RULE, "auto_recycle_rule_id"),
        ("transfer-group", GROUP, "bridge_group_id"),
        ("quality-config", CONFIG, "llm_intention_id"),
    ],
)
async def test_what_tasks_use_cannot_be_taken_away(
    tenant: Tenant, line: str, noun: str, body: dict[str, Any], setting: str
) -> None:
    row = await made(tenant, noun, body)
    task = await tenant.make_v2(line, **{setting: row["id"]})

    refused = await tenant.raw("DELETE", f"/user/{{user}}/{noun}/{row['id']}")
    await tenant.ask("DELETE", f"/new/user/{{user}}/task/{task}")
    removed = await tenant.raw("DELETE", f"/user/{{user}}/{noun}/{row['id']}")

    assert (refused.status_code, "1 个任务" in refused.json()["message"]) == (409, True)
    assert removed.status_code == 200


# Transfer groups and quality checks


async def test_they_are_offered_in_the_form(tenant: Tenant) -> None:
    group = await made(tenant, "transfer-group", GROUP)
    config = await made(tenant, "quality-config", CONFIG | {"is_default": True})

    offered = await init(tenant)

    assert offered["bridge_groups"] == [{"id": group["id"], "name": "客服", "strategy": 1, "strategy_str": "平均"}]
    assert group["members"] == ["8001", "13012121211"]
    (shown,) = offered["llm_intention_configs"]
    assert (shown["id"], shown["is_default"], shown["user_id"]) == (config["id"], 1, tenant.user_id)


# Background sounds


def wav(*, rate_hz: int = 16_000, width: int = 2, channels: int = 1, seconds: float = 0.5) -> bytes:
    """A file in which the first channel is at half its height and the others are silent."""
    frames = round(rate_hz * seconds)
    if width == 2:
        frame = array("h", [16_384, *[0] * (channels - 1)]).tobytes()
    else:
        frame = bytes([192, *[128] * (channels - 1)])
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(frame * frames)
    return made.getvalue()


async def upload(tenant: Tenant, source: bytes, *, name: str | None = "超市大厅", **query: str) -> httpx.Response:
    return await tenant.http.post(
        f"/agent-api/user/{tenant.user_id}/background-sound",
        files={"file": ("hall.wav", source, "audio/wav")},
        data={} if name is None else {"name": name},
        params=query,
        headers={"authorization": f"Bearer {tenant.token}"},
    )


@pytest.mark.parametrize(
    ("form", "height"),
    [
        ({}, 16_384),
        ({"rate_hz": 8_000}, 16_384),
        ({"rate_hz": 44_100, "channels": 2}, 8_192),
        ({"rate_hz": 11_025, "width": 1}, 16_384),
    ],
)
async def test_a_sound_is_kept_as_the_switch_plays_it(
    tenant: Tenant, recordings: Path, form: dict[str, Any], height: int
) -> None:
    answer = (await upload(tenant, wav(**form))).json()
    row = answer["data"]
    heard = await tenant.raw("GET", f"/user/{{user}}/background-sound/{row['id']}/download")

    assert (answer["code"], row["name"]) == (200, "超市大厅")
    assert abs(row["duration"] - 500) <= 1
    with wave.open(io.BytesIO(heard.content)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8_000, 2, 1)
        samples = array("h", file.readframes(file.getnframes()))
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    assert all(abs(sample - height) < 400 for sample in middle)
    assert (await init(tenant))["background"] == [
        {"id": row["id"], "name": "超市大厅", "created_at": row["created_at"]}
    ]
    removed = await tenant.ask("DELETE", f"/user/{{user}}/background-sound/{row['id']}")
    assert removed["code"] == 200
    assert list((recordings.parent / "sounds").iterdir()) == []


async def test_a_sound_without_a_name_has_that_of_its_file(tenant: Tenant) -> None:
    assert (await upload(tenant, wav(), name=None)).json()["data"]["name"] == "hall"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"ID3\x03 an mp3", "不是 WAV 文件"),
        (wav()[:30], "WAV 文件不完整"),
        (wav(seconds=0), "文件中没有声音"),
        (wav(rate_hz=4_000, width=1, seconds=601), "背景音不能超过 10 分钟"),
        (wav().replace(b"fmt \x10\x00\x00\x00\x01\x00", b"fmt \x10\x00\x00\x00\x07\x00"), "只支持 PCM"),
        (b"RIFF" + bytes(10 * 1024 * 1024), "不能超过 10 MB"),
    ],
    ids=["mp3", "cut", "silent", "long", "mu-law", "large"],
)
async def test_files_that_are_refused(tenant: Tenant, recordings: Path, source: bytes, said: str) -> None:
    answer = await upload(tenant, source)

    assert (answer.status_code, list(answer.json()["message"])) == (422, ["file"])
    assert said in answer.json()["message"]["file"][0]
    assert (await tenant.ask("GET", "/user/{user}/background-sound"))["data"] == []
    assert not (recordings.parent / "sounds").exists() or not list((recordings.parent / "sounds").iterdir())


async def test_an_upload_that_is_none(tenant: Tenant) -> None:
    far_too_large = await upload(tenant, bytes(11 * 1024 * 1024))
    no_form = await tenant.raw("POST", "/user/{user}/background-sound", {"name": "超市"})

    assert far_too_large.status_code == 413
    assert list(no_form.json()["message"]) == ["file"]


async def test_a_sound_of_a_sub_account_is_asked_for_in_the_query(tenant: Tenant) -> None:
    sub = await tenant.add_sub_account()
    row = (await upload(tenant, wav(), sub_user_id=sub)).json()["data"]

    assert row["user_id"] == sub
    assert (await tenant.ask("GET", "/user/{user}/background-sound"))["data"] == []
    foreign = await tenant.raw("GET", f"/user/{{user}}/background-sound/{row['id']}/download")
    assert foreign.status_code == 404


async def test_a_sound_that_a_task_uses_stays(tenant: Tenant, line: str) -> None:
    row = (await upload(tenant, wav())).json()["data"]
    await tenant.make_v2(line, background_id=row["id"])

    refused = await tenant.raw("DELETE", f"/user/{{user}}/background-sound/{row['id']}")

    assert refused.status_code == 409
    assert (await tenant.raw("GET", f"/user/{{user}}/background-sound/{row['id']}/download")).status_code == 200
