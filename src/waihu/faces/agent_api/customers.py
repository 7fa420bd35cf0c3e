"""The CRM pool (客户公海), `/agent-api/user/{user_id}/…customer…`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

from litestar import delete, get, post, put
from msgspec import UNSET, Meta, Struct, UnsetType

from waihu.application.contact_entry import EXTRA_MAX, NAME_MAX
from waihu.application.customer_entry import TEXT_MAX, VALUE_MAX, GivenComponent, NewCustomer
from waihu.application.customers import COMPONENT_NAME_MAX, CustomersAsked
from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import Instant
from waihu.faces.agent_api.customer_shapes import (
    CustomerDetail,
    CustomerRow,
    EnrolmentRow,
    StageRow,
    TemplateRow,
    customer_detail_of,
    customer_row_of,
    enrolment_row_of,
    stage_row_of,
    template_row_of,
)
from waihu.faces.agent_api.encryption import refuse_encryption
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of
from waihu.faces.agent_api.envelope import Answer, Done, Listing, Running, listing
from waihu.faces.agent_api.failures import naming
from waihu.faces.agent_api.fields import VISIBLE, Moment, Sex, SuffixedPhone, Unencrypted, about
from waihu.faces.agent_api.masks import shown
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.places import OPERATORS
from waihu.faces.agent_api.reading import given, page_in, read, read_body, values_of
from waihu.faces.agent_api.tasks_v2 import ORIGINS, stopped_first
from waihu.faces.agent_api.times import span
from waihu.ports.customer_rows import Component, ComponentKind, Rule
from waihu.ports.rows import Page, Paging

TAGS = ["客户公海"]
IMPORT_MAX = 200
DELETE_MAX = 100
FIRST_STAGE = "clue"
"""The stage of every customer: nothing on this wire moves one on."""
SEXES = (0, 1, 2)
_OURS = "waihu 自有接口。"
_FIELDS = {"rules": "validate", "kind": "type"}


Operator = Annotated[int, about(enum=list(OPERATORS))]
ComponentName = Annotated[str, about(pattern=rf"^{VISIBLE}([\s\S]*{VISIBLE})?$", maxLength=COMPONENT_NAME_MAX)]
ComponentType = Annotated[str, about(enum=list(ComponentKind))]
Rules = Annotated[list[Annotated[str, about(enum=list(Rule))]], Meta(description="date、integer 只用于同名类型")]


class ComponentValueBody(Struct):
    id: str
    value: Annotated[str, about(maxLength=VALUE_MAX)] | None = None


class ComponentFilter(Struct):
    id: str
    value: str


class CustomerBody(Struct, kw_only=True):
    phone: SuffixedPhone
    name: Annotated[str, about(maxLength=NAME_MAX)] | None = None
    email: Annotated[str, about(maxLength=TEXT_MAX)] | None = None
    company: Annotated[str, about(maxLength=TEXT_MAX)] | None = None
    sex: Sex | None = None
    sort: int | None = None
    source_id: int | None = None
    industry_id: int | None = None
    grade_id: int | None = None
    components: list[ComponentValueBody] = []
    extra: Annotated[str, about("自定义数据,原样返回", maxLength=EXTRA_MAX)] | None = None


class CustomersBody(Struct, kw_only=True):
    data: Annotated[list[CustomerBody], about(minItems=1, maxItems=IMPORT_MAX)]
    skip_error: Annotated[bool | None, Meta(description="跳过无效的数据,默认整个请求失败(waihu 自有)")] = None
    encryption: Unencrypted | None = None
    sub_user_id: str | None = None


class CustomerQuery(Struct, kw_only=True):
    """What customers are chosen by, in the query or, as the vendor's examples have it, in a JSON body."""

    components: Annotated[list[ComponentFilter], Meta(description="公海组件的值,须全部相等")] = []
    phone: Annotated[str | None, Meta(description="号码,或号码的开头")] = None
    email: Annotated[str | None, Meta(description="邮箱,或邮箱的开头")] = None
    company: Annotated[str | None, Meta(description="公司,或公司的开头")] = None
    created_at: Annotated[list[Moment], about("导入时间起止", minItems=2, maxItems=2)] = []
    operator: Annotated[list[Operator], Meta(description="1 电信,2 联通,3 移动")] = []
    encryption: Unencrypted | None = None


