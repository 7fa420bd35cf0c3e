"""Callbacks as clients configure and look at them: `/agent-api/user/{user_id}/callback…`, the blacklist, and batches of
numbers. Those marked so are waihu's own; how a push looks is in `callback_events.py`.
"""

from typing import Annotated

from litestar import Response, get, post, put
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct, UnsetType

from waihu.domain.errors import Invalid, NotFound
from waihu.faces.agent_api.callback_events import Numbers, NumbersBody, numbers_body_of
from waihu.faces.agent_api.entry import ACCOUNT, OPEN, TOKEN, AnyRequest, App, Id, account_of, caller_of
from waihu.faces.agent_api.envelope import Answer, Failure, Listing, listing
from waihu.faces.agent_api.fields import Url, about
from waihu.faces.agent_api.masks import shown
from waihu.faces.agent_api.openapi import KeyQuery, Paged, accepts
from waihu.faces.agent_api.reading import asked_page, read_body, read_query
from waihu.faces.agent_api.times import written
from waihu.ports.callbacks import ADDRESS_KINDS, Blackout, CallbackAddress, CallbackLook, CallbackState, Kind
from waihu.ports.rows import Paging

TAGS = ["回调"]
_ID_DIGITS_MAX = 18
OURS = "waihu 自有接口。"
BLOCKED, RELEASED = 0, 1
STATUS_NAMES = {BLOCKED: "拉黑中", RELEASED: "已释放"}
KINDS = "、".join(sorted(ADDRESS_KINDS))
KindName = Annotated[str, about(enum=sorted(ADDRESS_KINDS))]
Kinds = Annotated[list[KindName], about(f"只推送这些事件:{KINDS};null 为全部,不传则不变", minItems=1)]


State = Annotated[str, about("waiting 等待推送,delivered 已送达,given_up 已放弃", enum=list(CallbackState))]


class AddressBody(Struct, kw_only=True):
    callback_url: Annotated[Url | None, Meta(description="回调地址;null 或空为使用主账户的地址")]
    new_secret: Annotated[bool, Meta(description="换一个新的签名密钥,旧密钥随即失效")] = False
    kinds: (
        Annotated[list[KindName], about(f"只推送这些事件:{KINDS};null 为全部,不传则不变", minItems=1)]
        | UnsetType
        | None
    ) = UNSET
    sub_user_id: str | None = None


class Address(Struct, kw_only=True):
    """`secret` is shown when it is new, and never again."""

    callback_url: str | None
    inherited_callback_url: str | None
    has_secret: bool
    kinds: list[str]
    secret: str | None = None


class CallbackQuery(Struct, kw_only=True):
    status: State | None = None


class CallbackRow(Struct, kw_only=True):
    """`event` is the id that the receiver saw, null before the first try."""

    id: int
    event: str | None
    kind: str
    url: str
    status: str
    tries: int
    last_answer: str | None
    due_at: str
    delivered_at: str | None
    given_up_at: str | None
    created_at: str


class Redelivered(Struct):
    """How many callbacks are told again: all that were told together with this one."""

    count: int


class BlacklistRow(Struct, kw_only=True):
    id: str
    user_id: str
    url: str
    blackout_time: str
    release_time: str
    status: int
    created_at: str
    updated_at: str
    status_str: str


@get(
    "/user/{user_id:str}/callback",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="查看回调地址",
    description=OURS,
)
async def address(request: AnyRequest, app: App) -> Answer[Address]:
    return Answer(message="查看回调地址成功", data=_address(await app.callbacks.address(account_of(request))))


@put(
    "/user/{user_id:str}/callback",
    opt=ACCOUNT,
    operation_class=accepts(body=AddressBody),
    tags=TAGS,
    summary="设置回调地址",
    description=f"{OURS}首次设置地址时返回签名密钥 secret,之后不再显示。",
)
async def set_address(request: AnyRequest, app: App) -> Answer[Address]:
    body = await read_body(request, AddressBody)
    new = await app.callbacks.set_address(
        account_of(request), body.callback_url or None, wants_secret=body.new_secret, kinds=_kinds(body.kinds)
    )
    return Answer(message="设置回调地址成功", data=_address(new.address, new.secret))


