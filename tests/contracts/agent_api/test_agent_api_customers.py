"""The CRM pool: its template, who is in it, who is found, who leaves it, and who goes from it into a task."""

from typing import Any
from uuid import uuid4

import pytest
from agent_world import StandingClock, Tenant
from seeded_calls import add_call
from shapes import differences

from waihu.adapters.postgres.pool import Pool

DAY = 86_400_000
ANNA, BERT, CARL = "13012121211", "13601212345", "18912340000"
"""Of China Unicom, China Mobile and China Telecom."""

IMPORT = "/user/{user}/async_customer"
LIST = "/user/{user}/get_customer"
AT_STAGE = "/user/{user}/type/clue/get_customer"
COMPONENT = "/user/{user}/customer/component"
NOBODY = "00000000-0000-4000-8000-000000000000"


async def template(tenant: Tenant, **query: Any) -> dict[str, dict[str, Any]]:
    answer = await tenant.ask("GET", "/user/{user}/customer/create", **query)
    return {row["name"]: row for row in answer["data"]}


async def new_component(tenant: Tenant, name: str, type: str = "text", *validate: str) -> str:
    answer = await tenant.ask("POST", COMPONENT, {"name": name, "type": type, "validate": list(validate)})
    assert answer["code"] == 200, answer
    return str(answer["data"]["id"])


