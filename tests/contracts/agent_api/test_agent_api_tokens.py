"""Tokens on the wire: their form, how long they last, and how a partner makes and revokes them."""

import asyncio
import json
import socket
import stat
import subprocess
import sys
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import uvicorn
from agent_world import NOON, StandingClock, Tenant
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from litestar import Litestar

from waihu.adapters.tokens.rsa import KeyUnusable, RsaTokenSigner
from waihu.application.access import DAY_MS
from waihu.application.services import Application
from waihu.faces import agent_api
from waihu.ports.tokens import Audience, Claims


def said(token: str, part: int) -> Any:
    text = token.split(".")[part]
    return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


# The form


@pytest.mark.observed
async def test_a_token_has_the_form_of_the_vendors(tenant: Tenant) -> None:
    claims = said(tenant.token, 1)

    assert said(tenant.token, 0) == {"typ": "JWT", "alg": "RS256"}
    assert set(claims) == {"aud", "jti", "iat", "nbf", "exp", "sub", "scopes"}
    assert (claims["sub"], claims["scopes"]) == (tenant.partner, [])
    assert claims["iat"] == claims["nbf"] == NOON // 1000
    assert claims["exp"] - claims["iat"] == 31_536_000


@pytest.mark.ours
async def test_the_token_of_an_account_names_the_account(tenant: Tenant, application: Application) -> None:
    issued = await application.access.issue(tenant.partner, account=tenant.user_id)

    assert (said(issued.secret, 1)["sub"], said(issued.secret, 1)["jti"]) == (tenant.user_id, issued.token.id)


@pytest.mark.ours
@pytest.mark.parametrize("protocol", ["h11", "httptools"])
async def test_a_header_of_two_kilobytes_is_taken(
    tenant: Tenant, application: Application, signer: RsaTokenSigner, protocol: Any
) -> None:
    claims = jwt.decode(tenant.token, options={"verify_signature": False})
    key = load_pem_private_key(signer.path.read_bytes(), password=None)
    long = jwt.encode(claims | {"scopes": ["x" * 1100]}, key, algorithm="RS256")
    assert len(long) > 2000
    served = Litestar([agent_api.router(application)], logging_config=None)
    server = uvicorn.Server(uvicorn.Config(served, log_config=None, lifespan="off", http=protocol))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with asyncio.TaskGroup() as tasks, httpx.AsyncClient() as client:
            tasks.create_task(server.serve(sockets=[listening]))
            answer = await client.get(
                f"http://127.0.0.1:{listening.getsockname()[1]}/agent-api/token",
                headers={"authorization": f"Bearer {long}"},
            )
            server.should_exit = True

    assert answer.status_code == 200


@pytest.mark.assumed
@pytest.mark.parametrize("header", ["Bearer x", "Bearer", "Basic eDp4", "Bearer a.b.c", "bearer null", ""])
async def test_what_is_no_token_is_refused_in_the_words_of_the_vendors_framework(tenant: Tenant, header: str) -> None:
    answer = await tenant.http.get("/agent-api/token", headers={"authorization": header})

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthenticated."})


# How long it lasts


@pytest.mark.assumed
async def test_the_validity_of_a_token(tenant: Tenant) -> None:
    assert await tenant.ask("GET", "/token") == {
        "code": 200,
        "status": "success",
        "message": "查看token有效期成功",
        "data": {"expires_at": "2027-03-04 12:00:00"},
    }


@pytest.mark.ours
async def test_a_token_ends_to_the_second(tenant: Tenant, clock: StandingClock) -> None:
    clock.now += 365 * DAY_MS - 1000
    assert (await tenant.raw("GET", "/token")).status_code == 200
    clock.now += 1000
    assert (await tenant.raw("GET", "/token")).status_code == 401


@pytest.mark.ours
async def test_the_row_decides_even_when_the_word_says_longer(
    tenant: Tenant, clock: StandingClock, signer: RsaTokenSigner
) -> None:
    claims = said(tenant.token, 1)
    longer = signer.sign(Claims(claims["jti"], claims["sub"], Audience.API, clock.now, clock.now + 999 * DAY_MS))
    clock.now += 366 * DAY_MS

    assert (await tenant.raw("GET", "/token", token=longer)).status_code == 401


