"""Phones that an account hides, from everybody who looks at it, and the code that guards who hides them."""

import json
from typing import Any

import pytest
from agent_world import Tenant
from seeded_calls import add_call

from waihu.adapters.postgres.pool import Pool
from waihu.application.callback_news import FinishedCall
from waihu.domain.errors import Invalid
from waihu.domain.place import NOWHERE
from waihu.faces.agent_api.callback_shapes import calls_body
from waihu.faces.agent_api.masks import shown, shown_in
from waihu.ports.privacy import MaskStyle

SAVE = "/user/{user}/settings/save_security"
ANNA = "18612341681"
CODE = "correct horse"


def both(style: int = 1) -> dict[str, Any]:
    return {
        "data": [
            {"slug": "disable_crm_phone", "extra": {"style": style}},
            {"slug": "disable_task_phone", "extra": {"style": style}},
        ],
        "code": CODE,
    }


@pytest.fixture
async def guarded(tenant: Tenant) -> Tenant:
    await tenant.application.privacy.set_code(tenant.user_id, CODE)
    return tenant


@pytest.fixture
async def task(guarded: Tenant, line: str) -> str:
    """With Anna in it, who is in the pool too."""
    task = await guarded.make_v2(line)
    await guarded.ask("POST", f"/user/{{user}}/task/{task}/number", {"data": [{"phone": ANNA}]})
    return task


async def everything_shown(tenant: Tenant, task: str, call: str, **query: Any) -> dict[str, str]:
    """Every answer in which a phone may stand, as text."""
    answers = {}
    (customer,) = (await tenant.ask("GET", "/user/{user}/get_customer", **query))["data"]
    for name, path in {
        "customers": "/user/{user}/get_customer",
        "customers at a stage": "/user/{user}/type/clue/get_customer",
        "customer": f"/user/{{user}}/customer/detail/{customer['id']}",
        "numbers": f"/user/{{user}}/task/{task}/number",
        "number": f"/user/{{user}}/task/{task}/number/detail/{ANNA}",
        "calls": f"/user/{{user}}/task/{task}/record",
        "call": f"/user/{{user}}/task/{task}/detail/{call}",
    }.items():
        answer = await tenant.raw("GET", path, **query)
        assert answer.status_code == 200, answer.text
        answers[name] = answer.text
    return answers


@pytest.fixture
async def call(guarded: Tenant, task: str, line: str, pool: Pool) -> str:
    """A call to Anna, in which her number is spoken of."""
    turns = (
        ("agent", f"您的手机号是{ANNA}吗?", 0, None),
        ("callee", f"是的,{ANNA}", 4_200, None),
    )
    # No name, so that one is made up from the number.
    made = await add_call(
        pool,
        task,
        line,
        phone=f"{ANNA}_k3x",
        name=None,
        variables={"手机号": ANNA},
        turns=turns,
    )
    await pool.execute("update attempt set phone = $1", ANNA)
    return made.id


@pytest.mark.documented
@pytest.mark.parametrize(("style", "phone"), [(1, "186****1681"), (2, "*******1681")])
async def test_hidden_phones_are_hidden_everywhere(
    guarded: Tenant, task: str, call: str, style: int, phone: str
) -> None:
    """Style 2 is our choice: the vendor's pages show style 1 only."""
    whole = await everything_shown(guarded, task, call)

    answer = await guarded.ask("POST", SAVE, both(style))

    assert answer["code"] == 200, answer
    masked = await everything_shown(guarded, task, call)
    assert [name for name, text in whole.items() if ANNA not in text] == []
    assert [name for name, text in masked.items() if ANNA in text] == []
    assert [name for name, text in masked.items() if phone not in text] == []


@pytest.mark.documented
async def test_what_a_setting_hides_and_what_not(guarded: Tenant, task: str, call: str) -> None:
    await guarded.ask("POST", SAVE, {"data": [{"slug": "disable_crm_phone"}], "code": CODE})

    shown = await everything_shown(guarded, task, call)

    assert [name for name, text in shown.items() if ANNA not in text] == [
        "customers",
        "customers at a stage",
        "customer",
    ]