async def bring_in(tenant: Tenant, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await tenant.ask("POST", IMPORT, {"data": list(rows), **more})
    assert answer["code"] == 200, answer
    return answer


async def found(tenant: Tenant, path: str = LIST, body: dict[str, Any] | None = None, **query: Any) -> list[str]:
    """The phones of the customers that are found, newest first."""
    answer = await tenant.ask("GET", path, body, **query)
    assert answer["code"] == 200, answer
    assert answer["meta"]["total"] == len(answer["data"])
    return [row["phone"] for row in answer["data"]]


async def id_of(tenant: Tenant, phone: str) -> str:
    (row,) = (await tenant.ask("GET", LIST, phone=phone))["data"]
    return str(row["id"])


async def detail(tenant: Tenant, phone: str) -> dict[str, Any]:
    answer = await tenant.ask("GET", f"/user/{{user}}/customer/detail/{await id_of(tenant, phone)}")
    return dict(answer["data"])


# Template


@pytest.mark.documented
async def test_the_published_template(tenant: Tenant) -> None:
    await new_component(tenant, "数字", "number", "integer")
    await new_component(tenant, "日期", "date", "date", "sometimes")

    answer = await tenant.ask("GET", "/user/{user}/customer/create")

    assert answer["message"] == "查看公海创建模板成功"
    assert [{key: row[key] for key in ("name", "type", "validate")} for row in answer["data"][-2:]] == [
        {"name": "数字", "type": "number", "validate": ["integer"]},
        {"name": "日期", "type": "date", "validate": ["date", "sometimes"]},
    ]
    assert all(list(row) == ["id", "name", "type", "sort", "validate"] for row in answer["data"])


@pytest.mark.ours
async def test_every_pool_begins_with_the_usual_components(tenant: Tenant) -> None:
    assert [(name, row["type"], row["sort"]) for name, row in (await template(tenant)).items()] == [
        ("姓名", "text", 0),
        ("公司", "text", 1),
        ("邮箱", "text", 2),
    ]


@pytest.mark.ours
async def test_a_component_of_ones_own(tenant: Tenant) -> None:
    component = await new_component(tenant, "订单号", "number")

    changed = await tenant.ask("PUT", f"{COMPONENT}/{component}", {"name": "单号", "type": "text", "sort": -1})
    names = list(await template(tenant))
    removed = await tenant.ask("DELETE", f"{COMPONENT}/{component}")

    assert (changed["data"]["name"], changed["data"]["type"]) == ("单号", "text")
    assert names == ["单号", "姓名", "公司", "邮箱"]
    assert removed["code"] == 200
    assert list(await template(tenant)) == ["姓名", "公司", "邮箱"]


@pytest.mark.ours
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "type": "text"}, "name"),
        ({"name": "姓名", "type": "text"}, "name"),
        ({"name": "手机号", "type": "text"}, "name"),
        ({"name": "长" * 51, "type": "text"}, "name"),
        ({"name": "新", "type": "color"}, "type"),
        ({"name": "新", "type": "text", "validate": ["unique"]}, "validate"),
        ({"name": "新", "type": "text", "validate": ["integer"]}, "validate"),
        ({"name": "新", "type": "number", "validate": ["date"]}, "validate"),
        ({"type": "text"}, "name"),
    ],
)
async def test_a_component_that_is_refused(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = await tenant.raw("POST", COMPONENT, body)

    assert (answer.status_code, list(answer.json()["message"])) == (422, [field])


@pytest.mark.ours
async def test_what_a_built_in_component_allows(tenant: Tenant) -> None:
    name = (await template(tenant))["姓名"]["id"]

    required = await tenant.raw("PUT", f"{COMPONENT}/{name}", {"validate": ["required"]})
    renamed = await tenant.raw("PUT", f"{COMPONENT}/{name}", {"name": "名字"})
    removed = await tenant.raw("DELETE", f"{COMPONENT}/{name}")

    assert (required.status_code, renamed.status_code, removed.status_code) == (200, 422, 409)


@pytest.mark.ours
async def test_the_template_is_the_main_accounts(tenant: Tenant, stranger: Tenant) -> None:
    component = await new_component(tenant, "订单号")
    sub = await tenant.add_sub_account()

    seen = await template(tenant, sub_user_id=sub)
    added = await tenant.raw("POST", COMPONENT, {"name": "新", "type": "text", "sub_user_id": sub})
    foreign = await stranger.raw("DELETE", f"{COMPONENT}/{component}")

    assert "订单号" in seen
    assert (added.status_code, added.json()["message"]) == (409, "公海模板属于主账户,子账户不能修改")
    assert (foreign.status_code, foreign.json()["message"]) == (404, "公海组件不存在")


# Import


@pytest.mark.documented
async def test_the_published_import(tenant: Tenant) -> None:
    calf = await new_component(tenant, "昵称")

    await bring_in(
        tenant,
        {
            "name": "联系人1",
            "phone": ANNA,
            "company": "xxx公司",
            "email": "12345@qq.com",
            "sex": 0,
            "sort": 0,
            "source_id": 1,
            "industry_id": 2,
            "grade_id": 1,
            "extra": "0c51fc89-f6cf-405b-bb36-2c06900c3b5e",
            "components": [{"id": calf, "value": "小牛"}],
        },
        encryption=False,
    )

    known = await detail(tenant, ANNA)
    assert {key: known[key] for key in ("name", "phone", "company", "email", "sex", "sort")} == {
        "name": "联系人1",
        "phone": ANNA,
        "company": "xxx公司",
        "email": "12345@qq.com",
        "sex": 0,
        "sort": 0,
    }
    assert (known["source_id"], known["industry_id"], known["grade_id"]) == (1, 2, 1)
    assert known["extra"] == "0c51fc89-f6cf-405b-bb36-2c06900c3b5e"
    assert {each["name"]: each["value"] for each in known["components"]} == {
        "姓名": "联系人1",
        "公司": "xxx公司",
        "邮箱": "12345@qq.com",
        "昵称": "小牛",
    }


@pytest.mark.assumed
async def test_a_phone_that_is_in_the_pool_is_brought_up_to_date(tenant: Tenant) -> None:
    order, city = await new_component(tenant, "订单号"), await new_component(tenant, "城市")
    await bring_in(
        tenant,
        {"phone": ANNA, "name": "李雷", "company": "甲", "components": [{"id": order, "value": "1"}]},
    )
    before = await detail(tenant, ANNA)

    await bring_in(tenant, {"phone": f"+86 {ANNA}", "company": "乙", "components": [{"id": city, "value": "邢台"}]})

    after = await detail(tenant, ANNA)
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert (after["name"], after["company"]) == ("李雷", "乙")
    assert {each["name"]: each["value"] for each in after["components"]} == {
        "姓名": "李雷",
        "公司": "乙",
        "订单号": "1",
        "城市": "邢台",
    }


@pytest.mark.ours
async def test_of_rows_with_one_phone_the_last_counts(tenant: Tenant) -> None:
    await bring_in(tenant, {"phone": ANNA, "name": "第一"}, {"phone": ANNA, "name": "第二"})

    assert (await detail(tenant, ANNA))["name"] == "第二"


@pytest.mark.documented
@pytest.mark.parametrize(
    ("type", "validate", "value", "is_taken"),
    [
        ("text", [], "随便", True),
        ("text", ["required"], "", False),
        ("text", ["required"], None, False),
        ("text", ["sometimes"], "", True),
        ("number", [], "12.5", True),
        ("number", [], 12, True),
        ("number", [], "十二", False),
        ("number", [], "", True),
        ("number", ["integer"], "12", True),
        ("number", ["integer"], "12.5", False),
        ("date", ["date"], "2026-02-28", True),
        ("date", ["date"], "2026-02-28 12:00:00", True),
        ("date", ["date"], "2026-02-30", False),
        ("date", ["date"], "昨天", False),
    ],
)
async def test_what_a_component_takes(
    tenant: Tenant, type: str, validate: list[str], value: Any, is_taken: bool
) -> None:
    component = await new_component(tenant, "组件", type, *validate)

    answer = await tenant.raw(
        "POST", IMPORT, {"data": [{"phone": ANNA, "components": [{"id": component, "value": value}]}]}
    )

    assert answer.status_code == (200 if is_taken else 422)
    if not is_taken:
        assert list(answer.json()["message"]) == ["data.0.components.0.value"]


@pytest.mark.ours
async def test_a_required_component_must_be_there_unless_it_is_required_only_sometimes(tenant: Tenant) -> None:
    component = await new_component(tenant, "订单号", "text", "required")

    missing = await tenant.ask("POST", IMPORT, {"data": [{"phone": ANNA}]})
    await tenant.ask("PUT", f"{COMPONENT}/{component}", {"validate": ["required", "sometimes"]})
    sometimes = await tenant.ask("POST", IMPORT, {"data": [{"phone": ANNA}]})

    assert missing["message"] == {"data.0.components": ["订单号 不能为空"]}
    assert sometimes["code"] == 200


@pytest.mark.ours
async def test_a_built_in_component_and_its_field_are_the_same(tenant: Tenant) -> None:
    name = (await template(tenant))["姓名"]["id"]
    await tenant.ask("PUT", f"{COMPONENT}/{name}", {"validate": ["required"]})

    await bring_in(
        tenant,
        {"phone": ANNA, "name": "李雷"},
        {"phone": BERT, "components": [{"id": name, "value": "韩梅梅"}]},
    )

    assert (await detail(tenant, BERT))["name"] == "韩梅梅"
    assert await found(tenant, body={"components": [{"id": name, "value": "李雷"}]}) == [ANNA]


@pytest.mark.assumed
async def test_one_wrong_row_fails_all_and_every_problem_is_named(tenant: Tenant) -> None:
    rows = [
        {"phone": ANNA},
        {"phone": "没有号码", "sex": 7},
        {"phone": BERT, "name": "长" * 101, "components": [{"id": NOBODY, "value": "1"}]},
    ]

    answer = await tenant.ask("POST", IMPORT, {"data": rows})

    assert (answer["code"], sorted(answer["message"])) == (
        422,
        ["data.1.phone", "data.1.sex", "data.2.components.0.id", "data.2.name"],
    )
    assert await found(tenant) == []


@pytest.mark.ours
async def test_wrong_rows_are_skipped_on_request(tenant: Tenant) -> None:
    answer = await bring_in(tenant, {"phone": ANNA}, {"phone": "没有号码"}, skip_error=True)

    assert answer["data"] == {
        "total": 2,
        "success": 1,
        "fail": 1,
        "errors": [{"index": 1, "phone": "没有号码", "field": "phone", "message": "号码格式不正确"}],
    }
    assert await found(tenant) == [ANNA]


@pytest.mark.documented
async def test_how_many_rows_one_call_takes(tenant: Tenant) -> None:
    rows = [{"phone": f"130{number:08}"} for number in range(201)]

    too_many = await tenant.ask("POST", IMPORT, {"data": rows})
    none = await tenant.ask("POST", IMPORT, {"data": []})
    await bring_in(tenant, *rows[:200])

    assert list(too_many["message"]) == list(none["message"]) == ["data"]
    assert (await tenant.ask("GET", LIST))["meta"]["total"] == 200


@pytest.mark.documented
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", IMPORT, {"data": [{"phone": ANNA}]}),
        ("GET", LIST, {}),
        ("GET", AT_STAGE, {}),
        ("DELETE", "/user/{user}/del_customer", {"phone": [ANNA]}),
        ("GET", f"/user/{{user}}/customer_to_task/{NOBODY}", {}),
    ],
)
async def test_encrypted_values_are_refused(tenant: Tenant, method: str, path: str, body: dict[str, Any]) -> None:
    answer = await tenant.raw(method, path, {**body, "encryption": True})

    assert (answer.status_code, list(answer.json()["message"])) == (422, ["encryption"])


