"""Every route of every wire API × everybody who may come to it, made from the application itself.

A new route is in it from the start. One whose path has a parameter that nobody knows fails by name: add to `known_ids`
what it stands for.
"""

import base64
import hmac
import io
import json
import re
import time
import wave
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from agent_world import StandingClock, Tenant
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from litestar import Litestar
from seeded_calls import add_call
from served_routes import PARAMETER, routes_of, wire_apis

from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.schema import metadata
from waihu.adapters.tokens.rsa import RsaTokenSigner
from waihu.application.access import DAY_MS, Reach
from waihu.application.services import Application
from waihu.application.users import NewPassword, NewUser
from waihu.ports.tokens import Audience, Claims

pytestmark = pytest.mark.ours

REFUSED = {403, 404}
# A body may be refused before the thing in the path is looked for: that tells nothing of whether there is one.
REFUSED_OR_INVALID = {400, *REFUSED, 422}


@dataclass(frozen=True)
class Call:
    """One thing that can be asked; `path` as the application has it."""

    method: str
    path: str
    reach: Reach
    query: dict[str, Any] = field(hash=False)
    body: dict[str, Any] = field(hash=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """With the word before each, because one name may mean two things."""
        words = [word for word in self.path.split("/") if word]
        return [
            (found[1], words[place - 1]) for place, word in enumerate(words) if (found := PARAMETER.fullmatch(word))
        ]


@dataclass
class Household:
    """A partner with a main account, two sub-accounts and another main account, and things of the first."""

    partner: str
    main: Tenant
    sub: str
    second_sub: str
    other: str
    tokens: dict[str, str]
    ids: dict[str, str]
    secrets: list[str]
    """What nobody else may ever read."""


@dataclass(frozen=True)
class Visitor:
    """Somebody who comes. `user` is whom the path names, None is the main account whose things they are after."""

    who: str
    token: str | None
    user: str | None = None
    query: dict[str, str] = field(default_factory=dict, hash=False)
    headers: dict[str, str] = field(default_factory=dict, hash=False)


@pytest.fixture
def served(application: Application) -> Litestar:
    return wire_apis(application)


@pytest.fixture
async def http(served: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://testserver") as client:
        yield client


@pytest.fixture
def calls(served: Litestar) -> list[Call]:
    found = [
        Call(
            route.method,
            route.path,
            Reach(route.handler.opt["reach"]),
            smallest_query(route.described),
            smallest_body(route.described),
        )
        for route in routes_of(served)
    ]
    return sorted(found, key=str)


async def test_nobody_reaches_what_is_not_theirs(
    calls: list[Call],
    application: Application,
    http: httpx.AsyncClient,
    pool: Pool,
    clock: StandingClock,
    recordings: Path,
    signer: RsaTokenSigner,
) -> None:
    began = time.monotonic()
    ours = await household(application, http, pool, clock, recordings, "甲7f3a9c")
    theirs = await household(application, http, pool, clock, recordings, "乙2b8d41")
    visitors = [
        *without_access(ours, signer, clock),
        *within_the_partner(ours),
        *from_elsewhere(ours, theirs),
    ]
    before = await kept(pool, ours)
    problems, cells = [], Counter[str]()
    for call in by_damage(calls):
        for visitor in visitors:
            answer = await ask(http, call, visitor, ours)
            problems += [f"{call} by {visitor.who}: {said}" for said in judged(call, visitor, answer, ours)]
            cells["let in to their own" if answer.is_success else str(answer.status_code)] += 1
    after = await kept(pool, ours)
    problems += [f"something of ours was changed: {table}" for table in after if after[table] != before[table]]
    assert not problems, "\n".join(problems)
    told = ", ".join(f"{count} {status}" for status, count in sorted(cells.items()))
    print(  # noqa: T201
        f"\nauthorisation: {len(calls)} routes x {len(visitors)} visitors = {cells.total()} cells, 0 leaks "
        f"({told}; {time.monotonic() - began:.0f} s)"
    )
    assert len(visitors) >= 16
    assert cells.total() == len(calls) * len(visitors)
    assert cells["let in to their own"], "the lists of their own must be among it, or nothing was tried"


@pytest.mark.parametrize("who", ["partner", "main account"])
async def test_everybody_reaches_their_own(
    calls: list[Call],
    application: Application,
    http: httpx.AsyncClient,
    pool: Pool,
    clock: StandingClock,
    recordings: Path,
    who: str,
) -> None:
    """Or the matrix above would show nothing: the same requests with the right token are let in."""
    ours = await household(application, http, pool, clock, recordings, "甲7f3a9c")
    visitor = Visitor(who, ours.tokens[who], headers={"X-Waihu-Account": ours.main.user_id})
    problems, told = [], Counter[str]()
    gone: set[tuple[tuple[str, str], ...]] = set()
    for call in by_damage(calls):
        thing = tuple(call.parameters)
        if call.reach is Reach.OPEN or (call.method == "DELETE" and thing in gone):
            continue
        answer = await ask(http, call, visitor, ours)
        gone |= {thing} if call.method == "DELETE" else set()
        if call.reach is Reach.PARTNER and who != "partner":
            if answer.status_code != 403:
                problems.append(f"{call}: {answer.status_code} instead of 403")
        elif answer.status_code in {401, 403, 404} or answer.status_code >= 500:
            problems.append(f"{call}: {answer.status_code} {answer.text[:200]}")
        elif answer.is_success:
            told["let in"] += 1
            told["told"] += any(secret in answer.text for secret in ours.secrets)
    assert not problems, "\n".join(problems)
    assert told["let in"] > len(calls) / 3, "most bodies are refused: see smallest_body and known_ids"
    assert told["told"] > 10, "hardly a word of ours is in the answers: nobody would notice a leak"


def by_damage(calls: list[Call]) -> list[Call]:
    """What takes something away comes last, and accounts last of all: nothing is refused because it is gone."""
    return sorted(calls, key=lambda call: (call.method == "DELETE", -len(call.path), str(call)))


async def ask(http: httpx.AsyncClient, call: Call, visitor: Visitor, ours: Household) -> httpx.Response:
    path = call.path
    for name, before in call.parameters:
        known = ours.ids.get(f"{before}/{name}", ours.ids.get(name))
        assert known is not None, f"{call}: say in known_ids what {before}/{name} stands for"
        if name == "user_id" and visitor.user is not None:
            known = visitor.user
        path = re.sub(rf"{{{name}(:\w+)?}}", known, path)
    headers = dict(visitor.headers)
    if visitor.token is not None:
        headers["authorization"] = f"Bearer {visitor.token}"
    return await http.request(
        call.method,
        path,
        params=filled(call.query, ours) | visitor.query,
        headers=headers,
        json=None if call.method == "GET" else filled(call.body, ours),
    )


def judged(call: Call, visitor: Visitor, answer: httpx.Response, ours: Household) -> Iterator[str]:
    """What is wrong with what a visitor was answered who has no business with our things."""
    # A sub-account knows its main account, which is in its path, and has its customer fields.
    known = {ours.ids[name] for name in KNOWN_TO_SUB_ACCOUNTS} if visitor.who.startswith("a sub-account") else set()
    if any(secret.encode() in answer.content for secret in ours.secrets if secret not in known):
        yield f"tells of ours: {answer.text[:300]}"
    if answer.status_code >= 500:
        yield f"failed: {answer.text[:200]}"
    status = answer.status_code
    if call.reach is Reach.OPEN:
        if answer.is_success:
            yield "opened without a key"
    elif visitor.who in NOBODY:
        if status != 401:
            yield f"{status} instead of 401"
    elif call.reach is Reach.PARTNER and visitor.who in ACCOUNTS:
        if status != 403:
            yield f"{status} instead of 403"
    elif names_ours(call, visitor, ours):
        # The account is judged before anything else of the request is read.
        expected = REFUSED if visitor.user is None and "user_id" in call.path else REFUSED_OR_INVALID
        if status not in expected:
            yield f"{status} instead of {sorted(expected)}: {answer.text[:200]}"


def names_ours(call: Call, visitor: Visitor, ours: Household) -> bool:
    in_path = {name for name, before in call.parameters if not {name, f"{before}/{name}"} & SHARED}
    if visitor.user is not None:
        in_path.discard("user_id")
    if visitor.who.startswith("a sub-account"):
        in_path -= KNOWN_TO_SUB_ACCOUNTS - {"user_id"}
    names_account = "user_id" in call.path or call.path.startswith("/openapi")
    in_query = names_account and ours.second_sub in visitor.query.values()
    in_header = call.path.startswith("/openapi") and visitor.headers.get("X-Waihu-Account") == ours.main.user_id
    sent = "" if call.method == "GET" else json.dumps(filled(call.body, ours))
    return bool(in_path) or in_query or in_header or any(secret in sent for secret in ours.secrets)


# Those who come

NOBODY = {
    "no token",
    "no bearer",
    "malformed",
    "alg none",
    "HS256 with our public key",
    "signed with another key",
    "signed for no row",
    "expired",
    "not yet valid",
    "revoked",
    "of a deleted account",
    "a login ticket",
}
ACCOUNTS = {
    "another account of the partner",
    "another account, its own path",
    "a sub-account on its main's things",
    "a sub-account, its own path",
    "a sub-account as itself",
    "another partner's account",
}


def without_access(ours: Household, signer: RsaTokenSigner, clock: StandingClock) -> list[Visitor]:
    good = jwt.decode(ours.tokens["partner"], options={"verify_signature": False})
    key = load_pem_private_key(signer.path.read_bytes(), password=None)
    public_pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = Claims(good["jti"], good["sub"], Audience.API, clock.now, clock.now + DAY_MS)
    tokens = {
        "no token": None,
        "no bearer": "",
        "malformed": ours.tokens["partner"][:-2] + "..",
        "alg none": f"{part({'typ': 'JWT', 'alg': 'none'})}.{part(good)}.",
        "HS256 with our public key": signed_with_hmac(good, public_pem),
        "signed with another key": jwt.encode(good, generate_private_key(65537, 2048), algorithm="RS256"),
        "signed for no row": signer.sign(Claims(str(uuid4()), good["sub"], Audience.API, clock.now, claims.expires_at)),
        "expired": signer.sign(Claims(good["jti"], good["sub"], Audience.API, 0, clock.now)),
        "not yet valid": signer.sign(
            Claims(good["jti"], good["sub"], Audience.API, clock.now + DAY_MS, clock.now + 2 * DAY_MS)
        ),
        "revoked": ours.tokens["revoked"],
        "of a deleted account": ours.tokens["deleted"],
        "a login ticket": signer.sign(Claims(good["jti"], good["sub"], Audience.LOGIN, clock.now, claims.expires_at)),
    }
    assert set(tokens) == NOBODY
    return [Visitor(who, token) for who, token in tokens.items()]


def within_the_partner(ours: Household) -> list[Visitor]:
    sub, other = ours.tokens["sub-account"], ours.tokens["other account"]
    main = ours.main.user_id
    return [
        Visitor("another account of the partner", other, headers={"X-Waihu-Account": main}),
        Visitor("another account, its own path", other, user=ours.other),
        Visitor("a sub-account on its main's things", sub, headers={"X-Waihu-Account": main}),
        Visitor("a sub-account, its own path", sub, user=main, query={"sub_user_id": ours.sub}),
        Visitor("a sub-account as itself", sub, user=ours.sub),
    ]


def from_elsewhere(ours: Household, theirs: Household) -> list[Visitor]:
    # Its main account is deleted in the end, by its own partner.
    partner, account = theirs.tokens["partner"], theirs.tokens["other account"]
    here = theirs.main.user_id
    return [
        Visitor("another partner", partner, headers={"X-Waihu-Account": ours.main.user_id}),
        Visitor("another partner's account", account, headers={"X-Waihu-Account": ours.main.user_id}),
        Visitor("another partner, its own path", partner, user=here, headers={"X-Waihu-Account": here}),
        Visitor(
            "another partner for our sub-account",
            partner,
            user=here,
            query={"sub_user_id": ours.second_sub, "accountId": ours.second_sub},
        ),
    ]


def part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def signed_with_hmac(claims: dict[str, Any], secret: bytes) -> str:
    signed = f"{part({'typ': 'JWT', 'alg': 'HS256'})}.{part(claims)}"
    signature = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).rstrip(b"=").decode()
    return f"{signed}.{signature}"


# What they are after


async def household(
    application: Application, http: httpx.AsyncClient, pool: Pool, clock: StandingClock, recordings: Path, mark: str
) -> Household:
    """`mark` is in the names of what is nobody else's business, so that it can be recognised in an answer."""
    digits = str(int(mark[1:], 16) % 10**8).zfill(8)
    account = await application.accounts.create(f"{mark}主")
    issue = application.access.issue
    token = await issue(account.partner, name=f"{mark}凭证")
    main = Tenant(http, application, account.partner, account.id, token.secret)

    def person(name: str, place: int) -> NewUser:
        return NewUser(name, f"{name}@example.com", f"135{digits[:7]}{place}", NewPassword("secret1", "secret1"))

    sub = (await application.users.register_sub_account(account.id, person("子一", 1))).id
    second = (await application.users.register_sub_account(account.id, person(f"{mark}子二", 2))).id
    other = (await application.users.register(account.partner, person("另一", 3))).id
    gone = (await application.users.register(account.partner, person(f"{mark}已删", 4))).id
    tokens = {
        "partner": token.secret,
        "main account": (await issue(account.partner, account=account.id)).secret,
        "sub-account": (await issue(account.partner, account=sub)).secret,
        "other account": (await issue(account.partner, account=other)).secret,
        "deleted": (await issue(account.partner, account=gone)).secret,
    }
    await application.users.delete(gone, (await application.access.admit(token.secret, Reach.PARTNER)).caller)
    revoked, spare = await issue(account.partner, name=f"{mark}旧"), await issue(account.partner, name=f"{mark}备用")
    tokens["revoked"] = revoked.secret
    await application.access.revoke(revoked.token.id)

    ids = await known_ids(main, pool, recordings, mark, f"139{digits}")
    ids |= {"user_id": account.id, "sub_user_id": second, "token_id": spare.token.id}
    private = {id for name, id in ids.items() if len(id) == 36 and name not in SHARED}
    secrets = [mark, f"139{digits}", *sorted(private), *tokens.values()]
    return Household(account.partner, main, sub, second, other, tokens, ids, secrets)


async def known_ids(main: Tenant, pool: Pool, recordings: Path, mark: str, phone: str) -> dict[str, str]:
    """What the parameters of paths and the ids in bodies stand for, by their names; `dial-time-group/group_id` where
    the word before it in the path makes a difference.
    """
    line = await main.add_line(10)
    task = await main.make_v2(line, name=f"{mark}任务")
    (recordings / "call.wav").write_bytes(b"RIFF")
    call = await add_call(pool, task, line, phone=phone, name=f"{mark}客户", extra=f"{mark}数据", recording="call.wav")
    hours = [{"week": 1, "times": [{"begin_time": "09:00", "end_time": "12:00"}]}]
    group = await main.ask(
        "POST",
        "/user/{user}/dial-time-group",
        {"name": f"{mark}时间", "content": hours, "is_default": False, "skip_holiday": False},
    )
    init = (await main.ask("GET", "/new/user/{user}/task/create"))["data"]
    (node,) = await main.application.cloud_nodes.all()
    batch = await main.ask(
        "POST", f"/user/{{user}}/task/{task}/async_number", {"data": [{"phone": phone}], "ignore_crm": True}
    )
    component = await main.ask("POST", "/user/{user}/customer/component", {"name": "组件", "type": "text"})
    await main.ask("POST", "/user/{user}/async_customer", {"data": [{"phone": phone, "name": f"{mark}公海"}]})
    (customer,) = (await main.ask("GET", "/user/{user}/get_customer", page=1))["data"]
    push = await main.ask("GET", f"/user/{{user}}/customer_to_task/{task}")
    callback = await pool.fetchval(
        """insert into callback (account_id, owner_id, url, kind, body, due_at, delivered_at)
           values ($1, $1, $2, 'campaign_created', $3, now(), now()) returning id""",
        main.user_id,
        f"https://{mark}.example.com",
        {"task_data": mark},
    )
    rule = await main.ask(
        "POST",
        "/user/{user}/redial-rule",
        {"name": f"{mark}重呼", "details": [{"number_status": 6, "time": 5}]},
    )
    seats = await main.ask("POST", "/user/{user}/transfer-group", {"name": f"{mark}客服", "members": ["8001"]})
    config = await main.ask("POST", "/user/{user}/quality-config", {"name": f"{mark}质检", "prompt": f"{mark}要求"})
    script = await main.ask("POST", "/group/{user}", {"name": f"{mark}话术", "greeting": f"{mark}您好"})
    sound = await main.application.choices.add_background_sound(main.user_id, f"{mark}背景", _sound())
    await main.ask("POST", "/user/{user}/do-not-call", {"phones": [phone], "source": f"{mark}投诉"})
    return {
        "rule_id": str(rule["data"]["id"]),
        "transfer-group/group_id": str(seats["data"]["id"]),
        "config_id": str(config["data"]["id"]),
        "script_id": str(script["data"]["id"]),
        "sound_id": str(sound.id),
        "customer_id": customer["id"],
        "component_id": component["data"]["id"],
        "identification/unique_id": batch["data"]["unique_id"],
        "unique_id": push["data"]["unique_id"],
        "stage": "clue",
        "callback_id": str(callback),
        "line/id": str(await pool.fetchval("select id from trunk_allocation where account_id = $1", main.user_id)),
        "task_id": task,
        "record_id": call.id,
        "recordIds": call.id,
        "phone": phone,
        "do-not-call/phone": "13012121219",
        "group_id": str(group["data"]["id"]),
        "taskID": str(await pool.fetchval("select number from campaign where id = $1", task)),
        "line_id": line,
        "caller_line_id": line,
        "destination_extension": str(init["outbound_group"][0]["id"]),
        "assistantId": str(init["outbound_group"][0]["id"]),
        "dial_time_id": str(init["task_dial_times"][0]["id"]),
        "tenant_id": node.id,
    }


def _sound() -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    return written.getvalue()


async def kept(pool: Pool, ours: Household) -> dict[str, str]:
    """A digest of every table's rows that speak of us. What a sub-account does itself names it, too."""
    found = {}
    for table in metadata.sorted_tables:
        found[table.name] = await pool.fetchval(
            f"""select md5(coalesce(string_agg(x::text, ',' order by x::text), '')) from "{table.name}" x
                where exists (select from unnest($1::text[]) mark where strpos(x::text, mark) > 0)
                    and strpos(x::text, $2) = 0""",
            ours.secrets,
            ours.sub,
        )
    return found


# What they send


def smallest_body(operation: dict[str, Any]) -> dict[str, Any]:
    """A body with what the reference says is required, and with every id that it knows of besides."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return example(content["schema"], "") if content and "properties" in content["schema"] else {}


def smallest_query(operation: dict[str, Any]) -> dict[str, Any]:
    """What a query has to have, and every id that can be in it."""
    return {
        each["name"]: example(each["schema"], each["name"].removesuffix("[]"))
        for each in operation.get("parameters", [])
        if each["in"] == "query" and (each.get("required") or each["name"].removesuffix("[]") in ID_NAMES)
    }


def example(schema: dict[str, Any], name: str) -> Any:
    for several in ("anyOf", "oneOf"):
        if several in schema:
            schema = schema[several][0]
    match schema.get("type"):
        case "object":
            required = schema.get("required", [])
            return {
                field: example(part, field)
                for field, part in schema.get("properties", {}).items()
                if field in required or field in ("user_id", "tenant_id")
            }
        case "array":
            return [example(schema["items"], name)]
        case _ if name in ID_NAMES:
            return Id(name)
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return False
    return PLAIN.get(name, name)


def filled(body: Any, ours: Household) -> Any:
    match body:
        case Id():
            return ours.ids[body.name]
        case dict():
            return {field: filled(each, ours) for field, each in body.items()}
        case list():
            return [filled(each, ours) for each in body]
    return body


@dataclass(frozen=True)
class Id:
    """Stands in a body for what `known_ids` has under this name."""

    name: str


SHARED = {"tenant_id", "line_id", "caller_line_id", "stage", "do-not-call/phone"}
"""Nodes are there for everybody, and so are lines that belong to no partner; a stage is a word, and anybody may ask
about any number.
"""

KNOWN_TO_SUB_ACCOUNTS = {"user_id", "component_id"}
ID_NAMES = {"user_id", "tenant_id", "caller_line_id", "destination_extension", "dial_time_id", "assistantId"}
PLAIN = {
    "name": "来访",
    "email": "visitor@example.net",
    "phone": "13012121211",
    "password": "secret1",
    "password_confirmation": "secret1",
    "start_time": "2024-11-01 13:25:26",
    "stop_time": "2027-11-01 13:25:26",
    "begin_time": "09:00",
    "end_time": "12:00",
}
