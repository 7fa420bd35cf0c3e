"""What becomes of a call's recording: it is named only when there is something to be heard."""

import asyncio
from pathlib import Path

import pytest
from houses import PostgresHouse
from small_engine import SmallEngine
from test_dialing_store import ANNA, NOW

from waihu.adapters.no_switch import NoSwitch
from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool
from waihu.dialing.events import CampaignStarted, CapacityGranted
from waihu.dialing.resources import of_campaign, of_trunk
from waihu.domain.ids import AttemptId
from waihu.domain.outcome import Ending
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
    switch, store = RecordingSwitch(written), PostgresDialingStore(pool)
    async with asyncio.TaskGroup() as tasks:
        engine = SmallEngine(store, await store.join("here", NOW), switch, tasks, tmp_path)
        engine.shell.feed(CapacityGranted(of_campaign(campaign.id), 1))
        engine.shell.feed(CapacityGranted(of_trunk(house.trunk), 1))
        engine.shell.feed(CampaignStarted(campaign))
        async with asyncio.timeout(30):
            attempt = await switch.placed.get()
            engine.calls.heard(Answered(attempt, engine.clock.now()))
            engine.calls.heard(Ended(attempt, engine.clock.now(), Ending(sip_code=200)))
            while engine.dialer.live():  # noqa: ASYNC110 (the core has no event for it)
                await asyncio.sleep(0.01)
        await engine.shell.settled()
        engine.running.cancel()

    assert (await pool.fetchval("select recording is not null from attempt")) is named
