"""Where an account is told, how a receiver knows us, and what people can see and do about callbacks."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agent_world import StandingClock, Tenant
from callback_ear import Ear
from callback_sender import Sender

from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.adapters.webhooks.addresses import Addresses
from waihu.application.callback_sending import BATCH_MAX, Pace
from waihu.application.callback_signature import push_headers

ANNA, BO = "13012121211", "13012121212"
HOUR_MS = 3_600_000


@pytest.fixture
async def task(tenant: Tenant, line: str) -> str:
    return await tenant.make_v2(line)


async def listen_at(tenant: Tenant, url: str | None, **more: Any) -> dict[str, Any]:
    data: dict[str, Any] = (await tenant.ask("PUT", "/user/{user}/callback", {"callback_url": url, **more}))["data"]
    return data


async def happen(tenant: Tenant, task: str, phone: str = ANNA) -> None:
    """Something of which the account is told."""
    await tenant.ask("POST", f"/user/{{user}}/task/{task}/number", {"data": [{"phone": phone, "name": "", "sort": 0}]})


def documented_check() -> Callable[[Any, bytes, str], bool]:
    """The function that the guide gives to receivers."""
    guide = (Path(__file__).parents[3] / "docs/guides/callbacks.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", guide, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    check: Callable[[Any, bytes, str], bool] = names["is_genuine"]
    return check


# The address


@pytest.mark.ours
async def test_the_secret_is_shown_once(tenant: Tenant) -> None:
    assert (await tenant.ask("GET", "/user/{user}/callback"))["data"] == {
        "callback_url": None,
        "inherited_callback_url": None,
        "has_secret": False,
        "kinds": ["call_finished", "campaign_created", "campaign_deleted", "numbers_changed"],
        "secret": None,
    }

    first = await listen_at(tenant, "http://127.0.0.1:1/a")
    moved = await listen_at(tenant, "http://127.0.0.1:1/b")
    renewed = await listen_at(tenant, "http://127.0.0.1:1/b", new_secret="1")

    assert first["secret"].startswith("whsec_")
    assert (moved["callback_url"], moved["has_secret"], moved["secret"]) == ("http://127.0.0.1:1/b", True, None)
    assert renewed["secret"] not in (None, first["secret"])
    assert (await tenant.ask("GET", "/user/{user}/callback"))["data"]["secret"] is None


@pytest.mark.ours
async def test_an_address_is_told_only_of_the_kinds_it_wants(
    tenant: Tenant, line: str, ear: Ear, sender: Sender
) -> None:
    wanted = ["campaign_created", "campaign_deleted"]
    assert (await listen_at(tenant, ear.url, kinds=wanted))["kinds"] == wanted
    task = await tenant.make_v2(line)
    await happen(tenant, task)
    await tenant.ask("DELETE", f"/new/user/{{user}}/task/{task}")
    await sender.send_all()
    assert [body["type"] for body in ear.bodies] == [1, 2]

    assert (await listen_at(tenant, ear.url))["kinds"] == wanted, "what is not sent stays"
    assert len((await listen_at(tenant, ear.url, kinds=None))["kinds"]) == 4
    await happen(tenant, await tenant.make_v2(line))
    await sender.send_all()
    assert [body["type"] for body in ear.bodies[2:]] == [1, "import_number"]


@pytest.mark.ours
async def test_what_waits_and_is_wanted_no_more_is_given_up(
    tenant: Tenant, line: str, ear: Ear, sender: Sender
) -> None:
    await listen_at(tenant, ear.url)
    await happen(tenant, await tenant.make_v2(line, call_notify_url=ear.url))

    await listen_at(tenant, ear.url, kinds=["numbers_changed"])
    await sender.send_all()

    assert [body["type"] for body in ear.bodies] == ["import_number"]
    given_up = await tenant.ask("GET", "/user/{user}/callbacks", status="given_up")
    assert [row["kind"] for row in given_up["data"]] == ["campaign_created"]


@pytest.mark.ours
@pytest.mark.parametrize("kinds", [[], ["campaign_stopped"], ["call_finished", "everything"], "nothing"])
async def test_kinds_that_are_none_are_named(tenant: Tenant, kinds: Any) -> None:
    refused = await tenant.ask("PUT", "/user/{user}/callback", {"callback_url": None, "kinds": kinds})

    assert (refused["code"], list(refused["message"])) == (422, ["kinds"])


@pytest.mark.ours
async def test_a_sub_account_has_its_main_accounts_address_until_it_has_one(tenant: Tenant, stranger: Tenant) -> None:
    sub = await tenant.add_sub_account()
    await listen_at(tenant, "http://127.0.0.1:1/main")
    path = f"/user/{{user}}/callback?sub_user_id={sub}"

    inherited = (await tenant.ask("GET", path))["data"]
    await tenant.ask("PUT", path, {"callback_url": "http://127.0.0.1:1/own"})
    own = (await tenant.ask("GET", path))["data"]

    assert (inherited["callback_url"], inherited["inherited_callback_url"]) == (None, "http://127.0.0.1:1/main")
    assert (own["callback_url"], own["inherited_callback_url"]) == ("http://127.0.0.1:1/own", "http://127.0.0.1:1/main")
    assert (await stranger.raw("GET", path)).status_code == 404
    assert (await stranger.ask("GET", "/user/{user}/callback"))["data"]["callback_url"] is None


@pytest.mark.ours
@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "https://[::ffff:192.168.1.1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00::1]:8080/",
        "http://0.0.0.0/",
        "gopher://example.com/",
        "example.com/told",
        "http://[",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/" + "a" * 2000,
    ],
)
async def test_where_nobody_can_be_told_is_refused_by_its_field(tenant: Tenant, url: str) -> None:
    refused = await tenant.raw("PUT", "/user/{user}/callback", {"callback_url": url})

    assert refused.status_code == 422
    assert list(refused.json()["message"]) == ["callback_url"]
    assert (await tenant.ask("GET", "/user/{user}/callback"))["data"]["callback_url"] is None


@pytest.mark.ours
async def test_a_name_of_an_internal_address_is_refused_too() -> None:
    assert await Addresses().problem("http://localhost:8080/") == "an internal address"
    assert await Addresses(("127.0.0.0/8", "::1/128")).problem("http://localhost:8080/") is None
    assert await Addresses().problem("http://no-such-name.invalid/") is None


@pytest.mark.ours
async def test_what_waits_goes_along_to_a_new_address(
    tenant: Tenant, clock: StandingClock, task: str, ear: Ear, other_ear: Ear, sender: Sender
) -> None:
    await listen_at(tenant, ear.url)
    ear.status = 500
    await happen(tenant, task, ANNA)
    await sender.send_all()
    await happen(tenant, task, BO)

    await listen_at(tenant, other_ear.url)
    clock.now += Pace().first_delay_ms
    await sender.send_all()

    assert [body["data"]["number"] for body in other_ear.bodies] == [BO, ANNA]
    assert other_ear.told[1].event == ear.told[0].event
    assert len(ear.told) == 1


@pytest.mark.ours
async def test_who_listens_no_more_is_told_no_more(tenant: Tenant, task: str, ear: Ear, sender: Sender) -> None:
    await listen_at(tenant, ear.url)
    await happen(tenant, task, ANNA)
    await listen_at(tenant, None)
    await happen(tenant, task, BO)

    assert await sender.send_all() == 0
    listed = (await tenant.ask("GET", "/user/{user}/callbacks"))["data"]
    assert [row["status"] for row in listed] == ["given_up"]


# The signature


@pytest.mark.ours
async def test_the_signature_holds_as_the_guide_says(
    tenant: Tenant, clock: StandingClock, task: str, ear: Ear, sender: Sender
) -> None:
    clock.now = time.time_ns() // 1_000_000
    secret = (await listen_at(tenant, ear.url))["secret"]
    await happen(tenant, task)

    await sender.send_all()

    (told,) = ear.told
    is_genuine = documented_check()
    assert told.headers["webhook-id"] == told.event
    assert is_genuine(told.headers, told.raw, secret)
    assert not is_genuine(told.headers, told.raw + b" ", secret)
    assert not is_genuine(told.headers, told.raw, "whsec_" + "A" * 44)
    assert not is_genuine({**told.headers, "webhook-timestamp": "1"}, told.raw, secret)


@pytest.mark.ours
def test_the_signature_is_that_of_the_specification() -> None:
    # The example of the Standard Webhooks libraries' own tests.
    headers = push_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        1_614_265_330_000,
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.ours
async def test_without_a_secret_nothing_is_signed(
    tenant: Tenant, pool: Pool, task: str, ear: Ear, sender: Sender
) -> None:
    # An address of before there were secrets.
    await pool.execute("update account set callback_url = $1", ear.url)
    await happen(tenant, task)

    await sender.send_all()

    assert "webhook-signature" not in ear.told[0].headers


# What became of them


@pytest.mark.ours
async def test_callbacks_are_listed_with_what_became_of_them(
    tenant: Tenant, stranger: Tenant, task: str, ear: Ear, sender: Sender
) -> None:
    await listen_at(tenant, ear.url)
    await happen(tenant, task, ANNA)
    await sender.send_all()
    ear.status = 503
    await happen(tenant, task, BO)
    await sender.send_all()

    listed = await tenant.ask("GET", "/user/{user}/callbacks", per_page=1)
    waiting = (await tenant.ask("GET", "/user/{user}/callbacks", status="waiting"))["data"]
    delivered = (await tenant.ask("GET", "/user/{user}/callbacks", status="delivered"))["data"]

    assert listed["meta"]["total"] == 2
    assert listed["data"] == waiting
    (row,) = waiting
    assert (row["kind"], row["url"]) == ("numbers_changed", ear.url)
    assert (row["tries"], row["last_answer"], row["delivered_at"]) == (1, "HTTP 503", None)
    assert row["due_at"] == "2026-03-04 12:00:10"
    assert row["event"] == ear.told[1].event
    assert [(row["tries"], row["last_answer"]) for row in delivered] == [(1, "HTTP 200")]
    assert (await stranger.ask("GET", "/user/{user}/callbacks"))["data"] == []
    assert (await tenant.raw("GET", "/user/{user}/callbacks", status="lost")).status_code == 422


@pytest.mark.ours
async def test_redelivery_is_of_all_that_was_told_together_and_ends_the_rest(
    tenant: Tenant, stranger: Tenant, pool: Pool, clock: StandingClock, task: str, ear: Ear, sender: Sender
) -> None:
    await listen_at(tenant, ear.url)
    await happen(tenant, task)
    ear.status = 500
    for _ in range(Pace().failures_max):
        await sender.send_all()
        clock.now += HOUR_MS // 4
    (row,) = (await tenant.ask("GET", "/user/{user}/callbacks"))["data"]
    (blocked,) = (await tenant.ask("GET", "/callback_blacklist"))["data"]
    ear.status = 200

    foreign = await stranger.raw("POST", f"/user/{{user}}/callbacks/{row['id']}/redeliver")
    answer = await tenant.ask("POST", f"/user/{{user}}/callbacks/{row['id']}/redeliver")
    await sender.send_all()

    assert foreign.status_code == 404
    assert answer["data"] == {"count": 1}
    assert len(ear.told) == Pace().failures_max + 1
    assert len({told.event for told in ear.told}) == 1
    assert blocked["status_str"] == "拉黑中"
    (released,) = (await tenant.ask("GET", "/callback_blacklist"))["data"]
    assert (released["id"], released["status"], released["status_str"]) == (blocked["id"], 1, "已释放")
    for nothing in ("0", "-1", "x", "9" * 30, "9" * 5000):
        assert (await tenant.raw("POST", f"/user/{{user}}/callbacks/{nothing}/redeliver")).status_code == 404


@pytest.mark.ours
async def test_a_delivered_push_can_be_had_again_whole(
    tenant: Tenant, pool: Pool, task: str, ear: Ear, sender: Sender
) -> None:
    await listen_at(tenant, ear.url)
    await tenant.ask(
        "POST",
        f"/user/{{user}}/task/{task}/number",
        {"data": [{"phone": f"130{n:08}", "name": "", "sort": 0} for n in range(3)]},
    )
    await sender.send_all()
    (row,) = (await tenant.ask("GET", "/user/{user}/callbacks"))["data"]

    await tenant.ask("POST", f"/user/{{user}}/callbacks/{row['id']}/redeliver")
    await sender.send_all()

    first, again = ear.told
    assert (again.event, again.raw) == (first.event, first.raw)


@pytest.mark.ours
async def test_everything_that_was_given_up_can_be_had_at_the_address_that_holds_now(
    tenant: Tenant, clock: StandingClock, task: str, ear: Ear, other_ear: Ear, sender: Sender
) -> None:
    await listen_at(tenant, ear.url)
    ear.status = 500
    for number in range(3):
        await happen(tenant, task, f"1301212121{number}")
    for _ in range(30):
        await sender.send_all()
        clock.now += HOUR_MS
    assert (await tenant.ask("GET", "/user/{user}/callbacks", status="given_up"))["meta"]["total"] == 3

    await listen_at(tenant, other_ear.url)
    count = await tenant.application.callbacks.redeliver_given_up(tenant.user_id)
    await sender.send_all()

    assert count == 3
    assert len(other_ear.told) == 3
    assert (await tenant.ask("GET", "/user/{user}/callbacks", status="delivered"))["meta"]["total"] == 3


@pytest.mark.documented
async def test_the_blacklist_is_shown_as_documented_to_its_partner_only(
    tenant: Tenant, stranger: Tenant, clock: StandingClock, task: str, ear: Ear, sender: Sender
) -> None:
    await listen_at(tenant, ear.url)
    await happen(tenant, task)
    ear.status = 500
    for _ in range(Pace().failures_max):
        await sender.send_all()
        clock.now += 5 * 60_000

    shown = await tenant.ask("GET", "/callback_blacklist")

    assert shown["message"] == "查看黑名单成功"
    (row,) = shown["data"]
    assert len(row.pop("id")) == 36
    assert row == {
        "user_id": tenant.user_id,
        "url": ear.url,
        "blackout_time": "2026-03-04 12:20:00",
        "release_time": "2026-03-04 14:20:00",
        "status": 0,
        "created_at": "2026-03-04 12:20:00",
        "updated_at": "2026-03-04 12:20:00",
        "status_str": "拉黑中",
    }
    assert (await stranger.ask("GET", "/callback_blacklist"))["data"] == []
    assert (await tenant.raw("GET", "/callback_blacklist", token="none")).status_code == 401
    clock.now += 2 * HOUR_MS
    (later,) = (await tenant.ask("GET", "/callback_blacklist"))["data"]
    assert (later["status"], later["status_str"]) == (1, "已释放")


@pytest.mark.ours
async def test_what_is_over_is_forgotten_after_a_month(
    tenant: Tenant, pool: Pool, clock: StandingClock, task: str, ear: Ear, sender: Sender
) -> None:
    await listen_at(tenant, ear.url)
    await happen(tenant, task, ANNA)
    await sender.send_all()
    ear.status = 500
    await happen(tenant, task, BO)

    async def forget(days: int) -> int:
        async with PostgresStore(pool).writing() as session:
            return await session.callbacks.forget(clock.now - days * 24 * HOUR_MS, BATCH_MAX)

    clock.now += 31 * 24 * HOUR_MS
    assert await forget(32) == 0
    assert await forget(30) == 1
    assert [row["status"] for row in (await tenant.ask("GET", "/user/{user}/callbacks"))["data"]] == ["waiting"]
