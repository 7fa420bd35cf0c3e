"""How commands end when nobody foresaw what went wrong, and how little they need to say so."""

import sys
from pathlib import Path

import pytest

from waihu.cli import accounts, main
from waihu.data_directory import DataDirectory

Output = pytest.CaptureFixture[str]


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
