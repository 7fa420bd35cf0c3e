"""Writes docs/reference: the reference of both wire APIs as Markdown, from the OpenAPI documents that waihu serves
under `/docs`. `make reference` runs it; a test fails when a page is not what it would write.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from litestar import Litestar

from waihu.application.services import Application
from waihu.faces import agent_api, voicefox
from waihu.faces.agent_api.examples import EXAMPLES as AGENT_API_EXAMPLES
from waihu.faces.operations.code_samples import EXPECTED, SAMPLES, with_samples
from waihu.faces.operations.documents import Document, Row, fields_of, merged, operations_of, parameter_row, part_of
from waihu.faces.voicefox.examples import EXAMPLES as VOICEFOX_EXAMPLES

EXAMPLES = {**AGENT_API_EXAMPLES, **VOICEFOX_EXAMPLES}
DIRECTORY = Path(__file__).parent / "reference"

_ABOUT = (
    "Every call with its fields and with code that sends it, as `/docs` of a waihu shows it. "
    "How sure each form is: [compatibility](../compatibility.md)."
)
_WRITTEN = "<!-- Written by `make reference` from the OpenAPI document: change the routes, not this page. -->"


def described() -> Document:
    """The OpenAPI document of both APIs, with samples."""
    # Routes are only described here, so nothing stands behind them.
    nothing = cast(Application, None)
    served = Litestar([agent_api.router(nothing), voicefox.router(nothing)], logging_config=None)
    return with_samples(merged(served.openapi_schema.to_schema()), EXAMPLES)


def pages() -> Mapping[str, str]:
    """The pages by their file names."""
    whole = described()
    parts = (
        part_of(whole, "agent-api", (f"{agent_api.PREFIX}/", "/saas/")),
        part_of(whole, "VoiceFox", ("/openapi/",)),
    )
    return {f"{part['info']['title'].lower()}.md": _page(part) for part in parts}


def _page(document: Document) -> str:
    by_tag: dict[str, list[str]] = {}
    for method, path, operation in operations_of(document):
        by_tag.setdefault(operation["tags"][0], []).append("\n\n".join(_operation(method, path, operation, document)))
    links = " · ".join(f"[{tag}](#{_anchor(tag)})" for tag in by_tag)
    chapters = [f"## {tag}\n\n" + "\n\n".join(operations) for tag, operations in by_tag.items()]
    return "\n\n".join([f"# {document['info']['title']}", _WRITTEN, _ABOUT, EXPECTED, links, *chapters]) + "\n"


def _anchor(heading: str) -> str:
    """As Markdown's readers make it of a heading."""
    return heading.lower().replace(" ", "-").replace(".", "")


def _operation(method: str, path: str, operation: Document, document: Document) -> Iterator[str]:
    yield f"### {operation['summary']}"
    yield f"`{method} {path}`"
    if description := operation.get("description"):
        yield description
    if parameters := operation.get("parameters"):
        yield "**Parameters**"
        yield _table(parameter_row(each, document) for each in parameters)
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"**Body**, `{media_type}`"
        yield _table(fields_of(content["schema"], document))
    for sample in operation[SAMPLES]:
        yield f"```{sample['lang'].lower()}\n{sample['source']}\n```"
    for status, answer in operation["responses"].items():
        for media_type, content in answer.get("content", {}).items():
            if status.startswith("2"):
                yield _answer(f"{status}, <code>{media_type}</code>", [*fields_of(content.get("schema", {}), document)])


def _answer(heading: str, rows: Sequence[Row]) -> str:
    """Folded where it has fields: they are many, and mostly known to whoever comes from the vendor."""
    if not rows:
        return heading
    # That a field is always there is no demand on the reader.
    table = _table((name, kind, "", about) for name, kind, _, about in rows)
    return f"<details><summary>{heading}</summary>\n\n{table}\n\n</details>"


def _table(rows: Iterable[Row]) -> str:
    """A last column that is empty in every row is left out, and so is the one before."""
    cells = [[f"`{name}`", *map(_cell, others)] for name, *others in rows]
    while all(not row[-1] for row in cells):
        cells = [row[:-1] for row in cells]
    width = len(cells[0])
    head = [f"|{' |' * width}", f"|{'---|' * width}"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in cells)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for name, page in pages().items():
        (DIRECTORY / name).write_text(page, encoding="utf-8")
