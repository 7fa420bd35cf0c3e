"""What becomes of a call's recording: it is named only when there is something to be heard."""

import asyncio
from pathlib import Path

import pytest
from houses import PostgresHouse
from test_dialing_store import ANNA, NOW

from waihu.adapters.no_switch import NoSwitch
from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool
from waihu.adapters.speech.scripted import ScriptedConversation
from waihu.adapters.speech.sounds import SoundStore
from waihu.dialing.dialer import Dialer
from waihu.dialing.events import CampaignStarted, CapacityGranted
from waihu.dialing.resources import of_campaign, of_trunk
from waihu.domain.ids import AttemptId
from waihu.domain.outcome import Ending
from waihu.engine.calls import Calls
from waihu.engine.clock import SteadyClock
from waihu.engine.shell import Shell
from waihu.ports.carrier import Answered, Ended, OutboundCall

_HEADER = b"RIFF" + bytes(40)


class RecordingSwitch(NoSwitch):
    """Every call is recorded as `written`; None: not even a file could be made."""

    def __init__(self, written: bytes | None) -> None:
        self.placed = asyncio.Queue[AttemptId]()
        self._written = written

    async def place(self, call: OutboundCall) -> None:
        if self._written is not None:
            call.recording.parent.mkdir(parents=True)
            call.recording.write_bytes(self._written)
        self.placed.put_nowait(call.attempt)


@pytest.mark.parametrize(
    ("written", "named"), [(None, False), (b"", False), (_HEADER, False), (_HEADER + bytes(1600), True)]
)
async def test_a_call_whose_sound_found_no_room_on_the_disk_has_no_recording(
    pool: Pool, tmp_path: Path, written: bytes | None, named: bool
) -> None:
    house = await PostgresHouse(pool).furnish()
    campaign = await house.campaign(channels_max=1)
    await house.contacts(campaign.id, [ANNA])
    switch, clock, dialer = RecordingSwitch(written), SteadyClock(), Dialer()
    store = PostgresDialingStore(pool)
    async with asyncio.TaskGroup() as tasks:
        node = await store.join("here", NOW)
        shell = Shell(dialer, store, node, clock, tasks.create_task)
        shell.calls = Calls(
            carrier=switch,
            conversation=ScriptedConversation(SoundStore(tmp_path / "speech")),
            store=store,
            clock=clock,
            recordings=tmp_path,
            caller_id=lambda _: None,
            feed=shell.feed,
            spawn=tasks.create_task,
        )
        running = tasks.create_task(shell.run())
        shell.feed(CapacityGranted(of_campaign(campaign.id), 1))
        shell.feed(CapacityGranted(of_trunk(house.trunk), 1))
        shell.feed(CampaignStarted(campaign))
        async with asyncio.timeout(30):
            attempt = await switch.placed.get()
            shell.calls.heard(Answered(attempt, clock.now()))
            shell.calls.heard(Ended(attempt, clock.now(), Ending(sip_code=200)))
            while dialer.live():  # noqa: ASYNC110 (the core has no event for it)
                await asyncio.sleep(0.01)
        await shell.settled()
        running.cancel()

    assert (await pool.fetchval("select recording is not null from attempt")) is named
