"""waihu without a switch, as a user would start it: enough for what is asked over HTTP or on the command line."""

import asyncio
import json
import socket
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from waihu.data_directory import DataDirectory

_WAIHU = (sys.executable, "-m", "waihu.cli")
_READY_WITHIN_S = 120
_STOPS_WITHIN_S = 30


class HouseFailed(Exception):
    """waihu did not come up, or a command failed; the message says why."""


class House:
    """Use as an async context manager. After entry there is an account, and a trunk that nobody answers."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "waihu"
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.account = ""
        self.token = ""
        self.line = ""
        self._log = directory / "waihu.log"
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._log.open("wb") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *(*_WAIHU, "up", "--no-switch", "--data", str(self.data), "--http", self.url.partition("//")[2]),
                    stdout=log,
                    stderr=log,
                )
            await self._wait_until_ready(self._process)
            account = await self.command("account", "create", "bench")
            self.account, self.token = account["user_id"], account["token"]
            # Nobody listens on the discard port: the trunk is down, as it would be without a switch anyway.
            trunk = ("trunk", "add", "nobody", "--sip", "127.0.0.1:9", "--account", self.account)
            self.line = (await self.command(*trunk, "--channels", "100", "--cps", "10"))["line_id"]
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def pid(self) -> int:
        """The process `waihu up`."""
        assert self._process is not None, "not entered"
        return self._process.pid

    @property
    def database_url(self) -> str:
        running = DataDirectory(self.data).running()
        assert running is not None, "waihu is up"
        return running.database_url

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries to be let in."""
        return {"Authorization": f"Bearer {self.token}"}

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the agent-api; answers its envelope. Raises HouseFailed."""
        async with (
            aiohttp.ClientSession(headers=self.headers) as session,
            session.request(method, f"{self.url}/agent-api{path}", json=body) as response,
        ):
            answer = await response.json(content_type=None)
        if response.status != 200:
            raise HouseFailed(f"{method} {path}: {response.status} {answer}")
        return answer

    async def command(self, *arguments: str) -> Any:
        """Runs `waihu ARGUMENTS --data … --json`. Raises HouseFailed."""
        process = await asyncio.create_subprocess_exec(
            *(*_WAIHU, *arguments, "--data", str(self.data), "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await process.communicate()
        if process.returncode != 0:
            raise HouseFailed(f"waihu {' '.join(arguments)}: {complained.decode().strip()}")
        return json.loads(said)

    async def _wait_until_ready(self, process: asyncio.subprocess.Process) -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(_READY_WITHIN_S * 4):
                if process.returncode is not None:
                    raise HouseFailed(f"waihu ended at once. Its log: {self._log}")
                try:
                    async with session.get(f"{self.url}/health") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.25)
        raise HouseFailed(f"waihu was not ready within {_READY_WITHIN_S} s. Its log: {self._log}")

    async def _stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_STOPS_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