# Lists


@pytest.mark.documented
async def test_the_published_list(tenant: Tenant) -> None:
    await bring_in(tenant, {"phone": ANNA, "company": "xxx公司", "email": "123456@qq.com", "sort": 1})

    answer = await tenant.ask("GET", LIST, page=1)

    example = {
        "code": 200,
        "status": "success",
        "message": "筛选客户公海列表成功",
        "meta": {"has_pages": False, "total": 6, "last_page": 1, "current_page": 1, "per_page": 15},
        "data": [
            {
                "id": "bb83e44b-5158-47d3-862f-0579e95df0cf",
                "user_id": "f00c8abc-433f-4666-a9d6-70479605ced1",
                "phone": ANNA,
                "company": "xxx公司",
                "email": "123456@qq.com",
                "sort": 1,
                "created_at": "2021-06-30 13:01:03",
                "updated_at": "2021-06-30 13:29:03",
                "province_id": 465,
                # The vendor's own numbers of cities are not known.
                "city_id": None,
                "operator": 1,
                "extra": None,
                "operator_name": "电信",
            }
        ],
    }
    assert differences(example, answer) == []
    assert answer["message"] == example["message"]
    (row,) = answer["data"]
    assert (row["operator"], row["operator_name"], row["province_id"]) == (2, "联通", 13)


@pytest.mark.documented
async def test_the_published_detail(tenant: Tenant) -> None:
    await bring_in(tenant, {"phone": ANNA, "name": "ai_7227840"})

    answer = await tenant.ask("GET", f"/user/{{user}}/customer/detail/{await id_of(tenant, ANNA)}")

    example = {
        "id": "780f7216-b131-462b-ba30-de7cd1f527de",
        "user_id": "4fab5764-63c4-4d36-b4ef-1dcb670df629",
        "created_user_id": "4fab5764-63c4-4d36-b4ef-1dcb670df629",
        "phone": ANNA,
        "company": None,
        "email": None,
        "is_back": 0,
        "source_id": 715,
        "industry_id": 1167,
        "grade_id": 66,
        "name": "ai_7227840",
        "sort": 0,
        "created_at": "2023-09-21 11:23:12",
        "updated_at": "2023-10-11 10:18:55",
        "inputted_at": "2023-09-21 11:23:12",
        "viewed_at": None,
        "province_id": 71,
        "city_id": None,
        "operator": 3,
        "flow": 0,
        "extra": None,
        "sex": 0,
        "expect_transaction_at": None,
        "expect_transaction_fee": "0.00",
        "unfollow_back_at": None,
        "unsettled_back_at": None,
        "followed_at": None,
    }
    assert answer["message"] == "查看客户详情成功"
    components = answer["data"].pop("components")
    assert differences(example, answer["data"]) == []
    assert list(answer["data"]) == list(example)
    (name,) = components
    assert list(name)[:4] == ["id", "user_id", "name", "type"]
    assert (name["user_id"], name["name"], name["type"], name["value"]) == (
        tenant.user_id,
        "姓名",
        "text",
        "ai_7227840",
    )


