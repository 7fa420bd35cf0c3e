"""Finished calls are told to the account's address: whole, at least once, and nobody waits for somebody else."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from agent_world import StandingClock, Tenant
from aiohttp import web
from seeded_calls import SeededCall, add_call

from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories.values import moment
from waihu.adapters.webhooks.sender import WebhookSender
from waihu.application.callbacks import (
    BATCH_MAX,
    FIRST_DELAY_MS,
    LEASE_MS,
    REST_MAX_MS,
    SETTLE_MS,
    TRIES_MAX,
    retry_delay_ms,
)
from waihu.application.services import Application
from waihu.faces import agent_api

DAY_MS = 86_400_000
LOOPBACK = ("127.0.0.0/8",)


@dataclass
class Told:
    event: str
    body: dict[str, Any]


@dataclass
class Ear:
    """A receiver on this machine. It answers with `status`, after `patience` if that is set."""

    url: str = ""
    status: int = 200
    told: list[Told] = field(default_factory=list)
    patience: asyncio.Event | None = None
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    at_once_max: int = 0

    async def hear(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        self.told.append(Told(request.headers["x-waihu-event"], json.loads(await request.read())))
        self.heard.set()
        if self.patience is not None:
            await self.patience.wait()
        self.at_once -= 1
        headers = {"location": self.url + "/elsewhere"} if self.status == 307 else {}
        return web.Response(status=self.status, headers=headers)


@pytest.fixture
async def ears() -> AsyncIterator[tuple[Ear, Ear]]:
    first, second = Ear(), Ear()
    runners = []
    for ear in (first, second):
        served = web.Application()
        served.router.add_post("/{path:.*}", ear.hear)
        runner = web.AppRunner(served)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        ear.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield first, second
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    async with WebhookSender(LOOPBACK) as sender:
        yield sender


@pytest.fixture
async def task(tenant: Tenant, line: str) -> str:
    return await tenant.make_v2(line)


async def owe(pool: Pool, clock: StandingClock, call: SeededCall, url: str) -> None:
    """What the engine writes down when it closes a call, and the moment that it then takes to store the talk."""
    await pool.execute(
        """insert into callback (account_id, url, kind, body, due_at)
           select account_id, $2, 'call_finished', jsonb_build_object('attempt', id), $3 from attempt where id = $1""",
        call.id,
        url,
        moment(clock.now - SETTLE_MS),
    )


async def send(application: Application, sender: WebhookSender) -> int:
    return await application.callbacks.send_due(sender, agent_api.call_finished(application))


@pytest.mark.observed
async def test_what_a_receiver_is_told(
    tenant: Tenant,
    application: Application,
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ears: tuple[Ear, Ear],
    sender: WebhookSender,
) -> None:
    call = await add_call(pool, task, line, recording="2026/call.wav", extra=" 甲\t乙 ")
    await owe(pool, clock, call, ears[0].url)

    await send(application, sender)

    (told,) = ears[0].told
    (row,) = told.body["data"]
    voice_url, customer_id = row.pop("voice_url"), row.pop("customer_id")
    assert told.body["count"] == 1
    assert row == {
        "calldate": "2026-03-04 12:00:00",
        "status": 1,
        "answerdate": "2026-03-04 12:00:12",
        "bill": 8,
        "duration": 20,
        "callid": call.id,
        "master_user_id": tenant.user_id,
        "user_id": tenant.user_id,
        "type": 4,
        "intention_results": 0,
        "rounds": 1,
        "score": 0,
        "number_data": {
            "number": "13012121211",
            "hangupdate": "2026-03-04 12:00:20",
            "province": "",
            "city": "",
            "operator": "",
        },
        "group": row["group"],
        "task": {"id": task, "name": "二号任务"},
        "user": {"id": tenant.user_id, "name": "甲公司"},
        "level": {"level_id": "", "level_name": ""},
        "tags": [],
        "customer_data": {"name": "李雷", "email": "", "company": "甲公司", "extra": " 甲\t乙 ", "components": []},
        "outbound_collection_records": [],
    }
    assert row["group"]["name"] == "演示话术"
    assert isinstance(row["group"]["id"], int)
    assert len(customer_id) == 36
    assert voice_url.startswith("https://calls.example.com/agent-api/download-voice?key=")


@pytest.mark.observed
async def test_a_sub_account_is_told_with_its_main_account(
    tenant: Tenant,
    application: Application,
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ears: tuple[Ear, Ear],
    sender: WebhookSender,
) -> None:
    sub = await tenant.add_sub_account()
    call = await add_call(pool, task, line)
    await pool.execute("update attempt set account_id = $1", sub)
    await owe(pool, clock, call, ears[0].url)

    await send(application, sender)

    (row,) = ears[0].told[0].body["data"]
    assert (row["user_id"], row["master_user_id"], row["type"]) == (sub, tenant.user_id, 8)
    assert row["voice_url"] == ""


@pytest.mark.observed
async def test_what_was_acknowledged_is_not_told_again(
    application: Application,
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ears: tuple[Ear, Ear],
    sender: WebhookSender,
) -> None:
    await owe(pool, clock, await add_call(pool, task, line), ears[0].url)

    await send(application, sender)
    clock.now += DAY_MS
    await send(application, sender)

    assert len(ears[0].told) == 1
    assert await pool.fetchval("select last_answer from callback where delivered_at is not null") == "HTTP 200"


@pytest.mark.ours
@pytest.mark.parametrize("status", [307, 404, 500, 503])
async def test_a_push_that_failed_is_repeated_as_it_was(
    application: Application,
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ears: tuple[Ear, Ear],
    sender: WebhookSender,
    status: int,
) -> None:
    first, second, third = [await add_call(pool, task, line, phone=f"1301212121{n}") for n in range(3)]
    for call in (first, second):
        await owe(pool, clock, call, ears[0].url)
    ears[0].status = status

    await send(application, sender)
    await owe(pool, clock, third, ears[0].url)
    assert await send(application, sender) == 0, "The receiver rests."
    clock.now += FIRST_DELAY_MS + SETTLE_MS
    ears[0].status = 200
    while await send(application, sender):
        pass

    failed, *later = ears[0].told
    repeated = next(told for told in later if told.event == failed.event)
    assert repeated.body == failed.body
    assert {row["callid"] for row in failed.body["data"]} == {first.id, second.id}
    assert sorted(len(told.body["data"]) for told in later) == [1, 2]
    assert await pool.fetchval("select count(*) from callback where delivered_at is null") == 0


@pytest.mark.ours
async def test_a_receiver_that_stays_away_is_given_up_after_a_day(
    application: Application,
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ears: tuple[Ear, Ear],
    sender: WebhookSender,
) -> None:
    await owe(pool, clock, await add_call(pool, task, line), ears[0].url)
    ears[0].status = 500
    began = clock.now

    for tries in range(1, TRIES_MAX + 1):
        await send(application, sender)
        assert len(ears[0].told) == tries
        clock.now += max(retry_delay_ms(tries) or 0, REST_MAX_MS) + SETTLE_MS
    await send(application, sender)

    assert len(ears[0].told) == TRIES_MAX
    assert len({told.event for told in ears[0].told}) == 1
    assert 0.9 * DAY_MS < clock.now - began < 1.1 * DAY_MS
    assert await pool.fetchval("select count(*) from callback where given_up_at is not null") == 1


@pytest.mark.ours
async def test_a_slow_receiver_delays_nobody_else(
    application: Application,
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ears: tuple[Ear, Ear],
    sender: WebhookSender,
) -> None:
    slow, quick = ears
    slow.patience = asyncio.Event()
    for number, ear in enumerate((slow, slow, quick)):
        call = await add_call(pool, task, line, phone=f"1301212121{number}")
        await owe(pool, clock, call, ear.url)
    running = asyncio.ensure_future(send(application, sender))
    await asyncio.gather(quick.heard.wait(), slow.heard.wait())

    late = await add_call(pool, task, line, phone="13012121219")
    await owe(pool, clock, late, slow.url)
    assert await send(application, sender) == 0, "The slow receiver is busy."
    slow.patience.set()
    await running
    await send(application, sender)

    assert [len(told.body["data"]) for told in slow.told] == [2, 1]
    assert slow.at_once_max == 1


@pytest.mark.ours
async def test_a_push_whose_sender_was_lost_is_told_again(
    application: Application,
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ears: tuple[Ear, Ear],
    sender: WebhookSender,
) -> None:
    await owe(pool, clock, await add_call(pool, task, line), ears[0].url)
    ears[0].patience = asyncio.Event()
    running = asyncio.ensure_future(send(application, sender))
    await ears[0].heard.wait()

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    ears[0].patience.set()
    assert await send(application, sender) == 0, "The lease still holds."
    clock.now += LEASE_MS + SETTLE_MS
    await send(application, sender)

    assert [told.event for told in ears[0].told] == [ears[0].told[0].event] * 2


@pytest.mark.ours
async def test_many_calls_are_told_in_batches(
    application: Application,
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ears: tuple[Ear, Ear],
    sender: WebhookSender,
) -> None:
    calls = [await add_call(pool, task, line, phone=f"130{n:08}") for n in range(BATCH_MAX + 1)]
    for call in calls:
        await owe(pool, clock, call, ears[0].url)

    await send(application, sender)
    await send(application, sender)

    assert [told.body["count"] for told in ears[0].told] == [BATCH_MAX, 1]
    assert {row["callid"] for told in ears[0].told for row in told.body["data"]} == {call.id for call in calls}


@pytest.mark.ours
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1/", "an internal address"),
        ("http://localhost:1/", "an internal address"),
        ("http://127.1:1/", "InvalidUrlClientError"),
        ("http://[::1]:1/", "an internal address"),
        ("http://[::ffff:10.0.0.1]/", "an internal address"),
        ("http://169.254.169.254/latest", "an internal address"),
        ("ftp://example.com/", "not an http or https URL"),
        ("file:///etc/passwd", "not an http or https URL"),
        ("http://", "not an http or https URL"),
        ("http://[", "not a URL"),
    ],
)
async def test_where_nothing_is_sent(url: str, said: str) -> None:
    async with WebhookSender() as sender:
        answer = await sender.post(url, b"{}", event="1")

    assert not answer.accepted
    assert answer.detail == said


@pytest.mark.ours
@pytest.mark.parametrize(
    ("address", "allowed", "permitted"),
    [
        ("8.8.8.8", (), True),
        ("2400:3200::1", (), True),
        ("10.1.2.3", (), False),
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("10.1.2.3", ("10.2.0.0/16",), False),
        ("0.0.0.0", (), False),
        ("100.64.0.1", (), False),
        ("224.0.0.1", (), False),
        ("fd00::1", (), False),
        ("fd00::1", ("fd00::/8", "10.0.0.0/8"), True),
        ("::ffff:127.0.0.1", (), False),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("64:ff9b::7f00:1", (), False),
        ("2002:7f00:1::", (), False),
        ("::ffff:8.8.8.8", (), True),
    ],
)
def test_which_addresses_are_permitted(address: str, allowed: tuple[str, ...], permitted: bool) -> None:
    assert WebhookSender(allowed).permits(address) is permitted
