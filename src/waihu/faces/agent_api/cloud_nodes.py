"""Cloud nodes. The vendor's page with their list is not at hand: the route is ours."""

from litestar import get
from msgspec import Struct

from waihu.faces.agent_api.entry import TOKEN, App
from waihu.faces.agent_api.envelope import Answer
from waihu.faces.agent_api.openapi import accepts


class Node(Struct):
    """`id` is what other calls name `tenant_id`."""

    id: str
    name: str


@get(
    "/cloud_node",
    opt=TOKEN,
    operation_class=accepts(for_account=False),
    tags=["云节点"],
    summary="云节点列表",
    description="waihu 的补充,厂商的该页面无法取得。waihu 只有一个云节点。",
)
async def cloud_nodes(app: App) -> Answer[list[Node]]:
    nodes = await app.cloud_nodes.all()
    return Answer(message="返回云节点列表成功", data=[Node(node.id, node.name) for node in nodes])


ROUTES = [cloud_nodes]