@pytest.mark.assumed
async def test_a_setting_that_is_not_named_is_off(guarded: Tenant, task: str, call: str) -> None:
    await guarded.ask("POST", SAVE, both())

    await guarded.ask("POST", SAVE, {"data": [], "code": CODE})

    shown = await everything_shown(guarded, task, call)
    assert [name for name, text in shown.items() if ANNA not in text] == []


@pytest.mark.ours
async def test_a_report_of_an_import_hides_them_too(guarded: Tenant, task: str) -> None:
    await guarded.ask("POST", SAVE, both())
    body = {"data": [{"phone": ANNA}], "skip_error": True}

    answer = await guarded.ask("POST", f"/user/{{user}}/task/{task}/number", body)

    assert answer["data"]["errors"] == [{"index": 0, "phone": "186****1681", "message": "号码重复"}]


@pytest.mark.ours
async def test_who_knows_a_number_finds_it(guarded: Tenant, task: str) -> None:
    await guarded.ask("POST", SAVE, both())

    (found,) = (await guarded.ask("GET", "/user/{user}/get_customer", phone=ANNA))["data"]

    assert found["phone"] == "186****1681"


@pytest.mark.ours
async def test_a_sub_account_follows_its_main_account_or_hides_more(guarded: Tenant) -> None:
    sub = await guarded.add_sub_account()
    await guarded.ask("POST", "/user/{user}/async_customer", {"data": [{"phone": ANNA}], "sub_user_id": sub})

    async def seen() -> list[str]:
        of_main = (await guarded.ask("GET", "/user/{user}/get_customer"))["data"]
        of_sub = (await guarded.ask("GET", "/user/{user}/get_customer", sub_user_id=sub))["data"]
        return [row["phone"] for row in (*of_main, *of_sub)]

    await guarded.ask("POST", SAVE, {**both(2), "sub_user_id": sub})
    only_the_sub = await seen()
    await guarded.ask("POST", SAVE, both(1))
    both_of_them = await seen()
    await guarded.ask("POST", SAVE, {"data": [], "code": CODE, "sub_user_id": sub})

    assert only_the_sub == [ANNA, "*******1681"]
    assert both_of_them == ["186****1681", "*******1681"]
    assert await seen() == ["186****1681", "186****1681"]


@pytest.mark.ours
async def test_another_tenant_hides_nothing_of_ours(guarded: Tenant, stranger: Tenant) -> None:
    await stranger.application.privacy.set_code(stranger.user_id, CODE)
    await stranger.ask("POST", SAVE, both())
    await guarded.ask("POST", "/user/{user}/async_customer", {"data": [{"phone": ANNA}]})

    (row,) = (await guarded.ask("GET", "/user/{user}/get_customer"))["data"]

    assert row["phone"] == ANNA


@pytest.mark.documented
@pytest.mark.parametrize("code", ["", "wrong horse", None])
async def test_a_wrong_code(guarded: Tenant, task: str, call: str, code: str | None) -> None:
    answer = await guarded.raw("POST", SAVE, {**both(), "code": code})

    assert (answer.status_code, list(answer.json()["message"])) == (422, ["code"])
    assert ANNA in (await everything_shown(guarded, task, call))["customers"]


@pytest.mark.ours
async def test_without_a_code_nothing_is_changed(tenant: Tenant) -> None:
    never_set = await tenant.raw("POST", SAVE, both())
    await tenant.application.privacy.set_code(tenant.user_id, CODE)
    await tenant.application.privacy.set_code(tenant.user_id, None)
    removed = await tenant.raw("POST", SAVE, both())

    for answer in (never_set, removed):
        assert (answer.status_code, answer.json()["message"]) == (
            422,
            {"code": ["该账户尚未设置安全码,请联系管理员设置"]},
        )


