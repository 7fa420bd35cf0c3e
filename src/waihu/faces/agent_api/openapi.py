"""The page that the reference shows of a route: what `reading` accepts, told to OpenAPI from the same structs."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar.openapi.spec import Encoding, OpenAPIMediaType, Parameter, RequestBody
from msgspec import Meta, Struct

from waihu.faces.agent_api.reading import INTEGER_MAX, PAGE_MAX, PER_PAGE_MAX, TEXT_MAX
from waihu.faces.mistakes import Documented
from waihu.faces.struct_schemas import Plain, openapi_schema, plain_schema

FORM = "multipart/form-data"
OURS = "waihu 自有接口。"
"""Begins the description of every call that the vendor does not have."""


class ForSubAccount(Struct, kw_only=True):
    sub_user_id: Annotated[str | None, Meta(description="子账户 id,传递此参数则是对子账户操作")] = None


class Paged(Struct, kw_only=True):
    page: Annotated[int, Meta(description="页码", ge=1, le=PAGE_MAX)] = 1
    per_page: Annotated[int, Meta(description="每页个数", ge=1, le=PER_PAGE_MAX)] = 15


class KeyQuery(Struct, kw_only=True):
    key: Annotated[str, Meta(description="链接中的 key")]


def accepts(
    *queries: type[Struct],
    body: type[Struct] | None = None,
    media_type: str = "application/json",
    for_account: bool = True,
    parameters: tuple[Parameter, ...] = (),
    refuses: tuple[int, ...] = (),
) -> type[Documented]:
    """An operation with the fields of `queries` as query parameters, and `body` as its body, of `media_type`.

    `for_account`: it acts for the user in its path, or for the sub-account that the query names. `parameters` are
    others than those of the query, `refuses` the statuses of mistakes that have nothing to do with queries and bodies.
    """

    everywhere: tuple[type[Struct], ...] = (ForSubAccount, *queries) if for_account else queries
    of_body = () if body is None else (400, 413, 422)
    of_query = (422,) if queries else ()

    @dataclass
    class Accepting(Documented):
        refused_with = frozenset((*of_body, *of_query, *refuses))

        def __post_init__(self) -> None:
            super().__post_init__()
            told = [*(self.parameters or []), *parameters]
            for query in everywhere:
                told += _parameters(query)
            self.parameters = told
            if body is not None:
                self.request_body = _body(body, media_type)

    return Accepting


def _body(body: type[Struct], media_type: str) -> RequestBody:
    plain = plain_schema(body, _bounds)
    files = [name for name, shape in plain["properties"].items() if shape.get("format") == "binary"]
    encoding = {name: Encoding(content_type="audio/wav") for name in files} or None
    return RequestBody(
        required=bool(plain.get("required")),
        content={media_type: OpenAPIMediaType(schema=openapi_schema(plain), encoding=encoding)},
    )


def _parameters(query: type[Struct]) -> list[Parameter]:
    plain = plain_schema(query, _bounds)
    required = plain.get("required", [])
    return [_parameter(name, shape, name in required) for name, shape in plain["properties"].items()]


def _parameter(name: str, shape: Plain, is_required: bool) -> Parameter:
    """A list is named as PHP names it, and one of more than texts and numbers is JSON: it has no form of its own."""
    is_list = shape.get("type") == "array"
    is_plain = not is_list or shape.get("items", {}).get("type") in ("integer", "number", "string", "boolean")
    described = shape.pop("description", None)
    told: dict[str, Any] = {"schema": openapi_schema(shape)}
    return Parameter(
        name=f"{name}[]" if is_list and is_plain else name,
        param_in="query",
        description=described,
        required=is_required,
        **(told if is_plain else {"content": {"application/json": OpenAPIMediaType(**told)}}),
    )


def _bounds(plain: Plain, is_optional: bool) -> Plain:
    """What `reading` asks of all numbers and texts. An empty text is none, except where there need not be one."""
    match plain:
        case {"enum": _}:
            return {}
        case {"type": "integer"}:
            return {"minimum": -INTEGER_MAX, "maximum": INTEGER_MAX}
        case {"type": "string"} if "format" not in plain:
            return {"maxLength": TEXT_MAX} | ({} if is_optional else {"minLength": 1})
    return {}
