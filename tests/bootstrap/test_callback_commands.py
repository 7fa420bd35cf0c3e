"""`waihu callback …` on a real database: an address is set, what was told is listed, and told again."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from waihu.cli import main

Output = pytest.CaptureFixture[str]


@pytest.fixture
def account(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> str:
    monkeypatch.setenv("WAIHU_DATABASE_URL", database_url)
    monkeypatch.setenv("WAIHU_DATA", str(tmp_path))
    (tmp_path / "recordings").mkdir()
    made = asyncio.run(execute(database_url, _ACCOUNT))
    return str(made)


_ACCOUNT = """
    with p as (insert into partner (name) values ('p') returning id)
    insert into account (partner_id, name) select id, 'a' from p returning id
"""
_GIVEN_UP = """
    insert into callback (account_id, owner_id, url, kind, body, due_at, given_up_at, tries, last_answer)
    values ($1, $1, 'http://203.0.113.7/', 'campaign_created', '{}', now(), now(), 14, 'HTTP 500') returning id
"""


async def execute(url: str, statement: str, *values: object) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


def answer_of(monkeypatch: pytest.MonkeyPatch, capsys: Output, *arguments: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["waihu", "callback", *arguments, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    return json.loads(said.out)


def test_an_address_is_set_with_a_secret(account: str, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    first = answer_of(monkeypatch, capsys, "set", account, "https://8.8.8.8/told")
    again = answer_of(monkeypatch, capsys, "set", account, "https://8.8.4.4/told")

    assert first["secret"].startswith("whsec_")
    assert again == {"callback_url": "https://8.8.4.4/told", "secret": None}


def test_an_internal_address_is_refused(account: str, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr(sys, "argv", ["waihu", "callback", "set", account, "http://10.0.0.1/"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: callback_url: ")


def test_what_was_given_up_is_listed_and_told_again(
    account: str, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    callback = asyncio.run(execute(database_url, _GIVEN_UP, account))

    listed = answer_of(monkeypatch, capsys, "list", account, "--state", "given_up")
    assert [(row["id"], row["last_answer"]) for row in listed["callbacks"]] == [(callback, "HTTP 500")]
    assert answer_of(monkeypatch, capsys, "redeliver", account, "--given-up") == {"callbacks": 1}
    assert answer_of(monkeypatch, capsys, "list", account, "--state", "given_up")["total"] == 0
    assert answer_of(monkeypatch, capsys, "redeliver", account, str(callback)) == {"callbacks": 1}
