"""`waihu up` as an operator has it: real processes, without a switch. What is promised of the command line is here."""

import io
import json
import logging
import os
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog

from waihu.cli import main
from waihu.demo.stage import children_of

PATIENCE_S = 60
PARTS = ("_api", "_engine", "postgres")
WAIHU = (sys.executable, "-m", "waihu.cli")


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


@dataclass
class Operator:
    """Somebody at a terminal, with a waihu that is up on `data`."""

    data: Path
    up: subprocess.Popen[bytes]

    def run(self, *arguments: str) -> Said:
        """Runs a command in this process: a new one for each would mostly load the same program again."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["waihu", *arguments, "--data", str(self.data)])
            with pytest.raises(SystemExit) as ended:
                main()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out.getvalue(), err.getvalue())

    def ask(self, *arguments: str) -> dict[str, Any]:
        """Runs a command that has to succeed; its JSON."""
        said = self.run(*arguments, "--json")
        assert said.status == 0, said.err
        (line,) = said.out.splitlines()
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.data / "run/running.json").read_text())
        return record

    @property
    def url(self) -> str:
        return str(self.record["http"])

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=PATIENCE_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self.up.poll() is None, (self.data / "logs/up.log").read_text()
            try:
                if self.get("/health")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError((self.data / "logs/up.log").read_text())

    def process(self, part: str) -> int | None:
        """The id of the process of a part: `_api`, `_engine` or `postgres`; None while there is none."""
        of_part = f"/{part} -D " if part == "postgres" else f" {part} "
        found = [pid for pid, command in children_of(self.up.pid).items() if of_part in command]
        return found[0] if found else None


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WAIHU, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, env=os.environ | environment
    )


def start(data: Path) -> Operator:
    up = subprocess.Popen([*WAIHU, "up", "--no-switch", "--data", str(data)], stderr=subprocess.DEVNULL)
    operator = Operator(data, up)
    operator.wait_ready()
    return operator


def is_alive(pid: int) -> bool:
    """What has ended is listed until its parent has taken note; it does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def end(operator: Operator) -> int:
    operator.up.terminate()
    return operator.up.wait(PATIENCE_S)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Commands set up logging for their process, which here is the tests'."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    for handler in root.handlers:
        if handler not in before[0]:
            handler.close()
    root.handlers, root.level = before[0], before[1]


