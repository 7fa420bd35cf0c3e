"""Scripts, `/agent-api/group/{user_id}` and `/agent-api/agent_group/tenant/{tenant_id}`. No answer of these calls is at
hand: a row has the form in which a task's form offers a regular script, with the kind of script in `group_type`.
"""

from litestar import get
from msgspec import Struct

from waihu.domain.errors import NotFound
from waihu.faces.agent_api.entry import ACCOUNT, PARTNER, AnyRequest, App, Id, account_of, caller_of
from waihu.faces.agent_api.envelope import Listing, listing
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page
from waihu.faces.agent_api.task_shapes import GROUP_TYPES
from waihu.faces.agent_api.times import written
from waihu.ports.rows import Agent, Paging

TAGS = ["话术分组"]


class GroupRow(Struct, kw_only=True):
    id: int
    name: str
    user_id: str
    group_type: str
    default: bool
    is_lock: int = 0
    is_active: int = 1
    created_at: str
    updated_at: str


@get("/group/{user_id:str}", opt=ACCOUNT, operation_class=accepts(Paged), tags=TAGS, summary="话术分组")
async def groups(request: AnyRequest, app: App) -> Listing[GroupRow]:
    asked = asked_page(request)
    page = await app.agents.page(account_of(request), Paging(asked.page, asked.per_page))
    return listing("返回话术分组列表成功", page, asked, _row_of)


@get(
    "/agent_group/tenant/{tenant_id:str}",
    opt=PARTNER,
    operation_class=accepts(Paged, for_account=False),
    tags=TAGS,
    summary="查看下级用户所有话术",
)
async def groups_of_node(request: AnyRequest, app: App, tenant_id: Id) -> Listing[GroupRow]:
    asked = asked_page(request)
    if tenant_id not in {node.id for node in await app.cloud_nodes.all()}:
        raise NotFound("cloud_node")
    page = await app.agents.page_of_partner(caller_of(request).partner, Paging(asked.page, asked.per_page))
    return listing("返回话术列表成功", page, asked, _row_of)


def _row_of(agent: Agent) -> GroupRow:
    return GroupRow(
        id=agent.id,
        name=agent.name,
        user_id=agent.account,
        group_type=GROUP_TYPES[agent.kind],
        default=agent.is_default,
        created_at=written(agent.created_at),
        updated_at=written(agent.updated_at),
    )


ROUTES = [groups, groups_of_node]
