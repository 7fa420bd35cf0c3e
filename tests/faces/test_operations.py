"""Health, metrics and the API reference, over HTTP on an application of their own."""

import asyncio
from dataclasses import dataclass

import msgspec
import pytest
from litestar import Litestar, get, post
from litestar.openapi.config import OpenAPIConfig
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.testing import AsyncTestClient

from waihu.application import health as health_module
from waihu.application.health import Check, Finding
from waihu.faces.examples import Example
from waihu.faces.operations.health import TrunkHealth, health_route
from waihu.faces.operations.metrics import Sample, metrics_route
from waihu.faces.operations.reference import Api, reference_routes

pytestmark = pytest.mark.ours

EXAMPLES = {"POST /dogs": Example(body={"name": "Rex <3"})}
APIS = (Api("cats", "The cat API", ("/cats",)), Api("dogs", "The dog API", ("/dogs",)))


class Paw(msgspec.Struct):
    claws: int


class Cat(msgspec.Struct):
    name: str
    paws: list[Paw]
    colour: str | None = None


class Dog(msgspec.Struct):
    name: str


@get("/cats/{name:str}", summary="One <cat>", sync_to_thread=False)
def one_cat(name: FromPath[str], age: FromQuery[int] = 0) -> Cat:
    return Cat(name, [])


@post("/dogs", sync_to_thread=False)
def add_dog(data: JSONBody[Dog]) -> Dog:
    return data


@dataclass
class Parts:
    """Findings that a test can change, each part by name."""

    found: dict[str, Finding]

    def checks(self) -> list[Check]:
        async def look(part: str) -> Finding:
            return self.found[part]

        return [Check(part, lambda part=part: look(part)) for part in self.found]


def client_of(checks: list[Check], trunks: list[TrunkHealth], samples: list[Sample]) -> AsyncTestClient[Litestar]:
    async def the_trunks() -> list[TrunkHealth]:
        return trunks

    async def the_samples() -> list[Sample]:
        return samples

    routes = [
        health_route(checks, the_trunks),
        metrics_route(the_samples),
        one_cat,
        add_dog,
        *reference_routes(APIS, EXAMPLES),
    ]
    return AsyncTestClient(Litestar(routes, openapi_config=OpenAPIConfig("waihu", "1")))


async def test_health_is_200_when_everything_needed_works() -> None:
    parts = Parts(
        {
            "database": Finding("database", True, "PostgreSQL 18"),
            "switch": Finding("switch", False, "--no-switch", needed=False),
        }
    )
    async with client_of(parts.checks(), [TrunkHealth("t-1", False)], []) as client:
        answer = await client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "missing": [],
        "parts": {
            "database": {"ok": True, "needed": True, "detail": "PostgreSQL 18"},
            "switch": {"ok": False, "needed": False, "detail": "--no-switch"},
        },
        "trunks": [{"line_id": "t-1", "up": False}],
    }


async def test_health_is_503_and_names_what_is_missing() -> None:
    parts = Parts({"database": Finding("database", True, ""), "engine": Finding("engine", False, "None is alive.")})
    async with client_of(parts.checks(), [], []) as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["engine"])


async def test_a_check_that_hangs_or_raises_is_a_missing_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "_PATIENCE_S", 0.05)

    async def hang() -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    async def fail() -> Finding:
        raise ConnectionRefusedError("nobody there")

    async with client_of([Check("database", hang), Check("engine", fail)], [], []) as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["database", "engine"])
    assert answer.json()["parts"]["engine"]["detail"] == "ConnectionRefusedError: nobody there"


async def test_metrics_are_prometheus_text() -> None:
    samples = [
        Sample("waihu_trunk_up", "1 when it answers", 1, (("trunk", "a"),)),
        Sample("waihu_trunk_up", "1 when it answers", 0, (("trunk", 'b "quoted"'),)),
        Sample("waihu_attempts_total", "Attempts", 12),
    ]
    async with client_of([], [], samples) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    assert 'waihu_trunk_up{trunk="a"} 1.0' in lines
    assert 'waihu_trunk_up{trunk="b \\"quoted\\""} 0.0' in lines
    assert "waihu_attempts_total 12.0" in lines
    assert "# TYPE waihu_attempts_total counter" in lines


async def test_the_reference_loads_nothing_from_elsewhere() -> None:
    async with client_of([], [], []) as client:
        answer = await client.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    for foreign in ("<script", "<link", "src=", "@import", "url(", 'href="http'):
        assert foreign not in answer.text


async def test_the_reference_shows_operations_parameters_and_nested_fields() -> None:
    async with client_of([], [], []) as client:
        page = (await client.get("/docs")).text
    assert "One &lt;cat&gt;" in page
    for shown in ("/cats/{name}", "integer in query", "paws[].claws", "string or null", "The dog API"):
        assert shown in page


async def test_the_reference_shows_code_for_every_operation() -> None:
    async with client_of([], [], []) as client:
        page = (await client.get("/docs")).text
        document = (await client.get("/docs/dogs.json")).json()
    assert "curl &quot;$WAIHU/cats/$NAME&quot;" in page
    assert "httpx.get(\n    f&quot;{WAIHU}/cats/{NAME}&quot;" in page
    assert "{&quot;name&quot;: &quot;Rex &lt;3&quot;}" in page
    samples = document["paths"]["/dogs"]["post"]["x-codeSamples"]
    assert [sample["label"] for sample in samples] == ["curl", "Python"]


async def test_each_api_has_a_document_of_its_own() -> None:
    async with client_of([], [], []) as client:
        cats = (await client.get("/docs/cats.json")).json()
        everything = (await client.get("/docs/openapi.json")).json()
        nothing = await client.get("/docs/birds.json")
    assert cats["info"]["title"] == "The cat API"
    assert list(cats["paths"]) == ["/cats/{name}"]
    assert sorted(cats["components"]["schemas"]) == ["Cat", "Paw"]
    assert {"/cats/{name}", "/dogs", "/health"} <= set(everything["paths"])
    assert nothing.status_code == 404
