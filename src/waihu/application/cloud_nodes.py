"""The cloud nodes that a client may name."""

from waihu.domain.errors import Invalid
from waihu.ports.cloud_nodes import CloudNode
from waihu.ports.store import Store


class CloudNodes:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> list[CloudNode]:
        async with self._store.looking() as session:
            return list(await session.cloud_nodes.all())

    async def named(self, node: str | None) -> CloudNode:
        """The node with this id; None is the one where accounts are made when nobody says otherwise. Raises Invalid."""
        async with self._store.looking() as session:
            found = (await session.cloud_nodes.all())[0] if node is None else await session.cloud_nodes.get(node)
        if found is None:
            raise Invalid.field("tenant_id", "tenant_id 所指的云节点不存在")
        return found
