"""A stage for real calls: `waihu up` as a user would start it, and a carrier in a box for it to call.

The demo performs on it; so do the chaos run and the benchmarks, which is why it can kill nothing and hide nothing:
everything goes through the command line, the HTTP API and the carrier's own log.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from waihu.adapters.asterisk.carrier_box import CarrierBox, CarrierBoxSettings
from waihu.adapters.asterisk.runtime import obtain_asterisk
from waihu.data_directory import DataDirectory

Say = Callable[[str], None]
Json = Any

READY_WITHIN_S = 120
STOP_WITHIN_S = 30
WAIHU, _CARRIER, _LOG = "waihu", "carrier", "waihu.log"
STAGED = (WAIHU, _CARRIER, _LOG)
"""What a stage leaves in its directory: its data directories and a log."""


class StageFailed(Exception):
    """waihu or the carrier did not come up; the message says where to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """`box_channels_max` and `box_calls_per_s_max`: above them the carrier refuses; 0 is no limit.

    `box_address` is another loopback address than waihu's, so that both may use any port.
    """

    directory: Path
    channels: int = 30
    calls_per_s: int = 5
    http: str | None = None
    engines: int = 1
    box_address: str = "127.0.0.77"
    box_channels_max: int = 0
    box_calls_per_s_max: int = 0


