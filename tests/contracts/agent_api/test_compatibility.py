"""docs/compatibility.md tells of every call, callback and field of the wire APIs, and its figure is the counted one."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from msgspec import Struct
from served_routes import PARAMETER, routes_of, wire_apis
from told_fields import fields_of_call, fields_of_struct
from verdicts import SIDES, VERDICTS, Row, rows

from waihu.application.services import Application
from waihu.faces import agent_api
from waihu.faces.agent_api.callback_events import NumbersBody, TaskBody
from waihu.faces.agent_api.callback_shapes import CallbackBody

pytestmark = pytest.mark.ours

PAGE = Path(__file__).parents[3] / "docs/compatibility.md"
COLUMNS = ("endpoint", "field", "verdict", "choice", "why")
CALLBACK = "callback: "
WITHOUT_ENVELOPE = "/openapi"

BODIES: Mapping[str, type[Struct]] = {
    "callback: call finished": CallbackBody,
    "callback: task created, deleted": TaskBody,
    "callback: task stopped": TaskBody,
    "callback: numbers added, removed": NumbersBody,
    "callback: CRM pool to task": NumbersBody,
}
NEVER_SENT = {"callback: CRM pool to task": {"data.number"}}
"""What the body has room for and this callback does not say: it is always a batch."""

_CALL = re.compile(r"(?:GET|POST|PUT|DELETE) `/\S+`")

Fields = Mapping[str, frozenset[str]]
"""side → names"""


@dataclass(frozen=True)
class Line:
    """One line of the page's tables."""

    endpoint: str
    field: str
    verdict: str
    choice: str
    why: str

    @property
    def name(self) -> str:
        return plain(self.endpoint.replace("`", ""))


@pytest.fixture(scope="module")
def served() -> dict[str, Fields]:
    """The fields of every route, by its name."""
    # Nothing is asked of the routes, so there is nothing behind them.
    api = wire_apis(cast(Application, None))
    schemas = api.openapi_schema.to_schema()["components"]["schemas"]
    return {
        plain(f"{route.method} {route.path}"): fields_of_call(
            route.described, schemas, has_envelope=not route.path.startswith(WITHOUT_ENVELOPE)
        )
        for route in routes_of(api)
    }


@pytest.fixture(scope="module")
def told(served: dict[str, Fields]) -> dict[str, Fields]:
    """The same of callbacks, besides."""
    bodies = {name: {"body": fields_of_struct(body) - NEVER_SENT.get(name, set())} for name, body in BODIES.items()}
    return {**served, **bodies}


@pytest.fixture(scope="module")
def known() -> dict[str, Row]:
    """What the vendors have, by its name."""
    return {plain(name): row for name, row in rows().items()}


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    found, is_table = [], False
    for written in PAGE.read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip() for cell in written.strip("|").split("|"))
        if not written.startswith("|"):
            is_table = False
        elif is_table:
            assert len(cells) == len(COLUMNS), written
            found.append(Line(*cells))
        else:
            is_table = cells == COLUMNS
    # The line under the heads.
    return [line for line in found if set(line.endpoint) != {"-"}]


def plain(call: str) -> str:
    """The call with its parameters as `{}`, because the vendor's pages and ours may name them differently, and without
    the prefix that some routes also answer without.
    """
    method, _, path = call.partition(" ")
    return f"{method} {PARAMETER.sub('{}', path.removeprefix(agent_api.PREFIX))}" if path.startswith("/") else call


def test_every_call_of_a_vendor_has_a_route(known: dict[str, Row], served: dict[str, Fields]) -> None:
    calls = {name: row for name, row in known.items() if not name.startswith(CALLBACK) and not row.gone}

    assert {name: f"section {row.section}" for name, row in calls.items() if name not in served} == {}


def test_the_page_has_every_route_and_callback_and_no_other(
    lines: list[Line], known: dict[str, Row], served: dict[str, Fields]
) -> None:
    on_page = {line.name for line in lines if _CALL.fullmatch(line.endpoint) or line.endpoint.startswith(CALLBACK)}

    assert {"not on the page": (known.keys() | served.keys()) - on_page, "not there": on_page - served.keys()} == {
        "not on the page": set(),
        "not there": {name for name in known if name.startswith(CALLBACK)},
    }


