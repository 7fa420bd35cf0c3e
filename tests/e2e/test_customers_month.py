"""A customer's month, walked by a client that knows the vendor's pages: only its base URL has changed.
On the other side is all of waihu: PostgreSQL, Asterisk, a carrier, and the customer's own servers for callbacks.

The tests are chapters of one walk; run the file as a whole. What one reaches is kept in `month` for those after it.
"""

import os
import wave
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from math import ceil

import pytest
import pytest_asyncio
from vendor_customer import task_forms
from vendor_customer.client import AgentApi, Json, Refused, fetch
from vendor_customer.comparisons import days_of, fee_of, hears_of, reported, span_of, spent_by
from vendor_customer.console import ALWAYS, Console
from vendor_customer.month import ANSWERED, DECLINED, PRICE, WAITING, Month, Person, Task, eventually
from vendor_customer.receivers import Receiver, receivers

from waihu.adapters.asterisk.carrier_behaviour import Behaviour
from waihu.demo.stage import Stage, StageSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHANNELS, CALLS_PER_S = 8, 4
RECHARGED = 100
PASSWORD = {"password": "123456", "password_confirmation": "123456"}
PEOPLE = {
    "1.0": [Behaviour.TALKS, Behaviour.HANGS_UP, Behaviour.BUSY_ONCE, Behaviour.DECLINES],
    "line ids": [Behaviour.PRESSES_ONE, Behaviour.HANGS_UP, Behaviour.UNKNOWN_NUMBER, Behaviour.DECLINES],
    "line limits": [Behaviour.HANGS_UP, Behaviour.HANGS_UP, Behaviour.BUSY_ONCE, Behaviour.UNKNOWN_NUMBER],
    "rule": [Behaviour.BUSY_ONCE, Behaviour.HANGS_UP],
    "hour": [Behaviour.TALKS],
    "variable": [Behaviour.TALKS, Behaviour.TALKS, Behaviour.TALKS],
    "sub-account": [Behaviour.HANGS_UP, Behaviour.BUSY],
}
"""Who is called by which task."""
CHOSEN = {"男": "上午", "某女士": "下午", "不详": "确认"}
"""What comes with a number, and the script that it chooses."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def month(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Month]:
    settings = StageSettings(
        directory=tmp_path_factory.mktemp("month"),
        channels=CHANNELS,
        calls_per_s=CALLS_PER_S,
        box_address=f"127.0.79.{os.getpid() % 250 + 1}",
    )
    with pytest.MonkeyPatch.context() as environment:
        # The customer's servers are on this machine, and so inside the operator's own network.
        environment.setenv("WAIHU_CALLBACK_ALLOW", "127.0.0.1")
        async with (
            receivers() as servers,
            Stage(settings, lambda _: None) as stage,
            AgentApi(stage.url, stage.token) as api,
        ):
            yield Month(stage, api, Console(api), servers)


@pytest.fixture(scope="module")
def ended_in() -> list[str]:
    """The chapter in which the walk came to an end."""
    return []


@pytest.fixture(autouse=True)
def _in_order(request: pytest.FixtureRequest, ended_in: list[str]) -> Iterator[None]:
    if ended_in:
        pytest.skip(f"the walk ended in {ended_in[0]}")
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        ended_in.append(request.node.name)


async def test_a_token_tells_how_long_it_is_valid_and_without_one_nothing_opens(month: Month) -> None:
    told = await month.api.get("/agent-api/token")
    assert datetime.strptime(told["expires_at"], "%Y-%m-%d %H:%M:%S") > datetime.now() + timedelta(days=360)
    async with AgentApi(month.stage.url, "nobody's") as stranger:
        with pytest.raises(Refused) as refusal:
            await stranger.get("/agent-api/token")
    assert (refusal.value.status, refusal.value.message) == (401, "Unauthenticated.")


async def test_a_partner_registers_a_user(month: Month) -> None:
    person = {"name": "长风汽车", "email": "changfeng@example.com", "phone": "10000000001", **PASSWORD}
    registered = await month.api.post("/users", person)
    month.user = registered["id"]
    assert registered == {"id": month.user, "name": "长风汽车", "email": person["email"], "phone": person["phone"]}

    with pytest.raises(Refused) as refusal:
        await month.api.post("/users", person)
    assert set(refusal.value.message) == {"name", "email", "phone"}

    assert await month.api.put(f"/users/{month.user}", {**person, "name": "长风"}) == ""
    assert (await month.api.get(f"/users/{month.user}/edit"))["name"] == "长风"
    assert month.user in {row["id"] for row in await month.api.rows("/users")}
    assert (await month.api.post(f"/user/{month.user}/authorize", {})).startswith(month.stage.url)


async def test_the_user_gets_a_sub_account(month: Month) -> None:
    person = {"name": "城东店", "email": "east@example.com", "phone": "10000000002", **PASSWORD}
    subset_data = {"alias": "东", "duty": "店长", "sex": 2, "birthday": "1990-07-13"}
    await month.api.post(month.of("subset_users"), {**person, "subset_data": subset_data})
    (listed,) = await month.api.rows(month.of("subset_users"), name="城东")
    month.sub = listed["id"]
    read = await month.api.get(month.of(f"subset_users/{month.sub}/edit"))
    assert read.items() >= {**subset_data, "name": "城东店", "phone": "10000000002", "qq": None}.items()


async def test_the_user_gets_scripts_a_line_with_a_price_and_money(month: Month) -> None:
    node, line = await month.console.node(), month.stage.line
    confirm = "您好{姓名},您的{车型}到了,到店请按一。"
    month.scripts = {
        "确认": await month.console.script(month.user, "确认", confirm, [{"key": "1", "answer": "好的,恭候您。"}]),
        "上午": await month.console.script(month.user, "上午", "上午好{姓名}。"),
        "下午": await month.console.script(month.user, "下午", "下午好{姓名}。"),
        "分店": await month.console.script(month.sub, "分店", "这里是城东店。"),
    }
    shown = {row["id"]: row["user_id"] for row in await month.api.rows(f"/agent-api/agent_group/tenant/{node}")}
    assert [shown[script] for script in month.scripts.values()] == [month.user] * 3 + [month.sub]

    terms = {"line_concurrency": str(CHANNELS), "deadline_at": "2099-11-28 00:00:00", "price": float(PRICE)}
    await month.api.post(month.new(f"line/{line}"), terms)
    (row,) = await month.api.rows("/agent-api/new_line_list", id=node, user_id=month.user)
    (allocation,) = row["line_allocation"]
    month.allocation = allocation["id"]
    await month.api.put(
        month.new("line_bind_group"), {"id": month.allocation, "group_ids": list(month.scripts.values())}
    )
    (offered,) = (await month.api.get(month.new("task/create")))["caller_line_list"]
    assert (offered["line_id"], offered["residue"], offered["available_at"]) == (line, CHANNELS, terms["deadline_at"])

    await month.api.put(month.of("recharge"), {"amount": str(RECHARGED), "type": "1", "remark": "首充"})
    assert await month.balance() == RECHARGED


async def test_callbacks_go_to_the_address_of_the_user_but_never_inside_the_network(month: Month) -> None:
    for inside in ("http://127.0.0.2/notify", "http://10.1.2.3/notify", "http://169.254.169.254/latest"):
        with pytest.raises(Refused) as refusal:
            await month.console.be_told_at(month.user, inside)
        assert set(refusal.value.message) == {"callback_url"}
    await month.console.be_told_at(month.user, month.receivers.healthy.url)


async def test_customers_are_imported_with_fields_and_found_by_them(month: Month) -> None:
    month.fields = {
        "车型": await month.console.field(month.user, "车型", "text", []),
        "预算": await month.console.field(month.user, "预算", "number", ["integer"]),
        "到店": await month.console.field(month.user, "到店", "date", ["sometimes"]),
    }
    template = await month.api.get(month.of("customer/create"))
    assert {field["name"]: field["type"] for field in template}.items() >= {"车型": "text", "预算": "number"}.items()

    people = [month.person(Behaviour.TALKS, name) for name in ("赵一", "钱二", "孙三", "李四")]
    month.people["pool"] = people[:3]
    with pytest.raises(Refused) as refusal:
        await month.api.post(month.of("async_customer"), {"data": [_customer(month, people[0], "轿跑", "很多")]})
    assert list(refusal.value.message) == ["data.0.components.1.value"]
    cars = ("轿跑", "轿跑", "轿跑", "越野")
    rows = [_customer(month, person, car, "200000") for person, car in zip(people, cars, strict=True)]
    await month.api.post(month.of("async_customer"), {"data": rows, "encryption": False})

    chosen = await _pool(month, components=[{"id": month.fields["车型"], "value": "轿跑"}])
    assert {row["phone"] for row in chosen} == {person.phone for person in people[:3]}
    assert [row["phone"] for row in await _pool(month, phone=people[3].phone)] == [people[3].phone]
    assert len(await _pool(month, company="远山", created_at=["2025-01-01 00:00:00", "2099-01-01 00:00:00"])) == 4
    # These numbers are nobody's, so they are of no operator either.
    assert await _pool(month, operator=[1, 2, 3]) == []
    not_called = await month.api.rows(month.of("type/clue/get_customer"), ai_call=0, sex=[1, 2], is_follow=0)
    assert len(not_called) == 4

    detail = await month.api.get(month.of(f"customer/detail/{chosen[0]['id']}"))
    assert (detail["expect_transaction_fee"], detail["extra"]) == ("0.00", _by_phone(people)[detail["phone"]].extra)
    assert {each["name"]: each["value"] for each in detail["components"]}["预算"] == "200000"


async def test_tasks_are_made_by_every_form_and_read_as_they_were_sent(month: Month) -> None:
    api, line = month.api, month.stage.line
    hours = {"name": "全天", "content": ALWAYS, "is_default": False, "skip_holiday": False}
    month.hours = (await api.post(month.of("dial-time-group"), hours))["id"]
    rule = await month.console.redial_rule(month.user, "忙则再呼", [{"number_status": 8, "time": 0}])
    (old_line,) = (await api.get(month.of("task/create")))["caller_line_list"]
    sub_hours = (await api.post(month.of("dial-time-group"), {**hours, "sub_user_id": month.sub}))["id"]
    forms = {
        "line ids": task_forms.by_line_ids(month, line),
        "line limits": task_forms.by_line_limits(month, line),
        "rule": task_forms.by_rule(month, line, rule),
        "hour": task_forms.by_hour(month, line),
        "variable": task_forms.by_variable(month, line),
        "sub-account": task_forms.of_sub_account(month, line, month.scripts["分店"], sub_hours),
    }
    made = await api.post(month.of("task"), task_forms.v1(month, old_line["value"], rule))
    month.tasks["1.0"] = Task(made["uuid"], is_old=True)
    for name, form in forms.items():
        made = await api.post(month.new("task"), form)
        month.tasks[name] = Task(made["uuid"], sub=form.get("sub_user_id"))
    copied = await api.get(month.new(f"copy/task/{month.tasks['variable'].id}"))
    month.tasks["copy"] = Task(copied["uuid"])

    old = await month.opened(month.tasks["1.0"])
    assert (old["caller_line_id"], old["dial_time_group"]["id"], old["end_action"]) == (line, month.hours, 1)
    extras = {name: (await month.opened(task))["new_task_extra"] for name, task in month.tasks.items() if name != "1.0"}
    assert extras["line ids"]["line"] == [line]
    assert extras["line ids"]["holiday"] == [{"begin": "2025-05-01 00:00", "end": "2025-05-05 23:59"}]
    limits = extras["line limits"]
    assert (limits["line"], limits["redial_conditions"]["da_status"]) == ([{"id": line, "limit": 2}], [4, 8])
    assert limits["holiday"] == extras["line ids"]["holiday"]
    assert (await month.opened(month.tasks["rule"]))["auto_recycle_rule_id"] == rule
    assert [each["begin"] for each in extras["hour"]["destination_extension_list"]] == ["00:00", "12:00"]
    by_variable = extras["variable"]["destination_extension_with_variable_list"]
    assert [each["sort"] for each in by_variable] == [1, 0]
    assert extras["copy"]["destination_extension_with_variable_list"] == by_variable

    mine = await api.rows(month.new("task"), status=[1, 3], name="按")
    assert {row["uuid"] for row in mine} == {month.tasks[name].id for name in ("hour", "variable", "copy")}
    told = await eventually(lambda: _told_of(month.receivers.healthy, 1, len(month.tasks)))
    assert {each["task_data"]["uuid"] for each in told} == {task.id for task in month.tasks.values()}


async def test_a_task_is_refused_by_the_field_that_is_wrong(month: Month) -> None:
    form = task_forms.by_line_ids(month, month.stage.line)
    (demo,) = [row["id"] for row in await month.api.rows(f"/agent-api/group/{month.user}") if row["name"] == "演示话术"]
    for changes, fields in (
        ({"maximumcall": CHANNELS + 1}, {"maximumcall"}),
        ({"dial_time_id": 99999, "auto_recycle_rule_id": "99999"}, {"dial_time_id", "auto_recycle_rule_id"}),
        # The line is bound to the scripts of this walk.
        ({"destination_extension": demo}, {"task_extras.line"}),
        ({"call_notify_url": "http://192.168.0.1/"}, {"call_notify_url"}),
    ):
        with pytest.raises(Refused) as refusal:
            await month.api.post(month.new("task"), {**form, **changes})
        assert set(refusal.value.message) == fields


async def test_numbers_are_imported(month: Month) -> None:
    for name, behaviours in PEOPLE.items():
        task = month.tasks[name]
        people = [month.person(each, f"{name} {n}") for n, each in enumerate(behaviours)]
        rows = [_number(person) for person in people]
        if name == "variable":
            rows = [{**row, "control_select_robot": value} for row, value in zip(rows, CHOSEN, strict=True)]
        call = "async_number" if name in ("rule", "sub-account") else "number"
        body = {"ignore_crm": name != "line ids", "data": rows} | ({"sub_user_id": task.sub} if task.sub else {})
        await month.api.post(month.of(f"task/{task.id}/{call}"), body)
        month.people[name] = people
        assert [row["number"] for row in await month.numbers(task)] == [person.phone for person in people]

    twice = month.person(Behaviour.HANGS_UP)
    suffixed = {"ignore_crm": True, "number_add_suffix": True, "data": [_number(twice), _number(twice)]}
    await month.api.post(month.of(f"task/{month.tasks['hour'].id}/number"), suffixed)
    month.people["hour"] += [twice, twice]

    again = {"ignore_crm": True, "data": [_number(month.people["1.0"][0])]}
    to_old = month.of(f"task/{month.tasks['1.0'].id}/number")
    with pytest.raises(Refused) as refusal:
        await month.api.post(to_old, again)
    assert list(refusal.value.message) == ["data.0.phone"]
    await month.api.post(to_old, {**again, "skip_error": True})
    assert len(await month.numbers(month.tasks["1.0"], status=[0])) == len(month.people["1.0"])


async def test_customers_of_the_pool_are_pushed_into_a_task(month: Month) -> None:
    task = month.tasks["copy"]
    chosen = [{"id": month.fields["车型"], "value": "轿跑"}]
    await month.api.get(month.of(f"customer_to_task/{task.id}"), components=chosen, encryption=False)
    (told,) = await eventually(lambda: _told_of(month.receivers.healthy, "api_customer_to_task", 1))
    assert (told["mode"], told["user_id"], told["task_id"]) == ("batch", month.user, task.id)
    numbers = (await fetch(told["data"]["url"])).json()["numbers"]
    assert sorted(numbers) == sorted(person.phone for person in month.people["pool"])
    assert [row["number"] for row in await month.numbers(task)] == numbers
    month.people["copy"] = month.people["pool"]


async def test_what_came_into_tasks_is_called_back(month: Month) -> None:
    imports = {name: people for name, people in month.people.items() if name in PEOPLE}
    batches = len(imports) + 1
    told = await eventually(lambda: _told_of(month.receivers.healthy, "import_number", batches))
    numbers: dict[str, list[str]] = {}
    for each in told:
        numbers.setdefault(each["task_id"], []).extend(await _numbers_of(each))
        asked = await month.api.get(month.of(f"identification/{each['unique_id']}"), sub_user_id=_sub(month, each))
        assert asked == each
    assert {task: sorted(number.partition("_")[0] for number in arrived) for task, arrived in numbers.items()} == {
        month.tasks[name].id: sorted(person.phone for person in people) for name, people in imports.items()
    }


async def test_everybody_is_called_and_every_number_gets_its_status(month: Month) -> None:
    tasks = [month.tasks[name] for name in PEOPLE]
    for task in tasks:
        await month.start(task)
    await month.stopped(*tasks)
    for name, task in zip(PEOPLE, tasks, strict=True):
        rows = [(row["number"].partition("_")[0], row["status"]) for row in await month.numbers(task)]
        assert rows == [(person.phone, person.status) for person in month.people[name]], name
    seen = month.stage.box.calls()
    expected: Counter[str] = Counter()
    for person in (person for name in PEOPLE for person in month.people[name]):
        expected[person.phone] += person.calls
    assert Counter(call.number for call in seen) == expected
    records = await month.records(*tasks)
    assert sorted(record["callid"] for record in records) == sorted(str(call.attempt) for call in seen)


async def test_each_script_talks_when_it_is_chosen(month: Month) -> None:
    for record in await month.records(month.tasks["hour"]):
        assert record["group"]["name"] == ("上午" if record["answerdate"][11:13] < "12" else "下午")
    talked = {record["name"]: record["group"]["name"] for record in await month.records(month.tasks["variable"])}
    names = [person.name for person in month.people["variable"]]
    assert talked == dict(zip(names, CHOSEN.values(), strict=True))


async def test_a_healthy_server_is_told_of_every_call_while_others_are_slow_or_fail(month: Month) -> None:
    at, tasks = month.receivers, month.tasks
    await hears_of(month, at.healthy, await _called_back(month, "variable", "sub-account"))
    assert (len(at.slow.pushes), at.slow.accepted) == (1, [])
    at.slow.done.set()
    await hears_of(month, at.slow, await month.records(tasks["line ids"]))


async def test_a_server_that_fails_is_told_again_under_the_same_id(month: Month) -> None:
    failing = month.receivers.failing
    await hears_of(month, failing, await month.records(month.tasks["line limits"]))
    assert set(Counter((push.id, push.raw) for push in failing.pushes).values()) == {2}
    assert sorted({push.answer for push in failing.pushes}) == [200, 500]


async def test_a_server_that_was_away_is_told_when_it_is_back_and_no_redirect_is_followed(month: Month) -> None:
    at = month.receivers
    away = {"rule": at.dead, "hour": at.redirecting}
    waiting = {name: await month.console.waiting_pushes(month.user, receiver.url) for name, receiver in away.items()}
    assert all(waiting.values())
    assert at.redirecting.pushes and not at.redirecting.accepted
    await at.dead.listen()
    at.redirecting.mended = True
    for name, receiver in away.items():
        # What failed together is told together again.
        for push in {each["event"]: each["id"] for each in waiting[name] if each["event"]}.values():
            await month.console.redeliver(month.user, push)
        await hears_of(month, receiver, await month.records(month.tasks[name]))
    assert at.trap.pushes == []


async def test_a_call_is_opened_with_its_dialogue(month: Month) -> None:
    task, person = month.tasks["line ids"], month.people["line ids"][0]
    (record,) = await month.api.rows(month.of(f"task/{task.id}/record"), keyword=person.phone, levels=[[0, 100]])
    detail = await month.api.get(month.of(f"task/{task.id}/detail/{record['callid']}"))
    assert [row["sequence"] for row in detail["records"]] == list(range(1, len(detail["records"]) + 1))
    enter, *_ = detail["records"]
    assert (enter["notify"], enter["question"], enter["answer_content"][:2]) == ("enter", "", "您好")
    (turn,) = [row for row in detail["records"] if row["notify"] == "asrmessage_notify"]
    assert (turn["question"], turn["answer_content"]) == ("1", "好的,恭候您。")
    opened = detail["info"]["record"]
    assert {name: opened[name] for name in ("bill", "duration", "calldate", "hangupdate", "rounds")} == {
        name: record[name] for name in ("bill", "duration", "calldate", "hangupdate", "rounds")
    }
    assert opened["crm_customer"]["extra"] == person.extra
    assert (detail["is_crm_exists"], detail["info"]["task"]["uuid"]) == (True, task.id)
    assert await month.api.get(month.of(f"task/{task.id}/record/{record['callid']}/llm_intention_tag")) == []


async def test_recordings_open_by_their_keys_alone(month: Month) -> None:
    task = month.tasks["variable"]
    records = await month.records(task)
    voices = await month.api.get(
        month.of(f"task/{task.id}/batch_record/download-full-voice"),
        recordIds=[record["callid"] for record in records],
    )
    assert [voice["record_id"] for voice in voices] == [record["callid"] for record in records]
    pushed = month.receivers.healthy.calls
    for voice in voices:
        by_token = await month.api.download(month.of(f"task/{task.id}/record/{voice['record_id']}/download-full-voice"))
        assert _length_s(by_token) > 0
        for url in (voice["url"], pushed[voice["record_id"]]["voice_url"]):
            answer = await fetch(url)
            assert (answer.headers["content-type"], answer.content) == ("audio/wav", by_token)
    url = voices[0]["url"]
    for wrong in (url[:-3], url.replace("key=", "key=9"), url.partition("?")[0]):
        assert (await fetch(wrong)).status_code == 422
    async with AgentApi(month.stage.url, "nobody's") as stranger:
        with pytest.raises(Refused) as refusal:
            await stranger.download(month.of(f"task/{task.id}/record/{voices[0]['record_id']}/download-full-voice"))
    assert refusal.value.status == 401


async def test_numbers_that_are_reset_are_called_again(month: Month) -> None:
    task = month.tasks["line ids"]
    declined = next(person for person in month.people["line ids"] if person.status == DECLINED)
    await month.api.put(
        month.of(f"task/{task.id}/number-batch-reset"), {"status": [str(DECLINED)], "is_new_task": True}
    )
    await month.start(task)
    await month.stopped(task)
    assert [call.number for call in month.stage.box.calls()].count(declined.phone) == 2
    assert [record["callee"] for record in await month.records(task)].count(declined.phone) == 2
    number = await month.api.get(month.of(f"task/{task.id}/number/detail/{declined.phone}"))
    assert (number["status"], number["time"]) == (DECLINED, 2)
    await hears_of(month, month.receivers.slow, await month.records(task))


async def test_hours_that_are_edited_reach_a_task_that_runs(month: Month) -> None:
    """The vendor's 2.0 tasks do not follow their time group; ours do."""
    task = month.tasks["copy"]
    in_three_days = (datetime.now().isoweekday() + 3) % 7
    closed = {"name": "周末", "content": [ALWAYS[in_three_days]], "is_default": False, "skip_holiday": False}
    group = (await month.api.post(month.of("dial-time-group"), closed))["id"]
    await month.api.put(month.new(f"task/{task.id}"), task_forms.update("到店提醒", month.scripts["确认"], group))
    await month.start(task)
    await eventually(lambda: _has_status(month, task, WAITING))
    number = {"phone": month.people["copy"][0].phone}
    for method, call, body in (
        ("POST", "async_number", {"data": [number]}),
        ("PUT", "number-batch-reset", {"phones": [number["phone"]]}),
        ("DELETE", "number-batch-delete", {"customer_info_list": [number]}),
    ):
        with pytest.raises(Refused) as refusal:
            await month.api.ask(method, month.of(f"task/{task.id}/{call}"), body)
        assert (refusal.value.code, refusal.value.message) == (6007, "2.0任务启动中,请先停止任务")

    await month.api.put(month.of(f"dial-time-group/{group}"), {"name": "全天", "content": ALWAYS})
    await month.stopped(task)
    records = await month.records(task)
    assert {record["callee"] for record in records} == {person.phone for person in month.people["copy"]}
    await hears_of(month, month.receivers.healthy, await _called_back(month, "variable", "sub-account", "copy"))
    said = await month.api.get(month.of(f"task/{task.id}/detail/{records[0]['callid']}"))
    assert "您的轿跑到了" in said["records"][0]["answer_content"]


