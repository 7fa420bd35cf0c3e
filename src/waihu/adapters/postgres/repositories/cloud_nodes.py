"""Cloud nodes."""

from collections.abc import Sequence

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import as_uuid
from waihu.ports.cloud_nodes import CloudNode


class CloudNodeRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def all(self) -> Sequence[CloudNode]:
        found = await self._connection.fetch("select id, name from cloud_node order by created_at, id")
        return [CloudNode(str(row["id"]), row["name"]) for row in found]

    async def get(self, node: str) -> CloudNode | None:
        row = await self._connection.fetchrow("select id, name from cloud_node where id = $1", as_uuid(node))
        return None if row is None else CloudNode(str(row["id"]), row["name"])
