"""What campaigns choose from besides hours, trunks and agents: transfer groups, reviews, background sounds.

Campaigns keep and show what they have chosen of them; calls do not use it before there are conversations.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from waihu.domain.errors import Conflict, Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.domain.phone import normalise
from waihu.ports.choices import BackgroundSound, ReviewConfig, SeatGroup, Setting
from waihu.ports.clock import Clock
from waihu.ports.rows import Page, Paging
from waihu.ports.sounds import SoundShelf, SoundUnusable
from waihu.ports.store import Session, Store

NAME_MAX = 100
MEMBERS_MAX = 100
PROMPT_MAX = 5_000
SOUND_MAX_BYTES = 10 * 1024 * 1024
SOUNDS_MAX = 100
STRATEGIES = (1,)
"""1: calls are shared out evenly. The vendor has others, of which no page says anything."""


class Chosen(Protocol):
    @property
    def id(self) -> int: ...


T = TypeVar("T")
C = TypeVar("C", bound=Chosen)


class Choices:
    def __init__(self, store: Store, clock: Clock, shelf: SoundShelf) -> None:
        self._store = store
        self._clock = clock
        self._shelf = shelf

    # Transfer groups

    async def seat_groups(self, account: AccountId, paging: Paging) -> Page[SeatGroup]:
        async with self._store.reading() as session:
            return page_of(await session.choices.seat_groups(account), paging)

    async def seat_group(self, account: AccountId, group: int) -> SeatGroup:
        """Raises NotFound."""
        async with self._store.reading() as session:
            return _one(await session.choices.seat_groups(account), group, "seat_group")

    async def add_seat_group(
        self, account: AccountId, name: str, members: Sequence[str], *, strategy: int = 1
    ) -> SeatGroup:
        """`members`: extensions and phones, as people write them. Raises Invalid."""
        members = _checked_group(name, members, strategy)
        async with self._store.writing() as session:
            return await session.choices.add_seat_group(account, name, strategy, members, self._clock())

    async def change_seat_group(
        self, account: AccountId, group: int, change: Callable[[SeatGroup], SeatGroup]
    ) -> SeatGroup:
        """Raises Invalid and NotFound."""
        async with self._store.writing() as session:
            changed = change(_one(await session.choices.seat_groups(account), group, "seat_group"))
            members = _checked_group(changed.name, changed.members, changed.strategy)
            changed = replace(changed, members=tuple(members), updated_at=self._clock())
            await session.choices.change_seat_group(changed)
            return changed

    async def remove_seat_group(self, account: AccountId, group: int) -> None:
        """Raises NotFound, and Conflict while campaigns use it."""
        async with self._store.writing() as session:
            _one(await session.choices.seat_groups(account), group, "seat_group")
            await _free(session, account, Setting.SEAT_GROUP, group, "转接组")
            await session.choices.remove_seat_group(group)

    # Reviews

    async def review_configs(self, account: AccountId, paging: Paging) -> Page[ReviewConfig]:
        async with self._store.reading() as session:
            return page_of(await session.choices.review_configs(account), paging)

    async def review_config(self, account: AccountId, config: int) -> ReviewConfig:
        """Raises NotFound."""
        async with self._store.reading() as session:
            return _one(await session.choices.review_configs(account), config, "review_config")

    async def add_review_config(
        self, account: AccountId, name: str, prompt: str, *, is_default: bool = False
    ) -> ReviewConfig:
        """Raises Invalid."""
        _check_review(name, prompt)
        now = self._clock()
        async with self._store.writing() as session:
            if is_default:
                await session.choices.clear_default_review_config(account, now)
            return await session.choices.add_review_config(account, name, prompt, is_default=is_default, now=now)

    async def change_review_config(
        self, account: AccountId, config: int, change: Callable[[ReviewConfig], ReviewConfig]
    ) -> ReviewConfig:
        """Raises Invalid and NotFound."""
        now = self._clock()
        async with self._store.writing() as session:
            found = _one(await session.choices.review_configs(account), config, "review_config")
            changed = replace(change(found), updated_at=now)
            _check_review(changed.name, changed.prompt)
            if changed.is_default and not found.is_default:
                await session.choices.clear_default_review_config(account, now)
            await session.choices.change_review_config(changed)
            return changed

    async def remove_review_config(self, account: AccountId, config: int) -> None:
        """Raises NotFound, and Conflict while campaigns use it."""
        async with self._store.writing() as session:
            _one(await session.choices.review_configs(account), config, "review_config")
            await _free(session, account, Setting.REVIEW_CONFIG, config, "质检配置")
            await session.choices.remove_review_config(config)

    # Background sounds

    async def background_sounds(self, account: AccountId, paging: Paging) -> Page[BackgroundSound]:
        async with self._store.reading() as session:
            return page_of(await session.choices.background_sounds(account), paging)

    async def add_background_sound(self, account: AccountId, name: str, source: bytes) -> BackgroundSound:
        """`source`: a WAV file. Raises Invalid."""
        _check_name(name)
        if len(source) > SOUND_MAX_BYTES:
            raise Invalid.field("file", f"文件不能超过 {SOUND_MAX_BYTES // 2**20} MB")
        async with self._store.reading() as session:
            if len(await session.choices.background_sounds(account)) >= SOUNDS_MAX:
                raise Invalid.field("file", f"背景音不能超过 {SOUNDS_MAX} 个,请先删除不用的")
        try:
            kept = await self._shelf.put(source)
        except SoundUnusable as problem:
            raise Invalid.field("file", str(problem)) from problem
        try:
            async with self._store.writing() as session:
                return await session.choices.add_background_sound(
                    account, name, kept.file, kept.duration_ms, self._clock()
                )
        except BaseException:
            self._shelf.remove(kept.file)
            raise

    async def background_sound_file(self, account: AccountId, sound: int) -> Path:
        """As calls play it. Raises NotFound."""
        async with self._store.reading() as session:
            found = _one(await session.choices.background_sounds(account), sound, "background_sound")
        path = self._shelf.path(found.file)
        if path is None:
            raise NotFound("background_sound")
        return path

    async def remove_background_sound(self, account: AccountId, sound: int) -> None:
        """Raises NotFound, and Conflict while campaigns use it."""
        async with self._store.writing() as session:
            found = _one(await session.choices.background_sounds(account), sound, "background_sound")
            await _free(session, account, Setting.BACKGROUND_SOUND, sound, "背景音")
            await session.choices.remove_background_sound(sound)
        self._shelf.remove(found.file)


def page_of(all_of_them: Sequence[T], paging: Paging) -> Page[T]:
    """One page of a list that is short in any account."""
    return Page(tuple(all_of_them[paging.offset : paging.offset + paging.size]), len(all_of_them))


async def _free(session: Session, account: AccountId, setting: Setting, chosen: int, noun: str) -> None:
    users = await session.choices.used_by(account, setting, chosen)
    if users:
        raise Conflict("in_use", f"该{noun}正被 {users} 个任务使用,请先修改这些任务")


def _one(among: Sequence[C], id: int, noun: str) -> C:
    found = next((each for each in among if each.id == id), None)
    if found is None:
        raise NotFound(noun)
    return found


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_MAX:
        raise Invalid.field("name", f"名称不能为空,且不能超过 {NAME_MAX} 个字符")


def _checked_group(name: str, members: Sequence[str], strategy: int) -> list[str]:
    """The members in the form in which they are dialled."""
    problems: dict[str, list[str]] = {}
    if not name.strip() or len(name) > NAME_MAX:
        problems["name"] = [f"名称不能为空,且不能超过 {NAME_MAX} 个字符"]
    if strategy not in STRATEGIES:
        problems["strategy"] = ["转接策略必须是 1(平均)"]
    if not 0 < len(members) <= MEMBERS_MAX:
        problems["members"] = [f"转接组必须有 1 到 {MEMBERS_MAX} 个分机或号码"]
    found = []
    for place, written in enumerate(members):
        member = normalise(written)
        if member is None:
            problems[f"members.{place}"] = ["分机或号码格式不正确"]
        elif member in found:
            problems[f"members.{place}"] = ["分机或号码重复"]
        else:
            found.append(member)
    if problems:
        raise Invalid(problems)
    return found


def _check_review(name: str, prompt: str) -> None:
    _check_name(name)
    if not prompt.strip() or len(prompt) > PROMPT_MAX:
        raise Invalid.field("prompt", f"质检要求不能为空,且不能超过 {PROMPT_MAX} 个字符")
