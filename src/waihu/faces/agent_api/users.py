"""A partner's users, `/users…` and `/user/{user_id}/authorize`. The vendor documents them without a prefix; with
`/agent-api` they are the same.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from litestar import delete, get, post, put
from msgspec import UNSET, Meta, Struct, UnsetType

from waihu.application.users import EMAIL_MAX, PASSWORD_MAX, PASSWORD_MIN, NewPassword, NewUser
from waihu.faces.agent_api.entry import PARTNER, AnyRequest, App, account_of, caller_of
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.fields import WHITE, Name, about
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page, given, read_body, read_query
from waihu.faces.agent_api.times import written
from waihu.ports.rows import Paging
from waihu.ports.users import User, UserFilter

TAGS = ["用户"]


_EMAIL = rf"^[^@{WHITE}]+@[^@.{WHITE}]+(\.[^@.{WHITE}]+)+$"

Email = Annotated[str, about("邮箱", pattern=_EMAIL, maxLength=EMAIL_MAX)]
Mobile = Annotated[str, about("手机号", pattern=r"^[0-9]{5,20}$")]
Password = Annotated[str, about("密码,至少 6 位", minLength=PASSWORD_MIN, maxLength=PASSWORD_MAX)]


class PersonBody(Struct, kw_only=True):
    name: Annotated[Name, Meta(description="账户名")]
    email: Email
    phone: Mobile
    password: Password
    password_confirmation: Annotated[str, Meta(description="确认密码")]


class NewUserBody(PersonBody, kw_only=True):
    tenant_id: Annotated[str | None, Meta(description="云节点 id,不传则为系统默认节点")] = None


class UserBody(Struct, kw_only=True):
    """What is not sent stays as it is."""

    name: Name | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    phone: Mobile | UnsetType = UNSET
    password: Password | None = None
    password_confirmation: str | None = None


class AuthorizeBody(Struct, kw_only=True):
    sub_user_id: Annotated[str | None, Meta(description="传递此参数则登录该子账户")] = None


class UserQuery(Struct, kw_only=True):
    name: Annotated[str | None, Meta(description="账户名")] = None
    email: Annotated[str | None, Meta(description="邮箱")] = None
    phone: Annotated[str | None, Meta(description="手机号")] = None


class Registered(Struct):
    id: str
    name: str
    email: str | None
    phone: str | None


class UserRow(Struct, kw_only=True):
    id: str
    name: str
    phone: str | None
    email: str | None
    created_at: str
    updated_at: str


@post(
    "/users",
    opt=PARTNER,
    operation_class=accepts(body=NewUserBody, for_account=False),
    status_code=200,
    tags=TAGS,
    summary="用户注册",
)
async def register(request: AnyRequest, app: App) -> Answer[Registered]:
    body = await read_body(request, NewUserBody)
    user = await app.users.register(
        caller_of(request).partner,
        NewUser(
            body.name,
            body.email,
            body.phone,
            NewPassword(body.password, body.password_confirmation),
            cloud_node=body.tenant_id,
        ),
    )
    return Answer(message="注册成功", data=_registered_of(user))


@get("/users", opt=PARTNER, operation_class=accepts(Paged, UserQuery, for_account=False), tags=TAGS, summary="用户列表")
async def users(request: AnyRequest, app: App) -> Listing[UserRow]:
    asked = asked_page(request)
    query = read_query(request, UserQuery)
    chosen = UserFilter(
        caller_of(request).partner, name_part=query.name, email_part=query.email, phone_part=query.phone
    )
    page = await app.users.page(chosen, Paging(asked.page, asked.per_page))
    return listing("返回用户列表成功", page, asked, _row_of)


@get(
    "/users/{user_id:str}/edit",
    opt=PARTNER,
    operation_class=accepts(for_account=False),
    tags=TAGS,
    summary="查看用户信息",
)
async def edit(request: AnyRequest, app: App) -> Answer[Registered]:
    return Answer(message="查看用户信息成功", data=_registered_of(await app.users.read(account_of(request))))


@put(
    "/users/{user_id:str}",
    opt=PARTNER,
    operation_class=accepts(body=UserBody, for_account=False),
    tags=TAGS,
    summary="用户修改",
)
async def update(request: AnyRequest, app: App) -> Answer[str]:
    body = await read_body(request, UserBody)
    await app.users.update(account_of(request), change_of(body), new_password(body))
    return Answer(message="修改成功", data="")


@delete(
    "/users/{user_id:str}",
    opt=PARTNER,
    operation_class=accepts(for_account=False),
    status_code=200,
    tags=TAGS,
    summary="用户删除",
)
async def remove(request: AnyRequest, app: App) -> Done:
    await app.users.delete(account_of(request), caller_of(request))
    return Done(message="删除成功")


@post(
    "/user/{user_id:str}/authorize",
    opt=PARTNER,
    operation_class=accepts(body=AuthorizeBody),
    status_code=200,
    tags=TAGS,
    summary="登录指定用户",
    description="返回一次性登录链接,五分钟内有效。",
)
async def authorize(request: AnyRequest, app: App) -> Answer[str]:
    await read_body(request, AuthorizeBody)
    base = app.public_url or str(request.base_url).rstrip("/")
    return Answer(message="授权成功", data=await app.login_links.issue(account_of(request), base))


def change_of(body: UserBody) -> Callable[[User], User]:
    def change(user: User) -> User:
        return replace(
            user,
            name=given(body.name, user.name),
            email=given(body.email, user.email),
            phone=given(body.phone, user.phone),
        )

    return change


def new_password(body: UserBody) -> NewPassword | None:
    return None if body.password is None else NewPassword(body.password, body.password_confirmation)


def _registered_of(user: User) -> Registered:
    return Registered(user.id, user.name, user.email, user.phone)


def _row_of(user: User) -> UserRow:
    return UserRow(
        id=user.id,
        name=user.name,
        phone=user.phone,
        email=user.email,
        created_at=written(user.created_at),
        updated_at=written(user.updated_at),
    )


ROUTES = [register, users, edit, update, remove, authorize]
