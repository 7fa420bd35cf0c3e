"""The VoiceFox tasks as a client meets them: over HTTP, with a real PostgreSQL behind."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
import uvicorn
from litestar import Litestar

from waihu.adapters.passwords.argon2id import Argon2Hasher
from waihu.adapters.phone_places import LibraryPhonePlaces
from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.adapters.speech.shelf import DirectoryShelf
from waihu.adapters.tokens.rsa import RsaTokenSigner
from waihu.adapters.webhooks.addresses import Addresses
from waihu.application.contact_entry import NewContact
from waihu.application.services import Application
from waihu.domain.agent import AgentKind, Script
from waihu.domain.campaign import RetryPolicy, TrunkShare
from waihu.domain.hours import Window
from waihu.domain.ids import AccountId, CampaignId, TrunkId
from waihu.domain.outcome import Outcome
from waihu.faces import voicefox
from waihu.ports.rows import CampaignRules, Origin, OwnRetry
from waihu.ports.tokens import Audience, Claims

EXAMPLE = json.loads((Path(__file__).parent / "examples/voicefox_task.json").read_bytes())
NOON = int(datetime(2026, 11, 21, 4, 0, 7, tzinfo=UTC).timestamp()) * 1000
"""12:00:07 in China."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any


@dataclass(slots=True)
class Client:
    """Speaks to the face; `headers` go with every request."""

    session: aiohttp.ClientSession
    url: str
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **how: Any) -> Answer:
        headers = self.headers | how.pop("headers", {})
        async with self.session.request(method, f"{self.url}{path}", headers=headers, **how) as answer:
            return Answer(answer.status, await answer.json(content_type=None))

    async def get(self, path: str, **how: Any) -> Answer:
        return await self.ask("GET", path, **how)

    async def post(self, path: str, body: object = None, **how: Any) -> Answer:
        return await self.ask("POST", path, **({} if body is None else {"json": body}), **how)

    def with_token(self, secret: str) -> "Client":
        return Client(self.session, self.url, {"Authorization": f"Bearer {secret}"})


