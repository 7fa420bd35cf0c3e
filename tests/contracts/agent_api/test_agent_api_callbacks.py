"""Receivers are told what happens: whole, at least once, under one event, and nobody waits for somebody else."""

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from agent_world import StandingClock, Tenant
from callback_ear import Ear
from callback_sender import Sender, entered
from seeded_calls import SeededCall, add_call

from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.adapters.postgres.repositories.values import moment
from waihu.adapters.webhooks.addresses import Addresses
from waihu.adapters.webhooks.sender import WebhookSender
from waihu.application import callback_sending
from waihu.application.callback_sending import BATCH_MAX, LEASE_MS, RETRY_S, CallbackSending, Pace
from waihu.application.services import Application

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
_NUMBERS = itertools.count()


@pytest.fixture
async def again(application: Application, pool: Pool, clock: StandingClock, sender: Sender) -> Sender:
    """Another process on the same outbox."""
    sending = CallbackSending(PostgresStore(pool), clock, application.newsroom)
    return replace(sender, sending=sending, number=await entered(pool))


@pytest.fixture
async def task(tenant: Tenant, line: str) -> str:
    return await tenant.make_v2(line)


async def owe(pool: Pool, clock: StandingClock, call: SeededCall, url: str) -> None:
    """What the engine writes down when it closes a call."""
    await pool.execute(
        """insert into callback (account_id, owner_id, url, kind, body, due_at, created_at)
           select account_id, account_id, $2, 'call_finished', jsonb_build_object('attempt', id), $3, $3
           from attempt where id = $1""",
        call.id,
        url,
        moment(clock.now),
    )


async def owe_calls(pool: Pool, clock: StandingClock, task: str, line: str, url: str, count: int = 1) -> list[str]:
    """Finished calls, by their ids, of which the receiver at `url` is to be told."""
    calls = [await add_call(pool, task, line, phone=f"130{next(_NUMBERS):08}") for _ in range(count)]
    for call in calls:
        await owe(pool, clock, call, url)
    return [call.id for call in calls]


@pytest.mark.observed
async def test_what_a_receiver_is_told(
    tenant: Tenant,
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ear: Ear,
    sender: Sender,
) -> None:
    call = await add_call(pool, task, line, recording="2026/call.wav", extra=" 甲\t乙 ")
    await owe(pool, clock, call, ear.url)

    await sender.send()

    (told,) = ear.told
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
            "province": "河北",
            "city": "邢台",
            "operator": "联通",
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
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ear: Ear,
    sender: Sender,
) -> None:
    sub = await tenant.add_sub_account()
    call = await add_call(pool, task, line)
    await pool.execute("update attempt set account_id = $1", sub)
    await owe(pool, clock, call, ear.url)

    await sender.send()

    (row,) = ear.told[0].body["data"]
    assert (row["user_id"], row["master_user_id"], row["type"]) == (sub, tenant.user_id, 8)
    assert row["voice_url"] == ""


@pytest.mark.observed
async def test_what_was_acknowledged_is_not_told_again(
    pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, sender: Sender
) -> None:
    await owe_calls(pool, clock, task, line, ear.url)

    assert await sender.send() == 1
    clock.now += DAY_MS
    assert await sender.send() == 0

    assert len(ear.told) == 1
    assert await pool.fetchval("select last_answer from callback where delivered_at is not null") == "HTTP 200"


@pytest.mark.ours
@pytest.mark.parametrize("status", [307, 404, 500, 503])
async def test_a_push_that_failed_is_repeated_as_it_was(
    pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, sender: Sender, status: int
) -> None:
    first, second, third = [
        await add_call(pool, task, line, phone=f"1301212121{n}", recording=f"2026/{n}.wav") for n in range(3)
    ]
    for call in (first, second):
        await owe(pool, clock, call, ear.url)
    ear.status = status

    await sender.send()
    await owe(pool, clock, third, ear.url)
    assert await sender.send() == 0, "The receiver rests."
    clock.now += Pace().first_delay_ms
    ear.status = 200
    await sender.send_all()

    failed, *later = ear.told
    repeated = next(told for told in later if told.event == failed.event)
    assert repeated.raw == failed.raw
    assert {row["callid"] for row in failed.body["data"]} == {first.id, second.id}
    assert sorted(len(told.body["data"]) for told in later) == [1, 2]
    assert await pool.fetchval("select count(*) from callback where delivered_at is null") == 0


