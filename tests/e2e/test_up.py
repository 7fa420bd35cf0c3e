"""`waihu up` as an operator has it: real processes, without a switch. What is promised of the command line is here."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from waihu.cli import main
from waihu.demo.stage import children_of

PATIENCE_S = 60
WAIHU = (sys.executable, "-m", "waihu.cli")


@dataclass
class Operator:
    """Somebody at a terminal, with a waihu that is up on `data`."""

    data: Path
    up: subprocess.Popen[bytes]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, "--data", str(self.data), **environment)

    def ask(self, *arguments: str) -> dict[str, Any]:
        """Runs a command that has to succeed; its JSON."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        (line,) = done.stdout.splitlines()
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def url(self) -> str:
        url: str = json.loads((self.data / "run/running.json").read_text())["http"]
        return url

    def health(self) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self.up.poll() is None, (self.data / "logs/up.log").read_text()
            try:
                if self.health()[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError((self.data / "logs/up.log").read_text())

    def process(self, part: str) -> int:
        """The id of the process of a part: `_api`, `_engine` or `postgres`."""
        (pid,) = [pid for pid, command in children_of(self.up.pid).items() if part in command.split(" -D ")[0]]
        return pid


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WAIHU, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, env=os.environ | environment
    )


def start(data: Path) -> Operator:
    # Port 0 would be another one after each restart; waihu itself chooses a free one and keeps it.
    up = subprocess.Popen([*WAIHU, "up", "--no-switch", "--data", str(data)], stderr=subprocess.DEVNULL)
    operator = Operator(data, up)
    operator.wait_ready()
    return operator


def end(operator: Operator) -> int:
    operator.up.terminate()
    return operator.up.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    operator = start(tmp_path_factory.mktemp("up") / "data")
    yield operator
    end(operator)


def test_health_shows_that_there_is_no_switch(operator: Operator) -> None:
    status, health = operator.health()
    assert (status, health["status"], health["missing"]) == (200, "ok", [])
    assert health["parts"]["switch"] == {"ok": False, "needed": False, "detail": "waihu was started with --no-switch."}


def test_an_account_gets_an_id_and_a_token(operator: Operator) -> None:
    created = operator.ask("account", "create", "acme")
    assert sorted(created) == ["token", "user_id"]
    assert created["user_id"] in [account["user_id"] for account in operator.ask("account", "list")["accounts"]]


def test_a_trunk_is_added_changed_shown_as_down_and_removed(operator: Operator) -> None:
    account = operator.ask("account", "create", "caller")["user_id"]
    added = operator.ask(
        *("trunk", "add", "carrier", "--sip", "127.0.0.9:5070", "--user", "u", "--password", "p"),
        *("--channels", "10", "--cps", "2.5", "--account", account),
    )
    assert sorted(added) == ["line_id"]
    line = added["line_id"]
    operator.ask("trunk", "set", line, "--channels", "20")
    (shown,) = operator.ask("trunk", "list")["trunks"]
    assert {key: shown[key] for key in ("line_id", "sip", "user", "registers", "channels", "cps", "up")} == {
        "line_id": line,
        "sip": "127.0.0.9:5070",
        "user": "u",
        "registers": True,
        "channels": 20,
        "cps": 2.5,
        "up": False,
    }
    assert operator.health()[1]["trunks"] == [{"line_id": line, "up": False}]
    operator.ask("trunk", "remove", line)
    assert operator.ask("trunk", "list")["trunks"] == []


def test_a_password_is_shown_nowhere(operator: Operator) -> None:
    added = operator.ask(
        *("trunk", "add", "private", "--sip", "127.0.0.9", "--user", "u", "--password", "hush-hush"),
        *("--channels", "1", "--cps", "1"),
    )
    assert "hush-hush" not in json.dumps(operator.ask("trunk", "list"))
    operator.ask("trunk", "remove", added["line_id"])


