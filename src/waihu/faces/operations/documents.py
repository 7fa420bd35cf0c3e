"""Reads OpenAPI documents: their operations, the fields of their schemas, the part that is one API's."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]
"""A whole document, or any object in it."""

Row = tuple[str, str, str, str]
"""Of a table: name, type, whether it is required, description."""

METHODS = ("get", "post", "put", "patch", "delete")
_DEPTH_MAX = 6
_IN_PATH = re.compile(r"{(\w+)}")


def operations_of(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Method, path and operation, in the document's order."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def part_of(whole: Document, title: str, prefixes: tuple[str, ...]) -> dict[str, Any]:
    """The document of one API, whose paths begin with `prefixes`, with the schemas that it uses."""
    paths = {path: item for path, item in whole["paths"].items() if path.startswith(prefixes)}
    schemas = whole.get("components", {}).get("schemas", {})
    used: dict[str, Any] = {}
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in used and name in schemas:
            used[name] = schemas[name]
            waiting.extend(_references(schemas[name]))
    components = {**whole.get("components", {}), "schemas": dict(sorted(used.items()))}
    return {**whole, "info": {**whole["info"], "title": title}, "paths": paths, "components": components}


def merged(whole: Document) -> dict[str, Any]:
    """The document with one path where several differ only in what their parameters are called: the vendor calls them
    as it likes, and OpenAPI takes such paths for one. The first one's names are kept.
    """
    paths: dict[str, dict[str, Any]] = {}
    first: dict[str, str] = {}
    for path, item in whole["paths"].items():
        kept = first.setdefault(_IN_PATH.sub("{}", path), path)
        names = dict(zip(_IN_PATH.findall(path), _IN_PATH.findall(kept), strict=True))
        paths[kept] = {**paths.get(kept, {}), **{key: _renamed(each, names) for key, each in item.items()}}
    return {**whole, "paths": paths}


def _renamed(operation: Document, names: Mapping[str, str]) -> Document:
    parameters = [
        {**each, "name": names[each["name"]]} if each["in"] == "path" else each
        for each in operation.get("parameters", ())
    ]
    return {**operation, "parameters": parameters} if parameters else operation


def parameter_row(parameter: Document, document: Document) -> Row:
    """One parameter, with the place that it goes to."""
    schema = parameter.get("schema") or parameter["content"]["application/json"]["schema"]
    kind = f"{_kind(schema, document)} in {parameter['in']}{'' if 'schema' in parameter else ', as JSON'}"
    needed = "required" if parameter.get("required") else ""
    return parameter["name"], kind, needed, parameter.get("description", "")


def fields_of(schema: Document, document: Document, prefix: str = "", depth: int = 0) -> Iterator[Row]:
    """One row per field, nested ones as `outer.inner` and `list[].inner`."""
    schema = _resolved(schema, document)
    if items := schema.get("items"):
        yield from fields_of(items, document, f"{prefix}[]", depth)
        return
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        needed = "required" if name in schema.get("required", ()) else ""
        yield path, _kind(field, document), needed, field.get("description", "")
        if depth < _DEPTH_MAX:
            for option in (field, *field.get("oneOf", ()), *field.get("anyOf", ())):
                yield from fields_of(option, document, path, depth + 1)


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