@pytest.mark.ours
async def test_a_receiver_that_keeps_failing_is_left_alone_for_two_hours_at_a_time(
    tenant: Tenant, pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, sender: Sender
) -> None:
    await owe_calls(pool, clock, task, line, ear.url)
    ear.status = 500
    began = clock.now
    tried_s = []

    while clock.now < began + 5 * HOUR_MS:
        if await sender.send():
            tried_s.append((clock.now - began) // 1000)
        clock.now += 10_000

    assert tried_s == [0, 10, 30, 70, 150, 150 + 7200, 150 + 14400]
    blacklisted = (await tenant.ask("GET", "/callback_blacklist"))["data"]
    assert [row["status"] for row in blacklisted] == [0, 1, 1]
    ear.status = 200
    clock.now += 2 * HOUR_MS
    await sender.send()
    assert len(ear.told) == 8, "Nothing was lost while it rested."
    assert len({told.event for told in ear.told}) == 1
    assert await pool.fetchval("select failures from callback_receiver") == 0


@pytest.mark.ours
async def test_after_a_day_it_is_given_up_with_all_that_waited_as_long(
    pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, sender: Sender
) -> None:
    await owe_calls(pool, clock, task, line, ear.url, BATCH_MAX + 1)
    ear.status = 500
    began = clock.now

    while await pool.fetchval("select count(*) from callback where given_up_at is null"):
        await sender.send()
        clock.now += HOUR_MS // 2
        if clock.now - began == 23 * HOUR_MS:
            late = await add_call(pool, task, line, phone="13099999999")
            await owe(pool, clock, late, ear.url)
        if clock.now - began > 30 * HOUR_MS:
            break

    assert await pool.fetchval("select count(*) from callback where given_up_at is not null") == BATCH_MAX + 1
    assert await pool.fetchval("select body ->> 'attempt' from callback where given_up_at is null") == late.id
    given_up_after = await pool.fetchval("select min(given_up_at - created_at) from callback")
    assert timedelta(hours=24) <= given_up_after <= timedelta(hours=26, minutes=30)


@pytest.mark.ours
async def test_a_slow_receiver_delays_nobody_else(
    pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, other_ear: Ear, sender: Sender
) -> None:
    slow, quick = ear, other_ear
    slow.patience = asyncio.Event()
    await owe_calls(pool, clock, task, line, slow.url, 2)
    await owe_calls(pool, clock, task, line, quick.url)
    running = asyncio.ensure_future(sender.send())
    await asyncio.gather(quick.has_heard(1), slow.has_heard(1))

    await owe(pool, clock, await add_call(pool, task, line, phone="13012121219"), slow.url)
    assert await sender.send() == 0, "The slow receiver is busy."
    slow.patience.set()
    await running
    await sender.send()

    assert [len(told.body["data"]) for told in slow.told] == [2, 1]
    assert slow.at_once_max == 1


@pytest.mark.ours
async def test_one_push_that_a_receiver_cannot_bear_holds_up_no_other(
    tenant: Tenant, pool: Pool, clock: StandingClock, line: str, ear: Ear, sender: Sender
) -> None:
    # A new task is told by itself. The receiver fails on it for ever, and bears everything else.
    await tenant.ask("PUT", "/user/{user}/callback", {"callback_url": ear.url})
    task = await tenant.make_v2(line)
    hear = ear.hear

    async def hear_calls_only(request: Any) -> Any:
        ear.status = 500 if "task_data" in (await request.json()) else 200
        return await hear(request)

    ear.hear = hear_calls_only  # type: ignore[method-assign]
    told_calls = []
    for _ in range(20):
        told_calls += await owe_calls(pool, clock, task, line, ear.url)
        await sender.send()
        clock.now += 60_000

    await sender.send_all()
    heard = [row["callid"] for body in ear.bodies if "data" in body for row in body["data"]]
    assert sorted(heard) == sorted(told_calls)
    assert await pool.fetchval("select count(*) from callback_blacklist") == 0


@pytest.mark.ours
async def test_two_senders_share_the_work_and_never_meet_at_a_receiver(
    pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, other_ear: Ear, sender: Sender, again: Sender
) -> None:
    owed = await owe_calls(pool, clock, task, line, ear.url, 2 * BATCH_MAX + 20)
    owed += await owe_calls(pool, clock, task, line, other_ear.url, 2 * BATCH_MAX + 20)

    while sum(await asyncio.gather(sender.send(), again.send())):
        pass

    heard = [row["callid"] for each in (ear, other_ear) for body in each.bodies for row in body["data"]]
    assert sorted(heard) == sorted(owed)
    assert ear.at_once_max == other_ear.at_once_max == 1


@pytest.mark.ours
async def test_what_a_dead_sender_was_at_is_told_again_by_another_as_it_was(
    pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, sender: Sender, again: Sender
) -> None:
    await owe_calls(pool, clock, task, line, ear.url)
    ear.patience = asyncio.Event()
    running = asyncio.ensure_future(sender.send())
    await ear.has_heard(1)
    await owe(pool, clock, await add_call(pool, task, line, phone="13012121219"), ear.url)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    ear.patience.set()
    assert await again.send() == 0, "As far as it knows, the first one lives."
    await pool.execute("delete from callback_sender where id = $1", sender.number)
    assert await again.send() == 1

    assert [told.raw for told in ear.told] == [ear.told[0].raw] * 2
    assert [told.event for told in ear.told] == [ear.told[0].event] * 2


@pytest.mark.ours
async def test_a_sender_that_hangs_is_waited_for_no_longer_than_a_push_may_take(
    pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, sender: Sender, again: Sender
) -> None:
    await owe_calls(pool, clock, task, line, ear.url)
    ear.patience = asyncio.Event()
    hanging = asyncio.ensure_future(sender.send())
    await ear.has_heard(1)

    clock.now += LEASE_MS
    repeated = asyncio.ensure_future(again.send())
    await ear.has_heard(2)
    ear.patience.set()
    await asyncio.gather(hanging, repeated)

    assert len({told.event for told in ear.told}) == 1
    assert await pool.fetchval("select count(*) from callback where delivered_at is not null and tries = 1") == 1


@pytest.mark.ours
async def test_an_answer_is_noted_when_the_database_is_back(
    application: Application, pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, sender: Sender
) -> None:
    await owe_calls(pool, clock, task, line, ear.url)
    ear.patience = asyncio.Event()
    running = asyncio.ensure_future(sender.send())
    await ear.has_heard(1)
    database = await pool.fetchval("select current_database()")

    # As when the server goes: every connection ends, and none can be made.
    server = await asyncpg.connect(sender.url_of("postgres"))
    await server.execute(f'alter database "{database}" allow_connections false')
    await server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", database)
    ear.patience.set()
    await asyncio.sleep(3 * RETRY_S)
    await server.execute(f'alter database "{database}" allow_connections true')
    await server.close()
    await running

    assert await sender.send() == 0
    assert len(ear.told) == 1
    assert await pool.fetchval("select count(*) from callback where delivered_at is not null") == 1


@pytest.mark.ours
async def test_many_calls_are_told_in_batches(
    pool: Pool, clock: StandingClock, task: str, line: str, ear: Ear, sender: Sender
) -> None:
    owed = await owe_calls(pool, clock, task, line, ear.url, BATCH_MAX + 1)

    await sender.send()
    await sender.send()

    assert [body["count"] for body in ear.bodies] == [BATCH_MAX, 1]
    assert sorted(row["callid"] for body in ear.bodies for row in body["data"]) == sorted(owed)


@pytest.mark.ours
async def test_receivers_that_hang_leave_room_for_the_others(
    pool: Pool,
    clock: StandingClock,
    task: str,
    line: str,
    ear: Ear,
    other_ear: Ear,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Room for one push at failing receivers and one at others, and two addresses that have failed before.
    monkeypatch.setattr(callback_sending, "PUSHES_MAX", 2)
    monkeypatch.setattr(callback_sending, "FAILING_MAX", 1)
    ear.status = 500
    for path in ("/a", "/b"):
        await owe_calls(pool, clock, task, line, ear.url + path)
    await sender.send_all()
    ear.patience, ear.status = asyncio.Event(), 200
    clock.now += Pace().first_delay_ms
    hanging = asyncio.ensure_future(sender.send())
    await ear.has_heard(3)
    await owe_calls(pool, clock, task, line, other_ear.url)

    await sender.send()

    assert len(other_ear.told) == 1
    assert ear.at_once == 1
    ear.patience.set()
    await hanging


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
    async with WebhookSender(Addresses()) as receiver:
        answer = await receiver.post(url, b"{}", {})

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
    assert Addresses(allowed).permits(address) is permitted
