"""Dialogues by text with a scripted agent: the same decisions as on the phone, a message instead of a key.

What has been said is not kept; only whether the agent still waits for an answer is, in the store, so that every process
can go on with a dialogue.
"""

from dataclasses import dataclass, replace

from waihu.dialogue.scripted import Step, begin, key_in, respond
from waihu.domain.agent import Script
from waihu.domain.errors import NotFound
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.store import Store
from waihu.ports.text_talks import TextTalk

FORGOTTEN_AFTER_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Reply:
    """`says` is empty when the agent goes on waiting. `is_over`: it has said goodbye."""

    agent: int
    says: tuple[str, ...]
    is_over: bool


class TextDialogue:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def enter(self, account: AccountId, talk: str, agent: int) -> Reply:
        """Begins a dialogue with the newest version of the agent. Raises NotFound."""
        now = self._clock()
        async with self._store.writing() as session:
            found = await session.agents.get(account, agent)
            if found is None:
                raise NotFound("agent")
            step = begin(Script.of(found.definition), {})
            listens = step.listens_s is not None
            await session.text_talks.save(
                TextTalk(account, talk, found.id, found.version, found.definition, listens), now
            )
            await session.text_talks.forget(now - FORGOTTEN_AFTER_MS)
        return _reply(agent, step)

    async def hear(self, account: AccountId, talk: str, message: str) -> Reply:
        """What the agent answers. A message that means no key is like noise on the phone: it goes on waiting.

        Raises NotFound for a dialogue that was not begun, or has been left.
        """
        key = key_in(message)
        return await self._go_on(account, talk, key) if key is not None else await self._wait(account, talk)

    async def hear_nothing(self, account: AccountId, talk: str) -> Reply:
        """The person was silent for as long as the agent waits. Raises NotFound."""
        return await self._go_on(account, talk, None)

    async def leave(self, account: AccountId, talk: str) -> Reply:
        """Raises NotFound."""
        async with self._store.writing() as session:
            found = await session.text_talks.get(account, talk)
            if found is None:
                raise NotFound("talk")
            await session.text_talks.remove(account, talk)
        return Reply(found.agent, (), True)

    async def _go_on(self, account: AccountId, talk: str, pressed: str | None) -> Reply:
        async with self._store.writing() as session:
            found = await session.text_talks.get(account, talk)
            if found is None:
                raise NotFound("talk")
            if not found.listens:
                return Reply(found.agent, (), True)
            step = respond(Script.of(found.definition), {}, pressed)
            await session.text_talks.save(replace(found, listens=step.listens_s is not None), self._clock())
        return _reply(found.agent, step)

    async def _wait(self, account: AccountId, talk: str) -> Reply:
        async with self._store.writing() as session:
            found = await session.text_talks.get(account, talk)
        if found is None:
            raise NotFound("talk")
        return Reply(found.agent, (), not found.listens)


def _reply(agent: int, step: Step) -> Reply:
    return Reply(agent, step.says, step.listens_s is None)
