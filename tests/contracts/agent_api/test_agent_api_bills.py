"""Money on the wire: what is left, who recharged what, and reports that agree with the call records."""

from datetime import date
from typing import Any

import pytest
from agent_world import NOON, StandingClock, Tenant

from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool
from waihu.application.services import Application
from waihu.dialing.records import AttemptClosed, AttemptPlanned
from waihu.domain.ids import CampaignId, Instant, attempt_id
from waihu.domain.outcome import Ending, Outcome

DAY = 86_400_000
_DAY = date(2026, 3, 4)


async def talk(pool: Pool, task: str, phone: str, talk_ms: int, *, at: Instant = NOON) -> str:
    """A call of that length, as an engine makes it."""
    store = PostgresDialingStore(pool)
    node = await store.join("engine", at)
    id = CampaignId(task)
    await pool.execute("update campaign set state = 'running' where id = $1", task)
    (plan,) = [plan for plan in (await store.world()).plans if plan.id == id]
    await pool.execute(
        "with c as (insert into contact (campaign_id, position, key) values ($1, 1, $2) returning id) "
        "insert into queue (contact_id, campaign_id, lane, rank) select id, $1, 0, 1 from c",
        task,
        phone,
    )
    (contact,) = (await store.claim(node, id, 1, True, at)).contacts
    attempt = attempt_id(id, contact.id, 1)
    planned = AttemptPlanned(
        attempt, contact.id, id, plan.account, plan.trunks[0].trunk, 1, phone, at - talk_ms - 100, _DAY, None
    )
    assert await store.commit(node, [planned], at) == []
    ending = Ending(answered_at=at - talk_ms, q850=16)
    closed = AttemptClosed(
        attempt, contact.id, id, Outcome.ANSWERED, ending, at - talk_ms - 100, None, at - talk_ms, at, None
    )
    await store.commit(node, [closed], at)
    return attempt


async def priced_line(tenant: Tenant, price: float, unit_s: int = 60, **whose: Any) -> str:
    kept = await tenant.application.trunks.add(
        "计费线路", "sip.example.com", channels_max=100, cps_max=10, caller_id="0571000", partner=tenant.partner
    )
    body = {"line_concurrency": 10, "price": price, "billing_unit_s": unit_s, **whose}
    assert (await tenant.ask("POST", f"/new/user/{{user}}/line/{kept.trunk.id}", body))["code"] == 200
    return kept.trunk.id


async def task_of_sub(tenant: Tenant, sub: str, line: str) -> str:
    init = (await tenant.ask("GET", "/new/user/{user}/task/create", sub_user_id=sub))["data"]
    body = await tenant.body_v2(
        line,
        destination_extension=init["outbound_group"][0]["id"],
        dial_time_id=init["task_dial_times"][0]["id"],
        sub_user_id=sub,
    )
    made = await tenant.ask("POST", "/new/user/{user}/task", body)
    assert made["code"] == 200, made
    return str(made["data"]["uuid"])


async def recharge(tenant: Tenant, amount: int, **body: Any) -> Any:
    return await tenant.ask("PUT", "/user/{user}/recharge", {"amount": amount, **body})


async def left(tenant: Tenant) -> float:
    answer = await tenant.ask("GET", "/user/{user}/message")
    balance: float = answer["data"]["balance"]
    return balance


@pytest.mark.documented
async def test_recharging_deducting_and_zeroing(tenant: Tenant) -> None:
    assert await left(tenant) == 0
    assert (await recharge(tenant, 100, remark="首充"))["data"] == {"balance": 100}
    assert (await recharge(tenant, "30", type="2"))["data"] == {"balance": 70}
    assert await left(tenant) == 70
    assert (await tenant.ask("PUT", "/user/{user}/zero_balance"))["data"] == []
    assert await left(tenant) == 0

    records = await tenant.ask("GET", "/user/{user}/bill_recharge_record")
    assert "meta" not in records
    told = [(row["type"], row["type_str"], row["amount"], row["remark"]) for row in records["data"]]
    assert told == [(3, "归零", -70, None), (2, "扣除", -30, None), (1, "充值", 100, "首充")]
    assert records["data"][0]["created_at"] == "2026-03-04 12:00:00"
    assert records["data"][0]["operator"].startswith("token ")


