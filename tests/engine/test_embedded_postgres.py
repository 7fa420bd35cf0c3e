"""The embedded PostgreSQL as its supervisor meets it: real servers, in directories that end with the test."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from waihu.adapters.postgres.embedded import EmbeddedPostgres
from waihu.adapters.postgres.embedded_failure import PostgresNotStarted, explain
from waihu.adapters.postgres.embedded_runner import BIN_VARIABLE, find_binaries

PATIENCE_S = 30

Server = Callable[[Path], EmbeddedPostgres]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # pytest's temporary directories are private to root, and then the server could not run as another account.
    with tempfile.TemporaryDirectory(prefix="waihu-postgres-") as parent:
        Path(parent).chmod(0o711)
        yield Path(parent) / "data"


@pytest.fixture
def server() -> Iterator[Server]:
    """Makes servers, and stops them when the test has ended."""
    made: list[EmbeddedPostgres] = []

    def make(data_dir: Path) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(data_dir))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def ask(url: str, *statements: str) -> Any:
    """The first value that the last of `statements` returns."""

    async def answer() -> Any:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                value = await connection.fetchval(statement)
            return value
        finally:
            await connection.close()

    return asyncio.run(answer())


def process_id(data_dir: Path) -> int:
    return int((data_dir / "cluster/postmaster.pid").read_text().splitlines()[0])


def runs(process: int) -> bool:
    """Whether it lives; one that is dead and not collected does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_rows_survive_a_stop(data_dir: Path, server: Server) -> None:
    postgres = server(data_dir)
    postgres.start()
    ask(postgres.url, "create table note (words text)", "insert into note values ('hello 你好')")
    postgres.stop()
    assert postgres.poll() == 0

    postgres.start()

    assert postgres.poll() is None
    assert ask(postgres.url, "select words from note") == "hello 你好"


def test_rows_survive_the_sudden_death_of_the_server(data_dir: Path, server: Server) -> None:
    postgres = server(data_dir)
    postgres.start()
    ask(postgres.url, "create table note (words text)", "insert into note values ('committed')")
    url_before = postgres.url

    os.kill(process_id(data_dir), signal.SIGKILL)
    wait_until(lambda: postgres.poll() is not None)
    assert postgres.poll() == -signal.SIGKILL
    postgres.start()

    assert ask(postgres.url, "select words from note") == "committed"
    assert postgres.url == url_before


