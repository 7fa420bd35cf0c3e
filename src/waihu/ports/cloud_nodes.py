"""Cloud nodes (云节点), where a vendor's accounts live. waihu is one node: its id is what clients call `tenant_id`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CloudNode:
    id: str
    name: str


class CloudNodes(Protocol):
    async def all(self) -> Sequence[CloudNode]: ...

    async def get(self, node: str) -> CloudNode | None: ...
