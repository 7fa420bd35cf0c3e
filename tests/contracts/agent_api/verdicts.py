"""How sure every field of the vendors' APIs is, as `verdicts.toml` says it."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VERDICTS = ("documented", "observed", "assumed", "ours")
SIDES = ("request", "answer", "body")
"""What a client sends, what it is answered, and what its receiver of callbacks is sent."""

_TOKEN = re.compile(r"[^\s{}]+|[{}]")


@dataclass(frozen=True)
class Row:
    """One call or callback of a vendor, `section` of the contract.

    `fields`: side → verdict → names. A verdict without names is of a side that has no fields.
    `missing`: what the vendor's pages name and we do not have. `gone`: why there is nothing of it at all.
    """

    name: str
    section: str
    fields: dict[str, dict[str, frozenset[str]]]
    missing: frozenset[str]
    gone: str


def rows() -> dict[str, Row]:
    """By name: `GET /users/{user_id}/edit`, without the prefix `/agent-api`, or `callback: call finished`."""
    written = tomllib.loads(Path(__file__).with_name("verdicts.toml").read_text(encoding="utf-8"))
    return {
        name: Row(
            name,
            each["section"],
            {
                side: {verdict: frozenset(names_in(names)) for verdict, names in each[side].items()}
                for side in SIDES
                if side in each
            },
            frozenset(names_in(each.get("missing", ""))),
            each.get("gone", ""),
        )
        for name, each in written.items()
    }


def names_in(text: str) -> Iterator[str]:
    """`a b{c d} e.{f}` are `a`, `b`, `b.c`, `b.d` and `e.f`."""
    outer, last = [""], ""
    for token in _TOKEN.findall(text):
        if token == "{":
            outer.append(f"{last.removesuffix('.')}.")
        elif token == "}":
            outer.pop()
        else:
            last = outer[-1] + token
            if not last.endswith("."):
                yield last
