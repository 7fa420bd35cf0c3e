"""Agents: who talks. Changing one adds a version; campaigns keep the version they pinned."""

from collections.abc import Callable
from dataclasses import asdict, replace

from waihu.domain.agent import KEYS, VOICES, AgentKind, Script
from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.rows import Agent, AgentVersion, Page, Paging
from waihu.ports.store import Store

NAME_MAX = 100
LINE_MAX = 1_000

Edit = Callable[[str, Script], tuple[str, Script]]
"""From name and script as they are to what they shall be; may raise Invalid."""


class Agents:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create(self, account: AccountId, kind: AgentKind, name: str, script: Script) -> Agent:
        """Raises Invalid."""
        _check(name, script)
        async with self._store.writing() as session:
            return await session.agents.add(account, kind, name, asdict(script), is_default=False, now=self._clock())

    async def change(self, account: AccountId, agent: int, script: Script) -> int:
        """Answers the number of the new version. Raises Invalid and NotFound."""
        return (await self.edit(account, agent, lambda name, _: (name, script))).version

    async def edit(self, account: AccountId, agent: int, change: Edit) -> Agent:
        """The agent with a new version, and perhaps a new name. Raises Invalid and NotFound."""
        now = self._clock()
        async with self._store.writing() as session:
            found = await session.agents.get(account, agent)
            if found is None:
                raise NotFound("agent")
            name, script = change(found.name, Script.of(found.definition))
            _check(name, script)
            definition = asdict(script)
            if name != found.name:
                await session.agents.rename(agent, name)
            version = await session.agents.add_version(agent, definition, now)
        return replace(found, name=name, version=version, definition=definition, updated_at=now)

    async def read(self, account: AccountId, agent: int) -> Agent:
        """Raises NotFound."""
        async with self._store.reading() as session:
            found = await session.agents.get(account, agent)
        if found is None:
            raise NotFound("agent")
        return found

    async def version(self, account: AccountId, version: int) -> AgentVersion:
        """By the version's own id. Raises NotFound."""
        async with self._store.reading() as session:
            found = await session.agents.version(account, version)
        if found is None:
            raise NotFound("agent_version")
        return found

    async def page(self, account: AccountId, paging: Paging) -> Page[Agent]:
        """The account's own, oldest first."""
        async with self._store.reading() as session:
            return await session.agents.page(paging, account=account)

    async def page_of_partner(self, partner: str, paging: Paging) -> Page[Agent]:
        """Of all accounts of the partner, oldest first."""
        async with self._store.reading() as session:
            return await session.agents.page(paging, partner=partner)

    async def all(self, account: AccountId) -> list[Agent]:
        async with self._store.reading() as session:
            return list(await session.agents.all(account))


def _check(name: str, script: Script) -> None:
    problems: dict[str, list[str]] = {}
    if not name.strip() or len(name) > NAME_MAX:
        problems["name"] = [f"名称不能为空,且不能超过 {NAME_MAX} 个字符"]
    if not script.greeting.strip():
        problems["greeting"] = ["开场白不能为空"]
    said = [("greeting", script.greeting), ("goodbye", script.goodbye or "")]
    for field, line in [*said, *(("keys", answer) for answer in (script.keys or {}).values())]:
        if len(line) > LINE_MAX:
            problems[field] = [f"每句话不能超过 {LINE_MAX} 个字符"]
    if script.voice not in VOICES:
        problems["voice"] = [f"voice 必须是 {'、'.join(VOICES)} 之一"]
    if any(key not in KEYS or len(key) != 1 for key in script.keys or {}):
        problems["keys"] = ["按键只能是 0-9、* 或 #"]
    if not 1 <= script.key_timeout_s <= 60:
        problems["key_timeout_s"] = ["等待按键的时间必须在 1 到 60 秒之间"]
    if problems:
        raise Invalid(problems)
