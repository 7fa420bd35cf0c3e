"""Tokens, `/agent-api/token…`. The vendor documents how long one is valid; making and revoking them are ours."""

from typing import Annotated

from litestar import delete, get, post
from msgspec import Meta, Struct, structs

from waihu.application.access import LIFETIME_DAYS, LIFETIME_MAX_DAYS
from waihu.domain.errors import Invalid, NotFound
from waihu.faces.agent_api.entry import PARTNER, TOKEN, AnyRequest, App, Id, caller_of
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page, read_body
from waihu.faces.agent_api.times import written
from waihu.ports.rows import Paging, Token

TAGS = ["用户凭证"]
_OURS = "waihu 的补充,厂商文档中没有此接口。"


class NewTokenBody(Struct, kw_only=True):
    user_id: Annotated[str | None, Meta(description="主账户或子账户 id,不传则为合作伙伴 token")] = None
    name: Annotated[str, Meta(description="备注", max_length=100)] | None = None
    days: Annotated[int, Meta(description="有效天数", ge=1, le=LIFETIME_MAX_DAYS)] = LIFETIME_DAYS


class Validity(Struct):
    """No answer of this call is at hand."""

    expires_at: str


class TokenRow(Struct, kw_only=True):
    """`user_id` null: the token reaches the whole partner."""

    id: str
    name: str
    user_id: str | None
    created_at: str
    expires_at: str
    revoked_at: str | None


class NewToken(TokenRow, kw_only=True):
    """`token` is shown this once."""

    token: str


@get(
    "/token",
    opt=TOKEN,
    operation_class=accepts(for_account=False),
    tags=TAGS,
    summary="查看合作伙伴token有效期",
)
async def validity(request: AnyRequest) -> Answer[Validity]:
    return Answer(message="查看token有效期成功", data=Validity(written(caller_of(request).token.expires_at)))


@post(
    "/token",
    opt=PARTNER,
    operation_class=accepts(body=NewTokenBody, for_account=False),
    status_code=200,
    tags=TAGS,
    summary="创建token",
    description=f"{_OURS}为合作伙伴自己或其某个账户创建 token,token 只在此时返回一次。",
)
async def create(request: AnyRequest, app: App) -> Answer[NewToken]:
    body = await read_body(request, NewTokenBody)
    try:
        issued = await app.access.issue(
            caller_of(request).partner, account=body.user_id, name=body.name or "", days=body.days
        )
    except NotFound:
        raise Invalid.field("user_id", "user_id 所指的用户不存在") from None
    return Answer(message="创建成功", data=NewToken(token=issued.secret, **structs.asdict(_row_of(issued.token))))


@get(
    "/tokens",
    opt=PARTNER,
    operation_class=accepts(Paged, for_account=False),
    tags=TAGS,
    summary="token列表",
    description=f"{_OURS}该合作伙伴及其账户的所有 token,最新的在前;token 本身不会再次显示。",
)
async def tokens(request: AnyRequest, app: App) -> Listing[TokenRow]:
    asked = asked_page(request)
    page = await app.access.tokens_of(caller_of(request).partner, Paging(asked.page, asked.per_page))
    return listing("返回token列表成功", page, asked, _row_of)


@delete(
    "/token/{token_id:str}",
    opt=PARTNER,
    operation_class=accepts(for_account=False),
    status_code=200,
    tags=TAGS,
    summary="吊销token",
    description=f"{_OURS}立即生效,不可恢复。",
)
async def revoke(request: AnyRequest, app: App, token_id: Id) -> Done:
    await app.access.revoke(token_id, partner=caller_of(request).partner)
    return Done(message="吊销成功")


def _row_of(token: Token) -> TokenRow:
    return TokenRow(
        id=token.id,
        name=token.name,
        user_id=token.account,
        created_at=written(token.created_at),
        expires_at=written(token.expires_at),
        revoked_at=written(token.revoked_at),
    )


ROUTES = [validity, create, tokens, revoke]