@dataclass(slots=True)
class Workspace:
    """An account with one line, and a client that holds its token."""

    app: Application
    pool: Pool
    client: Client
    partner: str
    account: AccountId
    agent: int
    trunk: TrunkId
    line: int

    async def make(self, **said: Any) -> Any:
        created = await self.client.post("/openapi/tasks", self.body(**said))
        assert created.status == 201, created.body
        return created.body

    def body(self, *, option: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
        """What makes a task, with parts of it said differently."""
        times = {"numbers": [self.line], "startTime": [["09:00", "12:00"], ["13:30", "18:00"]]}
        return {"name": "回访", "assistantId": self.agent, "option": times | (option or {})} | said

    async def make_elsewhere(self, **rules: Any) -> CampaignId:
        """A campaign that the agent-api made."""
        default = {"name": "别处", "agent": self.agent, "channels_max": 2, "trunks": (TrunkShare(self.trunk),)}
        return await self.app.campaigns.create(self.account, Origin.AGENT_API_V2, CampaignRules(**(default | rules)))

    async def number_of(self, campaign: CampaignId) -> int:
        return (await self.app.campaigns.read(self.account, campaign)).campaign.number


@pytest.fixture
async def workspace(pool: Pool, tmp_path: Path, signer: RsaTokenSigner) -> AsyncIterator[Workspace]:
    app = application_on(pool, tmp_path, signer)
    account = await app.accounts.create("甲公司", email="owner@example.com")
    agent = await app.agents.create(account.id, AgentKind.SCRIPT, "回访助手", Script(greeting="您好{姓名}"))
    trunk = await app.trunks.add("主线路", "127.0.0.9", channels_max=50, cps_max=5)
    line = await app.trunks.allocate(trunk.trunk.id, account.id, 10)
    token = await app.access.issue(account.partner, account=account.id)
    async with served(app) as url, aiohttp.ClientSession() as session:
        client = Client(session, url).with_token(token.secret)
        yield Workspace(app, pool, client, account.partner, account.id, agent.id, trunk.trunk.id, line)


def application_on(pool: Pool, directory: Path, signer: RsaTokenSigner) -> Application:
    return Application(
        PostgresStore(pool),
        PostgresContactBook(pool),
        lambda: NOON,
        directory,
        signer=signer,
        passwords=Argon2Hasher(),
        places=LibraryPhonePlaces(),
        addresses=Addresses(("127.0.0.0/8",)),
        shelf=DirectoryShelf(directory / "sounds"),
    )


@asynccontextmanager
async def served(app: Application) -> AsyncIterator[str]:
    api = Litestar([voicefox.router(app)], logging_config=None)
    server = uvicorn.Server(uvicorn.Config(api, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with asyncio.TaskGroup() as tasks:
            # Requests wait at the socket until it serves.
            tasks.create_task(server.serve(sockets=[listening]))
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            server.should_exit = True


def differences(shown: Any, example: Any, path: str = "task") -> list[str]:
    """Where an answer has other keys or types than the example. A list of the example stands for one of any length."""
    if isinstance(example, dict):
        if not isinstance(shown, dict):
            return [f"{path}: no object"]
        here = [f"{path}.{key}: only on one side" for key in sorted(shown.keys() ^ example.keys())]
        return here + [
            said
            for key in shown.keys() & example.keys()
            for said in differences(shown[key], example[key], f"{path}.{key}")
        ]
    if isinstance(example, list):
        if not isinstance(shown, list):
            return [f"{path}: no list"]
        return [said for place, each in enumerate(shown) for said in differences(each, example[0], f"{path}[{place}]")]
    return [] if type(shown) is type(example) else [f"{path}: {shown!r} for {example!r}"]


# The documented call


@pytest.mark.documented
async def test_a_task_has_every_key_of_the_page_in_its_place_and_of_its_type(workspace: Workspace) -> None:
    made = await workspace.make(items=[{"phone": "13012121211"}])
    answer = await workspace.client.get(f"/openapi/tasks/{made['id']}")
    assert answer.status == 200
    assert differences(answer.body, EXAMPLE) == []


@pytest.mark.documented
async def test_a_task_made_through_another_api_looks_no_different(workspace: Workspace) -> None:
    number = await workspace.number_of(await workspace.make_elsewhere())
    answer = await workspace.client.get(f"/openapi/tasks/{number}")
    assert answer.status == 200
    assert differences(answer.body, EXAMPLE) == []
    assert answer.body["id"] == number


@pytest.mark.documented
async def test_nothing_was_deleted_and_the_flag_is_misspelt_as_on_the_page(workspace: Workspace) -> None:
    assistant = (await workspace.make())["assistant"]
    assert assistant["deletedAt"] is None
    assert assistant["idOldVersion"] is False


@pytest.mark.documented
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer unknown"}, {"Authorization": "Basic d2FpaHU6"}, {"Authorization": "Bearer"}],
    ids=["none", "unknown", "another scheme", "empty"],
)
@pytest.mark.parametrize("path", ["/openapi/tasks/1", "/openapi/tasks"])
async def test_without_a_valid_token_everything_is_401(
    workspace: Workspace, headers: dict[str, str], path: str
) -> None:
    workspace.client.headers = headers
    assert (await workspace.client.get(path)).status == 401
    # Before anything of the request is judged.
    assert (await workspace.client.post("/openapi/tasks", data=b"{")).status == 401


@pytest.mark.documented
async def test_a_token_has_no_permission_for_another_workspace(workspace: Workspace) -> None:
    stranger = await workspace.app.accounts.create("乙公司")
    answer = await workspace.client.get("/openapi/tasks", headers={"X-Waihu-Account": stranger.id})
    assert answer.status == 403
    assert (await workspace.client.get("/openapi/tasks", params={"accountId": "nobody"})).status == 403


@pytest.mark.documented
async def test_the_number_of_phones_and_the_share_that_is_finished_are_shown(workspace: Workspace) -> None:
    made = await workspace.make(items=[{"phone": f"1301212121{n}"} for n in range(3)])
    assert (made["total"], made["progress"]) == (3, 0)
    await workspace.pool.execute("update campaign_stat set finished = 2")
    answer = await workspace.client.get(f"/openapi/tasks/{made['id']}")
    assert (answer.body["total"], answer.body["progress"]) == (3, 66)


@pytest.mark.documented
async def test_numbers_are_the_ids_of_the_accounts_lines(workspace: Workspace) -> None:
    other = await workspace.app.trunks.add("第二线路", "127.0.0.8", channels_max=50, cps_max=5)
    second = await workspace.app.trunks.allocate(other.trunk.id, workspace.account, 3)
    made = await workspace.make(option={"numbers": [second, workspace.line]})
    assert made["option"]["numbers"] == [second, workspace.line]
    await workspace.app.trunks.withdraw(workspace.account, second)
    answer = await workspace.client.get(f"/openapi/tasks/{made['id']}")
    assert answer.body["option"]["numbers"] == [workspace.line]


# What the page leaves open


@pytest.mark.assumed
@pytest.mark.parametrize(
    ("state", "pause_reason", "status"),
    [
        ("draft", None, "pending"),
        ("ready", None, "pending"),
        ("running", None, "running"),
        ("paused", "user", "stop.operate"),
        ("paused", "schedule_end", "stop.timeout"),
        ("paused", "no_trunk", "stop.abnormal"),
        ("paused", "no_balance", "stop.abnormal"),
        ("paused", "fault", "stop.abnormal"),
        ("completed", None, "done"),
    ],
)
async def test_the_state_says_why_a_task_does_not_call(
    workspace: Workspace, state: str, pause_reason: str | None, status: str
) -> None:
    made = await workspace.make()
    await workspace.pool.execute("update campaign set state = $1, pause_reason = $2", state, pause_reason)
    assert (await workspace.client.get(f"/openapi/tasks/{made['id']}")).body["status"] == status


@pytest.mark.assumed
async def test_times_are_chinas_and_written_as_in_queries(workspace: Workspace) -> None:
    made = await workspace.make()
    assert made["createdAt"] == made["updatedAt"] == "2026-11-21 12:00:07"
    assert made["option"]["startDate"] == "2026-11-21"


@pytest.mark.assumed
async def test_before_anything_is_known_texts_are_empty_and_shares_nought(workspace: Workspace) -> None:
    made = await workspace.make()
    assert (made["summary"], made["suggestion"]) == ("", "")
    assert (made["total"], made["progress"], made["collectionRate"]) == (0, 0, 0)


@pytest.mark.assumed
async def test_a_task_keeps_its_assistants_version_when_the_assistant_is_edited(workspace: Workspace) -> None:
    made = await workspace.make()
    await workspace.app.agents.change(workspace.account, workspace.agent, Script(greeting="晚上好"))
    kept = (await workspace.client.get(f"/openapi/tasks/{made['id']}")).body
    later = await workspace.make()
    assert (kept["assistantVid"], kept["assistant"]["welcome"]) == (made["assistantVid"], "您好{姓名}")
    assert kept["assistant"]["versionId"] == kept["assistantVid"]
    assert later["assistantVid"] != made["assistantVid"]
    assert later["assistant"]["welcome"] == "晚上好"
    assert later["assistant"]["id"] == kept["assistant"]["id"] == workspace.agent


@pytest.mark.assumed
async def test_the_assistant_tells_whose_it_is_and_how_many_calls_it_has_made(workspace: Workspace) -> None:
    made = await workspace.make(items=[{"phone": "13012121211"}])
    await workspace.make(items=[{"phone": "13012121211"}])
    await workspace.pool.execute(
        "insert into trunk_usage (campaign_id, trunk_id, day, slot, account_id, attempts) "
        "select c.id, s.trunk_id, '2026-11-21', 0, c.account_id, 4 "
        "from campaign c join campaign_trunk s on s.campaign_id = c.id"
    )
    assistant = (await workspace.client.get(f"/openapi/tasks/{made['id']}")).body["assistant"]
    assert (assistant["name"], assistant["creator"]) == ("回访助手", {"email": "owner@example.com"})
    assert assistant["usageCount"] == 8


@pytest.mark.assumed
async def test_windows_of_any_weekday_are_execution_windows(workspace: Workspace) -> None:
    week = ((), *((Window(540, 720),),) * 4, (Window(540, 720), Window(800, 900)), (Window(0, 1440),))
    number = await workspace.number_of(await workspace.make_elsewhere(week=week))
    shown = (await workspace.client.get(f"/openapi/tasks/{number}")).body["option"]["startTime"]
    assert shown == [["00:00", "24:00"], ["09:00", "12:00"], ["13:20", "15:00"]]


@pytest.mark.assumed
async def test_a_task_without_windows_of_its_own_shows_those_it_follows(workspace: Workspace) -> None:
    group = (await workspace.app.campaigns.options(workspace.account)).hours_groups[0]
    number = await workspace.number_of(await workspace.make_elsewhere(calling_hours=group.id))
    shown = (await workspace.client.get(f"/openapi/tasks/{number}")).body["option"]["startTime"]
    assert shown == [["09:00", "12:00"], ["13:00", "18:00"]]
    unbound = await workspace.number_of(await workspace.make_elsewhere())
    shown = (await workspace.client.get(f"/openapi/tasks/{unbound}")).body["option"]["startTime"]
    assert shown == [["00:00", "24:00"]]


@pytest.mark.assumed
async def test_retries_are_shown_in_minutes_whoever_ordered_them(workspace: Workspace) -> None:
    policy = RetryPolicy({Outcome.BUSY: 90, Outcome.NO_ANSWER: 1800}, retries_max=4)

    async def shown(**rules: Any) -> tuple[int, int]:
        number = await workspace.number_of(await workspace.make_elsewhere(**rules))
        option = (await workspace.client.get(f"/openapi/tasks/{number}")).body["option"]
        return option["retryCount"], option["retryInterval"]

    rule = (await workspace.app.campaigns.options(workspace.account)).retry_rules[0]
    assert await shown(retry=OwnRetry(True, policy)) == (4, 2)
    assert await shown(retry=OwnRetry(False, policy), retry_rule=rule.id) == (0, 2)
    assert await shown(retry_rule=rule.id) == (2, 10)
    assert await shown() == (0, 0)


@pytest.mark.assumed
async def test_a_task_without_a_number_file_has_the_documented_columns(workspace: Workspace) -> None:
    assert (await workspace.make())["option"]["numberFileMeta"] == {"号码": 0, "备注": 1, "姓名": 2}


# Our own calls


@pytest.mark.ours
async def test_a_task_is_made_as_it_was_said_and_waits_for_its_start(workspace: Workspace) -> None:
    made = await workspace.make(
        name="双十一回访",
        concurrency=7,
        option={
            "numbers": [workspace.line],
            "startDate": "2026-11-23",
            "startTime": [["13:30", "18:00"], ["9:00", "12:00:00"]],
            "retryCount": 3,
            "retryInterval": 45,
            "numberFileMeta": {"手机": 2, "称呼": 0},
        },
        items=[{"phone": "+86 130-1212-1211", "name": "王先生", "extra": {"订单": "A-1"}}, {"phone": "13012121212"}],
    )
    assert (made["name"], made["status"], made["total"]) == ("双十一回访", "pending", 2)
    assert made["option"] == {
        "numberFileMeta": {"手机": 2, "称呼": 0},
        "numbers": [workspace.line],
        "startDate": "2026-11-23",
        "startTime": [["09:00", "12:00"], ["13:30", "18:00"]],
        "retryCount": 3,
        "retryInterval": 45,
    }
    assert (await workspace.client.get(f"/openapi/tasks/{made['id']}")).body == made


@pytest.mark.ours
async def test_what_was_said_is_what_the_engine_will_call_by(workspace: Workspace) -> None:
    made = await workspace.make(
        concurrency=7,
        option={"startDate": "2026-11-23", "retryCount": 3, "retryInterval": 45},
        items=[{"phone": "+86 130-1212-1211", "name": "王先生", "extra": {"订单": "A-1"}}],
    )
    campaign = await workspace.app.numbered_campaigns.id_of(workspace.account, made["id"])
    rules = (await workspace.app.campaigns.read(workspace.account, campaign)).campaign.rules
    assert rules.channels_max == 7
    assert rules.trunks == (TrunkShare(workspace.trunk),)
    assert rules.week == ((Window(540, 720), Window(810, 1080)),) * 7
    assert rules.start_at == datetime(2026, 11, 22, 16, tzinfo=UTC).timestamp() * 1000
    assert rules.retry == OwnRetry(
        True,
        RetryPolicy(
            {
                Outcome.NO_ANSWER: 2700,
                Outcome.BUSY: 2700,
                Outcome.UNREACHABLE: 2700,
                Outcome.POWERED_OFF: 2700,
                Outcome.NETWORK_BUSY: 2700,
                Outcome.TRUNK_ERROR: 2700,
            },
            retries_max=3,
        ),
    )
    contact = (await workspace.app.contacts.read(workspace.account, campaign, "13012121211")).contact
    assert (contact.name, contact.variables) == ("王先生", {"订单": "A-1"})


@pytest.mark.ours
async def test_an_older_version_of_an_assistant_can_be_named(workspace: Workspace) -> None:
    first = (await workspace.make())["assistantVid"]
    await workspace.app.agents.change(workspace.account, workspace.agent, Script(greeting="晚上好"))
    body = workspace.body(assistantVid=first)
    del body["assistantId"]
    made = await workspace.client.post("/openapi/tasks", body)
    assert made.status == 201
    assert (made.body["assistantVid"], made.body["assistant"]["welcome"]) == (first, "您好{姓名}")


@pytest.mark.ours
async def test_a_task_is_started_and_stopped_and_can_be_started_again(workspace: Workspace) -> None:
    task = f"/openapi/tasks/{(await workspace.make())['id']}"
    seen = []
    for verb in ("stop", "start", "start", "stop", "stop", "start"):
        answer = await workspace.client.post(f"{task}/{verb}")
        assert answer.status == 200
        assert differences(answer.body, EXAMPLE) == []
        seen.append(answer.body["status"])
    assert seen == ["pending", "running", "running", "stop.operate", "stop.operate", "running"]


@pytest.mark.ours
async def test_a_task_of_another_api_is_started_and_stopped_too(workspace: Workspace) -> None:
    task = f"/openapi/tasks/{await workspace.number_of(await workspace.make_elsewhere())}"
    assert (await workspace.client.post(f"{task}/start")).body["status"] == "running"
    assert (await workspace.client.post(f"{task}/stop")).body["status"] == "stop.operate"


@pytest.mark.ours
async def test_a_task_that_could_not_make_a_call_is_not_started(workspace: Workspace) -> None:
    made = await workspace.make()
    await workspace.app.trunks.withdraw(workspace.account, workspace.line)
    answer = await workspace.client.post(f"/openapi/tasks/{made['id']}/start")
    assert answer.status == 409
    assert answer.body["message"]
    assert (await workspace.client.get(f"/openapi/tasks/{made['id']}")).body["status"] == "pending"


@pytest.mark.ours
async def test_the_list_has_all_tasks_of_the_account_newest_first(workspace: Workspace) -> None:
    made = [(await workspace.make(name=f"任务{n}"))["id"] for n in range(2)]
    made.append(await workspace.number_of(await workspace.make_elsewhere()))
    stranger = await workspace.app.accounts.create("乙公司")
    agent = (await workspace.app.agents.all(stranger.id))[0]
    await workspace.app.campaigns.create(stranger.id, Origin.VOICEFOX, CampaignRules("不可见", agent.id, 1))
    # All were made in the same millisecond, and then their order is nobody's business.
    await workspace.pool.execute("update campaign set created_at = created_at + number * interval '1 second'")

    answer = await workspace.client.get("/openapi/tasks")
    assert answer.status == 200
    assert {key: answer.body[key] for key in answer.body if key != "items"} == {
        "total": 3,
        "pageIndex": 1,
        "pageSize": 10,
    }
    assert [task["id"] for task in answer.body["items"]] == made[::-1]
    assert [said for task in answer.body["items"] for said in differences(task, EXAMPLE)] == []


@pytest.mark.ours
async def test_the_list_is_read_page_by_page(workspace: Workspace) -> None:
    made = {(await workspace.make(name=f"任务{n}"))["id"] for n in range(3)}
    seen = []
    for place, count in ((1, 2), (2, 1), (3, 0)):
        page = (await workspace.client.get("/openapi/tasks", params={"pageIndex": place, "pageSize": 2})).body
        assert (page["pageIndex"], page["pageSize"], page["total"], len(page["items"])) == (place, 2, 3, count)
        seen += [task["id"] for task in page["items"]]
    assert sorted(seen) == sorted(made)


@pytest.mark.ours
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pageSize", "101"),
        ("pageSize", "0"),
        ("pageSize", "x"),
        ("pageIndex", "0"),
        ("pageIndex", "1.5"),
        ("pageIndex", "9" * 30),
    ],
)
async def test_a_page_that_cannot_be_is_refused(workspace: Workspace, name: str, value: str) -> None:
    answer = await workspace.client.get("/openapi/tasks", params={name: value})
    assert (answer.status, list(answer.body["errors"])) == (422, [name])


