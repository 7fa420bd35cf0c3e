"""One running Asterisk: writes its configuration, starts it, tells when it is ready, ends it.

The process dies with the thread that started it, so `start` belongs into the main thread.
"""

import asyncio
import ctypes
import os
import re
import select
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from waihu.adapters.asterisk.configuration import InstanceSettings, render
from waihu.adapters.asterisk.runtime import AsteriskPrefix

_PR_SET_PDEATHSIG = 1
# A UNIX socket's path has room for 107 bytes.
_SOCKET_PATH_MAX = 107
_POLL_INTERVAL_S = 0.05
_LEFTOVER_TIMEOUT_S = 5

_libc = ctypes.CDLL(None)


class AsteriskFailed(Exception):
    """Asterisk did not start or stopped by itself; the message carries what it had to say."""


class PortTaken(AsteriskFailed):
    """Another program listens where this instance should; the message names the setting to change."""


class AsteriskInstance:
    """One Asterisk process and its directory. An earlier process left in the same directory is ended by `start`."""

    def __init__(self, prefix: AsteriskPrefix, settings: InstanceSettings) -> None:
        self._prefix = prefix
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._control_socket = settings.run_directory / "asterisk.ctl"
        self._log_start_bytes = 0
        if not re.fullmatch(r"[\w./+-]+", str(settings.directory)):
            raise AsteriskFailed(
                f"The path {settings.directory} has characters that mean something in Asterisk's configuration: "
                "letters, digits, dots, dashes and underscores are safe."
            )
        if len(os.fsencode(self._control_socket)) > _SOCKET_PATH_MAX:
            raise AsteriskFailed(
                f"The path {settings.directory} is too long for Asterisk's control socket: choose a shorter one."
            )

    async def start(self, timeout_s: float = 30) -> None:
        """Starts the process and waits until it is ready. Raises PortTaken or AsteriskFailed."""
        assert self._process is None, "started twice"
        await self._end_leftover()
        self._check_ports()
        self._write_configuration()
        self._process = self._spawn()
        self._pid_file.write_text(str(self._process.pid))
        try:
            await self.wait_ready(timeout_s)
        except BaseException:
            await self.stop()
            raise

    async def stop(self, timeout_s: float = 3) -> None:
        """Ends all calls and the process; kills it if it has not ended in time. Does nothing when not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        self._pid_file.unlink(missing_ok=True)

    def exit_status(self) -> int | None:
        """None while the process runs; otherwise its exit status, negative for a signal."""
        assert self._process is not None, "not started"
        return self._process.poll()

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    async def cli(self, command: str) -> str:
        """The output of an Asterisk console command. Raises AsteriskFailed when the console is out of reach."""
        console = await asyncio.create_subprocess_exec(
            *self._prefix.command("-C", str(self._asterisk_conf), "-rx", command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await console.communicate()
        if console.returncode != 0:
            raise AsteriskFailed(f"Asterisk's console did not answer: {output.decode(errors='replace').strip()}")
        return output.decode(errors="replace")

    def _spawn(self) -> subprocess.Popen[bytes]:
        with (self.settings.log_directory / "console").open("wb") as console:
            return subprocess.Popen(
                self._prefix.command("-C", str(self._asterisk_conf), "-f"),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                # Its own session: a Ctrl-C at the terminal is for us, and we decide the order of the ending.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    async def wait_ready(self, timeout_s: float = 30) -> None:
        """Returns when all modules are loaded and the SIP transport stands. Raises AsteriskFailed."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    if await self._booted():
                        break
                    await asyncio.sleep(_POLL_INTERVAL_S)
        except TimeoutError:
            raise AsteriskFailed(f"Asterisk was not ready within {timeout_s:.0f} s.\n{self._complaints()}") from None
        # Asterisk goes on without a transport it could not bind.
        if f":{self.settings.sip_port}" not in await self.cli("pjsip show transports"):
            raise AsteriskFailed(f"Asterisk has no SIP transport.\n{self._complaints()}")

    async def _booted(self) -> bool:
        if (status := self.exit_status()) is not None:
            raise AsteriskFailed(f"Asterisk ended with status {status} while starting.\n{self._complaints()}")
        if not self._control_socket.exists():
            return False
        try:
            return "fully booted" in await self.cli("core waitfullybooted")
        except AsteriskFailed:
            # The socket exists a moment before anybody listens on it.
            return False

    def _complaints(self) -> str:
        """The last errors Asterisk logged since this start, for a message."""
        logged = self._log.read_bytes()[self._log_start_bytes :] if self._log.exists() else b""
        errors = [line for line in logged.decode(errors="replace").splitlines() if "ERROR" in line]
        return "\n".join([*errors[-5:], f"Its logs are in {self.settings.log_directory}."])

    def _check_ports(self) -> None:
        settings = self.settings
        _claim(settings.address, settings.sip_port, socket.SOCK_DGRAM, "SIP over UDP", "sip_port")
        if settings.http_port is not None:
            _claim(settings.control_address, settings.http_port, socket.SOCK_STREAM, "HTTP", "http_port")

    def _write_configuration(self) -> None:
        settings = self.settings
        # A file that is no longer rendered must not stay in force.
        shutil.rmtree(settings.configuration_directory, ignore_errors=True)
        # The directory holds the REST password and people's voices.
        settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for directory in (settings.configuration_directory, settings.run_directory, settings.log_directory):
            directory.mkdir(exist_ok=True, mode=0o700)
        for name in ("lib", "spool"):
            (settings.directory / name).mkdir(exist_ok=True)
        for name, content in render(settings, self._prefix).items():
            path = settings.configuration_directory / name
            path.touch(mode=0o600)
            path.write_text(content)
        self._control_socket.unlink(missing_ok=True)
        self._log_start_bytes = self._log.stat().st_size if self._log.exists() else 0

    async def _end_leftover(self) -> None:
        """Ends the Asterisk that a killed platform may have left in this directory."""
        if (pid := self._leftover()) is None:
            return
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            ended: list[int] = []
            for ending in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(process, ending)
                if not ended:
                    ended, _, _ = await asyncio.to_thread(select.select, [process], [], [], _LEFTOVER_TIMEOUT_S)
        finally:
            os.close(process)

    def _leftover(self) -> int | None:
        """The process of an earlier run that is still there."""
        try:
            pid = int(self._pid_file.read_text())
            command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        # The number may belong to another program by now.
        return pid if os.fsencode(self._asterisk_conf) in command_line.split(b"\0") else None

    @property
    def _asterisk_conf(self) -> Path:
        return self.settings.configuration_directory / "asterisk.conf"

    @property
    def _log(self) -> Path:
        return self.settings.log_directory / "messages"

    @property
    def _pid_file(self) -> Path:
        return self.settings.run_directory / "waihu.pid"


def _claim(address: str, port: int, kind: socket.SocketKind, use: str, setting: str) -> None:
    """Proves that the port is free, by binding it for a moment. Asterisk itself would only log the failure."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As servers do: the remains of closed connections are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as failure:
            raise PortTaken(
                f"{address}:{port} ({use}) cannot be used by Asterisk: {failure.strerror}. "
                f"Choose another {setting} or end the program that has it."
            ) from failure


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