@pytest.mark.ours
async def test_a_code_that_is_too_short(tenant: Tenant) -> None:
    with pytest.raises(Invalid):
        await tenant.application.privacy.set_code(tenant.user_id, "12345")


@pytest.mark.ours
async def test_the_code_itself_is_not_kept(guarded: Tenant, pool: Pool) -> None:
    kept = await pool.fetchval("select code_hash from privacy")

    assert kept.startswith("$argon2id$")
    assert CODE not in kept


@pytest.mark.ours
@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([{"slug": "disable_everything"}], "data.0.slug"),
        ([{"slug": "disable_crm_phone", "extra": {"style": 3}}], "data.0.extra.style"),
        ([{"extra": {"style": 1}}], "data.0.slug"),
        (None, "data"),
    ],
)
async def test_settings_that_are_refused(guarded: Tenant, data: Any, field: str) -> None:
    body = {"code": CODE} if data is None else {"code": CODE, "data": data}

    answer = await guarded.raw("POST", SAVE, body)

    assert (answer.status_code, list(answer.json()["message"])) == (422, [field])


@pytest.mark.ours
async def test_receivers_are_told_whole_numbers(guarded: Tenant, task: str, call: str) -> None:
    """They are the account's own machines, which have to know whom a call went to."""
    await guarded.ask("POST", SAVE, both())
    found = await guarded.application.calls.read(guarded.user_id, task, call)
    account = await guarded.application.accounts.read(guarded.user_id)

    told = json.loads(calls_body([FinishedCall(found.call, account, "任务", 1, "话术", None, NOWHERE)], ""))

    assert told["data"][0]["number_data"]["number"] == ANNA


@pytest.mark.ours
@pytest.mark.parametrize("phones", [[ANNA], [ANNA, "13012121211"]])
async def test_batches_hide_them_from_who_asks_and_their_links_do_too(
    guarded: Tenant, line: str, phones: list[str]
) -> None:
    """A link that is pushed opens whole numbers, one that is asked for does not."""
    task = await guarded.make_v2(line)
    body = {"data": [{"phone": phone} for phone in phones], "ignore_crm": True}
    added = await guarded.ask("POST", f"/user/{{user}}/task/{task}/async_number", body)
    batch = added["data"]["unique_id"]
    pushed = (await guarded.application.callbacks.batch(guarded.user_id, batch)).key
    await guarded.ask("POST", SAVE, both())

    async def opened(key: str) -> Any:
        return (await guarded.http.get("/agent-api/download-number", params={"key": key})).json()["numbers"]

    asked = (await guarded.ask("GET", f"/user/{{user}}/identification/{batch}"))["data"]["data"]

    assert sorted(await opened(pushed)) == sorted(phones)
    seen = [asked["number"]] if len(phones) == 1 else await opened(asked["url"].partition("key=")[2])
    assert sorted(seen) == sorted(["186****1681", "130****1211"][: len(phones)])


@pytest.mark.ours
@pytest.mark.parametrize(
    ("phone", "ends", "last_four"),
    [
        ("18612341681", "186****1681", "*******1681"),
        ("18612341681_k3x", "186****1681_k3x", "*******1681_k3x"),
        ("+14155550100", "+14*****0100", "********0100"),
        ("9999999", "99***99", "*****99"),
        ("10086", "1**86", "***86"),
        ("110", "1*0", "**0"),
        ("", "", ""),
    ],
)
def test_how_phones_are_shown(phone: str, ends: str, last_four: str) -> None:
    assert shown(phone, MaskStyle.ENDS) == ends
    assert shown(phone, MaskStyle.LAST_FOUR) == last_four
    assert shown(phone, None) == phone


@pytest.mark.ours
def test_texts_that_mention_a_phone() -> None:
    assert shown_in(f"我是{ANNA}。", ANNA, MaskStyle.ENDS) == "我是186****1681。"
    assert shown_in("我是李雷。", ANNA, MaskStyle.ENDS) == "我是李雷。"
    assert shown_in("我是李雷。", "", MaskStyle.ENDS) == "我是李雷。"