async def test_bills_and_reports_are_the_sums_of_the_call_records(month: Month) -> None:
    records = await month.records(*month.tasks.values())
    spent = spent_by(records)
    assert await month.balance() == RECHARGED - spent.fee

    for name, task in month.tasks.items():
        of_task = spent_by(await month.records(task))
        assert await reported(month, records, task_ids=[task.id]) == of_task, name
        if not task.is_old:
            line = await month.line_figures(task)
            figures = line["dialed_number_total"], line["answer_total"], line["bill"]
            assert figures == (of_task.calls, of_task.answered, of_task.bill), name
    own = spent_by([record for record in records if record["user_id"] == month.user])
    assert own != spent
    assert await reported(month, records, type="all", caller_line_ids=[month.stage.line]) == spent
    assert await reported(month, records, type="self") == own

    # The same again in the words of the vendor's billing system.
    vos = f"/agent-api/vos/{month.user}"
    tickets = [
        ticket for day in days_of(records) for ticket in await month.api.rows(f"{vos}/get_call_record", time=day)
    ]
    assert {ticket["callid"]: (ticket["bill"], Decimal(str(ticket["fee"]))) for ticket in tickets} == {
        record["callid"]: (record["bill"], fee_of(record)) for record in records if record["answerdate"]
    }
    by_account = await month.api.get(f"{vos}/get_customer_fee", time=span_of(records))
    assert sum(Decimal(str(each["fee"])) for each in by_account) == spent.fee
    ever = await month.api.get(f"/agent-api/vos_bill/{month.user}", all=True)
    assert sum(Decimal(str(each["fee"])) for each in ever) == spent.fee

    recharges = await month.api.get(month.of("bill_recharge_record"))
    assert [(each["amount"], each["type"], each["remark"]) for each in recharges] == [(RECHARGED, 1, "首充")]


