"""Numbers of a task, `/agent-api/user/{user_id}/task/{task_id}/…`, of 1.0 and 2.0 tasks alike."""

import secrets
from typing import Annotated
from uuid import uuid4

from litestar import delete, get, post, put
from msgspec import Meta, Struct

from waihu.application.contact_entry import EXTRA_MAX, NAME_MAX, VARIABLE_MAX, NewContact
from waihu.application.contact_import import ImportReport
from waihu.application.contacts import ContactView
from waihu.application.customer_entry import TEXT_MAX, NewCustomer
from waihu.domain.errors import Invalid
from waihu.faces.agent_api.call_shapes import customer_id
from waihu.faces.agent_api.customers import ComponentValueBody, new_customer_of
from waihu.faces.agent_api.encryption import refuse_encryption
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of
from waihu.faces.agent_api.envelope import Answer, Done, Listing, Running, listing
from waihu.faces.agent_api.fields import Moment, Sex, SuffixedPhone, Unencrypted, about
from waihu.faces.agent_api.masks import shown
from waihu.faces.agent_api.number_status import NAMES, WAITING, outcomes_of, status_of
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page, read_body, read_query
from waihu.faces.agent_api.tasks_v2 import ORIGINS, stopped_first
from waihu.faces.agent_api.times import span, written
from waihu.ports.privacy import MaskStyle
from waihu.ports.rows import ContactFilter, Paging

TAGS = ["号码"]
SYNC_MAX = 100
ASYNC_MAX = 200
DELETE_MAX = 1000
_SUFFIX_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_SUFFIX_LENGTH = 8


Status = Annotated[int, about(enum=list(NAMES))]


class NumberBody(Struct, kw_only=True):
    phone: SuffixedPhone
    name: Annotated[str, about(maxLength=NAME_MAX)] | None = None
    email: Annotated[str, about(maxLength=TEXT_MAX)] | None = None
    company: Annotated[str, about(maxLength=TEXT_MAX)] | None = None
    sex: Sex | None = None
    sort: Annotated[int | None, Meta(description="无用,传 0")] = None
    source_id: int | None = None
    industry_id: int | None = None
    grade_id: int | None = None
    components: Annotated[list[ComponentValueBody], Meta(description="需要 ignore_crm=false")] = []
    extra: Annotated[str, about("自定义数据,原样返回", maxLength=EXTRA_MAX)] | None = None
    control_select_robot: Annotated[str, about(maxLength=VARIABLE_MAX)] | None = None


class NumbersBody(Struct, kw_only=True):
    data: Annotated[list[NumberBody], about(minItems=1, maxItems=SYNC_MAX)]
    ignore_crm: Annotated[bool | None, Meta(description="true 只进入任务,默认先进入客户公海再进入任务")] = None
    skip_error: Annotated[bool | None, Meta(description="跳过无效的号码,默认整个请求失败")] = None
    number_add_suffix: Annotated[bool | None, Meta(description="号码后加随机后缀,允许同一号码重复")] = None
    encryption: Unencrypted | None = None
    sub_user_id: str | None = None


class AsyncNumbersBody(NumbersBody, kw_only=True):
    data: Annotated[list[NumberBody], about(minItems=1, maxItems=ASYNC_MAX)]


class NumberQuery(Struct, kw_only=True):
    status: Annotated[list[Status], Meta(description="号码状态 0-12")] = []
    start_at: Annotated[Moment | None, Meta(description="创建时间起")] = None
    end_at: Annotated[Moment | None, Meta(description="创建时间止")] = None
    encryption: Unencrypted | None = None


class DetailQuery(Struct, kw_only=True):
    encryption: Unencrypted | None = None


class ResetBody(Struct, kw_only=True):
    keyword: str | None = None
    phones: list[str] = []
    start_at: Moment | None = None
    end_at: Moment | None = None
    status: list[Status] = []
    encryption: Unencrypted | None = None
    is_new_task: Annotated[bool | None, Meta(description="由任务决定")] = None
    sub_user_id: str | None = None


class PhoneBody(Struct):
    phone: str


class DeleteBody(Struct, kw_only=True):
    customer_info_list: Annotated[list[PhoneBody], about(minItems=1, maxItems=DELETE_MAX)]
    encryption: Unencrypted | None = None
    sub_user_id: str | None = None


