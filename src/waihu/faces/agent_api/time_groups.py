"""Call-time groups, `/agent-api/user/{user_id}/dial-time-group`. Of their answers only that of the update is at hand:
the group, as a 1.0 task shows it. The others have the same rows.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from litestar import delete, get, post, put
from msgspec import UNSET, Struct, UnsetType

from waihu.domain.hours import CallingHours
from waihu.faces.agent_api.choices import FullTimeGroup, full_time_group_of
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of, number_in_path
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.failures import naming
from waihu.faces.agent_api.fields import Name, TimeOfDay, Weekday, about
from waihu.faces.agent_api.hours import week_of
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page, given, read_body
from waihu.ports.rows import HoursGroup, Paging, Week

TAGS = ["呼叫时间组"]
_FIELDS = {"hours": "content"}


class TimesBody(Struct):
    begin_time: TimeOfDay
    end_time: TimeOfDay


class DayBody(Struct):
    week: Weekday
    times: list[TimesBody]


class NewTimeGroup(Struct, kw_only=True):
    name: Name
    content: Annotated[list[DayBody], about(minItems=1)]
    is_default: bool
    skip_holiday: bool
    remark: str | None = None
    sub_user_id: str | None = None


class TimeGroupBody(Struct, kw_only=True):
    name: Name
    content: Annotated[list[DayBody], about(minItems=1)] | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    skip_holiday: bool | UnsetType = UNSET
    remark: str | UnsetType | None = UNSET
    sub_user_id: str | None = None


@get(
    "/user/{user_id:str}/dial-time-group",
    opt=ACCOUNT,
    operation_class=accepts(Paged),
    tags=TAGS,
    summary="呼叫时间组列表",
)
async def time_groups(request: AnyRequest, app: App) -> Listing[FullTimeGroup]:
    asked = asked_page(request)
    page = await app.calling_hours.page(account_of(request), Paging(asked.page, asked.per_page))
    return listing("返回呼叫时间组列表成功", page, asked, full_time_group_of)


@post(
    "/user/{user_id:str}/dial-time-group",
    opt=ACCOUNT,
    operation_class=accepts(body=NewTimeGroup),
    status_code=200,
    tags=TAGS,
    summary="呼叫时间组保存",
)
async def create(request: AnyRequest, app: App) -> Answer[FullTimeGroup]:
    body = await read_body(request, NewTimeGroup)
    with naming(_FIELDS):
        group = await app.calling_hours.create(
            account_of(request),
            body.name,
            CallingHours(_week(body.content)),
            is_default=body.is_default,
            skip_holiday=body.skip_holiday,
            remark=body.remark,
        )
    return Answer(message="保存成功", data=full_time_group_of(group))


@put(
    "/user/{user_id:str}/dial-time-group/{group_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=TimeGroupBody),
    tags=TAGS,
    summary="呼叫时间组更新",
)
async def update(request: AnyRequest, app: App, group_id: Id) -> Answer[FullTimeGroup]:
    body = await read_body(request, TimeGroupBody)
    number = number_in_path(group_id, "calling_hours")
    with naming(_FIELDS):
        group = await app.calling_hours.update(account_of(request), number, _change(body))
    return Answer(message="修改成功", data=full_time_group_of(group))


@delete(
    "/user/{user_id:str}/dial-time-group/{group_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(refuses=(409,)),
    status_code=200,
    tags=TAGS,
    summary="呼叫时间组删除",
)
async def remove(request: AnyRequest, app: App, group_id: Id) -> Done:
    await app.calling_hours.delete(account_of(request), number_in_path(group_id, "calling_hours"))
    return Done(message="删除成功")


def _change(body: TimeGroupBody) -> Callable[[HoursGroup], HoursGroup]:
    def change(group: HoursGroup) -> HoursGroup:
        week = group.hours.week if isinstance(body.content, UnsetType) else _week(body.content)
        return replace(
            group,
            name=body.name,
            hours=replace(group.hours, week=week),
            is_default=given(body.is_default, group.is_default),
            skip_holiday=given(body.skip_holiday, group.skip_holiday),
            remark=given(body.remark, group.remark),
        )

    return change


def _week(content: list[DayBody]) -> Week:
    # The vendor's pages contradict each other on the first day; most of them begin with Sunday, as 0.
    windows = ((day.week, times.begin_time, times.end_time) for day in content for times in day.times)
    return week_of(windows, "content")


ROUTES = [time_groups, create, update, remove]
