"""`waihu dnc import` puts the numbers of a file on an account's list."""

import asyncio
import json
import sys
from pathlib import Path

import asyncpg
import pytest

from waihu.cli import main

Output = pytest.CaptureFixture[str]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["waihu", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


async def forbidden(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["phone"] for row in await connection.fetch("select phone from do_not_call order by phone")]
    finally:
        await connection.close()


@pytest.fixture
def data(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WAIHU_DATABASE_URL", database_url)
    return str(tmp_path / "data")


def test_numbers_of_a_file(
    tmp_path: Path, data: str, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "投诉.csv"
    file.write_text("手机号,备注\n13012121211,投诉\n+86 130 1212 1212,\n没有,x\n13012121211,又一次\n")
    assert run(monkeypatch, "account", "create", "甲", "--data", data, "--json") == 0
    account = json.loads(capsys.readouterr().out)["user_id"]

    assert run(monkeypatch, "dnc", "import", str(file), "--account", account, "--data", data, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert run(monkeypatch, "dnc", "import", str(file), "--account", account, "--data", data, "--json") == 0
    again = json.loads(capsys.readouterr().out)

    assert first == {"added": 2, "known": 0, "invalid": 1, "invalid_lines": [4]}
    assert (again["added"], again["known"]) == (0, 2)
    assert asyncio.run(forbidden(database_url)) == ["13012121211", "13012121212"]


def test_an_account_that_there_is_not(
    tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "numbers.csv"
    file.write_text("phone\n13012121211\n")

    assert run(monkeypatch, "dnc", "import", str(file), "--account", "x", "--data", data) == 2
    assert capsys.readouterr().err == "error: account: there is none with this id.\n"
