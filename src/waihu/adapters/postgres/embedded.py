"""A PostgreSQL of our own, started as a child of this process and stopped with it.

`embedded_data.py` makes its data directory ready, `embedded_runner.py` knows where its programs are and as whom they
run, `embedded_failure.py` what their complaints mean.
"""

import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import IO

import structlog

from waihu.adapters.postgres.embedded_data import NAME, DataDirectory, prepare, write
from waihu.adapters.postgres.embedded_failure import PostgresNotStarted, explain
from waihu.adapters.postgres.embedded_runner import Runner, choose_runner

log = structlog.get_logger()

_FIRST_PORT = 15432
_PORTS = 1000
# Redo of a full write-ahead log takes seconds, but the first fsync of every file on a slow disk takes minutes.
_START_TIMEOUT_S = 600
_STOP_TIMEOUT_S = 60
_PREDECESSOR_TIMEOUT_S = 30
_PAUSE_S = 0.02
_LAST_WORDS_S = 2.0
_RETRY_PAUSE_S = 0.5


class EmbeddedPostgres:
    """The server in `data_dir`, at most one at a time. Its supervisor uses it from the main thread, asks `poll()` now
    and then, and calls `start()` again when the server ended by itself.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data = DataDirectory(data_dir.resolve())
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """`postgresql://…` for asyncpg. A restart moves it to another port if the old one was taken meanwhile."""
        assert self._url is not None, "start() comes first"
        return self._url

    def poll(self) -> int | None:
        """None while the server runs; otherwise the exit code of its process, negative for a signal."""
        assert self._process is not None, "start() comes first"
        return self._process.poll()

    def start(self) -> None:
        """Returns when the server accepts connections; does nothing if it runs. Creates it the first time and
        recovers it after a crash. Raises PostgresNotStarted.
        """
        # The kernel ties a child to the thread that made it: the server would stop when a worker thread ends.
        assert threading.current_thread() is threading.main_thread(), "start() belongs on the main thread"
        if self._process is not None and self._process.poll() is None:
            return
        try:
            self._start()
        except OSError as error:
            self.stop()
            raise explain(str(error), self._data.path) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends all sessions and the server, writing everything to disk; does nothing if it does not run."""
        if self._process is not None:
            # Fast shutdown; then one without the last checkpoint, which the next start makes up for.
            for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                if self._process.poll() is None:
                    self._process.send_signal(request)
                    with suppress(subprocess.TimeoutExpired):
                        self._process.wait(_STOP_TIMEOUT_S)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _start(self) -> None:
        self._data.path.mkdir(mode=0o711, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            # Another account must pass through. This directory is ours; those above it are not, and stay as they are.
            self._data.path.chmod(self._data.path.stat().st_mode | 0o011)
        self._take_lock()
        self._await_predecessor()
        runner = choose_runner(self._data.path)
        password = prepare(self._data, runner)
        port = self._launch(runner)
        self._url = f"postgresql://{NAME}:{password}@127.0.0.1:{port}/{NAME}"
        log.info("postgres started", version=runner.version, port=port, uid=runner.uid)

    def _take_lock(self) -> None:
        """PostgreSQL guards its directory only among processes that see each other; this holds across containers."""
        if self._lock is not None:
            return
        self._lock = (self._data.path / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PostgresNotStarted(
                f"another waihu runs the server in {self._data.path}.",
                "Stop that one first, or choose another data directory.",
            ) from error

    def _await_predecessor(self) -> None:
        """A server whose supervisor was killed is on its way down; one that stays was started by somebody else."""
        deadline = time.monotonic() + _PREDECESSOR_TIMEOUT_S
        while (pid := self._pid_file()[0]) is not None and self._serves_here(pid):
            if time.monotonic() > deadline:
                raise PostgresNotStarted(
                    f"another server, process {pid}, uses {self._data.cluster}.", "Stop that server first."
                )
            time.sleep(_PAUSE_S)
        # What a crash left behind. Process numbers repeat, most of all in containers: PostgreSQL would take a stranger
        # with that number, or a dead process that nobody collects, for a living server, and we would take the old
        # `ready` for the new server's. Living processes of a killed server it finds by their shared memory.
        (self._data.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _serves_here(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == self._data.cluster
        except OSError:
            # Gone, dead but not collected, or another user's, who could not serve these files.
            return False

    def _pid_file(self) -> tuple[int | None, str]:
        """The process id and status (`starting`, `ready`, `stopping`) that a server wrote down, as far as it did."""
        try:
            lines = (self._data.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None, ""
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid, lines[7].strip() if len(lines) > 7 else ""

    def _launch(self, runner: Runner) -> int:
        """Starts the server and waits until it is ready; the port it listens on."""
        deadline = time.monotonic() + _PREDECESSOR_TIMEOUT_S
        while True:
            port = self._choose_port()
            self._process = self._spawn(runner, port)
            if self._becomes_ready(self._process):
                return port
            words = self._await_last_words()
            # Somebody took the port after we had looked; or a server was killed and its last statements still run,
            # which end when they next look for it.
            will_pass = "Address already in use" in words or "pre-existing shared memory block" in words
            if not will_pass or time.monotonic() > deadline:
                raise explain(words, self._data.path)
            time.sleep(_RETRY_PAUSE_S)

    def _spawn(self, runner: Runner, port: int) -> subprocess.Popen[bytes]:
        settings = {
            "config_file": self._data.path / "postgresql.conf",
            "hba_file": self._data.path / "pg_hba.conf",
            "log_directory": self._data.log_directory,
            "listen_addresses": "127.0.0.1",
            "port": port,
            # A socket would be one more door, and its path may be longer than the 107 bytes allowed.
            "unix_socket_directories": "",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._data.start_log.open("wb") as start_log:
            return runner.spawn(runner.program("postgres"), "-D", str(self._data.cluster), *options, output=start_log)

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """False when it ended instead."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while process.poll() is None:
            if self._pid_file() == (process.pid, "ready"):
                return True
            if time.monotonic() > deadline:
                raise PostgresNotStarted(
                    f"it was not ready after {_START_TIMEOUT_S} s.",
                    "Start again, or look for a slow disk if that does not help.",
                    self._last_words(),
                )
            time.sleep(_PAUSE_S)
        return False

    def _await_last_words(self) -> str:
        """Why the server ended. Its log collector may write that down a moment after the end."""
        deadline = time.monotonic() + _LAST_WORDS_S
        while not any(mark in (words := self._last_words()) for mark in ("FATAL", "PANIC")):
            if time.monotonic() > deadline:
                break
            time.sleep(_PAUSE_S)
        return words

    def _choose_port(self) -> int:
        """The port of last time if it is free, else the first free one, written down for next time."""
        file = self._data.path / "port"
        written = file.read_text().strip() if file.exists() else ""
        remembered = int(written) if written.isdigit() else _FIRST_PORT
        for port in chain([remembered], range(_FIRST_PORT, _FIRST_PORT + _PORTS)):
            if _is_free(port):
                write(file, f"{port}\n", mode=0o644)
                return port
        raise explain("Address already in use", self._data.path)

    def _last_words(self) -> str:
        words = self._data.start_log.read_text(errors="replace")
        if "redirecting log output" in words:
            words += self._data.logs()[-1].read_text(errors="replace")
        return words


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does: connections that ended a minute ago are no reason to move.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