# Whose tasks


@pytest.mark.ours
async def test_a_task_of_another_account_is_as_unknown_as_one_that_never_was(workspace: Workspace) -> None:
    made = await workspace.make()
    stranger = await workspace.app.accounts.create("乙公司")
    token = await workspace.app.access.issue(stranger.partner, account=stranger.id)
    theirs = workspace.client.with_token(token.secret)
    hidden = await theirs.get(f"/openapi/tasks/{made['id']}")
    assert hidden.status == 404
    assert hidden == await theirs.get("/openapi/tasks/2147483647")
    for verb in ("start", "stop"):
        assert (await theirs.post(f"/openapi/tasks/{made['id']}/{verb}")).status == 404


@pytest.mark.ours
async def test_a_partners_token_acts_for_its_only_account(workspace: Workspace) -> None:
    made = await workspace.make()
    token = await workspace.app.access.issue(workspace.partner)
    partner = workspace.client.with_token(token.secret)
    assert (await partner.get(f"/openapi/tasks/{made['id']}")).status == 200
    # Sub-accounts have to be named, so that making one changes nothing for those who name none.
    await workspace.app.accounts.create("甲分部", parent=workspace.account)
    assert (await partner.get(f"/openapi/tasks/{made['id']}")).status == 200


@pytest.mark.ours
async def test_a_partners_token_names_the_account_where_there_are_several(workspace: Workspace) -> None:
    made = await workspace.make()
    second = await workspace.app.accounts.create("丙公司", partner=workspace.partner)
    token = await workspace.app.access.issue(workspace.partner)
    partner = workspace.client.with_token(token.secret)
    path = f"/openapi/tasks/{made['id']}"

    unnamed = await partner.get(path)
    assert (unnamed.status, list(unnamed.body["errors"])) == (422, ["accountId"])
    assert (await partner.get(path, headers={"X-Waihu-Account": workspace.account})).body == made
    assert (await partner.get(path, params={"accountId": workspace.account})).body == made
    assert (await partner.get(path, params={"accountId": second.id})).status == 404