@get(
    "/user/{user_id:str}/callbacks",
    opt=ACCOUNT,
    operation_class=accepts(Paged, CallbackQuery),
    tags=TAGS,
    summary="回调推送记录",
    description=f"{OURS}保留 30 天。",
)
async def callbacks(request: AnyRequest, app: App) -> Listing[CallbackRow]:
    asked = asked_page(request)
    status = read_query(request, CallbackQuery).status
    if status is not None and status not in {state.value for state in CallbackState}:
        raise Invalid.field("status", "status 必须是 waiting、delivered 或 given_up")
    state = None if status is None else CallbackState(status)
    page = await app.callbacks.page(account_of(request), state, Paging(asked.page, asked.per_page))
    return listing("查看回调推送记录成功", page, asked, _row)


@post(
    "/user/{user_id:str}/callbacks/{callback_id:str}/redeliver",
    opt=ACCOUNT,
    operation_class=accepts(),
    status_code=200,
    tags=TAGS,
    summary="重新推送回调",
    description=f"{OURS}与该回调同一次推送的全部回调以同一事件编号再次推送,接收地址的拉黑随之解除。",
)
async def redeliver(request: AnyRequest, app: App, callback_id: FromPath[str]) -> Answer[Redelivered]:
    if not (callback_id.isascii() and callback_id.isdecimal() and len(callback_id) <= _ID_DIGITS_MAX):
        raise NotFound("callback")
    count = await app.callbacks.redeliver(account_of(request), int(callback_id))
    return Answer(message="已加入推送队列", data=Redelivered(count))


@get(
    "/callback_blacklist",
    opt=TOKEN,
    operation_class=accepts(for_account=False),
    tags=TAGS,
    summary="查看回调黑名单列表",
)
async def blacklist(request: AnyRequest, app: App) -> Answer[list[BlacklistRow]]:
    found = await app.callbacks.blackouts(caller_of(request))
    now = app.clock()
    return Answer(message="查看黑名单成功", data=[_blacklist_row(each, now) for each in found])


@get(
    "/user/{user_id:str}/identification/{unique_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="查看回调数据",
)
async def identification(request: AnyRequest, app: App, unique_id: Id) -> Answer[NumbersBody]:
    """What is pushed about the batch. No answer of the vendor's call is at hand."""
    account = account_of(request)
    style = (await app.privacy.masks(account)).contacts
    news = await app.callbacks.batch(account, unique_id, masked=style is not None)
    base = app.public_url or str(request.base_url).rstrip("/")
    return Answer(message="查看回调数据成功", data=numbers_body_of(news, base, style))


@get(
    "/download-number",
    opt=OPEN,
    operation_class=accepts(KeyQuery, for_account=False),
    tags=TAGS,
    summary="按链接下载号码",
    description="无需 token,链接中的 key 即凭证。",
    security=[{}],
)
async def download_number(request: AnyRequest, app: App) -> Response[Numbers | Failure]:
    try:
        batch, is_masked = await app.callbacks.batch_by_key(request.query_params.get("key", ""))
    except NotFound:
        return Response(Failure(code=422, message="号码链接无效或已过期"), status_code=422)
    style = (await app.privacy.masks(batch.account)).contacts if is_masked else None
    return Response(Numbers([shown(number, style) for number in batch.numbers]))


def _address(kept: CallbackAddress, secret: str | None = None) -> Address:
    return Address(
        callback_url=kept.own,
        inherited_callback_url=kept.inherited,
        has_secret=kept.has_secret,
        kinds=sorted(kept.kinds),
        secret=secret,
    )


def _kinds(asked: list[str] | UnsetType | None) -> frozenset[Kind] | None:
    """None: they stay as they are."""
    if isinstance(asked, UnsetType):
        return None
    try:
        return ADDRESS_KINDS if asked is None else frozenset(map(Kind, asked))
    except ValueError:
        raise Invalid.field("kinds", f"kinds 只能是 {KINDS}") from None


def _row(look: CallbackLook) -> CallbackRow:
    return CallbackRow(
        id=look.id,
        event=look.event,
        kind=look.kind.value,
        url=look.url,
        status=look.state.value,
        tries=look.tries,
        last_answer=look.last_answer,
        due_at=written(look.due_at),
        delivered_at=written(look.delivered_at),
        given_up_at=written(look.given_up_at),
        created_at=written(look.created_at),
    )


def _blacklist_row(blackout: Blackout, now: int) -> BlacklistRow:
    status = BLOCKED if now < blackout.ends_at else RELEASED
    return BlacklistRow(
        id=blackout.id,
        user_id=blackout.account,
        url=blackout.url,
        blackout_time=written(blackout.began_at),
        release_time=written(blackout.ends_at),
        status=status,
        created_at=written(blackout.created_at),
        updated_at=written(blackout.updated_at),
        status_str=STATUS_NAMES[status],
    )


ROUTES = [address, set_address, callbacks, redeliver, blacklist, identification, download_number]
