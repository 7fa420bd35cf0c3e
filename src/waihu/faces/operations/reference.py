"""`/docs`: the reference of all APIs as one page without scripts and without anything from elsewhere, so that it also
works where there is no internet; and the OpenAPI documents it is made from, one per API.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from litestar import MediaType, Request, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

Document = Mapping[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_DEPTH_MAX = 6


@dataclass(frozen=True, slots=True)
class Api:
    """One wire API: `slug` names its document, `prefixes` are where its paths begin."""

    slug: str
    title: str
    prefixes: tuple[str, ...]


def reference_routes(apis: Sequence[Api]) -> list[HTTPRouteHandler | Router]:
    """`/docs`, `/docs/openapi.json` with everything, and `/docs/SLUG.json` for each API."""

    @get("/docs", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
    def page(request: Request[Any, Any, Any]) -> str:
        whole = request.app.openapi_schema.to_schema()
        return render_page([(api, part_of(whole, api)) for api in apis])

    @get("/docs/{name:str}", include_in_schema=False, sync_to_thread=False)
    def document(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[Any]:
        whole = request.app.openapi_schema.to_schema()
        documents = {f"{api.slug}.json": api for api in apis}
        if name == "openapi.json":
            return Response(whole)
        if name in documents:
            return Response(part_of(whole, documents[name]))
        return Response({"detail": f"There is {', '.join(['openapi.json', *documents])}."}, status_code=404)

    return [page, document]


def part_of(whole: Document, api: Api) -> dict[str, Any]:
    """The OpenAPI document of one API, with the schemas that it uses."""
    paths = {path: item for path, item in whole["paths"].items() if path.startswith(api.prefixes)}
    schemas = whole.get("components", {}).get("schemas", {})
    used: dict[str, Any] = {}
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in used and name in schemas:
            used[name] = schemas[name]
            waiting.extend(_references(schemas[name]))
    components = {**whole.get("components", {}), "schemas": dict(sorted(used.items()))}
    return {**whole, "info": {**whole["info"], "title": api.title}, "paths": paths, "components": components}


def render_page(documents: Sequence[tuple[Api, Document]]) -> str:
    """The page as HTML."""
    body = "".join(_render_api(api, document) for api, document in documents)
    links = " · ".join(f'<a href="#{api.slug}">{escape(api.title)}</a>' for api, _ in documents)
    return _PAGE.format(style=_STYLE, links=links, body=body)


def _render_api(api: Api, document: Document) -> str:
    operations = "".join(
        _render_operation(method, path, item[method], document)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    )
    return (
        f'<h2 id="{api.slug}">{escape(api.title)}</h2>'
        f'<p><a href="/docs/{api.slug}.json">OpenAPI document</a></p>{operations}'
    )


def _render_operation(method: str, path: str, operation: Document, document: Document) -> str:
    parts = [f"<p>{escape(operation['description'])}</p>" if operation.get("description") else ""]
    if parameters := operation.get("parameters"):
        parts.append(_table("Parameters", (_parameter_row(p, document) for p in parameters)))
    if body := operation.get("requestBody"):
        parts.extend(_render_content("Body", body, document))
    for code, response in sorted(operation.get("responses", {}).items()):
        heading = f"{code} {response.get('description', '')}".strip()
        parts.extend(_render_content(heading, response, document) or [f"<h4>{escape(heading)}</h4>"])
    summary = escape(operation.get("summary") or "")
    return (
        f'<details><summary><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code> {summary}</summary>'
        f"{''.join(parts)}</details>"
    )


def _render_content(heading: str, holder: Document, document: Document) -> list[str]:
    return [
        _table(f"{heading} · {media_type}", _fields(content.get("schema", {}), document))
        for media_type, content in holder.get("content", {}).items()
    ]


Row = tuple[str, str, str, str]


def _table(heading: str, rows: Iterator[Row]) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td><td>{escape(needed)}</td>"
        f"<td>{escape(text)}</td></tr>"
        for name, kind, needed, text in rows
    )
    return f"<h4>{escape(heading)}</h4>" + (f"<table>{cells}</table>" if cells else "")


def _parameter_row(parameter: Document, document: Document) -> Row:
    kind = f"{_kind(parameter.get('schema', {}), document)} in {parameter['in']}"
    needed = "required" if parameter.get("required") else ""
    return parameter["name"], kind, needed, parameter.get("description", "")


def _fields(schema: Document, document: Document, prefix: str = "", depth: int = 0) -> Iterator[Row]:
    """One row per field, nested ones as `outer.inner` and `list[].inner`."""
    schema = _resolved(schema, document)
    if items := schema.get("items"):
        yield from _fields(items, document, f"{prefix}[]", depth)
        return
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        needed = "required" if name in schema.get("required", ()) else ""
        yield path, _kind(field, document), needed, field.get("description", "")
        if depth < _DEPTH_MAX:
            for option in (field, *field.get("oneOf", ()), *field.get("anyOf", ())):
                yield from _fields(option, document, path, depth + 1)


def _kind(schema: Document, document: Document) -> str:
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_kind(option, document) for option in schema[several]))
    schema = _resolved(schema, document)
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}), document)}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _resolved(schema: Document, document: Document) -> Document:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    schemas: Mapping[str, Document] = document.get("components", {}).get("schemas", {})
    return schemas.get(reference.rpartition("/")[2], {})


def _references(node: object) -> Iterator[str]:
    """Names of all schemas that `node` refers to."""
    match node:
        case {"$ref": str(reference)}:
            yield reference.rpartition("/")[2]
        case Mapping():
            for value in node.values():
                yield from _references(value)
        case list() | tuple():
            for value in node:
                yield from _references(value)


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
h4 { margin: .8rem 0 .2rem } table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid #d8dee4; padding: .2rem .6rem .2rem 0; vertical-align: top; overflow-wrap: anywhere }
details { border: 1px solid #d8dee4; border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer } summary b { display: inline-block; min-width: 4rem }
.get { color: #0a6 } .post { color: #06c } .put, .patch { color: #b60 } .delete { color: #c22 }
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>waihu API reference</title><style>{style}</style></head>
<body><h1>waihu API reference</h1><p>{links}</p>{body}</body></html>
"""