class StageQuery(CustomerQuery, kw_only=True):
    sex: Annotated[list[Sex], Meta(description="0 未知,1 男,2 女")] = []
    is_follow: Annotated[int, about("0 未跟进,1 跟进中", enum=[0, 1])] | None = None
    ai_call: Annotated[int, about("AI 通话记录:0 无,1 有", enum=[0, 1])] | None = None


class DeleteBody(Struct, kw_only=True):
    phone: Annotated[list[str], about("号码,最多 100 个", maxItems=DELETE_MAX)] = []
    created_at: Annotated[list[Moment], about("导入时间起止", minItems=2, maxItems=2)] = []
    encryption: Unencrypted | None = None
    sub_user_id: str | None = None


class NewComponentBody(Struct, kw_only=True):
    name: ComponentName
    type: ComponentType
    validate: Rules = []
    sort: int | None = None
    sub_user_id: str | None = None


class ComponentBody(Struct, kw_only=True):
    name: ComponentName | UnsetType = UNSET
    type: ComponentType | UnsetType = UNSET
    validate: Rules | UnsetType = UNSET
    sort: int | UnsetType = UNSET
    sub_user_id: str | None = None


class RefusedCustomer(Struct):
    """`index`: the row's place in `data`, from 0; `field`: what of it is wrong."""

    index: int
    phone: str
    field: str
    message: str


class ImportedCustomers(Struct):
    """What became of the rows. No answer of the import is at hand."""

    total: int
    success: int
    fail: int
    errors: list[RefusedCustomer]


class Started(Struct):
    unique_id: str


class Deleted(Struct):
    """No answer of the deletion is at hand."""

    total: int


# Template


@get(
    "/user/{user_id:str}/customer/create",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="公海创建模板",
)
async def template(request: AnyRequest, app: App) -> Answer[list[TemplateRow]]:
    found = await app.customers.template(account_of(request))
    return Answer(message="查看公海创建模板成功", data=[template_row_of(component) for component in found])


@post(
    "/user/{user_id:str}/customer/component",
    opt=ACCOUNT,
    operation_class=accepts(body=NewComponentBody, refuses=(409,)),
    status_code=200,
    tags=TAGS,
    summary="公海组件新增",
    description=_OURS,
)
async def add_component(request: AnyRequest, app: App) -> Answer[TemplateRow]:
    body = await read_body(request, NewComponentBody)
    with naming(_FIELDS):
        component = await app.customers.add_component(
            account_of(request), body.name, _kind(body.type), rules=_rules(body.validate), sort=body.sort
        )
    return Answer(message="添加公海组件成功", data=template_row_of(component))


@put(
    "/user/{user_id:str}/customer/component/{component_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=ComponentBody, refuses=(409,)),
    tags=TAGS,
    summary="公海组件修改",
    description=_OURS,
)
async def change_component(request: AnyRequest, app: App, component_id: Id) -> Answer[TemplateRow]:
    body = await read_body(request, ComponentBody)
    with naming(_FIELDS):
        component = await app.customers.change_component(account_of(request), component_id, _change(body))
    return Answer(message="修改公海组件成功", data=template_row_of(component))


@delete(
    "/user/{user_id:str}/customer/component/{component_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(refuses=(409,)),
    status_code=200,
    tags=TAGS,
    summary="公海组件删除",
    description=_OURS,
)
async def remove_component(request: AnyRequest, app: App, component_id: Id) -> Done:
    await app.customers.remove_component(account_of(request), component_id)
    return Done(message="删除公海组件成功")


# Customers


