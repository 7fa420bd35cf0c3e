"""What the vendor asks of its VOS billing system: account summary, call tickets, recharges, spending. waihu has no VOS:
these calls are answered from the ledger. A "VOS account" is a main account or a sub-account.
"""

from datetime import date
from decimal import Decimal
from math import ceil
from typing import Annotated, Any, Generic, Literal, TypeVar

from litestar import get
from msgspec import Meta, Struct

from waihu.application.billing import Spent
from waihu.faces.agent_api.bills import KIND_NAMES, KINDS
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, account_of
from waihu.faces.agent_api.envelope import Answer, Asked, meta_of
from waihu.faces.agent_api.fields import Moment, about
from waihu.faces.agent_api.masks import shown
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.periods import days_of, period_of, yesterday
from waihu.faces.agent_api.reading import asked_page, read_query
from waihu.faces.agent_api.times import written
from waihu.ports.ledger import BilledCall, BilledCallFilter, Credit
from waihu.ports.privacy import MaskStyle
from waihu.ports.rows import Account, Page, Paging

T = TypeVar("T")

TAGS = ["VOS 账单"]
_ABOUT = "waihu 没有 VOS,由账本给出。VOS 账户即主账户或其子账户。"
_OURS = "字段为 waihu 自定。"
_EVER = date(1970, 1, 1), date(9999, 12, 31)


class SummaryQuery(Struct, kw_only=True):
    all: Annotated[bool, Meta(description="是否返回子账户,默认只返回第一个账户")] = False


class TicketQuery(Struct, kw_only=True):
    time: Annotated[list[Moment], about("日期,默认昨天", maxItems=2)] = []
    phone: Annotated[str | None, Meta(description="主叫号码")] = None
    callee_phone: Annotated[str | None, Meta(description="被叫号码")] = None
    vos_account_id: Annotated[str | None, Meta(description="VOS 账户 id")] = None


class PeriodQuery(Struct, kw_only=True):
    time: Annotated[list[Moment], about("起止日期,默认昨天", maxItems=2)] = []
    vos_account_id: Annotated[str | None, Meta(description="VOS 账户 id")] = None


class PageMeta(Struct, kw_only=True, rename={"first": "from", "last": "to"}):
    """As Laravel's paginator tells it; `first` and `last` are numbers of rows, from 1, null on an empty page."""

    current_page: int
    first: int | None
    last_page: int
    path: str
    per_page: str | int
    last: int | None
    total: int


class VosListing(Struct, Generic[T], kw_only=True):
    """The one kind of list whose `meta` comes after its `data`."""

    code: Literal[200] = 200
    status: Literal["success"] = "success"
    message: str
    data: list[T]
    meta: PageMeta


class VosAccount(Struct, kw_only=True):
    """`balance` is null for a sub-account. `fee` is what its calls have cost, ever."""

    vos_account_id: str
    name: str
    balance: float | None
    fee: float


class Ticket(Struct, kw_only=True):
    """One answered call. `hold_time` as `HH:MM:SS`; from `callid` on the keys are ours, `bill` in milliseconds."""

    phone: str
    callee_phone: str
    start_time: str
    end_time: str
    hold_time: str
    fee: float
    call_level_text: str
    customer_name: str
    customer_account: str
    callid: str
    task_id: str
    line_id: str
    line_name: str
    bill: int
    units: int
    billing_unit_s: int
    price: float


class Recharge(Struct, kw_only=True):
    """`customermoney` is what the account had right after it, `loginname` the token that it was done with."""

    paymoney: float
    time: str
    customermoney: float
    type: int
    memo: str
    loginname: str
    customeraccount: str
    type_text: str


class CustomerFee(Struct, kw_only=True):
    vos_account_id: str
    name: str
    call_total: int
    answer_total: int
    bill: int
    units: int
    fee: float


@get(
    "/vos_bill/{user_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(SummaryQuery),
    tags=TAGS,
    summary="查询账单",
    description=_ABOUT + _OURS,
)
async def summary(request: AnyRequest, app: App) -> Answer[list[VosAccount]]:
    query = read_query(request, SummaryQuery)
    account = account_of(request)
    standing = await app.billing.standing(account)
    spent = await app.billing.usage(account, *_EVER, with_children=query.all)
    return Answer(
        message="查询账单成功",
        data=[
            VosAccount(
                vos_account_id=fee.vos_account_id,
                name=fee.name,
                balance=float(standing.balance)
                if fee.vos_account_id == account and standing.balance is not None
                else None,
                fee=fee.fee,
            )
            for fee in _fees_of(spent)
        ],
    )


