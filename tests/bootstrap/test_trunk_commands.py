"""`waihu trunk` on a real database: whose a trunk is, and what its calls cost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_command_line import Output, status_of

Ask = Callable[..., Any]


@pytest.fixture
def ask(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> Ask:
    """A command's answer; the words of the error if it fails."""
    monkeypatch.setenv("WAIHU_DATABASE_URL", database_url)

    def ask(*words: str) -> Any:
        status = status_of(monkeypatch, *words, "--data", str(tmp_path), "--json")
        said = capsys.readouterr()
        return json.loads(said.out) if status == 0 else said.err

    return ask


def test_a_trunk_has_an_owner_and_a_price(ask: Ask) -> None:
    user = ask("account", "create", "甲公司")["user_id"]
    sip = ("--sip", "127.0.0.9", "--channels", "5", "--cps", "1")

    own = ask("trunk", "add", "own", *sip, "--account", user, "--price", "0.15", "--billing-unit", "6")["line_id"]
    everybodys = ask("trunk", "add", "everybody's", *sip)["line_id"]

    partners = {shown["line_id"]: shown["partner"] for shown in ask("trunk", "list")["trunks"]}
    assert partners[own] is not None
    assert partners[everybodys] is None
    assert "partner: there is none" in ask("trunk", "add", "x", *sip, "--partner", "nobody")
    assert ask("trunk", "set", own, "--account", user, "--price", "0.2")["line_id"] == own


@pytest.mark.parametrize(
    ("options", "blamed"),
    [
        (("--price", "1"), "--price: A price is an account's"),
        (("--account", "{user}", "--price", "viel"), "--price: This is no amount"),
        (("--account", "{user}", "--price", "NaN"), "--price: "),
        (("--account", "{user}", "--price", "-1"), "--price: "),
        (("--account", "{user}", "--billing-unit", "0"), "--billing-unit: "),
    ],
)
def test_a_price_that_cannot_be_is_named_by_its_option(ask: Ask, options: tuple[str, ...], blamed: str) -> None:
    user = ask("account", "create", "乙公司")["user_id"]
    line = ask("trunk", "add", "t", "--sip", "127.0.0.9", "--channels", "5", "--cps", "1")["line_id"]

    said = ask("trunk", "set", line, *(option.format(user=user) for option in options))

    assert said.startswith(f"error: {blamed}")
