"""Lines: which a partner has, and which of its accounts may use them, `/agent-api/new_line_list` and
`/agent-api/new/user/{user_id}/line…`. Fields with a default are constants: the vendor has the concept and waihu has
not, or nobody but who runs the line is to know it.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

from litestar import delete, get, post, put
from msgspec import Meta, Struct

from waihu.application.trunks import BILLING_UNITS_S, CHANNELS_MAX, PRICE_MAX
from waihu.domain.errors import Invalid, NotFound
from waihu.faces.agent_api.choices import NO_DEADLINE
from waihu.faces.agent_api.entry import PARTNER, AnyRequest, App, Id, account_of, caller_of
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.failures import naming
from waihu.faces.agent_api.fields import Moment, about
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page, read_body, read_query
from waihu.faces.agent_api.times import parse_time, written
from waihu.ports.rows import Allocation, OfferedTrunk, Paging

TAGS = ["呼叫线路"]
_FIELDS = {"channels_max": "line_concurrency", "agents": "group_ids"}
_ID_DIGITS_MAX = 10
_DAY_S = 86_400


_Remark = Annotated[str, Meta(max_length=200)]
_Price = Annotated[Decimal, about(minimum=0, maximum=PRICE_MAX, multipleOf=0.0001)]
_Unit = Annotated[int, about(minimum=BILLING_UNITS_S.start, maximum=BILLING_UNITS_S.stop - 1)]


class LineQuery(Struct, kw_only=True):
    id: Annotated[str, Meta(description="云节点 id")]
    user_id: Annotated[str | None, Meta(description="线路所属用户")] = None


class AllocationBody(Struct, kw_only=True):
    line_concurrency: Annotated[int, about("线路并发数", minimum=1, maximum=CHANNELS_MAX)]
    deadline_at: Annotated[Moment | None, Meta(description="到期时间,YYYY-MM-DD HH:MM:SS,不传则不过期")] = None
    price: Annotated[_Price | None, Meta(description="每计费单元价格,最多四位小数;不传则保持不变,新分配为 0")] = None
    billing_unit_s: Annotated[_Unit | None, Meta(description="计费单元,秒;waihu 的补充,不传则保持不变,新分配为 60")] = (
        None
    )
    remark: Annotated[_Remark | None, Meta(description="备注;waihu 的补充")] = None


class BindBody(Struct, kw_only=True):
    id: Annotated[int, Meta(description="线路分配 id,即线路列表 line_allocation 的 id")]
    group_ids: Annotated[list[int], Meta(description="话术 id;空数组解除限制")]


class LineAllocation(Struct, kw_only=True):
    """What an account may use of a line; `available_time` is whole days, in seconds. From `residue` on the keys are
    ours; `group_ids` empty: with any script.
    """

    id: int
    line_id: str
    belong_user: str
    name: str | None = None
    line_concurrency: int
    price: float
    agent_cost: float = 0.0
    begin_at: str
    deadline_at: str
    available_time: int
    created_at: str
    residue: int
    billing_unit_s: int
    group_ids: list[int]
    remark: str | None


class LineRow(Struct, kw_only=True):
    """`user_id` is the partner whose line it is; null: the whole installation's. `cps` and `status` (whether its
    carrier can be reached) are ours.
    """

    id: str
    robot_cli_node_id: str
    user_id: str | None
    gateway_id: int = 0
    extension_id: int | None = None
    name: str
    description: str = ""
    type: int = 1
    call_line: int
    call_number_prefix: str = ""
    origination_caller_id_number: str
    dial_string: str = ""
    destination_prefix: str = ""
    created_at: str
    updated_at: str
    bind_type_str: str = "IP"
    cps: float
    status: bool
    line_allocation: list[LineAllocation]


@get(
    "/new_line_list",
    opt=PARTNER,
    operation_class=accepts(Paged, LineQuery, for_account=False, refuses=(404,)),
    tags=TAGS,
    summary="线路列表",
)
async def lines(request: AnyRequest, app: App) -> Listing[LineRow]:
    asked = asked_page(request)
    query = read_query(request, LineQuery)
    with naming({"tenant_id": "id"}):
        node = await app.cloud_nodes.named(query.id)
    page = await app.trunks.offered(
        caller_of(request).partner, Paging(asked.page, asked.per_page), holder=query.user_id
    )
    return listing("返回所属代理线路列表成功", page, asked, lambda offered: _row_of(offered, node.id))


@post(
    "/new/user/{user_id:str}/line/{line_id:str}",
    opt=PARTNER,
    operation_class=accepts(body=AllocationBody),
    status_code=200,
    tags=TAGS,
    summary="分配线路",
    description="已分配过的线路按本次内容修改。价格对之后发起的呼叫生效。",
)
async def allocate(request: AnyRequest, app: App, line_id: Id) -> Answer[LineAllocation]:
    body = await read_body(request, AllocationBody)
    account = account_of(request)
    with naming(_FIELDS):
        allocation = await app.trunks.allocate(
            line_id,
            account,
            body.line_concurrency,
            deadline_at=_deadline(body.deadline_at),
            price=body.price,
            billing_unit_s=body.billing_unit_s,
            remark=body.remark,
            partner=caller_of(request).partner,
        )
    made = next(each for each in await app.trunks.allocations(account) if each.id == allocation)
    return Answer(message="分配线路成功", data=_allocation_of(made))


@delete(
    "/new/user/{user_id:str}/line/{id:str}",
    opt=PARTNER,
    operation_class=accepts(),
    status_code=200,
    tags=TAGS,
    summary="解除线路绑定用户",
    description="路径中的 id 为线路列表 line_allocation 的 id。正在执行的任务立即不再使用该线路,进行中的通话不受影响。",
)
async def withdraw(request: AnyRequest, app: App, id: Id) -> Done:
    if not (id.isascii() and id.isdecimal() and len(id) <= _ID_DIGITS_MAX):
        raise NotFound("allocation")
    await app.trunks.withdraw(account_of(request), int(id))
    return Done(message="解除绑定成功")


@put(
    "/new/user/{user_id:str}/line_bind_group",
    opt=PARTNER,
    operation_class=accepts(body=BindBody, refuses=(409,)),
    tags=TAGS,
    summary="线路绑定话术",
    description="仅主账户可用。绑定后该线路只能用于这些话术的任务,对正在执行的任务立即生效。",
)
async def bind(request: AnyRequest, app: App) -> Done:
    body = await read_body(request, BindBody)
    with naming(_FIELDS):
        await app.trunks.bind(account_of(request), body.id, body.group_ids)
    return Done(message="绑定成功")


def _deadline(text: str | None) -> int | None:
    if text is None:
        return None
    at = parse_time(text)
    if at is None:
        raise Invalid.field("deadline_at", "deadline_at 的格式必须是 YYYY-MM-DD HH:MM:SS")
    return at


def _row_of(offered: OfferedTrunk, node: str) -> LineRow:
    kept = offered.trunk
    return LineRow(
        id=kept.trunk.id,
        robot_cli_node_id=node,
        user_id=kept.partner,
        name=kept.name,
        call_line=kept.channels_max,
        origination_caller_id_number=kept.trunk.caller_id or "",
        created_at=written(kept.created_at),
        updated_at=written(kept.updated_at),
        cps=kept.cps_max,
        status=kept.is_up,
        line_allocation=[_allocation_of(each) for each in offered.allocations],
    )


def _allocation_of(allocation: Allocation) -> LineAllocation:
    begin_at = written(allocation.created_at)
    deadline_at = written(allocation.deadline_at) or NO_DEADLINE
    return LineAllocation(
        id=allocation.id,
        line_id=allocation.trunk,
        belong_user=allocation.account,
        line_concurrency=allocation.channels_max,
        price=float(allocation.tariff.price),
        begin_at=begin_at,
        deadline_at=deadline_at,
        available_time=_days(begin_at, deadline_at) * _DAY_S,
        created_at=begin_at,
        residue=allocation.residue,
        billing_unit_s=allocation.tariff.billing_unit_s,
        group_ids=sorted(allocation.agents or ()),
        remark=allocation.remark,
    )


def _days(begin_at: str, deadline_at: str) -> int:
    """As the vendor counts them: from the one date to the other, whatever the hour."""
    first, last = (date.fromisoformat(at.partition(" ")[0]) for at in (begin_at, deadline_at))
    return max(0, (last - first).days)


ROUTES = [lines, allocate, withdraw, bind]