@pytest.mark.assumed
async def test_a_customer_without_a_name_has_one_made_up(tenant: Tenant) -> None:
    await bring_in(tenant, {"phone": ANNA})

    known = await detail(tenant, ANNA)

    assert known["name"] == f"{ANNA}_{known['id'][:8]}"


@pytest.fixture
async def three(tenant: Tenant, clock: StandingClock) -> Tenant:
    """Anna, Bert and Carl, a day apart, Carl last."""
    level = await new_component(tenant, "级别")
    await bring_in(
        tenant,
        {
            "phone": ANNA,
            "email": "anna@example.com",
            "company": "甲公司",
            "sex": 2,
            "components": [{"id": level, "value": "金"}],
        },
    )
    clock.now += DAY
    await bring_in(
        tenant,
        {"phone": BERT, "email": "bert@example.com", "sex": 1, "components": [{"id": level, "value": "金"}]},
    )
    clock.now += DAY
    await bring_in(tenant, {"phone": CARL, "company": "乙公司%", "components": [{"id": level, "value": "银"}]})
    return tenant


@pytest.mark.documented
@pytest.mark.parametrize(
    ("query", "phones"),
    [
        ({}, [CARL, BERT, ANNA]),
        ({"phone": BERT}, [BERT]),
        ({"phone": f"+86{BERT}"}, [BERT]),
        ({"phone": "13"}, [BERT, ANNA]),
        ({"phone": "0000"}, []),
        ({"email": "anna@example.com"}, [ANNA]),
        ({"email": "b"}, [BERT]),
        ({"company": "甲"}, [ANNA]),
        ({"company": "乙公司%"}, [CARL]),
        ({"company": "%"}, []),
        ({"created_at": ["2026-03-05 00:00:00", "2026-03-05 23:59:59"]}, [BERT]),
        ({"created_at": ["2026-03-04 12:00:00", "2026-03-05 12:00:00"]}, [BERT, ANNA]),
        ({"created_at": ["2026-03-05", "2026-03-06"]}, [CARL, BERT]),
        ({"operator": [1]}, [CARL]),
        ({"operator": [2, 3]}, [BERT, ANNA]),
        ({"operator": [3], "phone": "130"}, []),
    ],
)
async def test_the_filters(three: Tenant, query: dict[str, Any], phones: list[str]) -> None:
    """In a JSON body, as in the vendor's examples, and in the query, as PHP writes it."""
    in_query = {f"{name}[]" if isinstance(value, list) else name: value for name, value in query.items()}

    assert await found(three, body=query) == phones
    assert await found(three, **in_query) == phones


@pytest.mark.documented
async def test_the_filter_by_components(three: Tenant) -> None:
    rows = await template(three)
    level, company = rows["级别"]["id"], rows["公司"]["id"]

    async def having(*values: tuple[str, str]) -> list[str]:
        return await found(three, body={"components": [{"id": id, "value": value} for id, value in values]})

    assert await having((level, "金")) == [BERT, ANNA]
    assert await having((level, "金"), (company, "甲公司")) == [ANNA]
    assert await having((level, "铜")) == []
    in_query = await found(three, **{"components[0][id]": level, "components[0][value]": "银"})
    assert in_query == [CARL]


@pytest.mark.documented
@pytest.mark.parametrize(
    ("query", "phones"),
    [
        ({"sex[]": [1, 2]}, [BERT, ANNA]),
        ({"sex[]": [0]}, [CARL]),
        ({"ai_call": 1}, [BERT]),
        ({"ai_call": 0}, [CARL, ANNA]),
        ({"is_follow": 0}, [CARL, BERT, ANNA]),
        ({"is_follow": 1}, []),
        ({"ai_call": 1, "operator[]": [3], "sex[]": [1]}, [BERT]),
    ],
)
async def test_the_filters_at_a_stage(three: Tenant, pool: Pool, query: dict[str, Any], phones: list[str]) -> None:
    await pool.execute("insert into customer_call select id, now() from customer where phone = $1", BERT)

    assert await found(three, AT_STAGE, **query) == phones


@pytest.mark.documented
async def test_the_published_row_of_a_stage(three: Tenant) -> None:
    answer = await three.ask("GET", AT_STAGE, page=1, per_page=1)

    assert answer["message"] == "筛选客户公海列表成功"
    assert answer["meta"] == {"has_pages": True, "total": 3, "last_page": 3, "current_page": 1, "per_page": "1"}
    (row,) = answer["data"]
    assert list(row)[:14] == [
        *("id", "user_id", "created_user_id", "phone", "company", "email", "is_back", "source_id", "industry_id"),
        *("grade_id", "name", "sort", "created_at", "updated_at"),
    ]
    assert (row["source_id"], row["industry_id"], row["grade_id"], row["is_back"]) == (0, 0, 0, 0)


