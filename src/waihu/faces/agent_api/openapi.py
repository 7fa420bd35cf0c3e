"""The page that the reference shows of a route: what `reading` accepts, told to OpenAPI from the same structs."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Operation, Parameter, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from msgspec import Meta, Struct

FORM = "multipart/form-data"
OURS = "waihu 自有接口。"
"""Begins the description of every call that the vendor does not have."""


class ForSubAccount(Struct, kw_only=True):
    sub_user_id: Annotated[str | None, Meta(description="子账户 id,传递此参数则是对子账户操作")] = None


class Paged(Struct, kw_only=True):
    page: Annotated[int, Meta(description="页码", ge=1)] = 1
    per_page: Annotated[int, Meta(description="每页个数", ge=1)] = 15


def accepts(
    *queries: type[Struct],
    body: type[Struct] | None = None,
    media_type: str = "application/json",
    for_account: bool = True,
) -> type[Operation]:
    """An operation with the fields of `queries` as query parameters, and `body` as its body, of `media_type`.

    `for_account`: it acts for the user in its path, or for the sub-account that the query names.
    """

    everywhere: tuple[type[Struct], ...] = (ForSubAccount, *queries) if for_account else queries

    @dataclass
    class Documented(Operation):
        def __post_init__(self) -> None:
            told = [*(self.parameters or [])]
            for query in everywhere:
                told += _parameters(query)
            self.parameters = told
            if body is not None:
                self.request_body = RequestBody(
                    required=True, content={media_type: OpenAPIMediaType(schema=_schema(_plain(body)))}
                )

    return Documented


def _parameters(query: type[Struct]) -> list[Parameter]:
    plain = _plain(query)
    return [
        Parameter(
            name=f"{name}[]" if shape.get("type") == "array" else name,
            param_in="query",
            description=shape.pop("description", None),
            required=name in plain.get("required", []),
            schema=_schema(shape),
        )
        for name, shape in plain["properties"].items()
    ]


def _plain(struct: type[Struct]) -> dict[str, Any]:
    """JSON Schema of the struct, with every reference replaced by what it refers to."""
    (root,), components = msgspec.json.schema_components([struct], ref_template="{name}")

    def expand(part: Any) -> Any:
        if isinstance(part, list):
            return [expand(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return expand(components[part["$ref"]])
        return {key: expand(each) for key, each in part.items() if key != "title"}

    expanded = expand(root)
    assert isinstance(expanded, dict)
    return expanded


_KEYS = {
    "description": "description",
    "format": "format",
    "default": "default",
    "minimum": "minimum",
    "maximum": "maximum",
    "maxLength": "max_length",
    "examples": "examples",
    "enum": "enum",
    "required": "required",
}


def _schema(plain: dict[str, Any]) -> Schema:
    said: dict[str, Any] = {ours: plain[theirs] for theirs, ours in _KEYS.items() if theirs in plain}
    if "type" in plain:
        said["type"] = OpenAPIType(plain["type"])
    if "properties" in plain:
        said["properties"] = {name: _schema(each) for name, each in plain["properties"].items()}
    if "items" in plain:
        said["items"] = _schema(plain["items"])
    if "anyOf" in plain:
        said["any_of"] = [_schema(each) for each in plain["anyOf"]]
    return Schema(**said)