@post(
    "/user/{user_id:str}/async_customer",
    opt=ACCOUNT,
    operation_class=accepts(body=CustomersBody),
    status_code=200,
    tags=TAGS,
    summary="批量导入客户公海(异步)",
)
async def add(request: AnyRequest, app: App) -> Answer[ImportedCustomers]:
    body = await read_body(request, CustomersBody)
    refuse_encryption(body.encryption)
    if not 0 < len(body.data) <= IMPORT_MAX:
        raise Invalid.field("data", f"data 必须有 1 到 {IMPORT_MAX} 条")
    account = account_of(request)
    new = [new_customer_of(row, row.phone) for row in body.data]
    report = await app.customers.add(account, new, all_or_none=not body.skip_error)
    if report.refused and not body.skip_error:
        raise Invalid(
            {f"data.{line - 1}.{each.field}": [each.said] for line, row in report.refused.items() for each in row}
        )
    style = (await app.privacy.masks(account)).customers
    errors = [
        RefusedCustomer(line - 1, shown(body.data[line - 1].phone, style), row[0].field, row[0].said)
        for line, row in report.refused.items()
    ]
    return Answer(
        message="导入客户公海成功", data=ImportedCustomers(len(body.data), report.stored, len(errors), errors)
    )


@get(
    "/user/{user_id:str}/get_customer",
    opt=ACCOUNT,
    operation_class=accepts(Paged, CustomerQuery),
    tags=TAGS,
    summary="客户公海筛选",
)
async def customers(request: AnyRequest, app: App) -> Listing[CustomerRow]:
    values = await values_of(request)
    asked = page_in(values)
    account = account_of(request)
    page = await app.customers.page(account, _asked(read(CustomerQuery, values)), Paging(asked.page, asked.per_page))
    style = (await app.privacy.masks(account)).customers
    return listing("筛选客户公海列表成功", page, asked, lambda customer: customer_row_of(customer, style))


@get(
    "/user/{user_id:str}/type/{stage:str}/get_customer",
    opt=ACCOUNT,
    operation_class=accepts(Paged, StageQuery),
    tags=TAGS,
    summary="客户公海(线索阶段)筛选",
)
async def customers_at_stage(request: AnyRequest, app: App, stage: Id) -> Listing[StageRow]:
    values = await values_of(request)
    asked = page_in(values)
    query = read(StageQuery, values)
    chosen = _asked_at_stage(query)
    account = account_of(request)
    page = await app.customers.page(account, chosen, Paging(asked.page, asked.per_page))
    if stage != FIRST_STAGE or query.is_follow == 1:
        # Nobody has been moved on, and nobody is followed up: nothing on this wire does either.
        page = Page((), 0)
    style = (await app.privacy.masks(account)).customers
    return listing("筛选客户公海列表成功", page, asked, lambda customer: stage_row_of(customer, style))


@get(
    "/user/{user_id:str}/customer/detail/{customer_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="查看客户详情",
)
async def detail(request: AnyRequest, app: App, customer_id: Id) -> Answer[CustomerDetail]:
    account = account_of(request)
    found = await app.customers.read(account, customer_id)
    owner = await app.accounts.read(account)
    style = (await app.privacy.masks(account)).customers
    return Answer(message="查看客户详情成功", data=customer_detail_of(found, owner.parent or owner.id, style))


@delete(
    "/user/{user_id:str}/del_customer",
    opt=ACCOUNT,
    operation_class=accepts(body=DeleteBody),
    status_code=200,
    tags=TAGS,
    summary="删除客户公海数据",
)
async def remove(request: AnyRequest, app: App) -> Answer[Deleted]:
    body = await read_body(request, DeleteBody)
    refuse_encryption(body.encryption)
    if len(body.phone) > DELETE_MAX:
        raise Invalid.field("phone", f"phone 不能超过 {DELETE_MAX} 个")
    created_from, created_to = _span(body.created_at)
    total = await app.customers.remove(
        account_of(request), phones=body.phone, created_from=created_from, created_to=created_to
    )
    return Answer(message="删除客户公海数据成功", data=Deleted(total))


