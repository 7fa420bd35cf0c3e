"""1.0 tasks, `/agent-api/user/{user_id}/task…`, the vendor's older generation."""

from typing import Annotated, Any

from litestar import delete, get, post, put
from msgspec import Meta, Struct

from waihu.domain.campaign import CampaignState, Phase
from waihu.faces.agent_api.choices import InitV1, init_v1_of
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.failures import naming
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page, read_body, read_query
from waihu.faces.agent_api.task_bodies import FIELDS_V1, TaskBodyV1, change_v1, new_rules, notify_urls
from waihu.faces.agent_api.task_edit import EditV1, edit_v1_of
from waihu.faces.agent_api.task_shapes import (
    DIALLING,
    NOT_DIALLING,
    RUNNING,
    STOPPED,
    STOPPED_STATES,
    WAITING,
    NewTask,
    TaskRowV1,
    task_row_v1_of,
)
from waihu.ports.rows import CampaignFilter, Origin, Paging

TAGS = ["任务 1.0"]
ORIGINS = (Origin.AGENT_API_V1,)


class TaskQueryV1(Struct, kw_only=True):
    name: Annotated[str | None, Meta(description="任务名称")] = None
    status: Annotated[list[int], Meta(description="任务状态:1 暂停中,2 执行中,3 等待执行")] = []


@get("/user/{user_id:str}/task/create", opt=ACCOUNT, operation_class=accepts(), tags=TAGS, summary="任务初始化")
async def init(request: AnyRequest, app: App) -> Answer[InitV1]:
    return Answer(message="返回任务初始化信息成功", data=init_v1_of(await app.campaigns.options(account_of(request))))


@post(
    "/user/{user_id:str}/task",
    opt=ACCOUNT,
    operation_class=accepts(body=TaskBodyV1),
    status_code=200,
    tags=TAGS,
    summary="任务创建",
)
async def create(request: AnyRequest, app: App) -> Answer[NewTask]:
    body = await read_body(request, TaskBodyV1)
    await app.callbacks.check_addresses(notify_urls(body))
    with naming(FIELDS_V1):
        campaign = await app.campaigns.create(account_of(request), Origin.AGENT_API_V1, new_rules(body))
    return Answer(message="创建成功", data=NewTask(campaign))


@get(
    "/user/{user_id:str}/task", opt=ACCOUNT, operation_class=accepts(Paged, TaskQueryV1), tags=TAGS, summary="任务列表"
)
async def tasks(request: AnyRequest, app: App) -> Listing[TaskRowV1]:
    return await _listed(request, app, (account_of(request),))


@get(
    "/user/{user_id:str}/all_task",
    opt=ACCOUNT,
    operation_class=accepts(Paged, TaskQueryV1),
    tags=TAGS,
    summary="任务列表(所有子账号)",
)
async def all_tasks(request: AnyRequest, app: App) -> Listing[TaskRowV1]:
    return await _listed(request, app, await app.accounts.with_children(account_of(request)))


@get(
    "/user/{user_id:str}/task/{task_id:str}/edit", opt=ACCOUNT, operation_class=accepts(), tags=TAGS, summary="任务编辑"
)
async def edit(request: AnyRequest, app: App, task_id: Id) -> Answer[EditV1]:
    view = await app.campaigns.read(account_of(request), task_id)
    return Answer(message="返回任务初始化信息成功", data=edit_v1_of(view))


@put(
    "/user/{user_id:str}/task/{task_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=TaskBodyV1),
    tags=TAGS,
    summary="任务修改",
)
async def update(request: AnyRequest, app: App, task_id: Id) -> Answer[str]:
    body = await read_body(request, TaskBodyV1)
    await app.callbacks.check_addresses(notify_urls(body))
    with naming(FIELDS_V1):
        await app.campaigns.update(account_of(request), task_id, change_v1(body))
    return Answer(message="修改成功", data="")


@get(
    "/user/{user_id:str}/task_start/{task_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="任务启动",
)
async def start(request: AnyRequest, app: App, task_id: Id) -> Answer[str]:
    await app.campaigns.start(account_of(request), task_id)
    return Answer(message="启动成功", data="")


@get(
    "/user/{user_id:str}/task_stop/{task_id:str}", opt=ACCOUNT, operation_class=accepts(), tags=TAGS, summary="任务暂停"
)
async def stop(request: AnyRequest, app: App, task_id: Id) -> Answer[str]:
    await app.campaigns.pause(account_of(request), task_id)
    return Answer(message="暂停成功", data="")


@delete(
    "/user/{user_id:str}/task/{task_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(refuses=(409,)),
    status_code=200,
    tags=TAGS,
    summary="任务删除",
)
async def remove(request: AnyRequest, app: App, task_id: Id) -> Done:
    await app.campaigns.delete(account_of(request), task_id)
    return Done(message="删除成功")


async def _listed(request: AnyRequest, app: App, accounts: Any) -> Listing[TaskRowV1]:
    asked = asked_page(request)
    query = read_query(request, TaskQueryV1)
    chosen = CampaignFilter(accounts, ORIGINS, query.name, *_states_of(query.status))
    page = await app.campaigns.page(chosen, Paging(asked.page, asked.per_page))
    return listing("返回任务列表信息", page, asked, task_row_v1_of)


def _states_of(codes: list[int]) -> tuple[tuple[CampaignState, ...] | None, tuple[Phase | None, ...] | None]:
    """The states, and the phases of running tasks, that a `status` filter means: with an unknown code in it, all."""
    if not codes or not set(codes) <= {STOPPED, RUNNING, WAITING}:
        return None, None
    states = (STOPPED_STATES if STOPPED in codes else ()) + (
        (CampaignState.RUNNING,) if RUNNING in codes or WAITING in codes else ()
    )
    phases = (DIALLING if RUNNING in codes else ()) + (NOT_DIALLING if WAITING in codes else ())
    return states, phases


ROUTES = [init, create, tasks, all_tasks, edit, update, start, stop, remove]
