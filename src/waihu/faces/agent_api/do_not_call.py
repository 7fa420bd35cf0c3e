"""The do-not-call list, `/agent-api/user/{user_id}/do-not-call`: waihu's own calls, in the vendor's grammar."""

from typing import Annotated

from litestar import delete, get, post
from msgspec import Meta, Struct

from waihu.domain.errors import Invalid
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of
from waihu.faces.agent_api.envelope import Answer, Listing, listing
from waihu.faces.agent_api.fields import Phone, about
from waihu.faces.agent_api.masks import shown
from waihu.faces.agent_api.openapi import OURS, Paged, accepts
from waihu.faces.agent_api.reading import asked_page, read_body, read_query
from waihu.faces.agent_api.times import written
from waihu.ports.do_not_call import ForbiddenPhone
from waihu.ports.privacy import MaskStyle
from waihu.ports.rows import Paging

TAGS = ["黑名单"]
NUMBERS_MAX = 1000

_ABOUT_PHONES = about(f"号码,最多 {NUMBERS_MAX} 个", minItems=1, maxItems=NUMBERS_MAX)


class ForbidBody(Struct, kw_only=True):
    phones: Annotated[list[Phone], _ABOUT_PHONES]
    source: Annotated[str, Meta(max_length=100, description="来源备注")] | None = None
    skip_error: Annotated[bool | None, Meta(description="跳过无效的号码,默认整个请求失败")] = None
    sub_user_id: str | None = None


class AllowBody(Struct, kw_only=True):
    phones: Annotated[list[str], _ABOUT_PHONES]
    sub_user_id: str | None = None


class ForbiddenQuery(Struct, kw_only=True):
    keyword: Annotated[str | None, Meta(description="号码的一部分")] = None


class Forbidden(Struct):
    phone: str
    source: str
    created_at: str


class Report(Struct, kw_only=True):
    """`known` were on the list before."""

    total: int
    success: int
    known: int
    fail: int


class Removed(Struct):
    removed: int


class Verdict(Struct, kw_only=True):
    """Whether a number is never called."""

    phone: str
    blocked: bool
    source: str | None
    created_at: str | None


@get(
    "/user/{user_id:str}/do-not-call",
    opt=ACCOUNT,
    operation_class=accepts(Paged, ForbiddenQuery),
    tags=TAGS,
    summary="黑名单列表",
    description=OURS,
)
async def phones(request: AnyRequest, app: App) -> Listing[Forbidden]:
    asked = asked_page(request)
    keyword = read_query(request, ForbiddenQuery).keyword
    account = account_of(request)
    page = await app.do_not_call.page(account, keyword, Paging(asked.page, asked.per_page))
    style = (await app.privacy.masks(account)).contacts
    return listing("返回黑名单成功", page, asked, lambda each: _row_of(each, style))


@post(
    "/user/{user_id:str}/do-not-call",
    opt=ACCOUNT,
    operation_class=accepts(body=ForbidBody),
    status_code=200,
    tags=TAGS,
    summary="添加黑名单",
    description=f"{OURS}添加后不再呼叫这些号码,包括执行中的任务和子账户的任务。",
)
async def add(request: AnyRequest, app: App) -> Answer[Report]:
    body = await read_body(request, ForbidBody)
    _check_count(body.phones)
    report = await app.do_not_call.add(
        account_of(request), body.phones, source=body.source or "", skip_invalid=bool(body.skip_error)
    )
    if report.invalid and not body.skip_error:
        raise Invalid({f"phones.{place}": ["号码格式不正确"] for place in report.invalid_at})
    return Answer(
        message="添加成功",
        data=Report(total=len(body.phones), success=report.added, known=report.known, fail=report.invalid),
    )


@get(
    "/user/{user_id:str}/do-not-call/{phone:str}",
    opt=ACCOUNT,
    operation_class=accepts(refuses=(422,)),
    tags=TAGS,
    summary="查询号码是否在黑名单",
    description=f"{OURS}子账户的号码也与主账户的黑名单比较。",
)
async def check(request: AnyRequest, app: App, phone: Id) -> Answer[Verdict]:
    found = await app.do_not_call.find(account_of(request), phone)
    return Answer(
        message="查询成功",
        data=Verdict(
            phone=phone,
            blocked=found is not None,
            source=None if found is None else found.source,
            created_at=None if found is None else written(found.created_at),
        ),
    )


@delete(
    "/user/{user_id:str}/do-not-call",
    opt=ACCOUNT,
    operation_class=accepts(body=AllowBody),
    status_code=200,
    tags=TAGS,
    summary="移除黑名单",
    description=f"{OURS}已因黑名单结束的号码不会自动重呼,需重置号码状态。",
)
async def remove(request: AnyRequest, app: App) -> Answer[Removed]:
    body = await read_body(request, AllowBody)
    _check_count(body.phones)
    return Answer(message="移除成功", data=Removed(await app.do_not_call.remove(account_of(request), body.phones)))


def _check_count(written_phones: list[str]) -> None:
    if not 0 < len(written_phones) <= NUMBERS_MAX:
        raise Invalid.field("phones", f"phones 必须有 1 到 {NUMBERS_MAX} 个号码")


def _row_of(kept: ForbiddenPhone, style: MaskStyle | None) -> Forbidden:
    return Forbidden(shown(kept.phone, style), kept.source, written(kept.created_at))


ROUTES = [phones, add, check, remove]