@get(
    "/user/{user_id:str}/customer_to_task/{task_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(CustomerQuery),
    tags=TAGS,
    summary="客户公海筛选进入任务",
)
async def to_task(request: AnyRequest, app: App, task_id: Id) -> Answer[Started] | Running:
    query = read(CustomerQuery, await values_of(request))
    with stopped_first():
        enrolment = await app.enrolments.begin(account_of(request), task_id, _asked(query), stopped_only=ORIGINS)
    return Answer(message="号码导入任务信息请在回调中查收", data=Started(enrolment.id))


@get(
    "/user/{user_id:str}/customer_to_task/{task_id:str}/{unique_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="客户公海筛选进入任务的进度",
    description=_OURS,
)
async def to_task_progress(request: AnyRequest, app: App, task_id: Id, unique_id: Id) -> Answer[EnrolmentRow]:
    enrolment = await app.enrolments.read(account_of(request), unique_id)
    if enrolment.campaign != task_id.lower():
        raise NotFound("enrolment")
    return Answer(message="查看进度成功", data=enrolment_row_of(enrolment))


def new_customer_of(row: Any, phone: str) -> NewCustomer:
    """From a row of either import: they name what is known of a person alike."""
    return NewCustomer(
        phone=phone,
        name=row.name,
        email=row.email,
        company=row.company,
        sex=row.sex,
        sort=row.sort,
        source_id=row.source_id,
        industry_id=row.industry_id,
        grade_id=row.grade_id,
        extra=row.extra,
        components=[GivenComponent(each.id, each.value) for each in row.components],
    )


def _asked(query: CustomerQuery) -> CustomersAsked:
    refuse_encryption(query.encryption)
    unknown = [code for code in query.operator if code not in OPERATORS]
    if unknown:
        raise Invalid.field("operator", "operator 只能是 1 电信、2 联通 或 3 移动")
    created_from, created_to = _span(query.created_at)
    return CustomersAsked(
        phone=query.phone,
        email=query.email,
        company=query.company,
        components=[(each.id, each.value) for each in query.components],
        operators=tuple(OPERATORS[code] for code in query.operator) or None,
        created_from=created_from,
        created_to=created_to,
    )


def _asked_at_stage(query: StageQuery) -> CustomersAsked:
    problems: dict[str, list[str]] = {}
    if any(sex not in SEXES for sex in query.sex):
        problems["sex"] = ["sex 只能是 0 未知、1 男 或 2 女"]
    for name, flag in (("is_follow", query.is_follow), ("ai_call", query.ai_call)):
        if flag not in (None, 0, 1):
            problems[name] = [f"{name} 只能是 0 或 1"]
    if problems:
        raise Invalid(problems)
    return replace(
        _asked(query),
        sexes=tuple(query.sex) or None,
        called=None if query.ai_call is None else query.ai_call == 1,
    )


def _span(created_at: Sequence[str]) -> tuple[Instant | None, Instant | None]:
    if len(created_at) not in (0, 2):
        raise Invalid.field("created_at", "created_at 必须是起止两个时间")
    problems: dict[str, list[str]] = {}
    begin, end = created_at or (None, None)
    asked = span(("created_at", "created_at"), (begin, end), problems)
    if problems:
        raise Invalid(problems)
    return asked


def _change(body: ComponentBody) -> Callable[[Component], Component]:
    def change(component: Component) -> Component:
        return replace(
            component,
            name=given(body.name, component.name),
            kind=component.kind if isinstance(body.type, UnsetType) else _kind(body.type),
            rules=component.rules if isinstance(body.validate, UnsetType) else _rules(body.validate),
            sort=given(body.sort, component.sort),
        )

    return change


def _kind(written: str) -> ComponentKind:
    try:
        return ComponentKind(written)
    except ValueError:
        raise Invalid.field("type", "type 只能是 text、number 或 date") from None


def _rules(written: Sequence[str]) -> tuple[Rule, ...]:
    try:
        return tuple(dict.fromkeys(map(Rule, written)))
    except ValueError:
        raise Invalid.field("validate", "validate 只能包含 required、integer、date 和 sometimes") from None


ROUTES = [
    template,
    add_component,
    change_component,
    remove_component,
    add,
    customers,
    customers_at_stage,
    detail,
    remove,
    to_task,
    to_task_progress,
]
