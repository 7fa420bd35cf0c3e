"""Transfer groups, `/agent-api/user/{user_id}/transfer-group`: waihu's own calls, in the vendor's grammar. Tasks name a
group as `bridge_group_id`; calls are not handed over yet.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from litestar import delete, get, post, put
from msgspec import UNSET, Struct, UnsetType

from waihu.application.choices import MEMBERS_MAX
from waihu.faces.agent_api.choices import STRATEGY_NAMES
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of, number_in_path
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.fields import Name, Phone, about
from waihu.faces.agent_api.openapi import OURS, Paged, accepts
from waihu.faces.agent_api.reading import asked_page, given, read_body
from waihu.faces.agent_api.times import written
from waihu.ports.choices import SeatGroup
from waihu.ports.rows import Paging

TAGS = ["转接组"]
_NOT_YET = f"{OURS}任务以 bridge_group_id 选择转接组;通话转接尚未支持,目前仅保存和返回。"

Members = Annotated[list[Phone], about("分机或手机号,按顺序", minItems=1, maxItems=MEMBERS_MAX, uniqueItems=True)]
Strategy = Annotated[int, about("转接策略:1 平均", enum=list(STRATEGY_NAMES))]


class TransferGroupBody(Struct, kw_only=True):
    """An update; what is not sent stays as it is."""

    name: Name | UnsetType = UNSET
    members: Members | UnsetType = UNSET
    strategy: Strategy | UnsetType = UNSET
    sub_user_id: str | None = None


class NewTransferGroup(TransferGroupBody, kw_only=True):
    name: Name
    members: Members


class TransferGroup(Struct, kw_only=True):
    id: int
    user_id: str
    name: str
    strategy: int
    strategy_str: str
    members: list[str]
    created_at: str
    updated_at: str


@get(
    "/user/{user_id:str}/transfer-group",
    opt=ACCOUNT,
    operation_class=accepts(Paged),
    tags=TAGS,
    summary="转接组列表",
    description=_NOT_YET,
)
async def groups(request: AnyRequest, app: App) -> Listing[TransferGroup]:
    asked = asked_page(request)
    page = await app.choices.seat_groups(account_of(request), Paging(asked.page, asked.per_page))
    return listing("返回转接组列表成功", page, asked, _row_of)


@get(
    "/user/{user_id:str}/transfer-group/{group_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="查看转接组",
    description=_NOT_YET,
)
async def group(request: AnyRequest, app: App, group_id: Id) -> Answer[TransferGroup]:
    found = await app.choices.seat_group(account_of(request), number_in_path(group_id, "seat_group"))
    return Answer(message="查看转接组成功", data=_row_of(found))


@post(
    "/user/{user_id:str}/transfer-group",
    opt=ACCOUNT,
    operation_class=accepts(body=NewTransferGroup),
    status_code=200,
    tags=TAGS,
    summary="转接组保存",
    description=_NOT_YET,
)
async def create(request: AnyRequest, app: App) -> Answer[TransferGroup]:
    body = await read_body(request, NewTransferGroup)
    made = await app.choices.add_seat_group(
        account_of(request), body.name, body.members, strategy=given(body.strategy, 1)
    )
    return Answer(message="保存成功", data=_row_of(made))


@put(
    "/user/{user_id:str}/transfer-group/{group_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=TransferGroupBody),
    tags=TAGS,
    summary="转接组更新",
    description=_NOT_YET,
)
async def update(request: AnyRequest, app: App, group_id: Id) -> Answer[TransferGroup]:
    body = await read_body(request, TransferGroupBody)
    changed = await app.choices.change_seat_group(
        account_of(request), number_in_path(group_id, "seat_group"), _change(body)
    )
    return Answer(message="修改成功", data=_row_of(changed))


@delete(
    "/user/{user_id:str}/transfer-group/{group_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(refuses=(409,)),
    status_code=200,
    tags=TAGS,
    summary="转接组删除",
    description=f"{OURS}正被任务使用的转接组不能删除。",
)
async def remove(request: AnyRequest, app: App, group_id: Id) -> Done:
    await app.choices.remove_seat_group(account_of(request), number_in_path(group_id, "seat_group"))
    return Done(message="删除成功")


def _change(body: TransferGroupBody) -> Callable[[SeatGroup], SeatGroup]:
    def change(kept: SeatGroup) -> SeatGroup:
        return replace(
            kept,
            name=given(body.name, kept.name),
            members=tuple(given(body.members, list(kept.members))),
            strategy=given(body.strategy, kept.strategy),
        )

    return change


def _row_of(kept: SeatGroup) -> TransferGroup:
    return TransferGroup(
        id=kept.id,
        user_id=kept.account,
        name=kept.name,
        strategy=kept.strategy,
        strategy_str=STRATEGY_NAMES.get(kept.strategy, ""),
        members=list(kept.members),
        created_at=written(kept.created_at),
        updated_at=written(kept.updated_at),
    )


ROUTES = [groups, group, create, update, remove]