@pytest.mark.assumed
async def test_nobody_is_at_another_stage(three: Tenant) -> None:
    assert await found(three, "/user/{user}/type/customer/get_customer") == []


@pytest.mark.ours
@pytest.mark.parametrize(
    ("path", "query", "fields"),
    [
        (LIST, {"operator": [4]}, ["operator"]),
        (LIST, {"created_at": ["2026-03-04 12:00:00"]}, ["created_at"]),
        (LIST, {"created_at": ["昨天", "今天"]}, ["created_at"]),
        (LIST, {"created_at": ["2026-03-05", "2026-03-04"]}, ["created_at"]),
        (LIST, {"components": [{"id": NOBODY, "value": "1"}]}, ["components.0.id"]),
        (LIST, {"page": 0}, ["page"]),
        (LIST, {"per_page": 501}, ["per_page"]),
        (AT_STAGE, {"sex": [3]}, ["sex"]),
        (AT_STAGE, {"is_follow": 2, "ai_call": 2}, ["ai_call", "is_follow"]),
    ],
)
async def test_filters_that_are_refused(tenant: Tenant, path: str, query: dict[str, Any], fields: list[str]) -> None:
    answer = await tenant.raw("GET", path, query)

    assert (answer.status_code, sorted(answer.json()["message"])) == (422, fields)


@pytest.mark.ours
async def test_a_filter_by_a_component_without_a_value(tenant: Tenant) -> None:
    name = (await template(tenant))["姓名"]["id"]

    answer = await tenant.raw("GET", LIST, {"components": [{"id": name}]})

    assert list(answer.json()["message"]) == ["components.0.value"]


# Whose they are


@pytest.mark.assumed
async def test_a_main_account_sees_all_of_its_pool_and_a_sub_account_its_own(tenant: Tenant) -> None:
    sub, other = await tenant.add_sub_account("一"), await tenant.add_sub_account("二")
    await bring_in(tenant, {"phone": ANNA})
    await bring_in(tenant, {"phone": BERT}, sub_user_id=sub)
    await bring_in(tenant, {"phone": CARL}, sub_user_id=other)

    async def seen(path: str, **query: Any) -> list[str]:
        return sorted(await found(tenant, path, **query))

    assert await seen(LIST) == [ANNA, BERT, CARL]
    assert await seen(LIST, sub_user_id=sub) == [BERT]
    assert await seen(AT_STAGE, sub_user_id=other) == [CARL]
    bert = await id_of(tenant, BERT)
    assert (await tenant.raw("GET", f"/user/{{user}}/customer/detail/{bert}", sub_user_id=sub)).status_code == 200
    assert (await tenant.raw("GET", f"/user/{{user}}/customer/detail/{bert}", sub_user_id=other)).status_code == 404


@pytest.mark.assumed
async def test_two_accounts_of_a_pool_may_know_the_same_person_apart(tenant: Tenant) -> None:
    sub = await tenant.add_sub_account()
    await bring_in(tenant, {"phone": ANNA, "name": "主账户的"})
    await bring_in(tenant, {"phone": ANNA, "name": "子账户的"}, sub_user_id=sub)

    (own,) = (await tenant.ask("GET", AT_STAGE, sub_user_id=sub))["data"]

    assert (own["name"], own["user_id"]) == ("子账户的", sub)
    assert {row["name"] for row in (await tenant.ask("GET", AT_STAGE))["data"]} == {"主账户的", "子账户的"}


@pytest.mark.ours
async def test_a_customer_of_another_tenant_is_not_there(tenant: Tenant, stranger: Tenant) -> None:
    await bring_in(tenant, {"phone": ANNA})
    anna = await id_of(tenant, ANNA)

    read = await stranger.raw("GET", f"/user/{{user}}/customer/detail/{anna}")
    await stranger.ask("DELETE", "/user/{user}/del_customer", {"phone": [ANNA]})

    assert (read.status_code, read.json()["message"]) == (404, "客户不存在")
    assert await found(stranger) == []
    assert await found(tenant) == [ANNA]


@pytest.mark.ours
@pytest.mark.parametrize("id", [NOBODY, "17", "x"])
async def test_ids_of_nobody(tenant: Tenant, id: str) -> None:
    assert (await tenant.raw("GET", f"/user/{{user}}/customer/detail/{id}")).status_code == 404


# Deletion


@pytest.mark.documented
@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({}, [CARL, BERT, ANNA]),
        ({"phone": [], "created_at": []}, [CARL, BERT, ANNA]),
        ({"phone": [ANNA, f"+86{BERT}", "没有号码"]}, [CARL]),
        ({"phone": ["没有号码"]}, [CARL, BERT, ANNA]),
        ({"created_at": ["2026-03-05 00:00:00", "2026-03-06 23:59:59"]}, [ANNA]),
        ({"phone": [ANNA, BERT], "created_at": ["2026-03-05 00:00:00", "2026-03-06 23:59:59"]}, [CARL, ANNA]),
    ],
)
async def test_who_is_deleted(three: Tenant, body: dict[str, Any], left: list[str]) -> None:
    answer = await three.ask("DELETE", "/user/{user}/del_customer", body)

    assert (answer["code"], answer["data"]) == (200, {"total": 3 - len(left)})
    assert await found(three) == left


