"""The routes, `/openapi/tasks…`."""

import re
from dataclasses import dataclass
from typing import Annotated

from litestar import Router, get, post
from litestar.di import Provide
from litestar.openapi.spec import OpenAPIMediaType, RequestBody
from litestar.params import FromPath, JSONBody, QueryParameter

from waihu.application.services import Application
from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.faces.mistakes import Documented
from waihu.faces.reach import ACCOUNT, all_declared
from waihu.faces.struct_schemas import openapi_schema, plain_schema
from waihu.faces.voicefox.entry import Account, App, JsonRequest, account_meant, doorkeeper
from waihu.faces.voicefox.failures import answer_failure, naming, refusals
from waihu.faces.voicefox.new_task import FIELDS, NewTask, contacts_of, rules_of
from waihu.faces.voicefox.task import Task, Tasks, task_of
from waihu.ports.rows import Origin, Paging

TAGS = ["外呼任务"]
PAGE_MAX = 1_000_000
PAGE_SIZE_MAX = 100
_NUMBER = re.compile(r"[0-9]{1,10}")
_OURS = "waihu 的补充,VoiceFox 文档中没有此接口。"

TaskId = FromPath[str]
PageIndex = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="页码")]
PageSize = Annotated[int, QueryParameter(ge=1, le=PAGE_SIZE_MAX, description="每页个数")]


def router(app: Application) -> Router:
    return Router(
        "/openapi",
        route_handlers=all_declared([read, page, create, start, stop]),
        guards=[doorkeeper(app)],
        request_class=JsonRequest,
        dependencies={"app": Provide(lambda: app, sync_to_thread=False), "account": Provide(account_meant)},
        exception_handlers={Exception: answer_failure},
        tags=TAGS,
        security=[{"BearerToken": []}],
    )


# Parameters keep the vendor's spelling: the reference and the errors show it.


@get("/tasks/{taskID:str}", opt=ACCOUNT, operation_class=Documented, responses=refusals(404), summary="任务详情")
async def read(app: App, account: Account, taskID: TaskId) -> Task:
    return task_of(await app.numbered_campaigns.read(account, _number(taskID)))


@get(
    "/tasks",
    opt=ACCOUNT,
    operation_class=Documented,
    responses=refusals(),
    summary="任务列表",
    description=f"{_OURS}该账户的所有任务,最新的在前。",
)
async def page(app: App, account: Account, pageIndex: PageIndex = 1, pageSize: PageSize = 10) -> Tasks:
    found = await app.numbered_campaigns.page(account, Paging(pageIndex, pageSize))
    items = [task_of(each) for each in found.items]
    return Tasks(items=items, total=found.total, page_index=pageIndex, page_size=pageSize)


@dataclass
class Creation(Documented):
    def __post_init__(self) -> None:
        super().__post_init__()
        schema = openapi_schema(plain_schema(NewTask))
        self.request_body = RequestBody(required=True, content={"application/json": OpenAPIMediaType(schema=schema)})


@post(
    "/tasks",
    opt=ACCOUNT,
    operation_class=Creation,
    responses=refusals(400, 413),
    summary="创建任务",
    description=f"{_OURS}号码全部有效才会创建任务;号码无效、重复或在黑名单中时,errors 会逐个指出。",
)
async def create(app: App, account: Account, data: JSONBody[NewTask]) -> Task:
    agent, version = await _agent(app, account, data)
    rules = rules_of(data, agent, await app.trunks.allocations(account))
    with naming(FIELDS):
        created = await app.numbered_campaigns.create(
            account, Origin.VOICEFOX, rules, contacts_of(data.items), agent_version=version
        )
    return task_of(created)


@post(
    "/tasks/{taskID:str}/start",
    opt=ACCOUNT,
    operation_class=Documented,
    responses=refusals(404, 409),
    status_code=200,
    summary="启动任务",
    description=f"{_OURS}没有可用线路时返回 409。",
)
async def start(app: App, account: Account, taskID: TaskId) -> Task:
    number = _number(taskID)
    await app.campaigns.start(account, await app.numbered_campaigns.id_of(account, number))
    return task_of(await app.numbered_campaigns.read(account, number))


@post(
    "/tasks/{taskID:str}/stop",
    opt=ACCOUNT,
    operation_class=Documented,
    responses=refusals(404),
    status_code=200,
    summary="停止任务",
    description=f"{_OURS}不再发起新的呼叫,进行中的通话会正常结束。",
)
async def stop(app: App, account: Account, taskID: TaskId) -> Task:
    number = _number(taskID)
    await app.campaigns.pause(account, await app.numbered_campaigns.id_of(account, number))
    return task_of(await app.numbered_campaigns.read(account, number))


async def _agent(app: Application, account: AccountId, task: NewTask) -> tuple[int, int | None]:
    """The agent that is named and the number of its version, None for the newest one. Raises Invalid."""
    if task.assistant_vid is None:
        if task.assistant_id is None:
            raise Invalid.field("assistantId", "assistantId 和 assistantVid 至少填写一个")
        return task.assistant_id, None
    try:
        version = await app.agents.version(account, task.assistant_vid)
    except NotFound as mistake:
        raise Invalid.field("assistantVid", "助手版本不存在") from mistake
    if task.assistant_id not in (None, version.agent):
        raise Invalid.field("assistantVid", "该版本不属于 assistantId 所指的助手")
    return version.agent, version.version


def _number(task_id: str) -> int:
    """The page types the id a string and shows an integer. Raises NotFound for text that names no task."""
    if not _NUMBER.fullmatch(task_id):
        raise NotFound("campaign")
    return int(task_id)
