"""What can be asked of a running waihu about itself: the same for `/health`, `/metrics` and `waihu doctor`."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from urllib.parse import unquote, urlsplit

from waihu.adapters.asterisk.ari import Ari
from waihu.adapters.asterisk.audio_check import look_at_audio
from waihu.adapters.asterisk.health import look_at_switch
from waihu.adapters.postgres.health import (
    TrunkFigures,
    WorkFigures,
    look_at_clock,
    look_at_database,
    look_at_engines,
    trunk_figures,
    work_figures,
)
from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.adapters.speech.espeak import ENGLISH
from waihu.adapters.speech.sounds import SoundStore
from waihu.application.health import Check, Finding
from waihu.bootstrap.application import wall_clock
from waihu.data_directory import Running

# Connections of its own, so that it sees when all others are busy.
_CONNECTIONS = 2
# The database makes files of 16 MB, and minutes of talk take some more.
_DISK_FREE_MIN_BYTES = 100_000_000


class Watch:
    """Looks at the parts. `ari` None: there is no switch, and none is wanted."""

    def __init__(self, pool: Pool, ari: Ari | None) -> None:
        self._pool = pool
        self._ari = ari

    def checks(self) -> Sequence[Check]:
        """Of what is needed to call anybody."""
        return (
            Check("database", lambda: look_at_database(self._pool)),
            Check("engine", lambda: look_at_engines(self._pool, wall_clock())),
            Check("switch", self._look_at_switch),
        )

    async def clock(self) -> Finding:
        return await look_at_clock(self._pool, wall_clock())

    async def trunks(self) -> list[TrunkFigures]:
        return await trunk_figures(self._pool)

    async def work(self) -> WorkFigures:
        return await work_figures(self._pool)

    async def _look_at_switch(self) -> Finding:
        if self._ari is None:
            return Finding("switch", False, "waihu was started with --no-switch.", needed=False)
        return await look_at_switch(self._ari)


def disk_check(recordings: Path) -> Check:
    """Whether anything can still be stored. The doctor asks for more room than this, before it is too late."""

    async def look() -> Finding:
        free_bytes = shutil.disk_usage(recordings).free
        left = f"{free_bytes / 1e6:,.0f} MB are free."
        return Finding("disk", free_bytes >= _DISK_FREE_MIN_BYTES, left, "Free space on the disk that holds the data.")

    return Check("disk", look)


@asynccontextmanager
async def open_watch(running: Running) -> AsyncIterator[Watch]:
    pool = await open_pool(running.database_url, size_max=_CONNECTIONS)
    async with pool, ari_of(running.ari_url) if running.ari_url else nullcontext() as ari:
        yield Watch(pool, ari)


async def make_test_call(running: Running) -> Finding:
    """Whether audio gets out and back: by a call on this machine, if the switch is ours."""
    if running.ari_url is None or running.sip_address is None:
        return Finding("audio", False, "Not checked: it takes a switch that waihu runs itself.", needed=False)
    sound = await SoundStore(Path(running.speech)).line("One, two, three.", ENGLISH)
    return await look_at_audio(ari_of(running.ari_url), running.sip_address, sound)


def ari_of(url: str) -> Ari:
    """The client of the switch at `http://user:password@host:port`, not connected yet."""
    parts = urlsplit(url)
    assert parts.hostname is not None, "settings take only URLs with a host"
    return Ari(parts.hostname, parts.port or 8088, unquote(parts.username or ""), unquote(parts.password or ""))
