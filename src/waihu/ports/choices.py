"""What a campaign may choose besides hours, rules, trunks and agents: transfer groups, background sounds, reviews.

Implemented by `adapters/postgres/repositories/choices.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from waihu.domain.ids import AccountId, Instant


@dataclass(frozen=True, slots=True)
class SeatGroup:
    """People to whom a call may be handed over: `members` are extensions and phones, in order."""

    id: int
    account: AccountId
    name: str
    strategy: int
    members: tuple[str, ...]
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class BackgroundSound:
    """`file` is its name on the shelf (`ports/sounds.py`)."""

    id: int
    account: AccountId
    name: str
    file: str
    duration_ms: int
    created_at: Instant


@dataclass(frozen=True, slots=True)
class ReviewConfig:
    """By what finished calls are judged: `prompt` says it in words."""

    id: int
    account: AccountId
    name: str
    prompt: str
    is_default: bool
    created_at: Instant
    updated_at: Instant


class Setting(StrEnum):
    """Where a campaign keeps which of them it has chosen; the faces' own word."""

    SEAT_GROUP = "bridge_group_id"
    BACKGROUND_SOUND = "background_id"
    REVIEW_CONFIG = "llm_intention_id"


class Choices(Protocol):
    """Lists are in the order of ids. Adding gives the new id; removing is for what the account has."""

    async def seat_groups(self, account: AccountId) -> Sequence[SeatGroup]: ...

    async def add_seat_group(
        self, account: AccountId, name: str, strategy: int, members: Sequence[str], now: Instant
    ) -> SeatGroup: ...

    async def change_seat_group(self, group: SeatGroup) -> None: ...

    async def remove_seat_group(self, group: int) -> None: ...

    async def background_sounds(self, account: AccountId) -> Sequence[BackgroundSound]: ...

    async def add_background_sound(
        self, account: AccountId, name: str, file: str, duration_ms: int, now: Instant
    ) -> BackgroundSound: ...

    async def remove_background_sound(self, sound: int) -> None: ...

    async def review_configs(self, account: AccountId) -> Sequence[ReviewConfig]: ...

    async def add_review_config(
        self, account: AccountId, name: str, prompt: str, *, is_default: bool, now: Instant
    ) -> ReviewConfig: ...

    async def change_review_config(self, config: ReviewConfig) -> None: ...

    async def clear_default_review_config(self, account: AccountId, now: Instant) -> None: ...

    async def remove_review_config(self, config: int) -> None: ...

    async def used_by(self, account: AccountId, setting: Setting, chosen: int) -> int:
        """How many campaigns of the account, deleted ones aside, have chosen it."""
        ...
