"""Simple scripts, made and changed over `/agent-api/group/{user_id}`: waihu's own calls beside the vendor's list, so
that nobody has to stay with the demo script. A change is a new version; tasks go on with theirs until they are updated.
"""

from typing import Annotated

from litestar import get, post, put
from msgspec import UNSET, Meta, Struct, UnsetType

from waihu.application.agents import LINE_MAX
from waihu.domain.agent import VOICES, AgentKind, Script
from waihu.domain.errors import Invalid
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of, number_in_path
from waihu.faces.agent_api.envelope import Answer
from waihu.faces.agent_api.failures import naming
from waihu.faces.agent_api.fields import VISIBLE, Name, about
from waihu.faces.agent_api.openapi import OURS, accepts
from waihu.faces.agent_api.reading import given, read_body
from waihu.faces.agent_api.task_shapes import GROUP_TYPES
from waihu.faces.agent_api.times import written
from waihu.ports.rows import Agent

TAGS = ["话术分组"]
_FIELDS = {"key_timeout_s": "key_timeout"}
_KINDS = {code: kind for kind, code in GROUP_TYPES.items()}

Line = Annotated[str, about("可用 {姓名} 等变量", maxLength=LINE_MAX)]
Greeting = Annotated[str, about("开场白,可用 {姓名} 等变量", pattern=VISIBLE, maxLength=LINE_MAX)]


class KeyBody(Struct):
    key: Annotated[str, about("0-9、* 或 #", pattern="^[0-9*#]$")]
    answer: Line


class ScriptBody(Struct, kw_only=True):
    """An update; what is not sent stays as it is."""

    name: Name | UnsetType = UNSET
    greeting: Greeting | UnsetType = UNSET
    keys: Annotated[list[KeyBody], Meta(description="按键及其应答;为空则不等待按键")] | UnsetType = UNSET
    key_timeout: Annotated[int, Meta(ge=1, le=60, description="等待按键,秒")] | UnsetType = UNSET
    goodbye: Annotated[str, about("结束语", maxLength=LINE_MAX)] | UnsetType | None = UNSET
    voice: Annotated[str, about("cmn 普通话,en-us 英语", enum=list(VOICES))] | UnsetType = UNSET
    sub_user_id: str | None = None


class NewScript(ScriptBody, kw_only=True):
    name: Name
    greeting: Greeting
    group_type: (
        Annotated[str, about("group(默认)、robot 或 llm,决定在任务初始化的哪个列表中", enum=list(_KINDS))] | None
    ) = None


class ScriptRow(Struct, kw_only=True):
    id: int
    name: str
    user_id: str
    group_type: str
    version: int
    greeting: str
    keys: list[KeyBody]
    key_timeout: int
    goodbye: str | None
    voice: str
    created_at: str
    updated_at: str


@post(
    "/group/{user_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=NewScript),
    status_code=200,
    tags=TAGS,
    summary="话术新建",
    description=OURS,
)
async def create(request: AnyRequest, app: App) -> Answer[ScriptRow]:
    body = await read_body(request, NewScript)
    kind = _KINDS.get(body.group_type or GROUP_TYPES[AgentKind.SCRIPT])
    if kind is None:
        raise Invalid.field("group_type", "group_type 必须是 group、robot 或 llm")
    with naming(_FIELDS):
        made = await app.agents.create(account_of(request), kind, body.name, _changed(body, Script(body.greeting)))
    return Answer(message="保存成功", data=_row_of(made))


@get(
    "/group/{user_id:str}/{script_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="查看话术",
    description=OURS,
)
async def script(request: AnyRequest, app: App, script_id: Id) -> Answer[ScriptRow]:
    found = await app.agents.read(account_of(request), number_in_path(script_id, "agent"))
    return Answer(message="查看话术成功", data=_row_of(found))


@put(
    "/group/{user_id:str}/{script_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=ScriptBody),
    tags=TAGS,
    summary="话术修改",
    description=f"{OURS}保存为新版本;任务继续使用原版本,直到修改任务。",
)
async def update(request: AnyRequest, app: App, script_id: Id) -> Answer[ScriptRow]:
    body = await read_body(request, ScriptBody)
    with naming(_FIELDS):
        changed = await app.agents.edit(
            account_of(request),
            number_in_path(script_id, "agent"),
            lambda name, kept: (given(body.name, name), _changed(body, kept)),
        )
    return Answer(message="修改成功", data=_row_of(changed))


def _changed(body: ScriptBody, kept: Script) -> Script:
    keys = kept.keys
    if not isinstance(body.keys, UnsetType):
        keys = {each.key.strip(): each.answer for each in body.keys}
        if len(keys) < len(body.keys):
            raise Invalid.field("keys", "按键重复")
    return Script(
        greeting=given(body.greeting, kept.greeting),
        voice=given(body.voice, kept.voice),
        keys=keys or None,
        key_timeout_s=given(body.key_timeout, kept.key_timeout_s),
        goodbye=given(body.goodbye, kept.goodbye),
    )


def _row_of(agent: Agent) -> ScriptRow:
    kept = Script.of(agent.definition)
    return ScriptRow(
        id=agent.id,
        name=agent.name,
        user_id=agent.account,
        group_type=GROUP_TYPES[agent.kind],
        version=agent.version,
        greeting=kept.greeting,
        keys=[KeyBody(key, answer) for key, answer in (kept.keys or {}).items()],
        key_timeout=kept.key_timeout_s,
        goodbye=kept.goodbye,
        voice=kept.voice,
        created_at=written(agent.created_at),
        updated_at=written(agent.updated_at),
    )


ROUTES = [create, script, update]
