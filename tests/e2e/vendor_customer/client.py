"""The client that a customer's engineer has written from the vendor's pages, years ago and in the manner of PHP: arrays
in brackets, numbers as text, escaped JSON. It knows nothing of who answers.
"""

import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

Json = Any
PATIENCE_S = 60
PER_PAGE = 20


class Refused(Exception):
    """The answer was not a success. `message` is a sentence, or field → sentences."""

    def __init__(self, status: int, code: int | None, message: Json) -> None:
        super().__init__(f"HTTP {status}, code {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class AgentApi:
    """Use as an async context manager. Paths are those of the pages, with or without their prefix."""

    def __init__(self, base_url: str, token: str) -> None:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._http = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=PATIENCE_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: Json) -> Json:
        """The answer's `data`. Raises Refused, as all of these do."""
        return (await self.ask("GET", path, query=query)).get("data")

    async def post(self, path: str, body: Json) -> Json:
        return (await self.ask("POST", path, body)).get("data")

    async def put(self, path: str, body: Json = None) -> Json:
        return (await self.ask("PUT", path, body)).get("data")

    async def delete(self, path: str, body: Json = None, **query: Json) -> Json:
        return (await self.ask("DELETE", path, body, query)).get("data")

    async def rows(self, path: str, **query: Json) -> list[Json]:
        """All rows of a list, page after page as `meta` tells."""
        found: list[Json] = []
        page = last_page = 1
        while page <= last_page:
            answer = await self.ask("GET", path, query={**query, "page": page, "per_page": PER_PAGE})
            meta = answer["meta"]
            assert (meta["current_page"], meta["per_page"]) == (page, str(PER_PAGE)), meta
            found += answer["data"]
            page, last_page = page + 1, meta["last_page"]
        assert len(found) == meta["total"], meta
        return found

    async def ask(self, method: str, path: str, body: Json = None, query: dict[str, Json] | None = None) -> Json:
        """The whole envelope."""
        response = await self._http.request(
            method,
            path,
            content=None if body is None else _php_json(body),
            params=list(_php_query(query or {})),
        )
        answer = response.json()
        if response.status_code != 200 or answer["code"] != 200:
            raise Refused(response.status_code, answer.get("code"), answer["message"])
        assert answer["status"] == "success", answer
        return answer

    async def download(self, path: str) -> bytes:
        response = await self._http.get(path)
        if response.status_code != 200:
            raise Refused(response.status_code, None, response.text)
        return response.content


async def fetch(url: str) -> httpx.Response:
    """What a link leads to, without a token."""
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        return await http.get(url)


def _php_json(body: Json) -> str:
    """As json_encode writes it: ASCII only, slashes escaped."""
    return json.dumps(body).replace("/", "\\/")


def _php_query(values: dict[str, Json]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        yield from _php_pairs(name, value)


def _php_pairs(name: str, value: Json) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _php_pairs(f"{name}[{key}]", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            # A list of plain values is written without places, as the pages show it.
            place = index if isinstance(inner, dict | list) else ""
            yield from _php_pairs(f"{name}[{place}]", inner)
    elif value is not None:
        yield name, str(int(value)) if isinstance(value, bool) else str(value)