@pytest.mark.documented
async def test_how_many_phones_a_deletion_takes(tenant: Tenant) -> None:
    answer = await tenant.ask("DELETE", "/user/{user}/del_customer", {"phone": [ANNA] * 101})

    assert list(answer["message"]) == ["phone"]


@pytest.mark.ours
async def test_a_sub_account_deletes_only_its_own(tenant: Tenant) -> None:
    sub = await tenant.add_sub_account()
    await bring_in(tenant, {"phone": ANNA}, {"phone": BERT})

    await tenant.ask("DELETE", "/user/{user}/del_customer", {"phone": [ANNA], "sub_user_id": sub})

    assert await found(tenant) == [BERT, ANNA]


# Into a task


async def to_task(tenant: Tenant, task: str, body: dict[str, Any] | None = None, **query: Any) -> str:
    answer = await tenant.ask("GET", f"/user/{{user}}/customer_to_task/{task}", body, **query)
    assert (answer["code"], answer["message"]) == (200, "号码导入任务信息请在回调中查收"), answer
    assert list(answer["data"]) == ["unique_id"]
    return str(answer["data"]["unique_id"])


async def numbers(tenant: Tenant, task: str) -> list[dict[str, Any]]:
    return list((await tenant.ask("GET", f"/user/{{user}}/task/{task}/number", page=1))["data"])


async def progress(tenant: Tenant, task: str, batch: str) -> dict[str, Any]:
    answer = await tenant.ask("GET", f"/user/{{user}}/customer_to_task/{task}/{batch}")
    shown = answer["data"]
    return {key: shown[key] for key in ("is_finished", "success", "duplicate", "do_not_call")}


@pytest.mark.documented
async def test_chosen_customers_go_into_a_task(three: Tenant, line: str, pool: Pool) -> None:
    task = await three.make_v2(line)
    level = (await template(three))["级别"]["id"]

    batch = await to_task(three, task, {"components": [{"id": level, "value": "金"}], "operator": [2, 3]})
    waiting = await progress(three, task, batch)
    await three.application.enrolments.move_all()

    assert waiting == {"is_finished": False, "success": 0, "duplicate": 0, "do_not_call": 0}
    assert await progress(three, task, batch) == {
        "is_finished": True,
        "success": 2,
        "duplicate": 0,
        "do_not_call": 0,
    }
    assert [row["number"] for row in await numbers(three, task)] == [ANNA, BERT]
    anna = await pool.fetchrow("select name, variables, customer_id from contact where key = $1", ANNA)
    assert anna is not None
    assert anna["variables"] == {"公司": "甲公司", "邮箱": "anna@example.com", "级别": "金"}
    assert str(anna["customer_id"]) == await id_of(three, ANNA)


@pytest.mark.ours
async def test_who_is_turned_away_by_a_task_is_counted(three: Tenant, line: str, pool: Pool) -> None:
    task = await three.make_v2(line)
    await three.ask("POST", f"/user/{{user}}/task/{task}/number", {"ignore_crm": True, "data": [{"phone": ANNA}]})
    await pool.execute("insert into do_not_call (account_id, phone) values ($1, $2)", three.user_id, BERT)

    batch = await to_task(three, task)
    await three.application.enrolments.move_all()

    assert await progress(three, task, batch) == {
        "is_finished": True,
        "success": 1,
        "duplicate": 1,
        "do_not_call": 1,
    }
    assert [row["number"] for row in await numbers(three, task)] == [ANNA, CARL]


