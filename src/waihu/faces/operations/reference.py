"""`/docs`: the reference of all APIs as one page without scripts and without anything from elsewhere, so that it also
works where there is no internet; and the OpenAPI documents it is made from, one per API.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from waihu.faces.examples import Examples
from waihu.faces.operations.code_samples import EXPECTED, SAMPLES, with_samples
from waihu.faces.operations.documents import Document, Row, fields_of, merged, operations_of, parameter_row, part_of


@dataclass(frozen=True, slots=True)
class Api:
    """One wire API: `slug` names its document, `prefixes` are where its paths begin."""

    slug: str
    title: str
    prefixes: tuple[str, ...]


def reference_routes(apis: Sequence[Api], examples: Examples) -> list[HTTPRouteHandler | Router]:
    """`/docs`, `/docs/openapi.json` with everything, and `/docs/SLUG.json` for each API."""

    # Routes do not change while they are served, and making the document would stop other requests for a while.
    @cache
    def described(app: Litestar) -> Document:
        return with_samples(merged(app.openapi_schema.to_schema()), examples)

    @get("/docs", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
    def page(request: Request[Any, Any, Any]) -> str:
        whole = described(request.app)
        return render_page([(api, part_of(whole, api.title, api.prefixes)) for api in apis])

    @get("/docs/{name:str}", include_in_schema=False, sync_to_thread=False)
    def document(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[Any]:
        whole = described(request.app)
        documents = {f"{api.slug}.json": api for api in apis}
        if name == "openapi.json":
            return Response(whole)
        if name in documents:
            return Response(part_of(whole, documents[name].title, documents[name].prefixes))
        return Response({"detail": f"There is {', '.join(['openapi.json', *documents])}."}, status_code=404)

    return [page, document]


def render_page(documents: Sequence[tuple[Api, Document]]) -> str:
    """The page as HTML."""
    body = "".join(_render_api(api, document) for api, document in documents)
    links = " · ".join(f'<a href="#{api.slug}">{escape(api.title)}</a>' for api, _ in documents)
    return _PAGE.format(style=_STYLE, links=links, expected=escape(EXPECTED), body=body)


def _render_api(api: Api, document: Document) -> str:
    operations = "".join(
        _render_operation(method, path, operation, document) for method, path, operation in operations_of(document)
    )
    return (
        f'<h2 id="{api.slug}">{escape(api.title)}</h2>'
        f'<p><a href="/docs/{api.slug}.json">OpenAPI document</a></p>{operations}'
    )


def _render_operation(method: str, path: str, operation: Document, document: Document) -> str:
    parts = [f"<p>{escape(operation['description'])}</p>" if operation.get("description") else ""]
    if parameters := operation.get("parameters"):
        parts.append(_table("Parameters", (parameter_row(p, document) for p in parameters)))
    if body := operation.get("requestBody"):
        parts.extend(_render_content("Body", body, document))
    for sample in operation.get(SAMPLES, ()):
        parts.append(f"<h4>{escape(sample['label'])}</h4><pre>{escape(sample['source'])}</pre>")
    for code, response in sorted(operation.get("responses", {}).items()):
        heading = f"{code} {response.get('description', '')}".strip()
        parts.extend(_render_content(heading, response, document) or [f"<h4>{escape(heading)}</h4>"])
    summary = escape(operation.get("summary") or "")
    return (
        f'<details><summary><b class="{method.lower()}">{method}</b> <code>{escape(path)}</code> {summary}</summary>'
        f"{''.join(parts)}</details>"
    )


def _render_content(heading: str, holder: Document, document: Document) -> list[str]:
    return [
        _table(f"{heading} · {media_type}", fields_of(content.get("schema", {}), document))
        for media_type, content in holder.get("content", {}).items()
    ]


def _table(heading: str, rows: Iterator[Row]) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td><td>{escape(needed)}</td>"
        f"<td>{escape(text)}</td></tr>"
        for name, kind, needed, text in rows
    )
    return f"<h4>{escape(heading)}</h4>" + (f"<table>{cells}</table>" if cells else "")


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
h4 { margin: .8rem 0 .2rem } table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid #d8dee4; padding: .2rem .6rem .2rem 0; vertical-align: top; overflow-wrap: anywhere }
pre { background: #f6f8fa; border-radius: 6px; padding: .5rem .8rem; overflow-x: auto; font-size: 13px }
details { border: 1px solid #d8dee4; border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer } summary b { display: inline-block; min-width: 4rem }
.get { color: #0a6 } .post { color: #06c } .put, .patch { color: #b60 } .delete { color: #c22 }
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>waihu API reference</title><style>{style}</style></head>
<body><h1>waihu API reference</h1><p>{links}</p><p>{expected}</p>{body}</body></html>
"""