@pytest.mark.ours
async def test_an_accounts_token_reaches_its_sub_accounts_by_name(workspace: Workspace) -> None:
    sub = await workspace.app.accounts.create("甲分部", parent=workspace.account)
    await workspace.make()
    theirs = await workspace.client.get("/openapi/tasks", params={"accountId": sub.id})
    assert (theirs.status, theirs.body["total"]) == (200, 0)


# What is refused


@pytest.mark.ours
@pytest.mark.parametrize("task", ["0", "-1", "+1", "1.0", "abc", "2147483648", "9" * 400, "٣", "1%00", "%F0%9F"])
async def test_an_id_of_nothing_is_not_found(workspace: Workspace, task: str) -> None:
    await workspace.make()
    answer = await workspace.client.get(f"/openapi/tasks/{task}")
    assert (answer.status, answer.body["errors"]) == (404, {})
    assert (await workspace.client.post(f"/openapi/tasks/{task}/start")).status == 404


@pytest.mark.ours
@pytest.mark.parametrize(
    "body",
    [b"{", b"name=1", b'{"name": "\xff"}', b'{"name": "\\ud800"}', b"[" * 100_000],
    ids=["half", "a form", "no UTF-8", "half a character", "too deep"],
)
async def test_what_is_no_json_is_refused(workspace: Workspace, body: bytes) -> None:
    answer = await workspace.client.post("/openapi/tasks", data=body)
    assert answer.status == 400
    assert answer.body["message"]


