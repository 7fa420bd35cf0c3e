"""`waihu up`: everything that waihu is, as processes under one supervisor in the foreground.

database → switch → API → engine, each where it is ours to run; ended in the reverse order, so that the engine can
store what its last calls came to.
"""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import asyncpg
import msgspec
import structlog

from waihu.adapters.asterisk.configuration import AriAccount
from waihu.adapters.asterisk.instance import AsteriskFailed, AsteriskInstance
from waihu.adapters.asterisk.runtime import AsteriskUnavailable, obtain_asterisk
from waihu.adapters.asterisk.switch import SwitchSettings, switch_instance
from waihu.adapters.postgres.embedded import EmbeddedPostgres
from waihu.adapters.postgres.embedded_failure import PostgresNotStarted
from waihu.adapters.postgres.migrations import migrate
from waihu.adapters.tokens.rsa import RsaTokenSigner
from waihu.data_directory import DataDirectory, Running
from waihu.domain.errors import Unavailable
from waihu.listening import Listening, listen
from waihu.logs import configure_logs
from waihu.settings import Address, Settings
from waihu.supervisor import STOP_SIGNALS, PartFailed, ProgramPart, Stopping, Supervisor, interruptible

log = structlog.get_logger()

# How long each process may take over its ending. Service managers kill after 90 s, so the sum stays below.
_ENGINE_PATIENCE_S = 20.0
_API_PATIENCE_S = 10.0
_READY_POLL_S = 0.2
_READY_LATE_S = 15.0
_WATCH_POLL_S = 0.5


async def up(settings: Settings, *, watch: bool = False) -> None:
    """Runs waihu until SIGTERM or SIGINT. With `watch`, API and engine restart when a source file changes.

    Raises Conflict (already up), Invalid (a port is taken), Unavailable (a part does not start).
    """
    data = DataDirectory(settings.data)
    data.create()
    configure_logs("up", data.logs)
    with data.held():
        listening = listen(settings, data.ports)
        with listening.http:
            house = _House(settings, data, listening)
            for number in STOP_SIGNALS:
                asyncio.get_running_loop().add_signal_handler(number, house.supervisor.ask_to_stop)
            try:
                await house.start()
                await house.keep(watch)
            except Stopping:
                pass
            except PartFailed as failure:
                raise Unavailable(str(failure)) from failure
            finally:
                await house.supervisor.stop()


async def migrate_only(settings: Settings) -> None:
    """Brings the schema up to date: of the waihu that is up, of WAIHU_DATABASE_URL, or of the embedded database,
    which is started for it. Raises Unavailable.
    """
    data = DataDirectory(settings.data)
    running = data.running()
    try:
        if url := settings.database_url or (running and running.database_url):
            await _migrate(url)
            return
        data.create()
        with data.held():
            database = _Database(data.postgres, moved=lambda url: None)
            try:
                await database.start()
                await _migrate(database.url)
            finally:
                await database.stop()
    except PartFailed as failure:
        raise Unavailable(str(failure)) from failure