def test_no_server_outlives_its_supervisor(data_dir: Path, server: Server) -> None:
    program = (
        "import sys, time; from pathlib import Path; from waihu.adapters.postgres.embedded import EmbeddedPostgres\n"
        "EmbeddedPostgres(Path(sys.argv[1])).start(); print('ready', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(data_dir)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        # Its log lines come first.
        while parent.stdout.readline() not in ("ready\n", ""):
            pass
        orphan = process_id(data_dir)
        assert runs(orphan)

        parent.kill()

    wait_until(lambda: not runs(orphan))
    # A successor comes up in the same directory.
    postgres = server(data_dir)
    postgres.start()
    assert ask(postgres.url, "select 1") == 1


def test_ctrl_c_in_the_terminal_is_left_to_the_supervisor(data_dir: Path, server: Server) -> None:
    server(data_dir).start()

    assert os.getpgid(process_id(data_dir)) != os.getpgid(0)


def test_a_second_start_changes_nothing(data_dir: Path, server: Server) -> None:
    postgres = server(data_dir)
    postgres.start()
    first = process_id(data_dir)

    postgres.start()

    assert process_id(data_dir) == first


def test_a_second_supervisor_is_refused(data_dir: Path, server: Server) -> None:
    postgres = server(data_dir)
    postgres.start()

    with pytest.raises(PostgresNotStarted, match="another waihu runs the server"):
        server(data_dir).start()

    assert ask(postgres.url, "select 1") == 1


def test_data_of_another_major_version_is_refused(data_dir: Path, server: Server) -> None:
    postgres = server(data_dir)
    postgres.start()
    postgres.stop()
    (data_dir / "cluster/PG_VERSION").write_text("9\n")

    with pytest.raises(PostgresNotStarted, match="is of PostgreSQL 9") as refusal:
        postgres.start()

    assert "WAIHU_POSTGRES_BIN" in refusal.value.fix


def test_a_wrong_setting_is_named(data_dir: Path, server: Server) -> None:
    data_dir.mkdir(mode=0o711)
    (data_dir / "own.conf").write_text("shared_bufers = 1GB\n")

    with pytest.raises(PostgresNotStarted, match="a setting is wrong") as refusal:
        server(data_dir).start()

    assert "shared_bufers" in refusal.value.log_tail


def test_settings_of_the_operator_win(data_dir: Path, server: Server) -> None:
    data_dir.mkdir(mode=0o711)
    (data_dir / "own.conf").write_text("max_connections = 77\n")
    postgres = server(data_dir)

    postgres.start()

    assert ask(postgres.url, "show max_connections") == "77"


def test_a_port_taken_meanwhile_is_given_up(data_dir: Path, server: Server) -> None:
    postgres = server(data_dir)
    postgres.start()
    url_before = postgres.url
    postgres.stop()
    taken = int((data_dir / "port").read_text())

    with socket.create_server(("127.0.0.1", taken)):
        postgres.start()
    url_after = postgres.url
    assert url_after != url_before
    assert ask(url_after, "select 1") == 1

    # The new port is the remembered one from now on, though the old one is free again.
    postgres.stop()
    postgres.start()
    assert postgres.url == url_after


def test_only_loopback_and_only_with_the_password(data_dir: Path, server: Server) -> None:
    postgres = server(data_dir)
    postgres.start()
    secret = data_dir / "secret"

    assert ask(postgres.url, "show listen_addresses") == "127.0.0.1"
    assert secret.stat().st_mode & 0o777 == 0o600
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(postgres.url.replace(secret.read_text(), "guessed"), "select 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(postgres.url.replace("//waihu:", "//postgres:"), "select 1")


def test_a_process_number_left_by_a_crash_and_given_to_a_stranger_is_no_hindrance(
    data_dir: Path, server: Server
) -> None:
    postgres = server(data_dir)
    postgres.start()
    os.kill(process_id(data_dir), signal.SIGKILL)
    wait_until(lambda: postgres.poll() is not None)
    pid_file = data_dir / "cluster/postmaster.pid"
    lines = pid_file.read_text().splitlines(keepends=True)

    with subprocess.Popen(["sleep", "600"]) as stranger:
        pid_file.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
        try:
            postgres.start()
        finally:
            stranger.kill()

    assert ask(postgres.url, "select 1") == 1


def test_a_creation_that_was_cut_off_is_begun_anew(data_dir: Path, server: Server) -> None:
    half = data_dir / "cluster.incomplete"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    data_dir.chmod(0o711)
    postgres = server(data_dir)

    postgres.start()

    assert ask(postgres.url, "select 1") == 1
    assert not half.exists()


def test_a_private_directory_above_stays_private(tmp_path: Path, server: Server) -> None:
    if os.geteuid() == 0 and subprocess.run(["unshare", "--user", "true"], check=False).returncode:
        pytest.skip("this machine allows no user namespaces, and root has no other way past a private directory")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    postgres = server(private / "data")

    postgres.start()

    assert ask(postgres.url, "select 1") == 1
    assert private.stat().st_mode & 0o777 == 0o700


def test_programs_below_a_private_directory_are_copied(
    data_dir: Path, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another account")
    monkeypatch.delenv(BIN_VARIABLE, raising=False)
    install = find_binaries().parent
    # The shape of the bundle: a package, and beside it the libraries that its programs find by a relative path.
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / install.parent.name).mkdir()
    (private / install.parent.name / install.name).symlink_to(install)
    libraries = install.parent.with_suffix(".libs")
    (private / libraries.name).symlink_to(libraries)
    monkeypatch.setenv(BIN_VARIABLE, str(private / install.parent.name / install.name / "bin"))
    postgres = server(data_dir)

    postgres.start()

    assert ask(postgres.url, "select 1") == 1
    assert Path(f"/proc/{process_id(data_dir)}/exe").readlink().is_relative_to(data_dir / "binaries")
    assert private.stat().st_mode & 0o777 == 0o700


def test_the_reason_comes_with_a_remedy() -> None:
    refusal = explain("FATAL: could not write: No space left on device", Path("/srv/waihu"))

    assert "the disk is full" in str(refusal)
    assert "/srv/waihu" in refusal.fix
