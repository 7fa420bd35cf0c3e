"""Every sample of the reference, run as it stands against a waihu that has all it asks for: each of them succeeds."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from over_http import over_http
from tests.fuzz.rehearsal import OneConnection, Rehearsal
from tests.fuzz.world import World, application_on, settled

from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.adapters.tokens.rsa import RsaTokenSigner
from waihu.faces import agent_api, voicefox
from waihu.faces.agent_api import examples
from waihu.faces.operations.code_samples import SAMPLES
from waihu.faces.operations.documents import operations_of
from waihu.faces.operations.reference import reference_routes
from waihu.faces.voicefox.examples import EXAMPLES as VOICEFOX_EXAMPLES

pytestmark = pytest.mark.ours

EXAMPLES = {**examples.EXAMPLES, **VOICEFOX_EXAMPLES}
Variables = Mapping[str, str | int]
Run = Callable[[str, Variables, Path], Awaitable[None]]


class Failed(Exception):
    """A sample was not answered well; the message says how."""


def judge(answer: Any) -> None:
    """The vendor tells some mistakes with status 200."""
    if answer.get("code", 200) != 200:
        raise Failed(str(answer))


async def run_curl(source: str, variables: Variables, directory: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-euc", source),
        cwd=directory,
        env={**os.environ, "CURL_HOME": str(directory), **{name: str(value) for name, value in variables.items()}},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    answer = out.decode()
    if process.returncode or not error.decode().startswith("2"):
        raise Failed(f"{error.decode()} {answer[:300]}")
    if answer:
        judge(json.loads(answer))


async def run_python(source: str, variables: Variables, directory: Path) -> None:
    here = {**variables, "print": judge}
    try:
        await asyncio.to_thread(exec, compile(source, "sample", "exec"), here)
    except httpx.HTTPStatusError as failure:
        raise Failed(f"{failure.response.status_code} {failure.response.text[:300]}") from failure


@pytest.mark.parametrize(
    ("label", "run"),
    [
        pytest.param(
            "curl", run_curl, marks=pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
        ),
        ("Python", run_python),
    ],
)
async def test_every_sample_succeeds(
    label: str,
    run: Run,
    served: str,
    variables: Variables,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    async with httpx.AsyncClient(trust_env=False) as client:
        document = (await client.get(f"{served}/docs/openapi.json")).json()
    problems, count = [], 0
    for method, path, operation in operations_of(document):
        (source,) = (sample["source"] for sample in operation[SAMPLES] if sample["label"] == label)
        count += 1
        try:
            await run(source, {**variables, "WAIHU": served}, tmp_path)
        except Failed as failure:
            problems.append(f"{method} {path}: {failure}")
    assert not problems, "\n".join(problems)
    assert count > 110


@pytest.fixture
async def world(pool: Pool, recordings: Path, signer: RsaTokenSigner) -> World:
    return await settled(pool, recordings, signer)


@pytest.fixture
async def served(
    world: World, database_url: str, recordings: Path, signer: RsaTokenSigner, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """The address of an API that forgets what each request has done: all of them find the same things."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with await open_pool(database_url) as pool, pool.acquire() as connection:
            application = application_on(OneConnection(connection), recordings, signer)
            faces = [agent_api.router(application), voicefox.router(application)]
            yield Litestar([*faces, *reference_routes((), EXAMPLES)], logging_config=None), connection

    rehearsal, taking_turns = Rehearsal(opened), asyncio.Lock()

    async def one_by_one(scope: Any, receive: Any, send: Any) -> None:
        """The next request may come as soon as the last one is answered, and before it is forgotten."""
        if scope["type"] == "lifespan":
            await rehearsal(scope, receive, send)
        else:
            async with taking_turns:
                await rehearsal(scope, receive, send)

    async with over_http(one_by_one) as address:
        yield address


@pytest.fixture
async def variables(world: World, pool: Pool, recordings: Path, signer: RsaTokenSigner, tmp_path: Path) -> Variables:
    """What the samples know. What they speak of otherwise, their phones and a file, is brought about."""
    known = {name: values[0] for name, values in world.known.items()}
    account, task = str(known["user_id"]), known["called_task_id"]
    application = application_on(pool, recordings, signer)
    api = Litestar([agent_api.router(application)], logging_config=None)

    async def ask(method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await client.request(
            method, f"/agent-api/user/{account}{path}", json=body, params=query, headers=authorised
        )
        assert answer.is_success, answer.text
        return answer.json()["data"]

    authorised = {"authorization": f"Bearer {world.token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://testserver") as client:
        await ask("POST", f"/task/{task}/number", examples.NUMBERS)
        await ask("POST", "/do-not-call", {"phones": [examples.UNWANTED_PHONE]})
        rule = await ask("POST", "/redial-rule", examples.REDIAL_RULE)
        config = await ask("POST", "/quality-config", examples.QUALITY_CONFIG)
        links = f"/task/{task}/batch_record/download-full-voice"
        (voice,) = await ask("GET", links, **{"recordIds[]": known["recorded_id"]})
        batch = await ask("GET", f"/identification/{known['batch_id']}")
    sound = await application.choices.add_background_sound(account, "大厅", (recordings / "call.wav").read_bytes())
    await application.privacy.set_code(account, "482913")
    (tmp_path / "hall.wav").write_bytes((recordings / "call.wav").read_bytes())
    (tmp_path / ".curlrc").write_text('silent\nwrite-out = "%{stderr}%{http_code}"\n')
    return {
        "TOKEN": world.token,
        "USER_ID": account,
        "TASK_ID": task,
        "TASK_NUMBER": known["task_number"],
        "SCRIPT_ID": known["script_id"],
        "OTHER_SCRIPT_ID": world.known["script_id"][1],
        "TRANSFER_GROUP_ID": known["seats_id"],
        "RECORD_ID": known["recorded_id"],
        # No task uses these, so that they can be deleted.
        "RULE_ID": rule["id"],
        "CONFIG_ID": config["id"],
        "SOUND_ID": sound.id,
        "PUSH_ID": known["enrolment_id"],
        "VOICE_KEY": key_of(voice["url"]),
        "NUMBERS_KEY": key_of(batch["data"]["url"]),
        "SECURITY_CODE": "482913",
        **{
            name.upper(): known[name]
            for name in (
                *("allocation_id", "batch_id", "callback_id", "component_id", "customer_id", "line_id"),
                *("sub_user_id", "tenant_id", "time_group_id", "token_id"),
            )
        },
    }


def key_of(link: str) -> str:
    return link.partition("key=")[2]