CONTACT = {"phone": "13012121211"}


@pytest.mark.ours
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "名" * 256}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"assistantId": None}, "assistantId"),
        ({"assistantId": 999_999}, "assistantId"),
        ({"assistantId": 10**30}, "assistantId"),
        ({"assistantId": "abc"}, "assistantId"),
        ({"assistantVid": 999_999}, "assistantVid"),
        ({"assistantId": -1, "assistantVid": 1}, "assistantVid"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 11}, "concurrency"),
        ({"concurrency": 10**30}, "concurrency"),
        ({"option": None}, "option"),
        ({"option": {"numbers": []}}, "option.numbers"),
        ({"option": {"numbers": 1}}, "option.numbers"),
        ({"option": {"numbers": [999_999]}}, "option.numbers[0]"),
        ({"option": {"numbers": [{}]}}, "option.numbers[0]"),
        ({"option": {"startTime": []}}, "option.startTime"),
        ({"option": {"startTime": [["09:00"]]}}, "option.startTime[0]"),
        ({"option": {"startTime": [["12:00", "09:00"]]}}, "option.startTime[0]"),
        ({"option": {"startTime": [["09:00", "12:00"], ["09:00", "09:00"]]}}, "option.startTime[1]"),
        ({"option": {"startTime": [["23:00", "24:01"]]}}, "option.startTime[0]"),
        ({"option": {"startTime": [["nine", "ten"]]}}, "option.startTime[0]"),
        ({"option": {"startDate": "2026-02-30"}}, "option.startDate"),
        ({"option": {"startDate": "0001-01-01"}}, "option.startDate"),
        ({"option": {"startDate": "9999-12-31"}}, "option.startDate"),
        ({"option": {"startDate": "23.11.2026"}}, "option.startDate"),
        ({"option": {"startDate": 20261123}}, "option.startDate"),
        ({"option": {"retryCount": -1}}, "option.retryCount"),
        ({"option": {"retryCount": 51}}, "option.retryCount"),
        ({"option": {"retryInterval": 0}}, "option.retryInterval"),
        ({"option": {"retryInterval": 10**12}}, "option.retryInterval"),
        ({"option": {"numberFileMeta": {"号码": -1}}}, "option.numberFileMeta[...]"),
        ({"option": {"numberFileMeta": {"a\0b": 1}}}, "option.numberFileMeta"),
        ({"option": {"numberFileMeta": [1]}}, "option.numberFileMeta"),
        ({"items": {}}, "items"),
        ({"items": [CONTACT] * 101}, "items"),
        ({"items": [CONTACT, {"phone": "call me"}]}, "items[1]"),
        ({"items": [CONTACT, CONTACT]}, "items[1]"),
        ({"items": [{}]}, "items[0].phone"),
        ({"items": [{"phone": 13012121211}]}, "items[0].phone"),
        ({"items": [CONTACT | {"name": "名" * 101}]}, "items[0]"),
        ({"items": [CONTACT | {"extra": "A-1"}]}, "items[0].extra"),
        ({"items": [CONTACT | {"extra": {"订单": 1}}]}, "items[0].extra[...]"),
        ({"items": [CONTACT | {"extra": {"订单": "\0"}}]}, "items[0].extra[...]"),
    ],
)
async def test_a_task_that_cannot_be_is_refused_by_field_and_leaves_nothing(
    workspace: Workspace, said: dict[str, Any], field: str
) -> None:
    answer = await workspace.client.post("/openapi/tasks", workspace.body(**said) | _nothing(said))
    assert (answer.status, list(answer.body["errors"])) == (422, [field]), answer.body
    assert answer.body["message"]
    assert (await workspace.client.get("/openapi/tasks")).body["total"] == 0


