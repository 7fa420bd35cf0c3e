"""How commands end when nobody foresaw what went wrong, and how little they need to say so."""

import errno
import fcntl
import sys
from pathlib import Path

import msgspec
import pytest

from waihu.cli import accounts, main
from waihu.data_directory import DataDirectory, Running

Output = pytest.CaptureFixture[str]

_RUNNING = msgspec.json.encode(
    Running(
        pid=1,
        http="http://127.0.0.1:1",
        public_url="",
        database_url="",
        ari_url=None,
        sip_address=None,
        recordings="",
        speech="",
        token_key="",
        callback_allow=(),
    )
)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which creating an account fails for no reason that anybody knows."""

    def fail(data: Path | None) -> None:
        raise ZeroDivisionError("a [strange] thing\nwith a second line")

    monkeypatch.setattr(accounts, "application_of", fail)


def status_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["waihu", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.usefixtures("broken")
def test_an_unforeseen_error_is_one_line_and_its_stack_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    DataDirectory(tmp_path).create()
    assert status_of(monkeypatch, "account", "create", "x", "--data", str(tmp_path), "--json") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"error: ZeroDivisionError: a [strange] thing (details in {tmp_path}/logs/cli.log)\n"
    assert "Traceback" in (tmp_path / "logs/cli.log").read_text()


@pytest.mark.usefixtures("broken")
def test_where_there_is_no_log_the_line_is_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    assert status_of(monkeypatch, "account", "create", "x", "--data", str(tmp_path / "nothing")) == 1
    assert capsys.readouterr().err == "error: ZeroDivisionError: a [strange] thing\n"
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    "arguments",
    [("account", "create", "x"), ("trunk", "list"), ("token", "list"), ("contacts", "import", f"{0:032x}", __file__)],
)
def test_commands_say_that_waihu_is_not_up(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    assert status_of(monkeypatch, *arguments, "--data", str(tmp_path)) == 1
    assert capsys.readouterr().err == f"error: waihu is not up on {tmp_path}. Start it: waihu up --data {tmp_path}\n"


def test_a_database_out_of_reach_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv("WAIHU_DATABASE_URL", "postgresql://waihu:hush-hush@127.0.0.1:1/waihu")
    assert status_of(monkeypatch, "account", "list", "--data", str(tmp_path)) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: The database cannot be used: ")
    assert "hush-hush" not in said


def test_the_doctor_works_where_waihu_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    assert status_of(monkeypatch, "doctor", "--data", str(tmp_path / "nothing"), "--json") == 1
    assert '"part": "waihu", "ok": false' in capsys.readouterr().out


@pytest.mark.parametrize("command", [("up", "--no-switch"), ("doctor",), ("account", "list"), ("demo",)])
def test_an_unset_variable_of_the_shell_does_not_mean_the_working_directory(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letter.txt").write_text("dear")
    assert status_of(monkeypatch, *command, "--data", "") == 2
    assert "--data" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device. Free space on the disk"),
        (PermissionError(errno.EACCES, "Permission denied", "/srv/up.log"), "/srv/up.log: Permission denied. Run this"),
        (OSError(errno.EIO, "Input/output error", "/srv/a.csv"), "/srv/a.csv: Input/output error."),
    ],
)
def test_what_the_machine_refuses_is_told_with_the_file_and_the_fix(
    failure: OSError, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    def fail(data: Path | None) -> None:
        raise failure

    monkeypatch.setattr(accounts, "application_of", fail)
    assert status_of(monkeypatch, "account", "list", "--data", str(tmp_path)) == 1
    assert capsys.readouterr().err.startswith(f"error: {told}")


def test_a_data_directory_that_is_a_file_holds_no_waihu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert status_of(monkeypatch, "account", "list", "--data", str(file)) == 1
    assert capsys.readouterr().err.startswith(f"error: waihu is not up on {file}.")


@pytest.mark.parametrize("kept", ["letter.txt", "waihu/run/up.lock", "recordings/a.wav"])
def test_the_demo_empties_nothing_but_what_a_demo_left(
    kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Neither somebody's files, nor a data directory, nor a demo that is up."""
    file = tmp_path / kept
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("dear")
    with file.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (file.parent / "running.json").write_bytes(_RUNNING)
        assert status_of(monkeypatch, "demo", "--data", str(tmp_path)) == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert file.read_text() == "dear"