@pytest.mark.ours
async def test_many_go_in_portions_and_who_comes_later_stays(
    tenant: Tenant, line: str, pool: Pool, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waihu.application.enrolments.PORTION", 7)
    phones = [f"130{number:08}" for number in range(50)]
    await bring_in(tenant, *({"phone": phone} for phone in phones))
    task = await tenant.make_v2(line)

    batch = await to_task(tenant, task)
    clock.now += 1
    await bring_in(tenant, {"phone": CARL})
    await tenant.application.enrolments.move_all()

    assert (await progress(tenant, task, batch))["success"] == 50
    in_order = await pool.fetch("select key from contact order by position")
    assert [row["key"] for row in in_order] == phones


@pytest.mark.ours
async def test_what_was_interrupted_goes_on_where_it_was(
    tenant: Tenant, line: str, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies in the midst of it has committed whole portions, and the next one takes over."""
    await bring_in(tenant, *({"phone": f"130{number:08}"} for number in range(20)))
    task = await tenant.make_v2(line)
    batch = await to_task(tenant, task)

    assert await tenant.application.enrolments._book.enrol(batch, 7)
    assert (await progress(tenant, task, batch)) == {
        "is_finished": False,
        "success": 7,
        "duplicate": 0,
        "do_not_call": 0,
    }
    await tenant.application.enrolments.move_all()

    assert (await progress(tenant, task, batch)) == {
        "is_finished": True,
        "success": 20,
        "duplicate": 0,
        "do_not_call": 0,
    }
    assert await pool.fetchval("select count(*) from contact") == 20


@pytest.mark.ours
async def test_a_task_that_is_deleted_meanwhile_ends_it(tenant: Tenant, line: str) -> None:
    await bring_in(tenant, {"phone": ANNA})
    task = await tenant.make_v2(line)
    batch = await to_task(tenant, task)
    await tenant.ask("DELETE", f"/new/user/{{user}}/task/{task}")

    await tenant.application.enrolments.move_all()

    assert (await progress(tenant, task, batch))["is_finished"]


@pytest.mark.assumed
async def test_a_running_2_0_task_takes_no_customers(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)
    await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")

    answer = await tenant.ask("GET", f"/user/{{user}}/customer_to_task/{task}")

    assert answer["code"] == 6007


@pytest.mark.ours
async def test_a_task_of_another_tenant_is_not_there(tenant: Tenant, stranger: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)
    batch = await to_task(tenant, task)

    into = await stranger.raw("GET", f"/user/{{user}}/customer_to_task/{task}")
    looked = await stranger.raw("GET", f"/user/{{user}}/customer_to_task/{task}/{batch}")
    other_task = await tenant.raw("GET", f"/user/{{user}}/customer_to_task/{uuid4()}/{batch}")

    assert (into.status_code, looked.status_code, other_task.status_code) == (404, 404, 404)


# Numbers through the CRM


async def add(tenant: Tenant, task: str, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(await tenant.ask("POST", f"/user/{{user}}/task/{task}/number", {"data": list(rows), **more}))


@pytest.mark.documented
async def test_numbers_go_into_the_pool_first(tenant: Tenant, line: str, pool: Pool) -> None:
    order = await new_component(tenant, "订单号", "number")
    task = await tenant.make_v2(line)

    answer = await add(
        tenant,
        task,
        {"phone": ANNA, "name": "李雷", "company": "甲", "components": [{"id": order, "value": "17"}]},
    )

    assert answer["code"] == 200, answer
    anna = await id_of(tenant, ANNA)
    (number,) = await numbers(tenant, task)
    assert number["customer_id"] == anna
    contact = await pool.fetchrow("select variables, customer_id from contact")
    assert contact is not None
    assert contact["variables"] == {"公司": "甲", "订单号": "17"}
    assert (await detail(tenant, ANNA))["company"] == "甲"


@pytest.mark.documented
async def test_numbers_that_are_to_stay_out_of_the_pool(tenant: Tenant, line: str, pool: Pool) -> None:
    """What scripts commonly say comes along all the same; components would need the pool."""
    order = await new_component(tenant, "订单号")
    task = await tenant.make_v2(line)

    await add(
        tenant,
        task,
        {"phone": ANNA, "company": "甲", "components": [{"id": order, "value": "17"}]},
        ignore_crm=True,
    )

    assert await found(tenant) == []
    assert await pool.fetchval("select variables from contact") == {"公司": "甲"}
    (number,) = await numbers(tenant, task)
    assert len(number["customer_id"]) == len(NOBODY)


@pytest.mark.documented
async def test_one_wrong_row_keeps_all_out_of_the_pool_and_the_task(tenant: Tenant, line: str) -> None:
    order = await new_component(tenant, "订单号", "number")
    task = await tenant.make_v2(line)
    wrong = {"phone": BERT, "components": [{"id": order, "value": "x"}]}

    of_a_component = await add(tenant, task, {"phone": ANNA}, wrong, {"phone": "x"})
    of_the_task = await add(tenant, task, {"phone": ANNA}, {"phone": ANNA})

    assert of_a_component["message"] == {
        "data.1.components.0.value": ["订单号 必须是数字"],
        "data.2.phone": ["号码格式不正确"],
    }
    assert of_the_task["message"] == {"data.1.phone": ["号码重复"]}
    assert await found(tenant) == []
    assert await numbers(tenant, task) == []


@pytest.mark.assumed
async def test_wrong_rows_that_are_skipped_are_in_neither(tenant: Tenant, line: str, pool: Pool) -> None:
    """A number that the task does not take, in it already or not to be called, is in the pool all the same."""
    order = await new_component(tenant, "订单号", "number")
    task = await tenant.make_v2(line)
    await pool.execute("insert into do_not_call (account_id, phone) values ($1, $2)", tenant.user_id, CARL)
    wrong = {"phone": BERT, "components": [{"id": order, "value": "x"}]}

    answer = await add(tenant, task, {"phone": ANNA}, wrong, {"phone": CARL}, skip_error=True)

    assert (answer["data"]["success"], answer["data"]["fail"]) == (1, 2)
    assert sorted(await found(tenant)) == [ANNA, CARL]
    assert [row["number"] for row in await numbers(tenant, task)] == [ANNA]


@pytest.mark.assumed
async def test_a_component_that_is_required_is_not_asked_for_with_numbers(tenant: Tenant, line: str) -> None:
    """A public client sends a phone and its own reference, and nothing else."""
    await new_component(tenant, "订单号", "text", "required")
    task = await tenant.make_v2(line)

    answer = await add(tenant, task, {"phone": ANNA, "sort": 0, "extra": "x"})

    assert answer["code"] == 200


@pytest.mark.ours
async def test_one_person_with_several_suffixes_is_one_customer(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)

    await add(tenant, task, {"phone": ANNA}, {"phone": ANNA}, number_add_suffix=True)

    assert await found(tenant) == [ANNA]
    anna = await id_of(tenant, ANNA)
    assert [row["customer_id"] for row in await numbers(tenant, task)] == [anna, anna]


@pytest.mark.ours
async def test_numbers_of_a_sub_accounts_task_are_its_customers(tenant: Tenant, line: str) -> None:
    sub = await tenant.add_sub_account()
    init = (await tenant.ask("GET", "/new/user/{user}/task/create", sub_user_id=sub))["data"]
    task = await tenant.make_v2(
        line,
        sub_user_id=sub,
        destination_extension=init["outbound_group"][0]["id"],
        dial_time_id=init["task_dial_times"][0]["id"],
    )

    await add(tenant, task, {"phone": ANNA}, sub_user_id=sub)

    (row,) = (await tenant.ask("GET", LIST))["data"]
    assert row["user_id"] == sub


@pytest.mark.ours
async def test_the_asynchronous_call_goes_through_the_pool_too(tenant: Tenant, line: str) -> None:
    task = await tenant.make_v2(line)

    await tenant.ask("POST", f"/user/{{user}}/task/{task}/async_number", {"data": [{"phone": ANNA}, {"phone": "x"}]})

    assert await found(tenant) == [ANNA]


# Calls to customers


@pytest.fixture
async def called(tenant: Tenant, line: str, pool: Pool) -> dict[str, str]:
    """A call to Anna, who came in through the pool with an order number; ids of the task and the call."""
    order = await new_component(tenant, "订单号")
    task = await tenant.make_v2(line)
    await add(
        tenant,
        task,
        {
            "phone": ANNA,
            "name": "李雷",
            "company": "甲",
            "email": "anna@example.com",
            "sex": 1,
            "extra": "我的编号",
            "components": [{"id": order, "value": "17"}],
        },
    )
    call = await add_call(pool, task, line, phone=f"{ANNA}_x", extra="我的编号", name=None)
    await pool.execute("update attempt set phone = $1", ANNA)
    await pool.execute("update contact set customer_id = (select id from customer)")
    return {"task": task, "call": call.id, "order": order}


@pytest.mark.observed
async def test_a_call_shows_the_customer(tenant: Tenant, called: dict[str, str]) -> None:
    anna = await id_of(tenant, ANNA)
    order = {"id": called["order"], "name": "订单号", "type": "text", "value": "17"}

    answer = await tenant.ask("GET", f"/user/{{user}}/task/{called['task']}/detail/{called['call']}")
    (row,) = (await tenant.ask("GET", f"/user/{{user}}/task/{called['task']}/record"))["data"]

    shown = answer["data"]
    record, known = shown["info"]["record"], shown["info"]["record"]["crm_customer"]
    assert shown["is_crm_exists"] is True
    assert shown["mobile_info"] == {"mobile_type": "联通", "province": "河北", "city": "邢台"}
    assert (record["customer_id"], record["operator"], record["province_id"]) == (anna, 2, 13)
    assert (known["id"], known["name"], known["email"], known["sex"]) == (anna, "李雷", "anna@example.com", 1)
    assert known["extra"] == "我的编号"
    assert order in known["components"]
    assert (row["customer_id"], row["name"], row["operator_name"]) == (anna, "李雷", "联通")
    assert order in row["components"]


@pytest.mark.assumed
async def test_a_call_outlives_its_customer(tenant: Tenant, called: dict[str, str]) -> None:
    anna = await id_of(tenant, ANNA)
    await tenant.ask("DELETE", "/user/{user}/del_customer", {"phone": [ANNA]})

    shown = (await tenant.ask("GET", f"/user/{{user}}/task/{called['task']}/detail/{called['call']}"))["data"]

    assert shown["is_crm_exists"] is False
    record = shown["info"]["record"]
    assert record["customer_id"] == record["crm_customer"]["id"] == anna
    assert (record["crm_customer"]["phone"], record["crm_customer"]["components"]) == (ANNA, [])


# What is told


@pytest.mark.documented
async def test_the_result_is_told(three: Tenant, line: str, pool: Pool) -> None:
    await pool.execute("update account set callback_url = 'https://receiver.example.com' where id = $1", three.user_id)
    task = await three.make_v2(line)
    before = await pool.fetchval("select count(*) from callback")
    batch = await to_task(three, task, {"operator": [2, 3]})
    nobody = await to_task(three, task, {"phone": "0"})

    await three.application.enrolments.move_all()

    told = await pool.fetch("select kind, body from callback order by id offset $1", before)
    assert {row["kind"] for row in told} == {"numbers_changed"}
    assert sorted(row["body"]["batch"] for row in told) == sorted([batch, nobody])
    body = (await three.ask("GET", f"/user/{{user}}/identification/{batch}"))["data"]
    link = body.pop("data")["url"]
    assert body == {
        "mode": "batch",
        "type": "api_customer_to_task",
        "unique_id": batch,
        "user_id": three.user_id,
        "task_id": task,
    }
    downloaded = await three.http.get(link.removeprefix("https://calls.example.com"))
    assert downloaded.json() == {"numbers": [ANNA, BERT]}