def _nothing(said: dict[str, Any]) -> dict[str, Any]:
    """What is said to be null, is null."""
    return {key: None for key, value in said.items() if value is None}


@pytest.mark.ours
@pytest.mark.parametrize("lacking", ["name", "option", "option.numbers", "option.startTime"])
async def test_what_is_lacking_is_named(workspace: Workspace, lacking: str) -> None:
    body = workspace.body()
    *outer, last = lacking.split(".")
    del (body[outer[0]] if outer else body)[last]
    answer = await workspace.client.post("/openapi/tasks", body)
    assert (answer.status, list(answer.body["errors"])) == (422, [lacking])


@pytest.mark.ours
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "不能为空"),
        (b"null", "必须是对象"),
        (b"[]", "必须是对象"),
        (b'"task"', "必须是对象"),
        (b"1", "必须是对象"),
    ],
)
async def test_a_body_that_is_no_object_is_refused_as_a_whole(workspace: Workspace, body: bytes, problem: str) -> None:
    answer = await workspace.client.post("/openapi/tasks", data=body)
    assert (answer.status, answer.body["errors"]) == (422, {"body": [problem]})


@pytest.mark.ours
@pytest.mark.parametrize(
    ("said", "field", "problem"),
    [
        ({"name": 1}, "name", "必须是字符串"),
        ({"name": None}, "name", "必须是字符串"),
        ({"name": "a\0b"}, "name", "含有非法字符"),
        ({"assistantId": "x"}, "assistantId", "必须是整数"),
        ({"items": "x"}, "items", "必须是数组"),
        ({"items": [1]}, "items[0]", "必须是对象"),
        ({"items": [{"phone": f"130121{n:05}"} for n in range(101)]}, "items", "个数不能大于 100"),
        ({"option": {"startTime": []}}, "option.startTime", "个数不能小于 1"),
        ({"option": {"retryInterval": 0}}, "option.retryInterval", "不能小于 1"),
    ],
)
async def test_every_problem_is_told_in_one_language(
    workspace: Workspace, said: dict[str, Any], field: str, problem: str
) -> None:
    answer = await workspace.client.post("/openapi/tasks", workspace.body(**said))
    assert (answer.status, answer.body["errors"]) == (422, {field: [problem]})