@pytest.mark.documented
async def test_recharges_are_paged_only_if_a_page_is_asked_for(tenant: Tenant, clock: StandingClock) -> None:
    for day in (0, 2, 8):
        clock.now = NOON + day * DAY
        await recharge(tenant, day + 1)

    async def amounts(**query: Any) -> list[int]:
        return [row["amount"] for row in (await tenant.ask("GET", path, **query))["data"]]

    path = "/user/{user}/bill_recharge_record"
    assert await amounts() == [9, 3]
    assert await amounts(**{"date[]": ["2026-03-04", "2026-03-06"]}) == [3, 1]
    assert await amounts(**{"date[]": ["2026-03-04"]}) == [1]
    paged = await tenant.ask("GET", path, page=2, per_page=1)
    assert (paged["meta"]["total"], [row["amount"] for row in paged["data"]]) == (2, [3])
    for wrong in (["2026-03-06", "2026-03-04"], ["x"], ["2026-03-04"] * 3):
        assert list((await tenant.ask("GET", path, **{"date[]": wrong}))["message"]) == ["date"]


@pytest.mark.assumed
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": -5}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": 2_000_000_000}, "amount"),
        ({"amount": 1, "type": 3}, "type"),
        ({"amount": 1, "remark": "长" * 501}, "remark"),
    ],
)
async def test_what_is_no_recharge_is_refused(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = await tenant.ask("PUT", "/user/{user}/recharge", body)
    assert (answer["code"], list(answer["message"])) == (422, [field])
    assert await left(tenant) == 0


@pytest.mark.ours
async def test_only_the_partner_moves_money_and_only_of_its_own_accounts(
    tenant: Tenant, stranger: Tenant, application: Application
) -> None:
    own = (await application.access.issue(tenant.partner, account=tenant.user_id)).secret
    for path, body in (("recharge", {"amount": 5}), ("zero_balance", None)):
        assert (await tenant.raw("PUT", f"/user/{{user}}/{path}", body, token=own)).status_code == 403
        assert (await stranger.raw("PUT", f"/user/{tenant.user_id}/{path}", body)).status_code == 404
    for path in (
        f"/user/{tenant.user_id}/message",
        f"/user/{tenant.user_id}/bill_recharge_record",
        f"/user/{tenant.user_id}/call_line_fee",
        f"/vos_bill/{tenant.user_id}",
        f"/vos/{tenant.user_id}/get_call_record",
        f"/vos/{tenant.user_id}/get_recharge",
        f"/vos/{tenant.user_id}/get_customer_fee",
    ):
        assert (await stranger.raw("GET", path)).status_code == 404
        assert (await tenant.raw("GET", path, token=own)).status_code == 200
    assert await left(tenant) == 0


@pytest.mark.assumed
async def test_the_account_tells_what_it_has(tenant: Tenant) -> None:
    line = await priced_line(tenant, 0.15, 6)
    sub = await tenant.add_sub_account()
    await recharge(tenant, 5)
    task = await tenant.make_v2(line, maximumcall=4)
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 200

    main = (await tenant.ask("GET", "/user/{user}/message"))["data"]
    of_sub = (await tenant.ask("GET", "/user/{user}/message", sub_user_id=sub))["data"]

    assert (main["id"], main["type"], main["balance"], main["concurrency"], main["residue"]) == (
        tenant.user_id,
        4,
        5,
        10,
        6,
    )
    assert (main["lines"][0]["price"], main["lines"][0]["billing_unit_s"]) == (0.15, 6)
    assert (of_sub["id"], of_sub["type"], of_sub["balance"]) == (sub, 8, None)


@pytest.mark.documented
async def test_reports_call_info_and_records_agree_to_the_millisecond(tenant: Tenant, pool: Pool) -> None:
    await recharge(tenant, 1_000)
    sub = await tenant.add_sub_account()
    free, line = await tenant.add_line(10, "免费线路"), await priced_line(tenant, 0.15)
    task, free_task = await tenant.make_v2(line, free), await tenant.make_v2(free)
    of_sub = await task_of_sub(tenant, sub, line)
    talks = {task: [61_234, 1], free_task: [120_001], of_sub: [59_999]}
    for each, lengths in talks.items():
        for number, talk_ms in enumerate(lengths):
            await talk(pool, each, f"1301212121{number}", talk_ms)

    fees = (await tenant.ask("GET", "/user/{user}/call_line_fee"))["data"]
    by_line = {fee["caller_line_id"]: (fee["answer_total"], fee["bill"], fee["units"], fee["fee"]) for fee in fees}
    assert by_line == {line: (3, 61_234 + 1 + 59_999, 4, 0.6), free: (1, 120_001, 3, 0)}
    assert await left(tenant) == 999.4

    (row,) = [row for row in (await tenant.ask("GET", "/new/user/{user}/task"))["data"] if row["uuid"] == task]
    assert row["new_task_extra"]["call_info"][line]["bill"] == 61_235
    assert row["new_task_extra"]["call_info"][free]["bill"] == 0
    records = (await tenant.ask("GET", f"/user/{{user}}/task/{task}/record"))["data"]
    assert sum(record["bill"] for record in records) == 61_235

    async def fee(**query: Any) -> dict[str, float]:
        found = (await tenant.ask("GET", "/user/{user}/call_line_fee", **query))["data"]
        return {each["caller_line_id"]: each["fee"] for each in found}

    assert await fee(type="self") == {line: 0.45, free: 0}
    assert await fee(**{"user_ids[]": [sub]}) == {line: 0.15}
    assert await fee(**{"task_ids[]": [task, "nothing"]}) == {line: 0.45}
    assert await fee(**{"caller_line_ids[]": [free]}) == {free: 0}
    assert await fee(**{"date[]": ["2026-03-01", "2026-03-03"]}) == {}
    assert await fee(sub_user_id=sub) == {line: 0.15}
    assert list((await tenant.ask("GET", "/user/{user}/call_line_fee", type="x"))["message"]) == ["type"]


@pytest.mark.documented
async def test_a_task_that_cannot_pay_is_not_started_and_not_made_to_pay_while_it_runs(tenant: Tenant) -> None:
    line, free = await priced_line(tenant, 0.15), await tenant.add_line(10, "免费线路")
    task = await tenant.make_v2(line)

    refused = await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")
    assert (refused["code"], refused["message"]) == (409, "账户余额不足,请充值后再启动任务")

    running = await tenant.make_v2(free)
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{running}"))["code"] == 200
    body = await tenant.body_v2(line)
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task/{running}", body))["code"] == 409

    await recharge(tenant, 1)
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task/{running}", body))["code"] == 200
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 200


@pytest.mark.documented
async def test_a_task_stops_when_the_money_is_gone_and_is_started_again_by_hand(tenant: Tenant, pool: Pool) -> None:
    line = await priced_line(tenant, 1)
    await recharge(tenant, 2)
    task = await tenant.make_v2(line)
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 200

    await talk(pool, task, "13012121211", 61_000)

    async def standing() -> Any:
        shown = (await tenant.ask("GET", f"/new/user/{{user}}/task/{task}/edit"))["data"]
        return shown["status"], shown["stop_reason"]

    assert (await left(tenant), await standing()) == (0, (1, "no_balance"))
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 409
    await recharge(tenant, 1)
    assert await standing() == (1, "no_balance")
    assert (await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}"))["code"] == 200
    assert (await standing())[1] is None
    # Taking the money away, by whatever way, stops it too.
    await recharge(tenant, 1, type=2)
    assert await standing() == (1, "no_balance")


@pytest.mark.documented
async def test_a_sub_account_has_no_money_of_its_own(tenant: Tenant) -> None:
    sub = await tenant.add_sub_account()
    for path, body in (("recharge", {"amount": 5, "sub_user_id": sub}), ("zero_balance", {"sub_user_id": sub})):
        answer = await tenant.ask("PUT", f"/user/{{user}}/{path}", body)
        assert (answer["code"], answer["message"]) == (409, "子账户使用主账户的余额,请对主账户操作")
    assert (await tenant.ask("GET", "/user/{user}/bill_recharge_record", sub_user_id=sub))["data"] == []


@pytest.mark.assumed
async def test_what_a_billing_system_is_asked_for_comes_from_the_ledger(
    tenant: Tenant, pool: Pool, clock: StandingClock
) -> None:
    await recharge(tenant, 100)
    sub = await tenant.add_sub_account()
    line = await priced_line(tenant, 0.5)
    task = await tenant.make_v2(line)
    of_sub = await task_of_sub(tenant, sub, line)
    await talk(pool, task, "13012121211", 30_000)
    await talk(pool, of_sub, "13012121212", 90_000)
    clock.now = NOON + DAY

    accounts = (await tenant.ask("GET", f"/vos_bill/{tenant.user_id}"))["data"]
    assert [(each["vos_account_id"], each["balance"], each["fee"]) for each in accounts] == [
        (tenant.user_id, 98.5, 0.5)
    ]
    both = (await tenant.ask("GET", f"/vos_bill/{tenant.user_id}", all="true"))["data"]
    assert [(each["vos_account_id"], each["balance"], each["fee"]) for each in both] == [
        (tenant.user_id, 98.5, 0.5),
        (sub, None, 1),
    ]

    fees = (await tenant.ask("GET", f"/vos/{tenant.user_id}/get_customer_fee"))["data"]
    assert [(each["vos_account_id"], each["answer_total"], each["bill"], each["fee"]) for each in fees] == [
        (tenant.user_id, 1, 30_000, 0.5),
        (sub, 1, 90_000, 1),
    ]
    of_one = await tenant.ask("GET", f"/vos/{tenant.user_id}/get_customer_fee", vos_account_id=sub)
    assert [each["fee"] for each in of_one["data"]] == [1]


@pytest.mark.documented
async def test_tickets_have_the_vendors_form_and_add_up_to_the_ledger(
    tenant: Tenant, pool: Pool, clock: StandingClock
) -> None:
    await recharge(tenant, 100)
    sub = await tenant.add_sub_account()
    line = await priced_line(tenant, 0.5)
    task, of_sub = await tenant.make_v2(line), await task_of_sub(tenant, sub, line)
    first = await talk(pool, task, "13012121211", 30_000)
    await talk(pool, of_sub, "13012121212", 3_600_001, at=NOON + 1)
    await talk(pool, of_sub, "+85200000001", 60_000, at=NOON + 2)
    clock.now = NOON + DAY
    path = f"/vos/{tenant.user_id}/get_call_record"

    answer = await tenant.ask("GET", path)

    assert list(answer) == ["code", "status", "message", "data", "meta"]
    assert answer["message"] == "查询话单列表成功"
    assert list(answer["meta"].items()) == [
        ("current_page", 1),
        ("from", 1),
        ("last_page", 1),
        ("path", f"https://calls.example.com/agent-api{path}"),
        ("per_page", 15),
        ("to", 3),
        ("total", 3),
    ]
    abroad, long, short = answer["data"]
    (name,) = [row["name"] for row in (await tenant.ask("GET", "/users"))["data"] if row["id"] == tenant.user_id]
    assert list(short.items()) == [
        ("phone", "0571000"),
        ("callee_phone", "13012121211"),
        ("start_time", "2026-03-04 11:59:30"),
        ("end_time", "2026-03-04 12:00:00"),
        ("hold_time", "00:00:30"),
        ("fee", 0.5),
        ("call_level_text", "国内长途"),
        ("customer_name", name),
        ("customer_account", tenant.user_id),
        ("callid", first),
        ("task_id", task),
        ("line_id", line),
        ("line_name", "计费线路"),
        ("bill", 30_000),
        ("units", 1),
        ("billing_unit_s", 60),
        ("price", 0.5),
    ]
    # A started second is shown, because a started unit is paid.
    assert (long["hold_time"], long["units"], long["customer_account"]) == ("01:00:01", 61, sub)
    assert (abroad["call_level_text"], abroad["hold_time"]) == ("国际长途", "00:01:00")
    assert sum(ticket["fee"] for ticket in answer["data"]) == 100 - await left(tenant)

    async def called(**query: Any) -> list[str]:
        found = await tenant.ask("GET", path, **query)
        assert found["meta"]["total"] == len(found["data"])
        return [row["callee_phone"] for row in found["data"]]

    assert await called(callee_phone="2121211") == ["13012121211"]
    assert await called(vos_account_id=sub) == await called(sub_user_id=sub) == ["+85200000001", "13012121212"]
    assert await called(vos_account_id="nobody") == []
    assert len(await called(phone="0571", time="2026-03-04")) == 3
    assert await called(phone="0572") == []
    second_page = (await tenant.ask("GET", path, page=2, per_page=2))["meta"]
    assert (second_page["from"], second_page["to"], second_page["last_page"], second_page["per_page"]) == (3, 3, 2, "2")
    empty = (await tenant.ask("GET", path, time="2026-03-05"))["meta"]
    assert (empty["from"], empty["to"], empty["last_page"], empty["total"]) == (None, None, 1, 0)


@pytest.mark.ours
async def test_a_ticket_hides_the_phone_where_the_account_does(
    tenant: Tenant, pool: Pool, clock: StandingClock, application: Application
) -> None:
    task = await tenant.make_v2(await tenant.add_line(10))
    await talk(pool, task, "13012121211", 1)
    clock.now = NOON + DAY
    await application.privacy.set_code(tenant.user_id, "correct horse")
    hiding = {"data": [{"slug": "disable_task_phone", "extra": {"style": 1}}], "code": "correct horse"}
    assert (await tenant.ask("POST", "/user/{user}/settings/save_security", hiding))["code"] == 200

    (ticket,) = (await tenant.ask("GET", f"/vos/{tenant.user_id}/get_call_record"))["data"]

    assert (ticket["phone"], ticket["callee_phone"], ticket["hold_time"]) == ("", "130****1211", "00:00:01")


@pytest.mark.documented
async def test_recharges_are_the_ledgers_credits_with_what_was_left_after_each(
    tenant: Tenant, pool: Pool, clock: StandingClock
) -> None:
    sub = await tenant.add_sub_account()
    line = await priced_line(tenant, 0.5)
    task, of_sub = await tenant.make_v2(line), await task_of_sub(tenant, sub, line)
    await recharge(tenant, 100, remark="首充")
    await talk(pool, task, "13012121211", 30_000)
    clock.now = NOON + DAY // 24
    await recharge(tenant, 20)
    await recharge(tenant, 119, type=2)
    # Of the sub-account, on the next day; it goes below zero.
    await talk(pool, of_sub, "13012121212", 90_000, at=NOON + DAY)
    clock.now = NOON + DAY + DAY // 24
    assert await left(tenant) == -0.5
    await tenant.ask("PUT", "/user/{user}/zero_balance")
    clock.now = NOON + 2 * DAY
    await recharge(tenant, 50)
    await talk(pool, task, "13012121213", 30_000, at=NOON + 2 * DAY)
    assert await left(tenant) == 49.5
    clock.now = NOON + 3 * DAY
    path = f"/vos/{tenant.user_id}/get_recharge"

    answer = await tenant.ask("GET", path, **{"time[]": ["2026-03-01", "2026-03-31"]})

    assert list(answer) == ["code", "status", "message", "data", "meta"]
    assert answer["message"] == "查询充值记录成功"
    assert answer["meta"]["path"] == f"https://calls.example.com/agent-api{path}"
    assert [(row["paymoney"], row["customermoney"], row["type"], row["type_text"]) for row in answer["data"]] == [
        (50, 50, 1, "充值"),
        (0.5, 0, 3, "归零"),
        (20, 119.5, 1, "充值"),
        (100, 100, 1, "充值"),
    ]
    first = answer["data"][-1]
    assert first["loginname"].startswith("token ")
    assert list(first.items()) == [
        ("paymoney", 100),
        ("time", "2026-03-04 12:00:00"),
        ("customermoney", 100),
        ("type", 1),
        ("memo", "首充"),
        ("loginname", first["loginname"]),
        ("customeraccount", tenant.user_id),
        ("type_text", "充值"),
    ]
    assert answer["data"][0]["memo"] == ""

    async def paid(**query: Any) -> list[float]:
        return [row["paymoney"] for row in (await tenant.ask("GET", path, **query))["data"]]

    assert await paid() == [50]
    assert await paid(time="2026-03-04") == await paid(time="2026-03-04", vos_account_id=tenant.user_id) == [20, 100]
    assert await paid(time="2026-03-04", vos_account_id=sub) == await paid(time="2026-03-04", sub_user_id=sub) == []
    paged = await tenant.ask("GET", path, page=2, per_page=1, time="2026-03-04")
    assert ([row["customermoney"] for row in paged["data"]], paged["meta"]["from"], paged["meta"]["total"]) == (
        [100],
        2,
        2,
    )
    assert list((await tenant.ask("GET", path, time="x"))["message"]) == ["time"]