@get(
    "/vos/{user_id:str}/get_call_record",
    opt=ACCOUNT,
    operation_class=accepts(Paged, TicketQuery),
    tags=TAGS,
    summary="查询 vos 话单列表",
    description=_ABOUT,
)
async def tickets(request: AnyRequest, app: App) -> VosListing[Ticket]:
    asked = asked_page(request)
    query = read_query(request, TicketQuery)
    since, until = period_of("time", query.time, yesterday(app.clock()))
    account = account_of(request)
    chosen = BilledCallFilter(since, until, query.vos_account_id, query.phone, query.callee_phone)
    page = await app.billing.calls(account, chosen, Paging(asked.page, asked.per_page))
    style = (await app.privacy.masks(account)).contacts
    return VosListing(
        message="查询话单列表成功",
        data=[_ticket_of(call, style) for call in page.items],
        meta=_meta_of(page, asked, request, app),
    )


@get(
    "/vos/{user_id:str}/get_recharge",
    opt=ACCOUNT,
    operation_class=accepts(Paged, PeriodQuery),
    tags=TAGS,
    summary="查询 vos 充值记录",
    description=_ABOUT,
)
async def recharges(request: AnyRequest, app: App) -> VosListing[Recharge]:
    asked = asked_page(request)
    query = read_query(request, PeriodQuery)
    since, until = period_of("time", query.time, yesterday(app.clock()))
    page = await app.billing.credits(
        account_of(request), since, until, Paging(asked.page, asked.per_page), only=query.vos_account_id
    )
    return VosListing(
        message="查询充值记录成功",
        data=[_recharge_of(credit) for credit in page.items],
        meta=_meta_of(page, asked, request, app),
    )


@get(
    "/vos/{user_id:str}/get_customer_fee",
    opt=ACCOUNT,
    operation_class=accepts(PeriodQuery),
    tags=TAGS,
    summary="查询 vos 消费报表",
    description=_ABOUT + _OURS,
)
async def customer_fees(request: AnyRequest, app: App) -> Answer[list[CustomerFee]]:
    query = read_query(request, PeriodQuery)
    first, last = days_of(period_of("time", query.time, yesterday(app.clock())))
    only = None if query.vos_account_id is None else [query.vos_account_id]
    spent = await app.billing.usage(account_of(request), first, last, with_children=True, only=only)
    return Answer(message="查询消费报表成功", data=_fees_of(spent))


def _fees_of(spent: Spent) -> list[CustomerFee]:
    """One for each account, over all lines."""
    return [_fee_of(account, spent) for account in spent.accounts]


def _fee_of(account: Account, spent: Spent) -> CustomerFee:
    usage = [each for each in spent.usage if each.account == account.id]
    return CustomerFee(
        vos_account_id=account.id,
        name=account.name,
        call_total=sum(each.attempts for each in usage),
        answer_total=sum(each.answered for each in usage),
        bill=sum(each.talk_ms for each in usage),
        units=sum(each.units for each in usage),
        fee=float(sum((each.cost for each in usage), Decimal(0))),
    )


def _ticket_of(call: BilledCall, style: MaskStyle | None) -> Ticket:
    return Ticket(
        phone=call.caller_id or "",
        callee_phone=shown(call.phone, style),
        start_time=written(call.answered_at),
        end_time=written(call.closed_at),
        hold_time=_clock_of(call.talk_ms),
        fee=float(call.cost),
        call_level_text="国际长途" if call.phone.startswith("+") else "国内长途",
        customer_name=call.account_name,
        customer_account=call.account,
        callid=call.attempt,
        task_id=call.campaign,
        line_id=call.trunk,
        line_name=call.trunk_name,
        bill=call.talk_ms,
        units=call.units,
        billing_unit_s=call.billing_unit_s,
        price=float(call.price),
    )


def _clock_of(talk_ms: int) -> str:
    """Started seconds, so that who counts the billing units in it comes to the fee."""
    minutes, seconds = divmod(ceil(talk_ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"


def _recharge_of(credit: Credit) -> Recharge:
    entry = credit.entry
    return Recharge(
        paymoney=float(entry.amount),
        time=written(entry.at),
        customermoney=float(credit.left),
        type=KINDS[entry.kind],
        memo=entry.remark or "",
        loginname=entry.done_by,
        customeraccount=entry.account,
        type_text=KIND_NAMES[entry.kind],
    )


def _meta_of(page: Page[Any], asked: Asked, request: AnyRequest, app: App) -> PageMeta:
    told = meta_of(page.total, asked)
    before = (asked.page - 1) * asked.per_page
    base = app.public_url or str(request.base_url).rstrip("/")
    return PageMeta(
        current_page=told.current_page,
        first=before + 1 if page.items else None,
        last_page=told.last_page,
        path=f"{base}{request.url.path}",
        per_page=told.per_page,
        last=before + len(page.items) if page.items else None,
        total=told.total,
    )


ROUTES = [summary, tickets, recharges, customer_fees]
