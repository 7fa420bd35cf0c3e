"""Dialogues by text that are under way. Implemented by `adapters/postgres/repositories/text_talks.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from waihu.domain.ids import AccountId, Instant


@dataclass(frozen=True, slots=True)
class TextTalk:
    """The agent's version, with its `definition`, was pinned at the beginning. `listens`: it waits for an answer; else
    it has said goodbye.
    """

    account: AccountId
    id: str
    agent: int
    version: int
    definition: Mapping[str, object]
    listens: bool


class TextTalks(Protocol):
    async def save(self, talk: TextTalk, now: Instant) -> None:
        """Begins a dialogue, anew if there was one of this id, or writes how it goes on."""
        ...

    async def get(self, account: AccountId, talk: str) -> TextTalk | None:
        """Locked until the session ends, so that two messages are answered one after the other."""
        ...

    async def remove(self, account: AccountId, talk: str) -> bool: ...

    async def forget(self, before: Instant) -> None:
        """Those in which nothing was said since then."""
        ...
