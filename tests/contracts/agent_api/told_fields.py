"""The fields that waihu has on the wire, as dotted names, from the reference and from what callbacks are made of.

A list is as its items, so is an object with one key per line, and the envelope is no field.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

_ENVELOPE = {"code", "status", "message", "meta", "data"}
_ALTERNATIVES = ("oneOf", "anyOf")

Schemas = Mapping[str, Any]


def fields_of_call(described: Mapping[str, Any], schemas: Schemas, *, has_envelope: bool) -> dict[str, frozenset[str]]:
    """`request` and `answer` of an operation of the reference; what its path names is no field."""
    sent = {
        name
        for each in described.get("parameters", [])
        if each["in"] != "path"
        for name in _named(each["name"].removesuffix("[]"), _schema_of(each), schemas)
    }
    sent |= set(_of_contents(described.get("requestBody", {}), schemas))
    answered = {
        name
        for status, each in described["responses"].items()
        if status.startswith("2")
        for name in _of_contents(each, schemas)
    }
    return {"request": frozenset(sent), "answer": frozenset(_within(answered) if has_envelope else answered)}


def _schema_of(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    """A parameter that is JSON has it in its content."""
    schema: Mapping[str, Any] = parameter.get("schema") or parameter["content"]["application/json"]["schema"]
    return schema


def fields_of_struct(struct: type[Struct]) -> frozenset[str]:
    (schema,), schemas = msgspec.json.schema_components([struct])
    return frozenset(_of_schema(schema, schemas))


def _within(enveloped: Iterable[str]) -> Iterator[str]:
    for name in enveloped:
        outer, _, inner = name.partition(".")
        if outer not in _ENVELOPE:
            yield name
        elif outer == "data" and inner:
            yield inner


def _of_contents(holder: Mapping[str, Any], schemas: Schemas) -> Iterator[str]:
    for content in holder.get("content", {}).values():
        yield from _of_schema(content.get("schema", {}), schemas)


def _of_schema(schema: Mapping[str, Any], schemas: Schemas) -> Iterator[str]:
    if reference := schema.get("$ref"):
        yield from _of_schema(schemas[reference.rpartition("/")[2]], schemas)
    for several in _ALTERNATIVES:
        for option in schema.get(several, ()):
            yield from _of_schema(option, schemas)
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), Mapping):
            yield from _of_schema(schema[inner], schemas)
    for name, field in schema.get("properties", {}).items():
        yield from _named(name, field, schemas)


def _named(name: str, schema: Mapping[str, Any], schemas: Schemas) -> Iterator[str]:
    yield name
    for inner in _of_schema(schema, schemas):
        yield f"{name}.{inner}"
