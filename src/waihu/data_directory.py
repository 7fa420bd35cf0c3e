"""The data directory: what lies where, that only one waihu works in it at a time, and how commands find that one.

postgres/        the embedded database
switch/          Asterisk's configuration, logs and scratch files
recordings/      what was said, one WAV file per answered call
sounds/          background sounds that clients brought along
speech/          synthesised lines, made once each
token-key.pem    the private key that signs tokens, made when it is first needed
logs/            our own logs, one file per process
ports.json       the ports waihu chose for itself
run/             exists while waihu is up: up.lock, running.json
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from waihu.domain.errors import Conflict, Invalid

# A command looks at the lock for an instant, and must not be taken for another waihu.
_LOCK_PATIENCE_S = 1.0


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The waihu that is up: where its parts are. `ari_url` is None without a switch, `sip_address` without a switch
    of our own.
    """

    pid: int
    http: str
    public_url: str
    database_url: str
    ari_url: str | None
    sip_address: str | None
    recordings: str
    speech: str
    token_key: str
    callback_allow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DataDirectory:
    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def switch(self) -> Path:
        return self.path / "switch"

    @property
    def recordings(self) -> Path:
        return self.path / "recordings"

    @property
    def speech(self) -> Path:
        return self.path / "speech"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def token_key(self) -> Path:
        return self.path / "token-key.pem"

    @property
    def ports(self) -> Path:
        return self.path / "ports.json"

    def create(self) -> None:
        """Makes the directories. Raises Invalid when that cannot be."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # Voices, numbers and passwords are nobody else's business. The directory itself stays passable, because
            # PostgreSQL refuses to run as root and has to reach its own files below.
            for private in (self.switch, self.recordings, self.speech, self.logs, self._run):
                private.mkdir(mode=0o700, exist_ok=True)
        except OSError as failure:
            raise Invalid.field(
                "--data", f"{self.path} cannot be used: {failure.strerror}. Choose a directory that you can write."
            ) from failure

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps others out. Raises Conflict when another waihu is up on this directory."""
        with (self._run / "up.lock").open("wb") as lock:
            deadline = time.monotonic() + _LOCK_PATIENCE_S
            while not _try_lock(lock.fileno(), fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise Conflict(
                        "already_up",
                        f"waihu is already up on {self.path}{self._whose()}. Stop that one, or choose another --data.",
                    )
                time.sleep(0.05)
            try:
                yield
            finally:
                self._record.unlink(missing_ok=True)

    def announce(self, running: Running) -> None:
        """Tells commands and our own processes where everything is."""
        fresh = self._record.with_suffix(".new")
        # It carries the database's password.
        fresh.touch(mode=0o600)
        fresh.write_bytes(msgspec.json.encode(running))
        fresh.replace(self._record)

    def running(self) -> Running | None:
        """The waihu that is up on this directory and has got as far as its database."""
        try:
            with (self._run / "up.lock").open("rb") as lock:
                if _try_lock(lock.fileno(), fcntl.LOCK_SH):
                    return None
            return msgspec.json.decode(self._record.read_bytes(), type=Running)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _whose(self) -> str:
        return f", process {running.pid}" if (running := self.running()) else ""

    @property
    def _run(self) -> Path:
        return self.path / "run"

    @property
    def _record(self) -> Path:
        return self._run / "running.json"


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
