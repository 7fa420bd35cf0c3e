"""2.0 tasks, `/agent-api/new/user/{user_id}/…`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from litestar import delete, get, post, put
from msgspec import Meta, Struct

from waihu.domain.campaign import CampaignState
from waihu.domain.errors import Conflict
from waihu.faces.agent_api.choices import Init, init_of
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of
from waihu.faces.agent_api.envelope import Answer, Done, Listing, Running, listing
from waihu.faces.agent_api.failures import naming
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page, read_body, read_query
from waihu.faces.agent_api.task_bodies import (
    NewTaskBodyV2,
    TaskBodyV2,
    change_v2,
    fields_v2,
    new_rules,
    notify_urls,
)
from waihu.faces.agent_api.task_edit import EditV2, edit_v2_of
from waihu.faces.agent_api.task_shapes import (
    RUNNING,
    STOPPED,
    STOPPED_STATES,
    WAITING,
    NewTask,
    TaskRow,
    task_row_of,
)
from waihu.ports.rows import CampaignFilter, Origin, Paging

TAGS = ["任务 2.0"]
ORIGINS = (Origin.AGENT_API_V2, Origin.CONSOLE)


class TaskQuery(Struct, kw_only=True):
    name: Annotated[str | None, Meta(description="任务名称")] = None
    status: Annotated[list[int], Meta(description="任务状态:1 任务暂停,3 执行中和等待执行")] = []


@get("/new/user/{user_id:str}/task/create", opt=ACCOUNT, operation_class=accepts(), tags=TAGS, summary="任务初始化")
async def init(request: AnyRequest, app: App) -> Answer[Init]:
    return Answer(message="返回任务初始化信息成功", data=init_of(await app.campaigns.options(account_of(request))))


@post(
    "/new/user/{user_id:str}/task",
    opt=ACCOUNT,
    operation_class=accepts(body=NewTaskBodyV2),
    status_code=200,
    tags=TAGS,
    summary="任务创建",
)
async def create(request: AnyRequest, app: App) -> Answer[NewTask]:
    body = await read_body(request, NewTaskBodyV2)
    await app.callbacks.check_addresses(notify_urls(body))
    with naming(fields_v2(body)):
        campaign = await app.campaigns.create(account_of(request), Origin.AGENT_API_V2, new_rules(body))
    return Answer(message="创建成功", data=NewTask(campaign))


@get(
    ["/new/user/{user_id:str}/task", "/new/user/{user_id:str}/subset_task"],
    opt=ACCOUNT,
    operation_class=accepts(Paged, TaskQuery),
    tags=TAGS,
    summary="2.0 任务列表",
)
async def tasks(request: AnyRequest, app: App) -> Listing[TaskRow]:
    asked = asked_page(request)
    query = read_query(request, TaskQuery)
    chosen = CampaignFilter((account_of(request),), ORIGINS, query.name, _states_of(query.status))
    page = await app.campaigns.page(chosen, Paging(asked.page, asked.per_page))
    return listing("返回任务列表信息成功", page, asked, task_row_of)


@get(
    "/new/user/{user_id:str}/task/{task_id:str}/edit",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="任务编辑",
)
async def edit(request: AnyRequest, app: App, task_id: Id) -> Answer[EditV2]:
    view = await app.campaigns.read(account_of(request), task_id)
    return Answer(message="返回任务编辑信息成功", data=edit_v2_of(view))


@put(
    "/new/user/{user_id:str}/task/{task_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=TaskBodyV2),
    tags=TAGS,
    summary="任务修改",
)
async def update(request: AnyRequest, app: App, task_id: Id) -> Answer[str]:
    body = await read_body(request, TaskBodyV2)
    await app.callbacks.check_addresses(notify_urls(body))
    with naming(fields_v2(body)):
        await app.campaigns.update(account_of(request), task_id, change_v2(body))
    return Answer(message="修改成功", data="")


@put(
    "/new/user/{user_id:str}/task_start/{task_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="任务启动",
)
async def start(request: AnyRequest, app: App, task_id: Id) -> Answer[str]:
    await app.campaigns.start(account_of(request), task_id)
    return Answer(message="启动成功", data="")


@put(
    "/new/user/{user_id:str}/task_stop/{task_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="任务暂停",
)
async def stop(request: AnyRequest, app: App, task_id: Id) -> Answer[str]:
    await app.campaigns.pause(account_of(request), task_id)
    return Answer(message="暂停成功", data="")


@get(
    "/new/user/{user_id:str}/copy/task/{task_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="任务复制",
)
async def copy(request: AnyRequest, app: App, task_id: Id) -> Answer[NewTask]:
    return Answer(message="复制成功", data=NewTask(await app.campaigns.copy(account_of(request), task_id)))


@delete(
    "/new/user/{user_id:str}/task/{task_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    status_code=200,
    tags=TAGS,
    summary="任务删除",
)
async def remove(request: AnyRequest, app: App, task_id: Id) -> Done | Running:
    with stopped_first():
        await app.campaigns.delete(account_of(request), task_id)
    return Done(message="删除成功")


def _states_of(codes: list[int]) -> tuple[CampaignState, ...] | None:
    """The states that a `status` filter means; 2.0 does not tell dialling tasks from waiting ones here."""
    if not codes:
        return None
    running = (CampaignState.RUNNING,) if RUNNING in codes or WAITING in codes else ()
    return (STOPPED_STATES if STOPPED in codes else ()) + running


@contextmanager
def stopped_first() -> Iterator[None]:
    """What a running task refuses is told with the vendor's own code for 2.0 tasks."""
    try:
        yield
    except Conflict as conflict:
        if conflict.code == "running":
            raise Conflict("running_2_0", "2.0任务启动中,请先停止任务") from conflict
        raise


ROUTES = [init, create, tasks, edit, update, start, stop, copy, remove]