async def test_without_money_a_task_pauses_and_says_why_and_with_money_it_goes_on(month: Month) -> None:
    people = [month.person(Behaviour.HANGS_UP) for _ in range(6)]
    made = await month.api.post(month.new("task"), task_forms.sequential(month, month.stage.line))
    task = month.tasks["sequential"] = Task(made["uuid"])
    body = {"ignore_crm": True, "data": [_number(person) for person in people]}
    await month.api.post(month.of(f"task/{task.id}/number"), body)
    before = await month.balance()
    await month.api.put(month.of("recharge"), {"amount": int(before) - 1, "type": 2, "remark": "退款"})
    left = await month.balance()
    assert 1 <= left < 2

    await month.start(task)
    (told,) = await eventually(lambda: _told_of(month.receivers.stops, 3, 1))
    assert (told["task_data"]["uuid"], told["task_data"]["stop_reason"]) == (task.id, "no_balance")
    assert (await month.opened(task))["stop_reason"] == "no_balance"
    records = await month.records(task)
    assert len(records) == ceil(left / PRICE) < len(people)
    assert await month.balance() == left - len(records) * PRICE <= 0
    assert len(await month.numbers(task, status=[0])) == len(people) - len(records)
    with pytest.raises(Refused) as refusal:
        await month.start(task)
    assert "余额不足" in refusal.value.message

    await month.api.put(month.of("recharge"), {"amount": 10})
    await month.start(task)
    await month.stopped(task)
    calls = Counter(call.number for call in month.stage.box.calls())
    assert [calls[person.phone] for person in people] == [1] * len(people)
    assert await month.balance() == left + 10 - len(people) * PRICE
    records = await month.records(*month.tasks.values())
    assert await reported(month, records, type="all") == spent_by(records)
    told_here = await _called_back(month, "variable", "sub-account", "copy", "sequential")
    await hears_of(month, month.receivers.healthy, told_here)


