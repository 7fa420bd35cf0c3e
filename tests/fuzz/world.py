"""A partner whose things are all there: what the document's ids can stand for, so that requests find something."""

import hashlib
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from agent_world import NOON, StandingClock, Tenant
from litestar import Litestar
from seeded_calls import add_call

from waihu.adapters.phone_places import LibraryPhonePlaces
from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.adapters.speech.shelf import DirectoryShelf
from waihu.adapters.tokens.rsa import RsaTokenSigner
from waihu.adapters.webhooks.addresses import Addresses
from waihu.application.services import Application
from waihu.application.trunks import CHANNELS_MAX
from waihu.application.users import NewPassword, NewUser
from waihu.faces import agent_api, voicefox

PHONES = tuple(f"1381380{number:04}" for number in range(6))
UNLISTED = "13012121219"
SECURITY_CODE = "654321"

Known = Sequence[str] | Sequence[int]


@dataclass
class World:
    """`token` is the partner's. `known`: what a parameter or field can stand for, by its name; `word/name` where the
    word before it in the path makes a difference, and `METHOD path/name` where the operation does.
    """

    token: str
    known: dict[str, Known]


class QuickHasher:
    """Passwords without the half second that a real hash takes on purpose."""

    async def hash(self, password: str) -> str:
        return hashlib.sha256(password.encode()).hexdigest()

    async def matches(self, password_hash: str, password: str) -> bool:
        return await self.hash(password) == password_hash


class AddressesByThemselves(Addresses):
    """Judges a URL by what is written in it: no name server is asked for names that were drawn by lot."""

    async def problem(self, url: str) -> str | None:
        return self.evident_problem(url)


def application_on(pool: Any, recordings: Path, signer: RsaTokenSigner) -> Application:
    return Application(
        PostgresStore(pool),
        PostgresContactBook(pool),
        StandingClock(),
        recordings,
        signer=signer,
        passwords=QuickHasher(),
        places=LibraryPhonePlaces(),
        addresses=AddressesByThemselves(("127.0.0.0/8",)),
        shelf=DirectoryShelf(recordings.parent / "sounds"),
        public_url="https://calls.example.com",
    )