def test_every_field_of_a_vendors_call_has_one_verdict(known: dict[str, Row], told: dict[str, Fields]) -> None:
    problems = []
    for name, row in known.items():
        for side, verdicts in row.fields.items():
            counted = Counter(field for fields in verdicts.values() for field in fields)
            here = told[name][side]
            problems += [f"{name} {side}: {field} has no verdict" for field in sorted(here - counted.keys())]
            problems += [f"{name} {side}: there is no {field}" for field in sorted(counted.keys() - here)]
            problems += [f"{name} {side}: {field} has {n} verdicts" for field, n in counted.items() if n > 1]
        if not row.gone:
            problems += [f"{name}: nothing is said of its {side}" for side in told[name].keys() - row.fields.keys()]
            problems += [f"{name}: {field} is not missing" for field in row.missing if field in told[name]["answer"]]
    assert not problems, "\n".join(problems)


def test_the_page_says_how_sure_each_side_of_a_call_is(
    lines: list[Line], known: dict[str, Row], served: dict[str, Fields]
) -> None:
    said: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        for side in line.field.split(", "):
            if side in SIDES:
                said.setdefault((line.name, side), []).append(line.verdict)
    expected = {
        (name, side): [", ".join(verdict for verdict in VERDICTS if verdict in verdicts)]
        for name, row in known.items()
        for side, verdicts in row.fields.items()
    }
    expected |= {(name, side): ["ours"] for name in served.keys() - known.keys() for side in ("request", "answer")}
    expected |= {(name, "body"): ["documented"] for name, row in known.items() if row.gone}

    assert {
        key: (said.get(key), expected.get(key)) for key in said | expected if said.get(key) != expected.get(key)
    } == {}


def test_the_page_tells_what_is_missing(lines: list[Line], known: dict[str, Row]) -> None:
    for name, row in known.items():
        of_it = " ".join(f"{line.field} {line.choice}" for line in lines if line.name == name)
        assert [field for field in row.missing if f"`{field}`" not in of_it] == [], name


def test_every_line_says_how_sure_it_is(lines: list[Line]) -> None:
    assert [line for line in lines if not line.field or not set(line.verdict.split(", ")) <= set(VERDICTS)] == []


def test_the_figure_is_the_counted_one(known: dict[str, Row]) -> None:
    page = PAGE.read_text(encoding="utf-8")

    counted = figure(known.values())

    assert [line for line in counted if line not in page.splitlines()] == [], "\n".join(["", *counted])


def figure(known: Iterable[Row]) -> list[str]:
    """The page's table of how many fields are how sure. A call is as sure as the surest of its request."""
    ours, theirs = [], []
    for row in known:
        (ours if WITHOUT_ENVELOPE in row.name else theirs).append(row)
    calls = Counter(min(row.fields["request"], key=VERDICTS.index) for row in theirs if "request" in row.fields)
    sides = {side: fields_by_verdict(theirs, (side,)) for side in SIDES}
    return [
        shares("calls, by method and path", calls),
        shares("fields that clients send", sides["request"]),
        shares("fields that they are answered", sides["answer"]),
        shares("fields that receivers of callbacks are sent", sides["body"]),
        shares("**all fields of the agent-api**", sum(sides.values(), Counter())),
        shares("fields of VoiceFox", fields_by_verdict(ours, SIDES)),
    ]


def fields_by_verdict(known: Iterable[Row], sides: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in known:
        for side in sides:
            for verdict, fields in row.fields.get(side, {}).items():
                found[verdict] += len(fields)
    return found


def shares(of: str, counted: Counter[str]) -> str:
    total = counted.total()
    cells = [
        f"{counted[verdict]:,} ({counted[verdict] / total:.0%})" if counted[verdict] else "–" for verdict in VERDICTS
    ]
    return f"| {of} | {' | '.join(cells)} | {total:,} |"