def test_tokens_are_made_listed_and_revoked(operator: Operator) -> None:
    account = operator.ask("account", "create", "with tokens")["user_id"]
    made = operator.ask("token", "create", "--account", account, "--name", "crm")
    assert made["user_id"] == account
    assert made["token"] not in json.dumps(operator.ask("token", "list"))
    operator.ask("token", "revoke", made["token_id"])
    (listed,) = [one for one in operator.ask("token", "list")["tokens"] if one["token_id"] == made["token_id"]]
    assert listed["revoked"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("trunk add t --sip a:b --channels 1 --cps 1", "--sip"),
        ("trunk add t --sip a{b --channels 1 --cps 1", "--sip"),
        ("trunk add t --sip h --channels 0 --cps 1", "--channels"),
        ("trunk add t --sip h --channels 1 --cps 0", "--cps"),
        ("trunk add t --sip h --channels 1 --cps many", "--cps"),
        ("trunk add t --sip h --channels 1 --cps 1 --register", "--register"),
        ("trunk add t --sip h --channels 1 --cps 1 --account nobody", "account"),
        ("trunk set nothing --cps 1", "trunk"),
        ("token create --account nobody", "account"),
        ("token revoke nothing", "token"),
        ("contacts import no-task {existing}", "TASK"),
        ("contacts import 00000000-0000-0000-0000-000000000000 /no/such/file.csv", "file"),
        ("contacts import 00000000-0000-0000-0000-000000000000 {existing}", "campaign"),
        ("up --http nowhere", "--http"),
        ("no-such-command", "no-such-command"),
    ],
)
def test_bad_input_is_one_line_that_names_it(
    operator: Operator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    named: str,
) -> None:
    contacts = tmp_path / "contacts.csv"
    contacts.write_text("phone\n10012345678\n")
    # In this process: fifteen more would only load the same program again.
    words = arguments.replace("{existing}", str(contacts)).split()
    monkeypatch.setattr(sys, "argv", ["waihu", *words, "--data", str(operator.data)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2, said.err
    assert len(said.err.splitlines()) == 1
    assert named in said.err
    assert said.out == ""


def test_a_second_waihu_on_the_same_directory_is_refused(operator: Operator) -> None:
    done = operator.run("up", "--no-switch")
    assert done.returncode == 2
    assert f"already up on {operator.data}, process {operator.up.pid}" in done.stderr.splitlines()[-1]


def test_the_doctor_finds_everything_in_order_but_what_is_not_there(operator: Operator) -> None:
    told = operator.ask("doctor")
    assert told["ok"]
    assert {finding["part"]: finding["ok"] for finding in told["findings"]} == {
        "waihu": True,
        "disk": True,
        "clock": True,
        "database": True,
        "engine": True,
        "switch": False,
        "database's clock": True,
        "audio": False,
        "trunks": False,
    }


@pytest.mark.parametrize("part", ["_api", "_engine", "postgres"])
def test_a_part_that_is_killed_comes_back_alone(operator: Operator, part: str) -> None:
    others = {other: operator.process(other) for other in ("_api", "_engine", "postgres") if other != part}
    killed = operator.process(part)
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while not (part in str(children_of(operator.up.pid).values()) and operator.process(part) != killed):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    operator.wait_ready()
    operator.ask("account", "list")
    assert {other: operator.process(other) for other in others} == others


def test_requests_wait_while_the_api_comes_back(operator: Operator) -> None:
    os.kill(operator.process("_api"), signal.SIGKILL)
    assert operator.health()[0] == 200


def test_sigterm_ends_everything_and_commands_then_say_so(tmp_path: Path) -> None:
    operator = start(tmp_path / "data")
    below = children_of(operator.up.pid)
    assert len(below) >= 3
    assert end(operator) == 0
    assert [pid for pid in below if Path(f"/proc/{pid}").exists()] == []
    done = operator.run("account", "create", "too late")
    assert done.returncode == 1
    assert done.stderr == (f"error: waihu is not up on {operator.data}. Start it: waihu up --data {operator.data}\n")


def test_the_next_waihu_finds_what_the_last_one_knew(tmp_path: Path) -> None:
    operator = start(tmp_path / "data")
    account = operator.ask("account", "create", "kept")["user_id"]
    address = operator.url
    operator.up.kill()
    operator.up.wait()
    operator = start(tmp_path / "data")
    assert operator.url == address
    assert [one["user_id"] for one in operator.ask("account", "list")["accounts"]] == [account]
    assert end(operator) == 0


def test_migrate_works_while_waihu_is_down(tmp_path: Path) -> None:
    done = run("migrate", "--data", str(tmp_path / "data"), "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"migrated": True})


def test_a_database_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = run(
        *("up", "--no-switch", "--data", str(tmp_path / "data")),
        WAIHU_DATABASE_URL="postgresql://waihu:hush-hush@127.0.0.1:1/waihu",
    )
    assert done.returncode == 1
    assert "WAIHU_DATABASE_URL" in done.stderr.splitlines()[-1]
    assert "hush-hush" not in done.stderr
    assert "Traceback" not in done.stderr