async def test_all_is_deleted_in_the_end_and_the_token_opens_nothing_more(month: Month) -> None:
    api, healthy = month.api, month.receivers.healthy
    token, _ = await month.console.token(month.user)
    revoked, revoked_id = await month.console.token(month.user)
    await month.console.revoke(revoked_id)

    number = {"phone": month.people["1.0"][0].phone}
    await api.delete(month.of(f"task/{month.tasks['1.0'].id}/number-batch-delete"), {"customer_info_list": [number]})
    (told,) = await eventually(lambda: _told_of(healthy, "del_number", 1))
    assert (told["mode"], told["data"]["number"]) == ("single", number["phone"])
    for task in month.tasks.values():
        path = f"task/{task.id}"
        await api.delete(month.of(path) if task.is_old else month.new(path), sub_user_id=task.sub)
        with pytest.raises(Refused) as refusal:
            await month.opened(task)
        assert refusal.value.status == 404
    told = await eventually(lambda: _told_of(healthy, 2, len(month.tasks)))
    assert {each["task_data"]["uuid"] for each in told} == {task.id for task in month.tasks.values()}

    await api.delete(month.of("del_customer"), {"phone": [row["phone"] for row in await _pool(month)]})
    assert await _pool(month) == []
    await api.delete(month.of(f"subset_users/{month.sub}"))
    assert await api.rows(month.of("subset_users")) == []

    async with AgentApi(month.stage.url, token) as own, AgentApi(month.stage.url, revoked) as old:
        assert (await own.get(month.of("message")))["id"] == month.user
        await api.delete(f"/users/{month.user}")
        for client in (own, old):
            with pytest.raises(Refused) as refusal:
                await client.get(month.of("message"))
            assert (refusal.value.status, refusal.value.message) == (401, "Unauthenticated.")
    with pytest.raises(Refused) as refusal:
        await api.get(month.of("message"))
    assert refusal.value.status == 404


