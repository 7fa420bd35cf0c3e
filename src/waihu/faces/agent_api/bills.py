"""Accounts and bills (系统账单): what is left, who recharged what, and what was spent over which line. Of the answers
only that of `zero_balance` is at hand; all figures are sums of one ledger.
"""

from decimal import Decimal
from typing import Annotated, Any

from litestar import get, put
from msgspec import UNSET, Meta, Struct

from waihu.application.billing import AMOUNT_MAX, REMARK_MAX, AccountStanding, Spent
from waihu.domain.errors import Invalid
from waihu.faces.agent_api.entry import ACCOUNT, PARTNER, AnyRequest, App, account_of, caller_of
from waihu.faces.agent_api.envelope import Answer, Rows, meta_of
from waihu.faces.agent_api.fields import Moment, about
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.periods import days_of, last_days, period_of
from waihu.faces.agent_api.reading import asked_page, read_body, read_query
from waihu.faces.agent_api.times import written
from waihu.ports.ledger import Entry, EntryKind, Usage
from waihu.ports.rows import Paging

TAGS = ["系统账单"]
WEEK_DAYS = 7
ADD, DEDUCT = 1, 2
KINDS = {EntryKind.RECHARGE: ADD, EntryKind.DEDUCTION: DEDUCT, EntryKind.ZEROING: 3}
KIND_NAMES = {EntryKind.RECHARGE: "充值", EntryKind.DEDUCTION: "扣除", EntryKind.ZEROING: "归零"}
_MAIN, _SUB = 4, 8


class RechargeBody(Struct, kw_only=True):
    amount: Annotated[int, about("金额,元", minimum=1, maximum=AMOUNT_MAX)]
    type: Annotated[int, Meta(description="1 充值,2 扣除", ge=ADD, le=DEDUCT)] = ADD
    remark: Annotated[str, about("备注", maxLength=REMARK_MAX)] | None = None


class PeriodQuery(Struct, kw_only=True):
    date: Annotated[list[Moment], about("起止日期,默认最近 7 天", maxItems=2)] = []


class FeeQuery(PeriodQuery, kw_only=True):
    caller_line_ids: Annotated[list[str], Meta(description="线路 id,默认全部")] = []
    type: Annotated[str, about("self 主账户,all 主账户及子账户", enum=["self", "all"])] = "all"
    task_ids: Annotated[list[str], Meta(description="任务 id")] = []
    user_ids: Annotated[list[str], Meta(description="只看这些用户")] = []


class LineInUse(Struct, kw_only=True):
    line_id: str
    name: str
    line_concurrency: int
    residue: int
    price: float
    billing_unit_s: int
    available_at: str | None


class AccountMessage(Struct, kw_only=True):
    """`balance` is null for a sub-account: it calls at the cost of its main account."""

    id: str
    name: str
    email: str | None
    phone: str | None
    type: int
    balance: float | None
    concurrency: int
    residue: int
    lines: list[LineInUse]
    created_at: str


class Balance(Struct):
    balance: float


class RechargeRow(Struct, kw_only=True):
    """`amount` is what the balance changed by. `operator` names the token that it was done with."""

    id: int
    user_id: str
    type: int
    type_str: str
    amount: float
    remark: str | None
    operator: str
    created_at: str


class LineFee(Struct, kw_only=True):
    """`bill` is talk time in milliseconds, as in `call_info`; `units` are the billing units that were paid."""

    caller_line_id: str
    caller_line_name: str
    call_total: int
    answer_total: int
    bill: int
    units: int
    fee: float


@get("/user/{user_id:str}/message", opt=ACCOUNT, operation_class=accepts(), tags=TAGS, summary="账户信息")
async def message(request: AnyRequest, app: App) -> Answer[AccountMessage]:
    return Answer(message="返回账户信息成功", data=_message_of(await app.billing.standing(account_of(request))))


@put(
    "/user/{user_id:str}/recharge",
    opt=PARTNER,
    operation_class=accepts(body=RechargeBody, refuses=(409,)),
    tags=TAGS,
    summary="外呼充值",
    description="仅主账户。充值后,因余额不足而暂停的任务需手动启动。",
)
async def recharge(request: AnyRequest, app: App) -> Answer[Balance]:
    body = await read_body(request, RechargeBody)
    move = app.billing.deduct if body.type == DEDUCT else app.billing.recharge
    balance = await move(account_of(request), body.amount, body.remark, by=_operator(request))
    return Answer(message="扣除成功" if body.type == DEDUCT else "充值成功", data=Balance(float(balance)))


