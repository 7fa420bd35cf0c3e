"""`waihu doctor`: looks at every part of this machine's waihu and says how to mend what is wrong."""

import asyncio
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from waihu.application.health import Check, Finding, examine
from waihu.bootstrap.watch import Watch, make_test_call, open_watch
from waihu.data_directory import DataDirectory, Running
from waihu.settings import Settings

_DISK_FREE_MIN_BYTES = 1_000_000_000
_DISK_FREE_MIN_SHARE = 0.05
# A recording is 16 kB per second of talk.
_RECORDING_BYTES_PER_H = 16_000 * 3600
_CLOCK_SAMPLE_S = 0.5
_CLOCK_DRIFT_MAX_S = 0.05


async def examine_everything(settings: Settings) -> list[Finding]:
    """All findings; those about running parts only when waihu is up."""
    running = DataDirectory(settings.data).running()
    findings = [_look_at_up(settings, running), _look_at_disk(settings.data), await _look_at_steadiness()]
    if running is None:
        return findings
    async with open_watch(running) as watch:
        database, *others = watch.checks()
        findings += await examine([database])
        # All others ask the database, and would only say once more that it is down.
        if findings[-1].ok:
            findings += await examine([*others, Check("database's clock", watch.clock)])
            findings.append(await make_test_call(running))
            findings += await _look_at_trunks(watch)
    return findings


def _look_at_up(settings: Settings, running: Running | None) -> Finding:
    if running is None:
        return Finding(
            "waihu", False, f"It is not up on {settings.data}.", f"Start it: waihu up --data {settings.data}"
        )
    return Finding("waihu", True, f"up as process {running.pid}, {running.http}")


def _look_at_disk(data: Path) -> Finding:
    existing = next(path for path in (data, *data.parents) if path.exists())
    usage = shutil.disk_usage(existing)
    left = f"{usage.free / 1e9:.1f} GB free, room for {usage.free / _RECORDING_BYTES_PER_H:,.0f} h of recordings"
    if not os.access(existing, os.W_OK):
        return Finding("disk", False, f"{existing} cannot be written.", "Choose another --data, or change its owner.")
    if usage.free < _DISK_FREE_MIN_BYTES or usage.free < _DISK_FREE_MIN_SHARE * usage.total:
        return Finding("disk", False, left, f"Free space on the disk that holds {existing}, or move the data.")
    return Finding("disk", True, left)


async def _look_at_steadiness() -> Finding:
    """Whether wall time runs like the monotonic clock. Whether it is right nobody here can know."""
    wall, even = time.time(), time.monotonic()
    await asyncio.sleep(_CLOCK_SAMPLE_S)
    drift_s = abs((time.time() - wall) - (time.monotonic() - even))
    if drift_s > _CLOCK_DRIFT_MAX_S:
        return Finding(
            "clock", False, f"It jumped by {drift_s * 1000:.0f} ms within half a second.", "Let NTP slew, not step."
        )
    return Finding("clock", True, f"{time.strftime('%F %T %Z')}, runs evenly; compare it with a clock you trust")


async def _look_at_trunks(watch: Watch) -> Sequence[Finding]:
    trunks = await watch.trunks()
    if not trunks:
        return [Finding("trunks", False, "There is none.", "Add one: waihu trunk add", needed=False)]
    return [
        Finding(
            f"trunk {trunk.name}",
            trunk.is_up,
            trunk.detail or ("It answers." if trunk.is_up else "Nothing is known of it yet."),
            "" if trunk.is_up else "Check --sip, --user and --password, and that the carrier lets this address in.",
        )
        for trunk in trunks
    ]