class Imported(Struct):
    """What became of the rows. No answer of the import calls is at hand."""

    total: int
    success: int
    fail: int
    errors: list["RefusedNumber"]


class RefusedNumber(Struct):
    """`index`: the row's place in `data`, from 0."""

    index: int
    phone: str
    message: str


class Batch(Struct):
    """Callbacks of the vendor name a batch by its `unique_id`, so the call that makes one answers it. What became of
    the rows is waihu's addition: nobody would learn otherwise that some were refused.
    """

    unique_id: str
    total: int
    success: int
    fail: int
    errors: list["RefusedNumber"]


class NumberRow(Struct, kw_only=True):
    """No page with this row is at hand: the fields of the vendor's table, and from `hold_reason` on waihu's own,
    which say why a number is not being called and until when.
    """

    id: int
    number: str
    status: int
    status_str: str
    state: int = 0
    time: int
    bill: int
    callid: str | None
    recycle: int
    name: str | None
    extra: str | None
    customer_id: str
    created_at: str
    hold_reason: str | None
    hold_until: str | None


@post(
    "/user/{user_id:str}/task/{task_id:str}/number",
    opt=ACCOUNT,
    operation_class=accepts(body=NumbersBody),
    status_code=200,
    tags=TAGS,
    summary="批量添加号码(同步)",
)
async def add(request: AnyRequest, app: App, task_id: Id) -> Answer[Imported]:
    body = await _numbers(request, SYNC_MAX)
    account = account_of(request)
    report = await app.contacts.add(
        account, task_id, _contacts(body), all_or_none=not body.skip_error, customers=_customers(body)
    )
    if report.rejected and not body.skip_error:
        raise Invalid({f"data.{each.line - 1}.{each.field}": [each.problem] for each in report.rejected})
    style = (await app.privacy.masks(account)).contacts
    return Answer(message="添加号码成功", data=_imported(report, body, style))


@post(
    "/user/{user_id:str}/task/{task_id:str}/async_number",
    opt=ACCOUNT,
    operation_class=accepts(body=AsyncNumbersBody),
    status_code=200,
    tags=TAGS,
    summary="批量添加号码(异步)",
)
async def add_async(request: AnyRequest, app: App, task_id: Id) -> Answer[Batch] | Running:
    body = await _numbers(request, ASYNC_MAX)
    account = account_of(request)
    batch = str(uuid4())
    with stopped_first():
        report = await app.contacts.add(
            account,
            task_id,
            _contacts(body),
            stopped_only=ORIGINS,
            customers=_customers(body),
            batch=batch,
        )
    became = _imported(report, body, (await app.privacy.masks(account)).contacts)
    return Answer(
        message="添加号码成功",
        data=Batch(batch, became.total, became.success, became.fail, became.errors),
    )


@get(
    "/user/{user_id:str}/task/{task_id:str}/number",
    opt=ACCOUNT,
    operation_class=accepts(Paged, NumberQuery),
    tags=TAGS,
    summary="号码列表",
)
async def numbers(request: AnyRequest, app: App, task_id: Id) -> Listing[NumberRow]:
    asked = asked_page(request)
    query = read_query(request, NumberQuery)
    refuse_encryption(query.encryption)
    chosen = _filter(query.status, query.start_at, query.end_at)
    account = account_of(request)
    page = await app.contacts.page(account, task_id, chosen, Paging(asked.page, asked.per_page))
    style = (await app.privacy.masks(account)).contacts
    return listing("查看号码列表成功", page, asked, lambda view: number_row_of(view, style))


@get(
    "/user/{user_id:str}/task/{task_id:str}/number/detail/{phone:str}",
    opt=ACCOUNT,
    operation_class=accepts(DetailQuery),
    tags=TAGS,
    summary="号码详情",
)
async def detail(request: AnyRequest, app: App, task_id: Id, phone: Id) -> Answer[NumberRow]:
    refuse_encryption(read_query(request, DetailQuery).encryption)
    account = account_of(request)
    view = await app.contacts.read(account, task_id, phone)
    style = (await app.privacy.masks(account)).contacts
    return Answer(message="查看号码详情成功", data=number_row_of(view, style))