@pytest.mark.ours
async def test_a_number_on_the_do_not_call_list_is_told_and_no_task_is_left(workspace: Workspace) -> None:
    await workspace.pool.execute(
        "insert into do_not_call (account_id, phone) values ($1, '13012121212')", workspace.account
    )
    answer = await workspace.client.post("/openapi/tasks", workspace.body(items=[CONTACT, {"phone": "13012121212"}]))
    assert (answer.status, list(answer.body["errors"])) == (422, ["items[1]"])
    assert (await workspace.client.get("/openapi/tasks")).body["total"] == 0


@pytest.mark.ours
async def test_a_hundred_numbers_are_taken_at_once(workspace: Workspace) -> None:
    made = await workspace.make(items=[{"phone": f"130121212{n:02}"} for n in range(100)])
    assert made["total"] == 100


@pytest.mark.ours
async def test_numbers_may_be_added_by_another_api(workspace: Workspace) -> None:
    made = await workspace.make()
    campaign = await workspace.app.numbered_campaigns.id_of(workspace.account, made["id"])
    await workspace.app.contacts.add(workspace.account, campaign, [NewContact("13012121211")])
    assert (await workspace.client.get(f"/openapi/tasks/{made['id']}")).body["total"] == 1


@pytest.mark.ours
async def test_a_database_out_of_reach_is_503(tmp_path: Path, signer: RsaTokenSigner) -> None:
    token = signer.sign(Claims(str(uuid4()), str(uuid4()), Audience.API, NOON, NOON + 1000))
    nowhere = asyncpg.create_pool("postgresql://waihu@127.0.0.1:1/waihu", min_size=0)
    async with nowhere as pool, aiohttp.ClientSession() as session:
        app = application_on(pool, tmp_path, signer)
        async with served(app) as url:
            answer = await Client(session, url).with_token(token).get("/openapi/tasks")
    assert answer.status == 503
    assert answer.body["message"]


# The reference


@pytest.mark.ours
async def test_the_reference_shows_every_call_with_its_parameters_and_body(workspace: Workspace) -> None:
    document = Litestar([voicefox.router(workspace.app)], logging_config=None).openapi_schema.to_schema()
    assert {(path, method) for path, item in document["paths"].items() for method in item} == {
        ("/openapi/tasks", "get"),
        ("/openapi/tasks", "post"),
        ("/openapi/tasks/{taskID}", "get"),
        ("/openapi/tasks/{taskID}/start", "post"),
        ("/openapi/tasks/{taskID}/stop", "post"),
    }
    listing = document["paths"]["/openapi/tasks"]["get"]["parameters"]
    assert {each["name"] for each in listing} == {"pageIndex", "pageSize", "accountId", "X-Waihu-Account"}
    schemas = document["components"]["schemas"]
    new_task = next(shape for name, shape in schemas.items() if name.endswith("NewTask"))
    assert set(new_task["properties"]) == {
        "name",
        "option",
        "assistantId",
        "assistantVid",
        "concurrency",
        "items",
    }
