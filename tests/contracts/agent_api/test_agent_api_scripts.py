"""Scripts made over the API, and the dialogue by text with them."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from agent_world import StandingClock, Tenant

from waihu.adapters.postgres.pool import Pool
from waihu.application.text_dialogue import FORGOTTEN_AFTER_MS

SCRIPT = {
    "name": "回访",
    "greeting": "您好{姓名},满意请按1,不满意请按2。",
    "keys": [{"key": "1", "answer": "感谢您的认可。"}, {"key": "2", "answer": "我们会改进。"}],
    "key_timeout": 8,
    "goodbye": "再见。",
}


async def made(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    answer = await tenant.ask("POST", "/group/{user}", SCRIPT | changes)
    assert answer["code"] == 200, answer
    return dict(answer["data"])


@pytest.mark.ours
async def test_a_script_is_made_and_offered(tenant: Tenant) -> None:
    row = await made(tenant)

    read = (await tenant.ask("GET", f"/group/{{user}}/{row['id']}"))["data"]
    listed = (await tenant.ask("GET", "/group/{user}"))["data"]
    init = (await tenant.ask("GET", "/new/user/{user}/task/create"))["data"]

    assert read == row
    assert {key: row[key] for key in SCRIPT} == SCRIPT
    assert (row["version"], row["voice"], row["group_type"]) == (1, "cmn", "group")
    assert row["id"] in [each["id"] for each in listed]
    assert row["id"] in [each["id"] for each in init["outbound_group"]]


@pytest.mark.ours
@pytest.mark.parametrize(
    ("group_type", "offered_in"), [("robot", "outbound_group_v2"), ("llm", "big_model_outbound_group")]
)
async def test_the_kind_of_a_script_decides_where_it_is_offered(
    tenant: Tenant, group_type: str, offered_in: str
) -> None:
    row = await made(tenant, group_type=group_type)

    init = (await tenant.ask("GET", "/new/user/{user}/task/create"))["data"]
    assert str(row["id"]) in [str(each["id"]) for each in init[offered_in]]


@pytest.mark.ours
async def test_a_change_is_a_new_version_and_tasks_keep_theirs(tenant: Tenant, line: str, pool: Pool) -> None:
    row = await made(tenant)
    task = await tenant.make_v2(line, destination_extension=row["id"])

    changed = (await tenant.ask("PUT", f"/group/{{user}}/{row['id']}", {"goodbye": "祝您愉快。", "keys": []}))["data"]

    pinned = "select agent_version from campaign where id = $1"
    assert (changed["version"], changed["goodbye"], changed["keys"]) == (2, "祝您愉快。", [])
    assert (changed["name"], changed["greeting"], changed["key_timeout"]) == ("回访", SCRIPT["greeting"], 8)
    assert await pool.fetchval(pinned, task) == 1
    await tenant.ask(
        "PUT", f"/new/user/{{user}}/task/{task}", await tenant.body_v2(line, destination_extension=row["id"])
    )
    assert await pool.fetchval(pinned, task) == 2


@pytest.mark.ours
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"greeting": ""}, "greeting"),
        ({"greeting": "您" * 1001}, "greeting"),
        ({"keys": [{"key": "A", "answer": "好"}]}, "keys"),
        ({"keys": [{"key": "1", "answer": "好"}, {"key": "1", "answer": "不"}]}, "keys"),
        ({"key_timeout": 61}, "key_timeout"),
        ({"voice": "x"}, "voice"),
        ({"group_type": "x"}, "group_type"),
    ],
)
async def test_scripts_that_are_refused(tenant: Tenant, changes: dict[str, Any], field: str) -> None:
    answer = await tenant.ask("POST", "/group/{user}", SCRIPT | changes)

    assert (answer["code"], list(answer["message"])) == (422, [field])


@pytest.mark.ours
async def test_scripts_of_others_are_not_there(tenant: Tenant, stranger: Tenant) -> None:
    row = await made(stranger)

    assert (await tenant.raw("GET", f"/group/{{user}}/{row['id']}")).status_code == 404
    assert (await tenant.raw("PUT", f"/group/{{user}}/{row['id']}", {"name": "我的"})).status_code == 404
    assert (await stranger.ask("GET", f"/group/{{user}}/{row['id']}"))["data"]["name"] == "回访"


# By text


class Writer:
    """Somebody who writes to a script."""

    def __init__(self, tenant: Tenant, group: int, *, talk: str = "t-1", user: str | None = None) -> None:
        self.tenant = tenant
        self.body = {"talk_id": talk, "user_id": user or tenant.user_id, "group_id": group}

    async def raw(
        self, notify: str, message: str = "", directive: str = "", *, node: str | None = None, token: str | None = None
    ) -> httpx.Response:
        (own,) = await self.tenant.application.cloud_nodes.all()
        return await self.tenant.http.post(
            f"/saas/api/customer_service/tenant/{node or own.id}",
            json=self.body | {"notify": notify, "message": message, "directive": directive},
            headers={
                "authorization": f"Bearer {token or self.tenant.token}",
                "x-requested-with": "XMLHttpRequest",
            },
        )

    async def say(self, notify: str, message: str = "", directive: str = "") -> tuple[str, bool]:
        answer = (await self.raw(notify, message, directive)).json()
        assert answer["code"] == 200, answer
        return answer["data"]["answer_content"], answer["data"]["is_end"]


@pytest.mark.assumed
async def test_a_dialogue_from_its_beginning_to_its_end(tenant: Tenant) -> None:
    row = await made(tenant)
    writer = Writer(tenant, row["id"])

    assert await writer.say("enter") == ("您好,满意请按1,不满意请按2。", False)
    assert await writer.say("message", "嗯?") == ("", False)
    assert await writer.say("message", "", "invalid") == ("", False)
    assert await writer.say("message", "我选2") == ("我们会改进。再见。", True)
    assert await writer.say("message", "1") == ("", True)
    assert await writer.say("leave") == ("", True)
    after = await writer.raw("message", "1")
    assert (after.status_code, after.json()["message"]) == (404, "对话不存在,请先以 notify=enter 开始")


@pytest.mark.assumed
async def test_what_an_answer_consists_of(tenant: Tenant) -> None:
    row = await made(tenant)
    writer = Writer(tenant, row["id"])
    await writer.say("enter")

    data = (await writer.raw("message", "1")).json()["data"]

    assert data == {
        "talk_id": "t-1",
        "user_id": tenant.user_id,
        "group_id": row["id"],
        "notify": "message",
        "question": "1",
        "answer_content": "感谢您的认可。再见。",
        "answers": ["感谢您的认可。", "再见。"],
        "is_end": True,
    }


@pytest.mark.assumed
async def test_silence_is_answered_as_on_the_phone(tenant: Tenant) -> None:
    writer = Writer(tenant, (await made(tenant))["id"])
    await writer.say("enter")

    assert await writer.say("message", "", "no_answer") == ("再见。", True)


@pytest.mark.assumed
async def test_a_script_that_asks_nothing_ends_at_once(tenant: Tenant) -> None:
    writer = Writer(tenant, (await made(tenant, keys=[]))["id"])

    assert await writer.say("enter") == ("您好,满意请按1,不满意请按2。再见。", True)


@pytest.mark.ours
async def test_a_dialogue_keeps_its_version_and_can_begin_anew(tenant: Tenant) -> None:
    row = await made(tenant)
    writer = Writer(tenant, row["id"])
    await writer.say("enter")
    await tenant.ask("PUT", f"/group/{{user}}/{row['id']}", {"goodbye": "祝您愉快。"})

    assert await writer.say("message", "1") == ("感谢您的认可。再见。", True)
    assert (await writer.say("enter"))[1] is False
    assert await writer.say("message", "1") == ("感谢您的认可。祝您愉快。", True)


@pytest.mark.ours
async def test_dialogues_of_one_id_in_two_accounts(tenant: Tenant, stranger: Tenant) -> None:
    ours, theirs = Writer(tenant, (await made(tenant))["id"]), Writer(stranger, (await made(stranger))["id"])
    await ours.say("enter")
    await theirs.say("enter")

    await theirs.say("leave")

    assert await ours.say("message", "1") == ("感谢您的认可。再见。", True)


@pytest.mark.ours
async def test_who_may_write_to_which_script(tenant: Tenant, stranger: Tenant) -> None:
    row = await made(tenant)
    ours = Writer(tenant, row["id"])

    assert (await Writer(stranger, row["id"]).raw("enter")).status_code == 404
    assert (await Writer(stranger, row["id"], user=tenant.user_id).raw("enter")).status_code == 404
    assert (await ours.raw("enter", token="x")).status_code == 401
    assert (await ours.raw("enter", node=str(uuid4()))).json()["message"] == "云节点不存在"


@pytest.mark.ours
@pytest.mark.parametrize(("notify", "directive", "field"), [("begin", "", "notify"), ("message", "x", "directive")])
async def test_words_that_are_none(tenant: Tenant, notify: str, directive: str, field: str) -> None:
    writer = Writer(tenant, (await made(tenant))["id"])
    await writer.say("enter")

    answer = await writer.raw(notify, "", directive)

    assert (answer.status_code, list(answer.json()["message"])) == (422, [field])


@pytest.mark.ours
async def test_a_dialogue_nobody_left_is_forgotten(tenant: Tenant, clock: StandingClock, pool: Pool) -> None:
    row = await made(tenant)
    await Writer(tenant, row["id"], talk="old").say("enter")
    clock.now += FORGOTTEN_AFTER_MS + 1

    await Writer(tenant, row["id"], talk="new").say("enter")

    assert [each["talk_id"] for each in await pool.fetch("select talk_id from text_talk")] == ["new"]
