"""Telling receivers what has happened, at least once: pushes are kept until they are acknowledged or a day is over.

A receiver gets one push at a time, and a slow or dead one holds up nobody but itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from waihu.domain.errors import Unavailable
from waihu.domain.ids import AttemptId, Instant
from waihu.ports.clock import Clock
from waihu.ports.receiver import Answer, Receiver
from waihu.ports.rows import Account, Call, Callback
from waihu.ports.store import Session, Store

CALL_FINISHED = "call_finished"
"""The kind of a callback whose body is `{"attempt": id}`."""

BATCH_MAX = 50
PUSHES_MAX = 20
LEASE_MS = 10 * 60_000
"""Longer than a push may take, so that nobody repeats one that is under way."""
FIRST_DELAY_MS = 10_000
TRIES_MAX = 14
"""10 s, 20 s, 40 s … add up to a little less than a day."""
REST_MAX_MS = 60_000
SETTLE_MS = 3_000
"""What was said, and the recording, are stored a moment after a call has ended."""
POLL_S = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call as its receiver is told. `voice_key` opens the recording, None where there is none."""

    call: Call
    account: Account
    campaign_name: str
    agent: int
    agent_name: str
    voice_key: str | None


Render = Callable[[Sequence[FinishedCall]], bytes]
"""Writes a push in the words of a wire."""


def retry_delay_ms(tries: int) -> int | None:
    """How long to wait after the `tries`-th try has failed; None: it was the last one."""
    return None if tries >= TRIES_MAX else FIRST_DELAY_MS * 2 ** (tries - 1)


class Callbacks:
    def __init__(self, store: Store, clock: Clock, voice_key: Callable[[str], str]) -> None:
        self._store = store
        self._clock = clock
        self._voice_key = voice_key
        self._busy: set[str] = set()
        self._resting: dict[str, Instant] = {}

    async def run(self, receiver: Receiver, render: Render) -> None:
        """Sends what is due, until it is cancelled."""
        async with asyncio.TaskGroup() as pushes:
            while True:
                if not await self._start_one(pushes, receiver, render):
                    await asyncio.sleep(POLL_S)

    async def send_due(self, receiver: Receiver, render: Render) -> int:
        """Sends everything that is due now and can be taken; answers how many pushes that were."""
        sent = 0
        async with asyncio.TaskGroup() as pushes:
            while await self._start_one(pushes, receiver, render):
                sent += 1
        return sent

    async def _start_one(self, pushes: asyncio.TaskGroup, receiver: Receiver, render: Render) -> bool:
        if len(self._busy) >= PUSHES_MAX:
            return False
        now = self._clock()
        self._resting = {url: until for url, until in self._resting.items() if until > now}
        try:
            async with self._store.writing() as session:
                taken = await session.callbacks.take(
                    [*self._busy, *self._resting], BATCH_MAX, lease_until=now + LEASE_MS, due_by=now - SETTLE_MS
                )
        except Unavailable:
            # What is due stays due.
            return False
        if not taken:
            return False
        self._busy.add(taken[0].url)
        pushes.create_task(self._push(taken, receiver, render))
        return True

    async def _push(self, taken: Sequence[Callback], receiver: Receiver, render: Render) -> None:
        try:
            answer = await self._tell(taken, receiver, render)
            await self._close(taken, answer)
        except Exception:
            # One push ends no other. Its lease ends, and it is told again.
            log.exception("callback left unsettled", callback=taken[0].id)
        finally:
            self._busy.discard(taken[0].url)

    async def _tell(self, taken: Sequence[Callback], receiver: Receiver, render: Render) -> Answer:
        async with self._store.reading() as session:
            calls = await self._finished_calls(session, taken)
        if not calls:
            return Answer(True, "nothing left to tell")
        return await receiver.post(taken[0].url, render(calls), event=taken[0].event)

    async def _close(self, taken: Sequence[Callback], answer: Answer) -> None:
        now = self._clock()
        ids = [each.id for each in taken]
        async with self._store.writing() as session:
            if answer.accepted:
                await session.callbacks.delivered(ids, answer.detail, now)
                return
            delay_ms = retry_delay_ms(taken[0].tries)
            await session.callbacks.failed(ids, answer.detail, None if delay_ms is None else now + delay_ms, now)
        # Others for this receiver wait a little as well: it would most likely fail them, too.
        self._resting[taken[0].url] = now + min(delay_ms or REST_MAX_MS, REST_MAX_MS)
        log.warning("callback failed", callback=taken[0].id, tries=taken[0].tries, gives_up=delay_ms is None)

    async def _finished_calls(self, session: Session, taken: Sequence[Callback]) -> list[FinishedCall]:
        attempts = [AttemptId(str(each.body["attempt"])) for each in taken if each.kind == CALL_FINISHED]
        calls = await session.calls.by_ids(attempts)
        campaigns = await session.campaigns.names([call.campaign for call in calls.values()])
        accounts = {each: await session.accounts.get(each) for each in {call.account for call in calls.values()}}
        return [
            FinishedCall(
                call=call,
                account=owner,
                campaign_name=campaigns[call.campaign].name,
                agent=campaigns[call.campaign].agent,
                agent_name=campaigns[call.campaign].agent_name,
                voice_key=None if call.recording is None else self._voice_key(call.recording),
            )
            for attempt in attempts
            if (call := calls.get(attempt)) is not None and (owner := accounts.get(call.account)) is not None
        ]
