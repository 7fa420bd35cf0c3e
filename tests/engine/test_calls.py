"""Who talks in a call is decided when it is answered, and stored with what was said."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from waihu.dialing.commands import PlaceCall
from waihu.dialing.events import Event
from waihu.domain.ids import AttemptId, CampaignId, ContactId, Instant, TrunkId
from waihu.domain.outcome import Ending
from waihu.engine.calls import Calls
from waihu.ports.carrier import Answered, Ended, OutboundCall
from waihu.ports.conversation import Line
from waihu.ports.dialing_store import CallSheet, Speaker, Turn

ATTEMPT = AttemptId("00000000-0000-4000-8000-000000000001")
NOON: Instant = 1_772_596_800_000
SECOND = 1000


class Clock:
    def __init__(self) -> None:
        self.at = NOON - 30 * SECOND

    def now(self) -> Instant:
        return self.at


class Carrier:
    """Takes every call, and ends it when it is told to."""

    def __init__(self) -> None:
        self.over: Callable[[], None] = lambda: None

    async def place(self, call: OutboundCall) -> None:
        pass

    async def hang_up(self, attempt: AttemptId) -> None:
        self.over()


class Store:
    """The morning's agent until noon, then the afternoon's."""

    def __init__(self) -> None:
        self.talks: list[tuple[list[str], Speaker | None]] = []

    async def sheet(self, attempt: AttemptId, now: Instant) -> CallSheet:
        if now < NOON:
            return CallSheet(attempt, Speaker(1, 4), {"greeting": "早上好"}, {}, None, good_until=NOON)
        return CallSheet(attempt, Speaker(2, 7), {"greeting": "下午好"}, {}, None)

    async def save_talk(
        self, attempt: AttemptId, turns: list[Turn], recording: str | None, speaker: Speaker | None
    ) -> None:
        self.talks.append(([turn.text for turn in turns], speaker))


class Greeting:
    """Says the greeting and nothing else."""

    async def prepare(self, sheet: CallSheet) -> None:
        pass

    async def talk(self, sheet: CallSheet, line: Line, turns: list[Turn]) -> None:
        turns.append(Turn("agent", str(sheet.script["greeting"]), 0))


async def talk_after(ringing_s: int, tmp_path: Path, *, answers: bool = True) -> list[tuple[list[str], Speaker | None]]:
    clock, carrier, store = Clock(), Carrier(), Store()
    told: list[Event] = []
    async with asyncio.TaskGroup() as group:

        def spawn(work: Coroutine[Any, Any, None]) -> None:
            group.create_task(work)

        calls = Calls(
            carrier=carrier,  # type: ignore[arg-type]
            conversation=Greeting(),
            store=store,  # type: ignore[arg-type]
            clock=clock,  # type: ignore[arg-type]
            recordings=tmp_path,
            caller_id=lambda trunk: None,
            feed=told.append,
            spawn=spawn,  # type: ignore[arg-type]
        )
        carrier.over = lambda: calls.heard(Ended(ATTEMPT, clock.now(), Ending()))
        not_after = clock.now() + 60 * SECOND
        await calls.place(PlaceCall(ATTEMPT, ContactId(1), CampaignId("c"), TrunkId("t"), "13012121211", 60, not_after))
        await asyncio.sleep(0)
        clock.at += ringing_s * SECOND
        if answers:
            calls.heard(Answered(ATTEMPT, clock.now()))
        else:
            carrier.over()
            await asyncio.sleep(0.05)
    return store.talks


async def test_the_agent_of_the_hour_talks_and_is_stored(tmp_path: Path) -> None:
    assert await talk_after(29, tmp_path) == [(["早上好"], Speaker(1, 4))]


async def test_a_call_that_rings_into_another_agents_hour_is_that_agents(tmp_path: Path) -> None:
    assert await talk_after(30, tmp_path) == [(["下午好"], Speaker(2, 7))]


async def test_a_call_that_nobody_answers_is_nobodys(tmp_path: Path) -> None:
    assert await talk_after(45, tmp_path, answers=False) == []
