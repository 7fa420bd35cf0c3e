"""The OpenAPI schema of a struct that is read. Litestar's own leaves out what is said of the things in a list and of
one of several types, and what can be sent is read best in one piece, without references.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from msgspec import Struct

Plain = dict[str, Any]
"""JSON Schema without references."""

_KEYS = {
    "description": "description",
    "format": "format",
    "pattern": "pattern",
    "default": "default",
    "minimum": "minimum",
    "maximum": "maximum",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
    "uniqueItems": "unique_items",
    "maxProperties": "max_properties",
    "enum": "enum",
    "required": "required",
}
_INNER = {
    "items": "items",
    "not": "schema_not",
    "propertyNames": "property_names",
    "additionalProperties": "additional_properties",
}


def plain_schema(struct: type[Struct], bounds: Callable[[Plain, bool], Plain] = lambda plain, is_optional: {}) -> Plain:
    """`bounds`: what the reader asks besides of a schema in the struct, and whether that is of an optional thing."""
    (root,), components = msgspec.json.schema_components([struct], ref_template="{name}")

    def expand(part: Plain, is_optional: bool = False) -> Plain:
        if "$ref" in part:
            return expand(components[part["$ref"]])
        said = {key: each for key, each in part.items() if key != "title"}
        if said.get("format") == "decimal":
            # What is kept as a decimal number is sent as any number is.
            del said["format"]
            said["type"] = "number"
        if "properties" in said:
            said["properties"] = {name: expand(each) for name, each in said["properties"].items()}
        for inner in _INNER:
            if isinstance(said.get(inner), dict):
                said[inner] = expand(said[inner])
        if "anyOf" in said:
            has_null = {"type": "null"} in said["anyOf"]
            said["anyOf"] = [expand(each, has_null) for each in said["anyOf"]]
        return bounds(said, is_optional) | said

    return expand(root)


def openapi_schema(plain: Plain) -> Schema:
    said: dict[str, Any] = {ours: plain[theirs] for theirs, ours in _KEYS.items() if theirs in plain}
    if "type" in plain:
        said["type"] = OpenAPIType(plain["type"])
    if "properties" in plain:
        said["properties"] = {name: openapi_schema(each) for name, each in plain["properties"].items()}
    for theirs, ours in _INNER.items():
        if isinstance(plain.get(theirs), dict):
            said[ours] = openapi_schema(plain[theirs])
    if "anyOf" in plain:
        said["any_of"] = [openapi_schema(each) for each in plain["anyOf"]]
        # Said of the one thing that it is when it is there, it is said of the whole.
        described = [each.description for each in said["any_of"] if each.description]
        if described:
            said.setdefault("description", described[0])
    return Schema(**said)