async def settled(pool: Pool, recordings: Path, signer: RsaTokenSigner) -> World:
    """Brings everything about over the API itself, and by hand what only an engine or a sender brings about."""
    application = application_on(pool, recordings, signer)
    api = Litestar([agent_api.router(application), voicefox.router(application)], logging_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://testserver") as http:
        account = await application.accounts.create("甲公司", email="owner@example.com")
        issued = await application.access.issue(account.partner, name="合作伙伴")
        tenant = Tenant(http, application, account.partner, account.id, issued.secret)
        known = await _known(tenant, pool, recordings)
    return World(issued.secret, known)


async def _known(main: Tenant, pool: Pool, recordings: Path) -> dict[str, Known]:
    application = main.application

    async def made(method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await main.ask(method, path, body, **query)
        assert answer["code"] == 200, (method, path, answer)
        return answer.get("data")

    partner, account = main.partner, main.user_id
    sub = await application.users.register_sub_account(account, _person("子账户", 1))
    other = await application.users.register(partner, _person("另一账户", 2))
    spare = await application.access.issue(partner, account=sub.id, name="备用")
    await application.billing.recharge(account, 1000, "预存", by="test")

    priced = await application.trunks.add(
        "计费线路", "sip.example.com", channels_max=CHANNELS_MAX, cps_max=10, partner=partner
    )
    await made("POST", f"/new/user/{{user}}/line/{priced.trunk.id}", {"line_concurrency": CHANNELS_MAX, "price": 0.12})
    await application.trunks.allocate(priced.trunk.id, sub.id, 20)
    free = await application.trunks.add("免费线路", "sip.example.com", channels_max=CHANNELS_MAX, cps_max=10)
    await application.trunks.allocate(free.trunk.id, account, CHANNELS_MAX, remark="测试线路")
    line = free.trunk.id
    (node,) = await application.cloud_nodes.all()

    script = await made(
        "POST", "/group/{user}", {"name": "话术", "greeting": "您好{姓名}", "keys": [{"key": "1", "answer": "好的"}]}
    )
    llm = await made("POST", "/group/{user}", {"name": "大模型", "greeting": "您好", "group_type": "llm"})
    hours = [{"week": day, "times": [{"begin_time": "09:00", "end_time": "18:00"}]} for day in range(1, 6)]
    group = await made(
        "POST",
        "/user/{user}/dial-time-group",
        {"name": "工作时间", "content": hours, "is_default": False, "skip_holiday": True},
    )
    rule = await made(
        "POST", "/user/{user}/redial-rule", {"name": "重呼", "details": [{"number_status": 4, "time": 5}]}
    )
    unused_rule = await made(
        "POST", "/user/{user}/redial-rule", {"name": "未用重呼", "details": [{"number_status": 8, "time": 1}]}
    )
    seats = await made("POST", "/user/{user}/transfer-group", {"name": "客服", "members": ["8001"]})
    config = await made("POST", "/user/{user}/quality-config", {"name": "质检", "prompt": "是否礼貌"})
    unused_config = await made("POST", "/user/{user}/quality-config", {"name": "未用质检", "prompt": "是否礼貌"})
    sound = await application.choices.add_background_sound(account, "背景", silence())
    unused_sound = await application.choices.add_background_sound(account, "未用背景", silence())
    await application.privacy.set_code(account, SECURITY_CODE)

    component = await made("POST", "/user/{user}/customer/component", {"name": "来源", "type": "text"})
    await made(
        "POST",
        "/user/{user}/async_customer",
        {
            "data": [
                {"phone": phone, "name": "李雷", "components": [{"id": component["id"], "value": "展会"}]}
                for phone in PHONES
            ]
        },
    )
    customers = await made("GET", "/user/{user}/get_customer")

    used = {"auto_recycle_rule_id": rule["id"], "llm_intention_id": config["id"], "background_id": sound.id}
    called = await main.make_v2({"id": line, "limit": 5}, name="已呼叫", **used)
    old = await main.make_v1(line, name="旧任务")
    running = await main.make_v2(priced.trunk.id, name="执行中")
    batch = await made(
        "POST",
        f"/user/{{user}}/task/{called}/async_number",
        {"data": [{"phone": phone, "name": "韩梅梅", "extra": "x-1"} for phone in PHONES], "ignore_crm": True},
    )
    for task in (old, running):
        await made("POST", f"/user/{{user}}/task/{task}/number", {"data": [{"phone": PHONES[0]}]})
    await made("PUT", f"/new/user/{{user}}/task_start/{running}")
    push = await made("GET", f"/user/{{user}}/customer_to_task/{called}")
    fox = await http_made(
        main,
        "/openapi/tasks",
        {
            "name": "回访",
            "assistantId": script["id"],
            "option": {
                "numbers": [
                    await pool.fetchval(
                        "select id from trunk_allocation where account_id = $1 and trunk_id = $2", account, line
                    )
                ],
                "startTime": [["09:00", "18:00"]],
            },
            "items": [{"phone": PHONES[0]}],
        },
    )

    (recordings / "call.wav").write_bytes(silence())
    answered = await add_call(pool, called, line, phone="13912345678", recording="call.wav", score=60, intention=1)
    busy = await add_call(pool, called, line, phone="13912345679", talk_ms=None, outcome="busy")
    early = await add_call(pool, called, line, phone="13912345670", began_at=NOON - 86_400_000)

    await made("PUT", "/user/{user}/callback", {"callback_url": "https://receiver.example.com/callback"})
    told = [
        await pool.fetchval(
            """insert into callback (account_id, owner_id, url, kind, body, due_at, delivered_at)
               values ($1, $1, $2, 'campaign_created', $3, now(), $4) returning id""",
            account,
            "https://receiver.example.com/callback",
            {"task_data": called},
            delivered_at,
        )
        for delivered_at in (None, await pool.fetchval("select now()"))
    ]
    await made("POST", "/user/{user}/do-not-call", {"phones": [UNLISTED], "source": "投诉"})
    await application.text_dialogue.enter(account, "talk-1", script["id"])

    voices = await application.calls.recorded(account, called, [answered.id])
    allocations = {
        row["trunk"]: row["id"]
        for row in await pool.fetch(
            "select trunk_id::text as trunk, id from trunk_allocation where account_id = $1", account
        )
    }
    return {
        "user_id": [account],
        "main_user_id": [account, other.id],
        "own_user_id": [account],
        "maybe_sub_user_id": ["", sub.id],
        "stage": ["clue"],
        "security_code": [SECURITY_CODE],
        "voice_key": [voices[answered.id]],
        "numbers_key": [(await application.callbacks.batch(account, batch["unique_id"])).key],
        "sub_user_id": [sub.id],
        "any_user_id": [account, sub.id, other.id],
        "token_id": [spare.token.id],
        "tenant_id": [node.id],
        "line_id": [line, priced.trunk.id],
        "allocation_id": sorted(allocations.values()),
        "task_id": [called, old, running],
        "called_task_id": [called],
        "new_task_id": [called, running],
        "old_task_id": [old],
        "record_id": [answered.id, busy.id, early.id],
        "recorded_id": [answered.id],
        "phone": [*PHONES, UNLISTED],
        "script_id": [script["id"], llm["id"]],
        "speaking_id": [script["id"]],
        "time_group_id": [group["id"]],
        "rule_id": [rule["id"], unused_rule["id"]],
        "seats_id": [seats["id"]],
        "config_id": [config["id"], unused_config["id"]],
        "sound_id": [sound.id, unused_sound.id],
        "component_id": [component["id"]],
        "customer_id": [row["id"] for row in customers],
        "batch_id": [batch["unique_id"]],
        "enrolment_id": [push["unique_id"]],
        "callback_id": told,
        "talk_id": ["talk-1"],
        "agent_version": [await pool.fetchval("select id from agent_version where agent_id = $1", script["id"])],
        "task_number": [fox["id"], await pool.fetchval("select number from campaign where id = $1", called)],
    }


async def http_made(main, path, body):
    answer = await main.http.post(
        path, json=body, headers={"authorization": f"Bearer {main.token}", "X-Waihu-Account": main.user_id}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def _person(name: str, place: int) -> NewUser:
    return NewUser(name, f"person{place}@example.com", f"1351351000{place}", NewPassword("secret1", "secret1"))


def silence() -> bytes:
    """A WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    return written.getvalue()