class Stage:
    """Use as an async context manager. After entry an account with a trunk to the carrier is ready."""

    def __init__(self, settings: StageSettings, say: Say) -> None:
        # The switches run elsewhere and need whole paths.
        self.settings = replace(settings, directory=settings.directory.absolute())
        self.url = ""
        self.account = ""
        self.token = ""
        self.line = ""
        self.box: CarrierBox
        self._say = say
        self._waihu: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None

    @property
    def data(self) -> Path:
        return self.settings.directory / WAIHU

    async def __aenter__(self) -> Self:
        try:
            await self._set_up()
        except BaseException:
            await self._clear()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say("stopping")
        await self._clear()

    @property
    def pid(self) -> int:
        """The process `waihu up`."""
        assert self._waihu is not None
        return self._waihu.pid

    async def api(self, method: str, path: str, body: Json = None, params: Mapping[str, str] | None = None) -> Json:
        """One request to the agent-api; answers the `data` of its envelope. Raises StageFailed with the envelope."""
        assert self._http is not None
        url = f"{self.url}/agent-api{path}"
        async with self._http.request(method, url, json=body, params=params) as response:
            answer = await response.json(content_type=None)
        if response.status != 200 or answer.get("code") != 200:
            raise StageFailed(f"{method} {path}: {response.status} {json.dumps(answer, ensure_ascii=False)}")
        return answer

    async def create_task(
        self, name: str, *, retried: Sequence[int], order: int = 1, new_first: bool = False, channels: int | None = None
    ) -> str:
        """A 2.0 task that may always call, with the account's own script; answers its uuid.

        The number statuses `retried` are tried once more after a minute. `order` is pop_mode. `channels` limits
        it on the trunk, else it may use all of them.
        """
        user = f"/user/{self.account}"
        choices = (await self.api("GET", f"/new{user}/task/create"))["data"]
        always = [{"week": day, "times": [{"begin_time": "00:00", "end_time": "24:00"}]} for day in range(7)]
        hours = await self.api(
            "POST",
            f"{user}/dial-time-group",
            {"name": f"{name} 全天", "content": always, "is_default": False, "skip_holiday": False},
        )
        created = await self.api(
            "POST",
            f"/new{user}/task",
            {
                "name": name,
                "destination_extension": choices["outbound_group"][0]["id"],
                "dial_time_id": hours["data"]["id"],
                "maximumcall": self.settings.channels,
                "task_extras": {
                    "start_time": "2024-01-01 00:00:00",
                    "stop_time": "2099-01-01 00:00:00",
                    "holiday": [],
                    "line": [{"id": self.line, "limit": channels or self.settings.channels}],
                    "pop_mode": order,
                    "redial_enabled": int(bool(retried)),
                    "redial_new_number_policy": int(new_first),
                    "redial_interval": 1,
                    "redial_max_times": 1,
                    "redial_conditions": {"da_status": list(retried)},
                },
            },
        )
        return str(created["data"]["uuid"])

    async def import_numbers(self, task: str, rows: Sequence[Mapping[str, Json]]) -> None:
        """A hundred at a time, as the API takes them."""
        for begin in range(0, len(rows), 100):
            body = {"ignore_crm": True, "skip_error": False, "data": rows[begin : begin + 100]}
            await self.api("POST", f"/user/{self.account}/task/{task}/number", body)

    async def start_task(self, task: str) -> None:
        await self.api("PUT", f"/new/user/{self.account}/task_start/{task}")

    async def download(self, path: str, target: Path) -> None:
        assert self._http is not None
        async with self._http.get(f"{self.url}/agent-api{path}") as response:
            if response.status != 200:
                raise StageFailed(f"GET {path}: {response.status}")
            await asyncio.to_thread(target.write_bytes, await response.read())

    async def command(self, *arguments: str) -> Json:
        """Runs `waihu ARGUMENTS --data … --json`."""
        process = await asyncio.create_subprocess_exec(
            *_waihu(),
            *arguments,
            "--data",
            str(self.data),
            "--json",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        if process.returncode != 0:
            raise StageFailed(f"waihu {' '.join(arguments)}: {error.decode().strip() or out.decode().strip()}")
        return json.loads(out)

    async def _set_up(self) -> None:
        self.settings.directory.mkdir(parents=True, exist_ok=True)
        prefix = await asyncio.to_thread(obtain_asterisk, self._say)
        address = self.settings.box_address
        box_port = _free_port(address, 5060, socket.SOCK_DGRAM)
        self._say(f"starting the telephone network in a box on {address}:{box_port}")
        self.box = CarrierBox(
            prefix,
            CarrierBoxSettings(
                directory=self.settings.directory / _CARRIER,
                address=address,
                sip_port=box_port,
                channels_max=self.settings.box_channels_max,
                calls_per_s_max=self.settings.box_calls_per_s_max,
            ),
        )
        await self.box.start()
        self._say("starting waihu: PostgreSQL, the switch, the API and the engine")
        await self._start_waihu()
        account = await self.command("account", "create", "demo")
        self.account, self.token = account["user_id"], account["token"]
        trunk = await self.command(
            *("trunk", "add", "network", "--sip", f"{address}:{box_port}", "--account", self.account),
            *("--channels", str(self.settings.channels), "--cps", str(self.settings.calls_per_s)),
        )
        self.line = trunk["line_id"]
        self._http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.token}"})
        self._say(f"a trunk with {self.settings.channels} channels and {self.settings.calls_per_s} calls/s stands")

    async def _start_waihu(self) -> None:
        http = self.settings.http or f"127.0.0.1:{_free_port('127.0.0.1', 8080, socket.SOCK_STREAM)}"
        log_path = self.settings.directory / _LOG
        with log_path.open("ab") as log:
            self._waihu = await asyncio.create_subprocess_exec(
                *_waihu(),
                *("up", "--data", str(self.data), "--http", http, "--engines", str(self.settings.engines)),
                stdout=log,
                stderr=log,
            )
        self.url = f"http://{http}"
        async with aiohttp.ClientSession() as session:
            for _ in range(READY_WITHIN_S * 4):
                if self._waihu.returncode is not None:
                    raise StageFailed(f"waihu ended at once. Its log: {log_path}")
                # Another server might have come to the port meanwhile, and be in good health.
                if DataDirectory(self.data).running() is not None and await _is_healthy(session, self.url):
                    return
                await asyncio.sleep(0.25)
        raise StageFailed(f"waihu was not ready within {READY_WITHIN_S} s. Its log: {log_path}")

    async def _clear(self) -> None:
        if self._http is not None:
            await self._http.close()
        if self._waihu is not None and self._waihu.returncode is None:
            self._waihu.terminate()
            try:
                async with asyncio.timeout(STOP_WITHIN_S):
                    await self._waihu.wait()
            except TimeoutError:
                self._waihu.kill()
        if hasattr(self, "box"):
            await self.box.stop()


def _waihu() -> Sequence[str]:
    return sys.executable, "-m", "waihu.cli"


async def _is_healthy(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/health", timeout=aiohttp.ClientTimeout(total=2)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _free_port(host: str, first: int, kind: socket.SocketKind) -> int:
    for port in range(first, first + 500):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise StageFailed(f"no port is free on {host} from {first} on")


def children_of(pid: int) -> dict[int, str]:
    """Processes below `pid`: their ids and command lines, from /proc."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                commands[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ").strip()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    below: dict[int, str] = {}
    for child in parents:
        ancestor = parents.get(child)
        while ancestor and ancestor != pid:
            ancestor = parents.get(ancestor)
        if ancestor == pid and child != os.getpid():
            below[child] = commands[child]
    return below
