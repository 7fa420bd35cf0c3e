"""The reference describes every route, and every wire test says how sure its fact is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from waihu.faces.agent_api import ROUTES, text_dialogue

pytestmark = pytest.mark.ours

VERDICTS = {"documented", "observed", "assumed", "ours"}


@pytest.fixture
async def operations(http: httpx.AsyncClient) -> dict[str, Any]:
    described = (await http.get("/schema/openapi.json")).json()
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


async def test_every_route_is_described(operations: dict[str, Any]) -> None:
    described = {re.sub(r"{(\w+)}", r"{\1:str}", name.replace("/agent-api", "", 1)) for name in operations}
    assert described == {
        f"{method} {path}"
        for route in (*ROUTES, *text_dialogue.ROUTES)
        for path in route.paths
        for method in route.http_methods
    }
    for name, operation in operations.items():
        assert operation["summary"], name
        assert operation["tags"], name
        assert "200" in operation["responses"], name


async def test_every_route_for_an_account_tells_of_sub_accounts(operations: dict[str, Any]) -> None:
    for name, operation in operations.items():
        parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
        # `/users/{user_id}` and a sub-account in the path leave no choice.
        has_choice = "{user_id}" in name and "/users/{user_id}" not in name
        assert ("sub_user_id" in parameters) is has_choice, name


async def test_a_body_is_described_as_it_is_read(operations: dict[str, Any]) -> None:
    body = operations["POST /agent-api/new/user/{user_id}/task"]["requestBody"]["content"]["application/json"]["schema"]

    assert set(body["required"]) == {"name", "destination_extension", "dial_time_id", "maximumcall", "task_extras"}
    assert body["properties"]["maximumcall"]["type"] == "integer"
    extras = body["properties"]["task_extras"]
    assert set(extras["required"]) == {"line", "holiday", "start_time", "stop_time"}
    assert "da_status" in extras["properties"]["redial_conditions"]["items"]["properties"]


async def test_a_query_is_described_as_it_is_read(operations: dict[str, Any]) -> None:
    parameters = operations["GET /agent-api/new/user/{user_id}/task"]["parameters"]

    assert {each["name"] for each in parameters} == {"user_id", "sub_user_id", "page", "per_page", "name", "status[]"}


def wire_tests() -> Iterator[tuple[str, set[str]]]:
    """Every test of the agent-api with its verdicts; one on the module counts for all in it."""
    tests = Path(__file__).parents[2]
    for path in (*sorted(Path(__file__).parent.glob("test_*.py")), *sorted(tests.glob("faces/test_agent_api_*.py"))):
        module = ast.parse(path.read_text(encoding="utf-8"))
        of_all = {
            word
            for node in module.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
            for word in VERDICTS
            if f"pytest.mark.{word}" in ast.unparse(node.value)
        }
        for node in module.body:
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name.startswith("test_"):
                marks = {ast.unparse(each).removeprefix("pytest.mark.") for each in node.decorator_list}
                yield f"{path.name}::{node.name}", of_all | (marks & VERDICTS)


def test_every_wire_test_carries_one_verdict() -> None:
    found = dict(wire_tests())

    assert len(found) > 100
    assert {name: verdicts for name, verdicts in found.items() if len(verdicts) != 1} == {}