@put(
    "/user/{user_id:str}/task/{task_id:str}/number-batch-reset",
    opt=ACCOUNT,
    operation_class=accepts(body=ResetBody),
    tags=TAGS,
    summary="批量重置号码状态",
)
async def reset(request: AnyRequest, app: App, task_id: Id) -> Done | Running:
    body = await read_body(request, ResetBody)
    refuse_encryption(body.encryption)
    if (body.start_at is None) is not (body.end_at is None):
        raise Invalid.field("end_at" if body.end_at is None else "start_at", "start_at 和 end_at 必须同时传递")
    with stopped_first():
        await app.contacts.reset(
            account_of(request),
            task_id,
            _filter(body.status, body.start_at, body.end_at),
            phones=body.phones or None,
            keyword=body.keyword,
            stopped_only=ORIGINS,
        )
    return Done(message="批量重置号码成功")


@delete(
    "/user/{user_id:str}/task/{task_id:str}/number-batch-delete",
    opt=ACCOUNT,
    operation_class=accepts(body=DeleteBody),
    status_code=200,
    tags=TAGS,
    summary="批量删除号码",
)
async def remove(request: AnyRequest, app: App, task_id: Id) -> Done | Running:
    body = await read_body(request, DeleteBody)
    refuse_encryption(body.encryption)
    if not 0 < len(body.customer_info_list) <= DELETE_MAX:
        raise Invalid.field("customer_info_list", f"customer_info_list 必须有 1 到 {DELETE_MAX} 个号码")
    with stopped_first():
        phones = [each.phone for each in body.customer_info_list]
        await app.contacts.delete(account_of(request), task_id, phones, stopped_only=ORIGINS)
    return Done(message="批量删除号码成功")


def number_row_of(view: ContactView, style: MaskStyle | None) -> NumberRow:
    contact, hold = view.contact, view.hold
    status = status_of(contact)
    last = contact.last_call
    return NumberRow(
        id=contact.id,
        number=shown(contact.key, style),
        status=status,
        status_str=NAMES[status],
        time=contact.attempts,
        bill=0 if last is None else last.talk_ms,
        callid=None if last is None else last.attempt,
        recycle=max(0, contact.tries - 1),
        name=contact.name,
        extra=contact.extra,
        customer_id=customer_id(contact.campaign, contact.id, contact.customer),
        created_at=written(contact.created_at),
        hold_reason=None if hold is None else hold.reason.value,
        hold_until=None if hold is None else written(hold.until),
    )


async def _numbers(request: AnyRequest, rows_max: int) -> NumbersBody:
    body = await read_body(request, NumbersBody)
    refuse_encryption(body.encryption)
    if not 0 < len(body.data) <= rows_max:
        raise Invalid.field("data", f"data 必须有 1 到 {rows_max} 条")
    return body


def _contacts(body: NumbersBody) -> list[NewContact]:
    return [
        NewContact(
            phone=f"{row.phone}_{_suffix()}" if body.number_add_suffix else row.phone,
            name=row.name,
            extra=row.extra,
            variables=_variables(row),
        )
        for row in body.data
    ]


def _customers(body: NumbersBody) -> list[NewCustomer]:
    """The same people for the CRM pool, unless they are to stay out of it."""
    return [] if body.ignore_crm else [new_customer_of(row, row.phone) for row in body.data]


def _variables(row: NumberBody) -> dict[str, str]:
    """What a script may say, besides the name and the number themselves."""
    said = {"公司": row.company, "邮箱": row.email, "control_select_robot": row.control_select_robot}
    return {name: value for name, value in said.items() if value is not None}


def _suffix() -> str:
    return "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(_SUFFIX_LENGTH))


def _imported(report: ImportReport, body: NumbersBody, style: MaskStyle | None) -> Imported:
    refused = [
        RefusedNumber(each.line - 1, shown(body.data[each.line - 1].phone, style), each.problem)
        for each in report.rejected
    ]
    return Imported(len(body.data), report.accepted, len(refused), refused)


def _filter(status: list[int], start_at: str | None, end_at: str | None) -> ContactFilter:
    problems: dict[str, list[str]] = {}
    if any(code not in NAMES for code in status):
        problems["status"] = ["号码状态必须是 0 到 12"]
    begin, end = span(("start_at", "end_at"), (start_at, end_at), problems)
    if problems:
        raise Invalid(problems)
    outcomes = outcomes_of(status) if status else None
    return ContactFilter(outcomes, not status or WAITING in status, begin, end)


ROUTES = [add, add_async, numbers, detail, reset, remove]
