"""Agents: who talks. Changing one adds a version; campaigns keep the version they pinned."""

from dataclasses import asdict

from waihu.domain.agent import AgentKind, Script
from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.rows import Agent, AgentVersion
from waihu.ports.store import Store


class Agents:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create(self, account: AccountId, kind: AgentKind, name: str, script: Script) -> Agent:
        """Raises Invalid."""
        _check(script)
        async with self._store.writing() as session:
            return await session.agents.add(account, kind, name, asdict(script), is_default=False, now=self._clock())

    async def change(self, account: AccountId, agent: int, script: Script) -> int:
        """Answers the number of the new version. Raises Invalid and NotFound."""
        _check(script)
        async with self._store.writing() as session:
            if await session.agents.get(account, agent) is None:
                raise NotFound("agent")
            return await session.agents.add_version(agent, asdict(script), self._clock())

    async def version(self, account: AccountId, version: int) -> AgentVersion:
        """By the version's own id. Raises NotFound."""
        async with self._store.reading() as session:
            found = await session.agents.version(account, version)
        if found is None:
            raise NotFound("agent_version")
        return found

    async def all(self, account: AccountId) -> list[Agent]:
        async with self._store.reading() as session:
            return list(await session.agents.all(account))


def _check(script: Script) -> None:
    problems: dict[str, list[str]] = {}
    if not script.greeting.strip():
        problems["greeting"] = ["开场白不能为空"]
    if any(key not in "0123456789*#" or len(key) != 1 for key in script.keys or {}):
        problems["keys"] = ["按键只能是 0-9、* 或 #"]
    if not 1 <= script.key_timeout_s <= 60:
        problems["key_timeout_s"] = ["等待按键的时间必须在 1 到 60 秒之间"]
    if problems:
        raise Invalid(problems)