async def _pool(month: Month, **query: Json) -> list[Json]:
    return await month.api.rows(month.of("get_customer"), **query)


def _customer(month: Month, person: Person, car: str, budget: str) -> Json:
    values = {"车型": car, "预算": budget, "到店": "2025-10-01"}
    return {
        **_number(person),
        "company": "远山",
        "email": "",
        "sex": 1,
        "components": [{"id": month.fields[name], "value": value} for name, value in values.items()],
    }


def _number(person: Person) -> Json:
    return {"phone": person.phone, "name": person.name, "sort": 0, "extra": person.extra}


def _by_phone(people: Sequence[Person]) -> dict[str, Person]:
    return {person.phone: person for person in people}


async def _told_of(receiver: Receiver, kind: int | str, count: int) -> list[Json]:
    """What it was told of this kind, once it is so much; nothing before."""
    told = receiver.told(kind)
    return told if len(told) == count else []


async def _numbers_of(told: Json) -> list[str]:
    if told["mode"] == "single":
        return [told["data"]["number"]]
    return list((await fetch(told["data"]["url"])).json()["numbers"])


def _sub(month: Month, told: Json) -> str | None:
    return month.sub if told["user_id"] == month.sub else None


async def _called_back(month: Month, *names: str) -> list[Json]:
    """Calls of tasks of these names, and the failures of the 1.0 task, which wants to hear of no others."""
    failed = [record for record in await month.records(month.tasks["1.0"]) if record["status"] != ANSWERED]
    return failed + await month.records(*(month.tasks[name] for name in names))


async def _has_status(month: Month, task: Task, status: int) -> bool:
    return bool((await month.opened(task))["status"] == status)


def _length_s(wav: bytes) -> float:
    with wave.open(BytesIO(wav)) as sound:
        return sound.getnframes() / sound.getframerate()