# What a partner does with them


@pytest.mark.ours
async def test_a_partner_makes_lists_and_revokes_tokens(tenant: Tenant) -> None:
    made = (await tenant.ask("POST", "/token", {"user_id": tenant.user_id, "name": "crm", "days": 30}))["data"]
    assert made["expires_at"] == "2026-04-03 12:00:00"
    assert (await tenant.raw("GET", "/user/{user}/task", token=made["token"])).status_code == 200

    listed = await tenant.ask("GET", "/tokens", per_page=1)
    assert listed["meta"]["total"] == 2
    (row,) = (row for row in (await tenant.ask("GET", "/tokens"))["data"] if row["id"] == made["id"])
    assert row == {key: value for key, value in made.items() if key != "token"}

    assert (await tenant.ask("DELETE", f"/token/{made['id']}"))["message"] == "吊销成功"
    assert (await tenant.raw("GET", "/user/{user}/task", token=made["token"])).status_code == 401
    (row,) = (row for row in (await tenant.ask("GET", "/tokens"))["data"] if row["id"] == made["id"])
    assert row["revoked_at"] == "2026-03-04 12:00:00"


@pytest.mark.ours
async def test_a_partners_own_new_token_reaches_all_of_the_partner(tenant: Tenant) -> None:
    made = (await tenant.ask("POST", "/token", {}))["data"]

    assert made["user_id"] is None
    assert (await tenant.raw("GET", "/tokens", token=made["token"])).status_code == 200


@pytest.mark.ours
async def test_an_account_makes_no_tokens(tenant: Tenant, application: Application) -> None:
    token = (await application.access.issue(tenant.partner, account=tenant.user_id)).secret

    for method, path in (("POST", "/token"), ("GET", "/tokens"), ("DELETE", "/token/1"), ("GET", "/users")):
        answer = await tenant.raw(method, path, {}, token=token)
        assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (403, 403, "error")


@pytest.mark.ours
async def test_what_a_token_cannot_be_made_of(tenant: Tenant, stranger: Tenant) -> None:
    for body, field in (
        ({"user_id": stranger.user_id}, "user_id"),
        ({"user_id": "nobody"}, "user_id"),
        ({"days": 0}, "days"),
        ({"days": 3651}, "days"),
    ):
        answer = await tenant.raw("POST", "/token", body)
        assert (answer.status_code, list(answer.json()["message"])) == (422, [field])


@pytest.mark.ours
async def test_a_strangers_token_cannot_be_revoked(tenant: Tenant, stranger: Tenant) -> None:
    theirs = said(stranger.token, 1)["jti"]

    assert (await tenant.ask("DELETE", f"/token/{theirs}"))["message"] == "token 不存在"
    assert (await stranger.raw("GET", "/token")).status_code == 200


# The key


@pytest.mark.ours
def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "token-key.pem"
    sign = (
        "import sys; from pathlib import Path; from waihu.adapters.tokens.rsa import RsaTokenSigner; "
        "from waihu.ports.tokens import Audience, Claims; "
        "print(RsaTokenSigner(Path(sys.argv[1])).sign(Claims('1', 's', Audience.API, 0, 60000)))"
    )
    together = [
        subprocess.Popen([sys.executable, "-c", sign, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    words = [process.communicate()[0].strip() for process in together]

    signer = RsaTokenSigner(path)
    assert [signer.verify(word, Audience.API, 1000) for word in words] == ["1"] * 4
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.ours
@pytest.mark.parametrize("content", [b"", b"no key", None])
def test_a_key_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "nowhere/key.pem" if content is None else tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(KeyUnusable, match="WAIHU_TOKEN_KEY"):
        RsaTokenSigner(path).check()


@pytest.mark.ours
def test_two_clocks_may_be_a_minute_apart(signer: RsaTokenSigner) -> None:
    word = signer.sign(Claims("1", "s", Audience.API, NOON, NOON + DAY_MS))

    assert signer.verify(word, Audience.API, NOON - 60_000) == "1"
    assert signer.verify(word, Audience.API, NOON - 60_001) is None