class _House:
    """The parts of one waihu."""

    def __init__(self, settings: Settings, data: DataDirectory, listening: Listening) -> None:
        self.supervisor = Supervisor()
        self._settings = settings
        self._data = data
        self._listening = listening
        self._url = _reachable(listening.http_address)
        self._programs = [
            _api(listening.http.fileno(), data.path),
            *(_engine(number, data.path) for number in range(1, settings.engines + 1)),
        ]
        self._running: Running | None = None

    async def start(self) -> None:
        """Raises PartFailed, Stopping, and Unavailable when tokens cannot be signed."""
        log.info("starting", data=str(self._data.path))
        database_url = await self._start_database()
        await self.supervisor.unless_stopping(_migrate(database_url))
        ari_url = await self._start_switch() if self._settings.has_switch else None
        token_key = self._settings.token_key or self._data.token_key
        RsaTokenSigner(token_key).check()
        self._running = Running(
            pid=os.getpid(),
            http=self._url,
            public_url=self._settings.public_url or self._url,
            database_url=database_url,
            ari_url=ari_url,
            sip_address=None if self._settings.ari_url else self._settings.sip_address,
            recordings=str(self._data.recordings),
            speech=str(self._data.speech),
            token_key=str(token_key),
            callback_allow=self._settings.callback_allow,
        )
        self._data.announce(self._running)
        for program in self._programs:
            await self.supervisor.start(program)

    async def keep(self, watch: bool) -> None:
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._tell_when_ready())]
            if watch:
                beside.append(group.create_task(self._restart_on_change()))
            await self.supervisor.keep()
            for task in beside:
                task.cancel()
        log.info("stopping")

    async def _start_database(self) -> str:
        if self._settings.database_url is not None:
            return self._settings.database_url
        database = _Database(self._data.postgres, self._database_moved)
        await self.supervisor.start(database)
        return database.url

    async def _start_switch(self) -> str:
        if self._settings.ari_url is not None:
            return self._settings.ari_url
        account = AriAccount("waihu", secrets.token_hex(16))
        try:
            with interruptible():
                prefix = obtain_asterisk(lambda said: log.info(said))
            instance = switch_instance(
                prefix,
                SwitchSettings(
                    directory=self._data.switch,
                    address=self._settings.sip_address,
                    sip_port=self._listening.sip_port,
                    http_port=self._listening.ari_port,
                    rtp_ports=self._settings.rtp_ports,
                    ari=account,
                ),
            )
        except (AsteriskUnavailable, AsteriskFailed) as failure:
            raise PartFailed(f"{failure} Without a switch waihu runs by --no-switch.") from failure
        self._listening.release()
        await self.supervisor.start(_Switch(instance))
        log.info("switch started", sip=f"{self._settings.sip_address}:{self._listening.sip_port}")
        control = instance.settings.control_address
        return f"http://{account.user}:{account.password}@{control}:{self._listening.ari_port}"

    def _database_moved(self, url: str) -> None:
        """The database has come back on another port: those who knew the old one start anew."""
        if self._running is not None:
            self._running = msgspec.structs.replace(self._running, database_url=url)
            self._data.announce(self._running)
            # By force: an engine that is asked to end first stores what it knows, and would wait for the old place.
            for program in self._programs:
                program.kill()

    def _end_programs(self) -> None:
        for program in self._programs:
            program.end()

    async def _tell_when_ready(self) -> None:
        began = time.monotonic()
        late = False
        async with aiohttp.ClientSession() as session:
            while missing := await _missing(session, self._url):
                if not late and time.monotonic() - began > _READY_LATE_S:
                    late = True
                    log.warning("not ready yet", missing=missing, details=f"{self._url}/health")
                await asyncio.sleep(_READY_POLL_S)
        log.info("waihu is ready", url=self._url, docs=f"{self._url}/docs", took_s=round(time.monotonic() - began, 1))

    async def _restart_on_change(self) -> None:
        seen = _newest_source()
        while True:
            await asyncio.sleep(_WATCH_POLL_S)
            if (newest := _newest_source()) > seen:
                seen = newest
                log.info("a source file has changed, restarting API and engine")
                self._end_programs()


class _Database:
    """The embedded PostgreSQL as a part. `moved` is told its URL when a restart has changed it."""

    name = "database"

    def __init__(self, directory: Path, moved: Callable[[str], None]) -> None:
        self._server = EmbeddedPostgres(directory)
        self._moved = moved
        self.url = ""

    async def start(self) -> None:
        try:
            with interruptible():
                self._server.start()
        except PostgresNotStarted as failure:
            log.error("the database did not start", said=failure.log_tail)
            raise PartFailed(f"PostgreSQL did not start: {failure.reason} {failure.fix}") from failure
        before, self.url = self.url, self._server.url
        if before not in ("", self.url):
            self._moved(self.url)

    def exit_status(self) -> int | None:
        return self._server.poll()

    async def stop(self) -> None:
        self._server.stop()


class _Switch:
    """Our own Asterisk as a part."""

    name = "switch"

    def __init__(self, instance: AsteriskInstance) -> None:
        self._instance = instance

    async def start(self) -> None:
        # After an end of its own, what is left of the old process.
        await self._instance.stop()
        try:
            await self._instance.start()
        except AsteriskFailed as failure:
            raise PartFailed(str(failure)) from failure

    def exit_status(self) -> int | None:
        return self._instance.exit_status()

    async def stop(self) -> None:
        await self._instance.stop()


def _api(socket: int, data: Path) -> ProgramPart:
    return ProgramPart("api", _own("_api", data, "--socket", socket), patience_s=_API_PATIENCE_S, keep_open=[socket])


def _engine(number: int, data: Path) -> ProgramPart:
    return ProgramPart(f"engine {number}", _own("_engine", data, "--number", number), patience_s=_ENGINE_PATIENCE_S)


def _own(name: str, data: Path, option: str, value: int) -> list[str]:
    return [sys.executable, "-m", "waihu.cli", name, "--data", str(data), option, str(value)]


async def _migrate(database_url: str) -> None:
    try:
        await migrate(database_url)
    except (OSError, asyncpg.PostgresError) as failure:
        raise PartFailed(
            f"The database cannot be used: {failure}. Is it running, and does WAIHU_DATABASE_URL name a role that "
            "may create tables?"
        ) from failure


async def _missing(session: aiohttp.ClientSession, url: str) -> list[str]:
    """The parts that /health misses; nothing when waihu is ready."""
    with suppress(aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        async with session.get(f"{url}/health", timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return list((await answer.json())["missing"])
    return ["api"]


def _reachable(address: Address) -> str:
    """The URL under which this machine reaches a server on `address`, which may stand for all addresses."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
    return f"http://{Address(host, address.port)}"


def _newest_source() -> float:
    return max(path.stat().st_mtime for path in Path(__file__).parent.rglob("*.py"))