@contextmanager
def data_directory() -> Iterator[Path]:
    """A place for a data directory. pytest's own are private to root, who may not run PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="waihu-up-") as parent:
        Path(parent).chmod(0o711)
        yield Path(parent) / "data"


@pytest.fixture
def data() -> Iterator[Path]:
    with data_directory() as data:
        yield data


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    with data_directory() as data:
        operator = start(data)
        yield operator
        end(operator)


def test_health_shows_that_there_is_no_switch(operator: Operator) -> None:
    status, health = operator.get("/health")
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
    assert operator.get("/health")[1]["trunks"] == [{"line_id": line, "up": False}]
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


def test_a_partner_has_a_token_of_its_own(operator: Operator) -> None:
    account = operator.ask("account", "create", "of a partner")["user_id"]
    (listed,) = [one for one in operator.ask("account", "list")["accounts"] if one["user_id"] == account]
    made = operator.ask("token", "create", "--partner", listed["partner_id"])
    assert made["user_id"] is None
    asked = urllib.request.Request(f"{operator.url}/users", headers={"Authorization": f"Bearer {made['token']}"})
    with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
        assert [user["id"] for user in json.load(answer)["data"]] == [account]


def test_the_key_that_signs_tokens_is_for_the_owner_only(operator: Operator) -> None:
    assert (operator.data / "token-key.pem").stat().st_mode & 0o077 == 0


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
        ("trunk add t --sip h --channels 1 --cps 1 --caller-id a<b>", "--caller-id"),
        ("trunk set nothing --cps 1", "trunk"),
        ("token create --account nobody", "account"),
        ("token create --partner nobody", "partner"),
        ("token create --partner nobody --account nobody", "--partner"),
        ("token revoke nothing", "token"),
        ("contacts import no-task {existing}", "TASK"),
        ("contacts import 00000000-0000-0000-0000-000000000000 /no/such/file.csv", "file"),
        ("contacts import 00000000-0000-0000-0000-000000000000 {existing}", "campaign"),
        ("up --http nowhere", "--http"),
        ("no-such-command", "no-such-command"),
    ],
)
def test_bad_input_is_one_line_that_names_it(operator: Operator, tmp_path: Path, arguments: str, named: str) -> None:
    contacts = tmp_path / "contacts.csv"
    contacts.write_text("phone\n10012345678\n")
    said = operator.run(*arguments.replace("{existing}", str(contacts)).split())
    assert said.status == 2, said.err
    assert len(said.err.splitlines()) == 1
    assert named in said.err
    assert said.out == ""


def test_a_second_waihu_on_the_same_directory_is_refused(operator: Operator) -> None:
    said = operator.run("up", "--no-switch")
    assert said.status == 2
    assert f"already up on {operator.data}, process {operator.up.pid}" in said.err.splitlines()[-1]


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


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_comes_back_alone(operator: Operator, part: str) -> None:
    database = operator.record["database_url"]
    before = {name: operator.process(name) for name in PARTS}
    killed = before.pop(part)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while operator.process(part) in (None, killed):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    operator.wait_ready()
    operator.ask("account", "list")
    # Another server on this machine may have taken the database's port meanwhile; then the others have to move, too.
    if operator.record["database_url"] == database:
        assert {name: operator.process(name) for name in before} == before


def test_requests_wait_while_the_api_comes_back(operator: Operator) -> None:
    api = operator.process("_api")
    assert api is not None
    os.kill(api, signal.SIGKILL)
    assert operator.get("/health")[0] == 200


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/agent-api/nothing/here", {"code", "status", "message", "data"}),
        ("/openapi/nothing/here", {"message", "errors"}),
        ("/nothing/here", {"detail"}),
    ],
)
def test_a_path_that_does_not_exist_is_answered_in_the_words_of_its_api(
    operator: Operator, path: str, keys: set[str]
) -> None:
    status, answer = operator.get(path)
    assert (status, set(answer)) == (404, keys)


def test_each_api_has_its_document_and_the_reference_shows_all(operator: Operator) -> None:
    for document, path in (
        ("agent-api", "/agent-api/new/user/{user_id}/task/create"),
        ("voicefox", "/openapi/tasks/{taskID}"),
    ):
        status, answer = operator.get(f"/docs/{document}.json")
        assert status == 200
        assert path in answer["paths"]
    with urllib.request.urlopen(f"{operator.url}/docs", timeout=PATIENCE_S) as page:
        html = page.read().decode()
    assert "/openapi/tasks/{taskID}" in html
    assert "<script" not in html


def test_sigterm_ends_everything_and_commands_then_say_so(data: Path) -> None:
    operator = start(data)
    below = children_of(operator.up.pid)
    assert len(below) >= len(PARTS)
    assert end(operator) == 0
    assert [pid for pid in below if is_alive(pid)] == []
    said = operator.run("account", "create", "too late")
    assert (said.status, said.err) == (
        1,
        f"error: waihu is not up on {operator.data}. Start it: waihu up --data {operator.data}\n",
    )


def test_the_next_waihu_finds_what_the_last_one_knew(data: Path) -> None:
    operator = start(data)
    account = operator.ask("account", "create", "kept")["user_id"]
    address = operator.url
    operator.up.kill()
    operator.up.wait()
    operator = start(data)
    assert operator.url == address
    assert [one["user_id"] for one in operator.ask("account", "list")["accounts"]] == [account]
    assert end(operator) == 0


def test_a_database_that_comes_back_on_another_port_is_found_by_all(data: Path) -> None:
    """Also by an engine that has a task, and so cannot leave without having stored how it stands."""
    operator = start(data)
    _start_a_task(operator)
    before, url = {part: operator.process(part) for part in PARTS}, operator.record["database_url"]
    assert before["postgres"] is not None
    address = urlsplit(url)
    os.kill(before["postgres"], signal.SIGKILL)
    with _stranger_at(str(address.hostname), address.port or 0):
        _until(lambda: all(operator.process(part) not in (None, before[part]) for part in PARTS))
        assert operator.record["database_url"] != url
        operator.wait_ready()
        operator.ask("account", "list")
        assert end(operator) == 0


def _start_a_task(operator: Operator) -> None:
    account = operator.ask("account", "create", "with a task")
    trunk = ("--sip", "127.0.0.9", "--channels", "1", "--cps", "1", "--account", account["user_id"])
    line = operator.ask("trunk", "add", "carrier", *trunk)["line_id"]

    def call(method: str, path: str, body: object = None) -> Any:
        headers = {"authorization": f"Bearer {account['token']}"}
        said = None if body is None else json.dumps(body).encode()
        url = f"{operator.url}/agent-api{path}"
        with urllib.request.urlopen(urllib.request.Request(url, said, headers, method=method)) as answer:
            return json.load(answer).get("data")

    user = f"/user/{account['user_id']}"
    choices = call("GET", f"{user}/task/create")
    always = [{"week": day, "times": [{"begin_time": "00:00", "end_time": "24:00"}]} for day in range(7)]
    hours = {"name": "全天", "content": always, "is_default": False, "skip_holiday": False}
    task = call(
        "POST",
        f"{user}/task",
        {
            "name": "任务",
            "caller_line_id": line,
            "destination_extension": choices["outbound_group"][0]["id"],
            "dial_time_id": call("POST", f"{user}/dial-time-group", hours)["id"],
            "maximumcall": 1,
        },
    )["uuid"]
    call("POST", f"{user}/task/{task}/number", {"data": [{"phone": "10012345678"}]})
    call("GET", f"{user}/task_start/{task}")
    _until(lambda: call("GET", f"{user}/task/{task}/number")[0]["hold_reason"] == "trunk_down")


def _until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def _stranger_at(host: str, port: int) -> Iterator[None]:
    """A server that hangs up on whoever comes; it takes the address as soon as that is free."""
    servers: list[socketserver.TCPServer] = []

    class Stranger(socketserver.TCPServer):
        allow_reuse_address = True

    def is_there() -> bool:
        try:
            servers.append(Stranger((host, port), socketserver.BaseRequestHandler))
        except OSError:
            return False
        return True

    _until(is_there)
    thread = threading.Thread(target=servers[0].serve_forever)
    thread.start()
    yield
    servers[0].shutdown()
    servers[0].server_close()
    thread.join()


def test_migrate_works_while_waihu_is_down(data: Path) -> None:
    done = run("migrate", "--data", str(data), "--json")
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
