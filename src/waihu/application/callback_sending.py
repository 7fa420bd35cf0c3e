"""Telling receivers what has happened: at least once, each at its own pace, until they acknowledge it or a day is over.

Any number of processes send from one outbox. A receiver gets one push at a time, so a slow or dead one holds up nobody
but itself; what it has acknowledged it is never told again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

import structlog

from waihu.application.callback_news import News, Newsroom, Render
from waihu.application.callback_signature import push_headers
from waihu.domain.errors import Unavailable
from waihu.domain.ids import Instant
from waihu.ports.callbacks import Delivered, Failed, Note, Presence, Push, Room
from waihu.ports.clock import Clock
from waihu.ports.receiver import Answer, Receiver
from waihu.ports.store import Store

BATCH_MAX = 50
PUSHES_MAX = 256
FAILING_MAX = 128
"""Of these pushes so many may be at receivers that failed last time: others always find room."""
LEASE_MS = 10 * 60_000
"""Longer than a push may take, so that nobody repeats one that is under way."""
POLL_S = 0.2
RETRY_S = 0.5
GRACE_POLLS = 15
"""How long, in polls, pushes that are under way may take when the process is to end."""
KEPT_MS = 30 * 86_400_000
FORGET_EVERY_S = 3600
FORGET_MAX = 5_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a receiver that fails is tried. A push is tried again after 10 s, 20 s, 40 s … for a day. A receiver
    that fails so often in a row is left alone in between just so, and after the fifth time for two hours; then a single
    further failure is enough.
    """

    first_delay_ms: int = 10_000
    tried_for_ms: int = 86_400_000
    failures_max: int = 5
    blackout_ms: int = 2 * 3_600_000

    def delay_ms(self, failures: int) -> int:
        """How long to wait after so many failures."""
        return min(self.first_delay_ms << min(failures - 1, 20), self.tried_for_ms)

    def failed(self, push: Push, answer: str, now: Instant) -> Failed:
        """What follows from a push that has just failed."""
        since = min(each.since for each in push.callbacks)
        due_at = now + self.delay_ms(max(each.tries for each in push.callbacks) + 1)
        since_max = now - self.tried_for_ms
        failures = push.failures + 1
        is_blacklisted = failures >= self.failures_max
        rest_ms = self.blackout_ms if is_blacklisted else self.delay_ms(failures)
        return Failed(
            push=push,
            answer=answer,
            at=now,
            due_at=None if since <= since_max else due_at,
            since_max=since_max,
            rests_until=now + rest_ms,
            is_blacklisted=is_blacklisted,
        )


