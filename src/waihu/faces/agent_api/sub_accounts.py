"""Sub-accounts, `/agent-api/user/{user_id}/subset_users…`. A `sub_user_id` in the path is the account that is meant."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated

from litestar import delete, get, post, put
from msgspec import UNSET, Meta, Struct, UnsetType

from waihu.application.users import NewPassword, NewUser
from waihu.domain.errors import Invalid
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, account_of, caller_of
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.fields import Sex as SexCode
from waihu.faces.agent_api.fields import about
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page, given, read_body, read_query
from waihu.faces.agent_api.times import written
from waihu.faces.agent_api.users import PersonBody, UserBody, UserQuery, change_of, new_password
from waihu.ports.rows import Paging
from waihu.ports.users import Profile, Sex, User, UserFilter

TAGS = ["子账户"]

_Text = Annotated[str, Meta(max_length=100)]


class SubsetData(Struct, kw_only=True):
    alias: _Text | UnsetType | None = UNSET
    birthday: Annotated[str, about("YYYY-MM-DD", format="date")] | UnsetType | None = UNSET
    duty: _Text | UnsetType | None = UNSET
    wechat: _Text | UnsetType | None = UNSET
    qq: _Text | UnsetType | None = UNSET
    landline_phone: _Text | UnsetType | None = UNSET
    sex: SexCode | UnsetType | None = UNSET


class NewSubAccountBody(PersonBody, kw_only=True):
    subset_data: SubsetData | None = None


class SubAccountBody(UserBody, kw_only=True):
    subset_data: SubsetData | None = None


class SubAccountQuery(UserQuery, kw_only=True):
    id: Annotated[str | None, Meta(description="子账户 id")] = None


class SubAccount(Struct, kw_only=True):
    id: str
    name: str
    phone: str | None
    email: str | None
    sex: int
    alias: str | None
    duty: str | None
    landline_phone: str | None
    qq: str | None
    wechat: str | None
    birthday: str | None
    created_at: str
    updated_at: str


@get(
    "/user/{user_id:str}/subset_users",
    opt=ACCOUNT,
    operation_class=accepts(Paged, SubAccountQuery),
    tags=TAGS,
    summary="子账户列表",
)
async def sub_accounts(request: AnyRequest, app: App) -> Listing[SubAccount]:
    asked = asked_page(request)
    query = read_query(request, SubAccountQuery)
    chosen = UserFilter(
        caller_of(request).partner,
        account_of(request),
        id=query.id,
        name_part=query.name,
        email_part=query.email,
        phone_part=query.phone,
    )
    page = await app.users.page(chosen, Paging(asked.page, asked.per_page))
    return listing("返回子账户列表成功", page, asked, sub_account_of)


@post(
    "/user/{user_id:str}/subset_users",
    opt=ACCOUNT,
    operation_class=accepts(body=NewSubAccountBody),
    status_code=200,
    tags=TAGS,
    summary="子账户注册",
)
async def register(request: AnyRequest, app: App) -> Answer[SubAccount]:
    body = await read_body(request, NewSubAccountBody)
    user = await app.users.register_sub_account(
        account_of(request),
        NewUser(
            body.name,
            body.email,
            body.phone,
            NewPassword(body.password, body.password_confirmation),
            _changed(Profile(), body.subset_data),
        ),
    )
    return Answer(message="注册子账户成功", data=sub_account_of(user))


@get(
    "/user/{user_id:str}/subset_users/{sub_user_id:str}/edit",
    opt=ACCOUNT,
    operation_class=accepts(for_account=False),
    tags=TAGS,
    summary="子账户编辑",
)
async def edit(request: AnyRequest, app: App) -> Answer[SubAccount]:
    return Answer(message="查看子账户信息成功", data=sub_account_of(await app.users.read(account_of(request))))


@put(
    "/user/{user_id:str}/subset_users/{sub_user_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=SubAccountBody, for_account=False),
    tags=TAGS,
    summary="子账户修改",
)
async def update(request: AnyRequest, app: App) -> Answer[str]:
    body = await read_body(request, SubAccountBody)
    await app.users.update(account_of(request), _change(body), new_password(body))
    return Answer(message="修改成功", data="")


@delete(
    "/user/{user_id:str}/subset_users/{sub_user_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(for_account=False),
    status_code=200,
    tags=TAGS,
    summary="子账户删除",
)
async def remove(request: AnyRequest, app: App) -> Done:
    await app.users.delete(account_of(request), caller_of(request))
    return Done(message="删除子账户成功")


def sub_account_of(user: User) -> SubAccount:
    person = user.profile
    return SubAccount(
        id=user.id,
        name=user.name,
        phone=user.phone,
        email=user.email,
        sex=person.sex,
        alias=person.alias,
        duty=person.duty,
        landline_phone=person.landline_phone,
        qq=person.qq,
        wechat=person.wechat,
        birthday=None if person.birthday is None else person.birthday.isoformat(),
        created_at=written(user.created_at),
        updated_at=written(user.updated_at),
    )


def _change(body: SubAccountBody) -> Callable[[User], User]:
    as_user = change_of(body)

    def change(user: User) -> User:
        return replace(as_user(user), profile=_changed(user.profile, body.subset_data))

    return change


def _changed(profile: Profile, said: SubsetData | None) -> Profile:
    """What is not said stays. Raises Invalid."""
    if said is None:
        return profile
    problems: dict[str, list[str]] = {}
    birthday, sex = profile.birthday, profile.sex
    if not isinstance(said.birthday, UnsetType):
        try:
            birthday = None if said.birthday is None else date.fromisoformat(said.birthday)
        except ValueError:
            problems["subset_data.birthday"] = ["subset_data.birthday 的格式必须是 YYYY-MM-DD"]
    if not isinstance(said.sex, UnsetType):
        try:
            sex = Sex(said.sex or 0)
        except ValueError:
            problems["subset_data.sex"] = ["subset_data.sex 必须是 0、1 或 2"]
    if problems:
        raise Invalid(problems)
    return Profile(
        alias=given(said.alias, profile.alias),
        birthday=birthday,
        duty=given(said.duty, profile.duty),
        wechat=given(said.wechat, profile.wechat),
        qq=given(said.qq, profile.qq),
        landline_phone=given(said.landline_phone, profile.landline_phone),
        sex=sex,
    )


ROUTES = [sub_accounts, register, edit, update, remove]