@put(
    "/user/{user_id:str}/zero_balance",
    opt=PARTNER,
    operation_class=accepts(refuses=(409,)),
    tags=TAGS,
    summary="账单余额归零",
    description="仅主账户。使用付费线路的任务随即暂停。",
)
async def zero_balance(request: AnyRequest, app: App) -> Answer[list[Any]]:
    await app.billing.zero(account_of(request), by=_operator(request))
    return Answer(message="AI外呼余额归零操作成功", data=[])


@get(
    "/user/{user_id:str}/bill_recharge_record",
    opt=ACCOUNT,
    operation_class=accepts(Paged, PeriodQuery),
    tags=TAGS,
    summary="充值记录",
    description="不传 page 则返回全部,不分页。",
)
async def recharge_records(request: AnyRequest, app: App) -> Rows[RechargeRow]:
    since, until = period_of("date", read_query(request, PeriodQuery).date, last_days(app.clock(), WEEK_DAYS))
    asked = asked_page(request)
    paging = Paging(asked.page, asked.per_page) if "page" in request.query_params else None
    found = await app.billing.entries(account_of(request), since, until, paging)
    return Rows(
        message="返回充值记录成功",
        meta=UNSET if paging is None else meta_of(found.total, asked),
        data=[_recharge_of(entry) for entry in found.items],
    )


@get(
    "/user/{user_id:str}/call_line_fee",
    opt=ACCOUNT,
    operation_class=accepts(FeeQuery),
    tags=TAGS,
    summary="线路消费报表",
)
async def line_fees(request: AnyRequest, app: App) -> Answer[list[LineFee]]:
    query = read_query(request, FeeQuery)
    if query.type not in ("self", "all"):
        raise Invalid.field("type", "type 必须是 self 或 all")
    first, last = days_of(period_of("date", query.date, last_days(app.clock(), WEEK_DAYS)))
    spent = await app.billing.usage(
        account_of(request),
        first,
        last,
        with_children=query.type == "all",
        only=query.user_ids or None,
        campaigns=query.task_ids or None,
        trunks=query.caller_line_ids or None,
    )
    return Answer(message="返回线路消费报表成功", data=_fees_of(spent))


def _operator(request: AnyRequest) -> str:
    return f"token {caller_of(request).token.id}"


def _message_of(standing: AccountStanding) -> AccountMessage:
    account = standing.account
    return AccountMessage(
        id=account.id,
        name=account.name,
        email=account.email,
        phone=account.phone,
        type=_MAIN if account.parent is None else _SUB,
        balance=None if standing.balance is None else float(standing.balance),
        concurrency=sum(each.channels_max for each in standing.trunks),
        residue=sum(each.residue for each in standing.trunks),
        lines=[
            LineInUse(
                line_id=each.trunk,
                name=each.trunk_name,
                line_concurrency=each.channels_max,
                residue=each.residue,
                price=float(each.tariff.price),
                billing_unit_s=each.tariff.billing_unit_s,
                available_at=written(each.deadline_at),
            )
            for each in standing.trunks
        ],
        created_at=written(account.created_at),
    )


def _recharge_of(entry: Entry) -> RechargeRow:
    return RechargeRow(
        id=entry.id,
        user_id=entry.account,
        type=KINDS[entry.kind],
        type_str=KIND_NAMES[entry.kind],
        amount=float(entry.amount),
        remark=entry.remark,
        operator=entry.done_by,
        created_at=written(entry.at),
    )


def _fees_of(spent: Spent) -> list[LineFee]:
    """One for each line, over all the accounts."""
    by_line: dict[str, list[Usage]] = {}
    for usage in spent.usage:
        by_line.setdefault(usage.trunk, []).append(usage)
    return [
        LineFee(
            caller_line_id=line,
            caller_line_name=usages[0].trunk_name,
            call_total=sum(each.attempts for each in usages),
            answer_total=sum(each.answered for each in usages),
            bill=sum(each.talk_ms for each in usages),
            units=sum(each.units for each in usages),
            fee=float(sum((each.cost for each in usages), Decimal(0))),
        )
        for line, usages in by_line.items()
    ]


ROUTES = [message, recharge, zero_balance, recharge_records, line_fees]