class CallbackSending:
    def __init__(self, store: Store, clock: Clock, newsroom: Newsroom, pace: Pace | None = None) -> None:
        self._store = store
        self._clock = clock
        self._newsroom = newsroom
        self._pace = pace or Pace()
        self._busy: dict[str, bool] = {}
        """Receivers with a push of ours under way, and whether they were failing before."""
        self._notes: asyncio.Queue[Note] = asyncio.Queue()
        self._more = asyncio.Event()

    async def run(self, presence: Presence, receiver: Receiver, render: Render, stop: asyncio.Event) -> None:
        """Sends what is due until `stop`; then lets pushes that are under way end, for a moment."""
        async with asyncio.TaskGroup() as tasks:
            noting = tasks.create_task(self._write_notes())
            forgetting = tasks.create_task(self._forget())
            try:
                async with asyncio.TaskGroup() as pushes:
                    while not stop.is_set():
                        if presence.sender is not None:
                            await self._begin_due(pushes, presence.sender, receiver, render)
                        with suppress(TimeoutError):
                            async with asyncio.timeout(POLL_S):
                                await self._more.wait()
                        self._more.clear()
                    for _ in range(GRACE_POLLS):
                        if self._busy:
                            await asyncio.sleep(POLL_S)
                    raise _Over
            except* _Over:
                # What a receiver has not answered by now is told again by the next process.
                pass
            noting.cancel()
            forgetting.cancel()

    async def send_due(self, sender: int, receiver: Receiver, render: Render) -> int:
        """Sends the next push of every receiver that has one due, and notes the answers; tells how many pushes."""
        async with asyncio.TaskGroup() as pushes:
            begun = await self._begin_due(pushes, sender, receiver, render)
        await self._write([self._notes.get_nowait() for _ in range(self._notes.qsize())])
        return begun

    async def _begin_due(self, pushes: asyncio.TaskGroup, sender: int, receiver: Receiver, render: Render) -> int:
        failing = sum(self._busy.values())
        room = Room(
            sound=PUSHES_MAX - FAILING_MAX - (len(self._busy) - failing),
            failing=FAILING_MAX - failing,
        )
        now = self._clock()
        try:
            async with self._store.writing() as session:
                taken = await session.callbacks.take(
                    sender, list(self._busy), room, batch_max=BATCH_MAX, now=now, leased_until=now + LEASE_MS
                )
        except Unavailable:
            # What is due stays due.
            return 0
        except Exception:
            log.exception("callbacks not taken")
            return 0
        for push in taken:
            self._busy[push.receiver] = push.failures > 0
        if taken:
            pushes.create_task(self._push_all(pushes, taken, receiver, render))
        return len(taken)

    async def _push_all(
        self, tasks: asyncio.TaskGroup, pushes: Sequence[Push], receiver: Receiver, render: Render
    ) -> None:
        try:
            await self._newsroom.prepare(pushes)
            async with self._store.reading() as session:
                news = await self._newsroom.news(session, pushes)
        except Unavailable:
            # Nobody was told anything, so it is nobody's failure.
            for push in pushes:
                self._busy.pop(push.receiver, None)
            return
        except Exception as failure:
            log.exception("news of callbacks not found", pushes=len(pushes))
            if len(pushes) == 1:
                self._answered(pushes[0], Answer(False, type(failure).__name__))
            else:
                # One push ends no other.
                for push in pushes:
                    await self._push_all(tasks, [push], receiver, render)
            return
        for push in pushes:
            if push.event in news:
                tasks.create_task(self._push(push, news[push.event], receiver, render))
            else:
                self._answered(push, Answer(True, "nothing left to tell"))

    async def _push(self, push: Push, news: News, receiver: Receiver, render: Render) -> None:
        try:
            body = render(news)
            headers = push_headers(push.event, body, push.secret, self._clock())
            answer = await receiver.post(push.url, body, headers)
        except Exception as failure:
            log.exception("callback not told", push=push.event)
            answer = Answer(False, type(failure).__name__)
        self._answered(push, answer)

    def _answered(self, push: Push, answer: Answer) -> None:
        now = self._clock()
        if answer.accepted:
            self._notes.put_nowait(Delivered(push, answer.detail, now))
            return
        note = self._pace.failed(push, answer.detail, now)
        self._notes.put_nowait(note)
        log.warning(
            "callback failed",
            push=push.event,
            answer=answer.detail,
            gives_up=note.due_at is None,
            blacklisted=note.is_blacklisted,
        )

    async def _write_notes(self) -> None:
        """Writes answers down, several at once where they come at once."""
        while True:
            notes = [await self._notes.get()]
            notes += [self._notes.get_nowait() for _ in range(self._notes.qsize())]
            await self._write(notes)

    async def _write(self, notes: list[Note]) -> None:
        """Until it has succeeded: a receiver is not asked again only because the database is away."""
        for tries in count(1):
            try:
                async with self._store.writing() as session:
                    await session.callbacks.note(notes)
                break
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            except Exception:
                log.exception("callbacks not noted", tries=tries)
                if len(notes) > 1:
                    # One that cannot be written keeps no other from it.
                    for note in notes:
                        await self._write([note])
                    return
                if tries == 3:
                    break
                await asyncio.sleep(RETRY_S)
        for note in notes:
            self._busy.pop(note.push.receiver, None)
            if len(note.push.callbacks) == BATCH_MAX:
                # There is probably more where this came from.
                self._more.set()

    async def _forget(self) -> None:
        """Callbacks that are over are kept for thirty days, for people who ask what became of them."""
        while True:
            gone = 0
            try:
                async with self._store.writing() as session:
                    gone = await session.callbacks.forget(self._clock() - KEPT_MS, FORGET_MAX)
            except Unavailable:
                pass
            except Exception:
                log.exception("callbacks not forgotten")
            if gone < FORGET_MAX:
                await asyncio.sleep(FORGET_EVERY_S)


class _Over(Exception):
    """Ends the pushes that are still under way."""
