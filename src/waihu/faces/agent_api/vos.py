"""What the vendor asks of its VOS billing system: account summary, call tickets, spending. waihu has no VOS: these
calls are answered from the ledger, in a plain form of our own. A "VOS account" is a main account or a sub-account.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

from litestar import get
from msgspec import Meta, Struct

from waihu.application.billing import Spent
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, account_of
from waihu.faces.agent_api.envelope import Answer, Asked, Listing, listing
from waihu.faces.agent_api.fields import Moment, about
from waihu.faces.agent_api.masks import shown
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.periods import days_of, period_of, yesterday
from waihu.faces.agent_api.reading import PER_PAGE_MAX, asked_page, read_query
from waihu.faces.agent_api.times import written
from waihu.ports.ledger import BilledCall, BilledCallFilter
from waihu.ports.privacy import MaskStyle
from waihu.ports.rows import Account, Paging

TAGS = ["VOS 账单"]
_ABOUT = "waihu 没有 VOS,由账本给出,字段为 waihu 自定。VOS 账户即主账户或其子账户。"
_EVER = date(1970, 1, 1), date(9999, 12, 31)


class SummaryQuery(Struct, kw_only=True):
    all: Annotated[bool, Meta(description="是否返回子账户,默认只返回第一个账户")] = False


class TicketQuery(Struct, kw_only=True):
    time: Annotated[list[Moment], about("日期,默认昨天", maxItems=2)] = []
    phone: Annotated[str | None, Meta(description="主叫号码")] = None
    callee_phone: Annotated[str | None, Meta(description="被叫号码")] = None
    vos_account_id: Annotated[str | None, Meta(description="VOS 账户 id")] = None


class FeeQuery(Struct, kw_only=True):
    time: Annotated[list[Moment], about("起止日期,默认昨天", maxItems=2)] = []
    vos_account_id: Annotated[str | None, Meta(description="VOS 账户 id")] = None


class VosAccount(Struct, kw_only=True):
    """`balance` is null for a sub-account. `fee` is what its calls have cost, ever."""

    vos_account_id: str
    name: str
    balance: float | None
    fee: float


class Ticket(Struct, kw_only=True):
    """One answered call. `bill` in milliseconds."""

    callid: str
    vos_account_id: str
    task_id: str
    line_id: str
    line_name: str
    caller: str | None
    callee: str
    answerdate: str
    hangupdate: str
    bill: int
    units: int
    billing_unit_s: int
    price: float
    fee: float


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
    description=_ABOUT,
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
    description=f"{_ABOUT}不传 per_page 则每页 {PER_PAGE_MAX} 条。",
)
async def tickets(request: AnyRequest, app: App) -> Listing[Ticket]:
    asked = asked_page(request)
    if not request.query_params.get("per_page"):
        asked = Asked(asked.page, PER_PAGE_MAX, PER_PAGE_MAX)
    query = read_query(request, TicketQuery)
    since, until = period_of("time", query.time, yesterday(app.clock()))
    account = account_of(request)
    chosen = BilledCallFilter(since, until, query.vos_account_id, query.phone, query.callee_phone)
    page = await app.billing.calls(account, chosen, Paging(asked.page, asked.per_page))
    style = (await app.privacy.masks(account)).contacts
    return listing("查询话单成功", page, asked, lambda call: _ticket_of(call, style))


@get(
    "/vos/{user_id:str}/get_customer_fee",
    opt=ACCOUNT,
    operation_class=accepts(FeeQuery),
    tags=TAGS,
    summary="查询 vos 消费报表",
    description=_ABOUT,
)
async def customer_fees(request: AnyRequest, app: App) -> Answer[list[CustomerFee]]:
    query = read_query(request, FeeQuery)
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
        callid=call.attempt,
        vos_account_id=call.account,
        task_id=call.campaign,
        line_id=call.trunk,
        line_name=call.trunk_name,
        caller=call.caller_id,
        callee=shown(call.phone, style),
        answerdate=written(call.answered_at),
        hangupdate=written(call.closed_at),
        bill=call.talk_ms,
        units=call.units,
        billing_unit_s=call.billing_unit_s,
        price=float(call.price),
        fee=float(call.cost),
    )


ROUTES = [summary, tickets, customer_fees]
