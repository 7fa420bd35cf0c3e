"""Reads what clients send into structs, leniently: numbers as text and text as numbers, one value for a list, 0 and
1 for truth, an empty text for nothing. Every problem is collected under the field's name, as `task_extras.line.0`.

A field that may be None takes null as such; one that may not refuses null and an empty text.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec
from litestar import Request
from msgspec import UNSET, Struct, inspect

from waihu.domain.errors import Invalid
from waihu.faces.agent_api.envelope import Asked
from waihu.faces.agent_api.php import body_values, query_values

S = TypeVar("S", bound=Struct)
T = TypeVar("T")

PER_PAGE = 15
PER_PAGE_MAX = 500
PAGE_MAX = 1_000_000
INTEGER_MAX = 2**31 - 1
TEXT_MAX = 5000
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_TRUTH = {"1": True, "true": True, "0": False, "false": False}


class _Problem(Exception):
    pass


async def read_body(request: Request[Any, Any, Any], into: type[S]) -> S:
    """The request's body. Raises Malformed, and Invalid with every problem."""
    return read(into, body_values(await request.body(), request.headers.get("content-type", "")))


def read_query(request: Request[Any, Any, Any], into: type[S]) -> S:
    return read(into, query_values(request.scope["query_string"]))


async def values_of(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """What a GET names, in its query or its body: the vendor's examples of filters are JSON bodies.

    Raises Malformed.
    """
    in_body = body_values(await request.body(), request.headers.get("content-type", ""))
    return in_body | query_values(request.scope["query_string"])


def read(into: type[S], values: Mapping[str, Any]) -> S:
    problems: dict[str, list[str]] = {}
    found = _struct(_shape(into), values, "", problems)
    if problems:
        raise Invalid(problems)
    assert isinstance(found, into)
    return found


def asked_page(request: Request[Any, Any, Any]) -> Asked:
    """`page` and `per_page` of a list. Raises Invalid."""
    return page_in(query_values(request.scope["query_string"]))


def page_in(values: Mapping[str, Any]) -> Asked:
    """As `asked_page`, of values that were read already."""
    problems: dict[str, list[str]] = {}

    def number(name: str, otherwise: int, highest: int) -> int:
        value = values.get(name)
        if value in (None, ""):
            return otherwise
        if type(value) is int:
            value = str(value)
        if not isinstance(value, str) or not _INTEGER.fullmatch(value) or not 1 <= int(value) <= highest:
            problems[name] = [f"{name} 必须是 1 到 {highest} 之间的整数"]
            return otherwise
        return int(value)

    asked = Asked(
        number("page", 1, PAGE_MAX), number("per_page", PER_PAGE, PER_PAGE_MAX), values.get("per_page") or PER_PAGE
    )
    if problems:
        raise Invalid(problems)
    return asked


def given(value: T | msgspec.UnsetType, otherwise: T) -> T:
    """The value, or `otherwise` when the client did not send it."""
    return otherwise if isinstance(value, msgspec.UnsetType) else value


@cache
def _shape(of: type[Struct]) -> inspect.StructType:
    shape = inspect.type_info(of)
    assert isinstance(shape, inspect.StructType)
    return shape


def _struct(shape: inspect.StructType, values: Mapping[str, Any], path: str, problems: dict[str, list[str]]) -> Any:
    found: dict[str, Any] = {}
    for field in shape.fields:
        name = f"{path}.{field.encode_name}" if path else field.encode_name
        value = values.get(field.encode_name, UNSET)
        if value is UNSET:
            if field.required:
                problems[name] = [f"{name} 不能为空"]
            continue
        try:
            found[field.name] = _value(field.type, value, name, problems)
        except _Problem as problem:
            problems[name] = [f"{name} {problem}"]
    return None if problems else shape.cls(**found)


def _value(shape: inspect.Type, value: Any, path: str, problems: dict[str, list[str]]) -> Any:
    match shape:
        case inspect.Metadata():
            return _value(shape.type, value, path, problems)
        case inspect.UnionType():
            return _union(shape, value, path, problems)
        case inspect.AnyType():
            return _checked(value)
        case inspect.ListType():
            return _list(shape, value, path, problems)
        case inspect.StructType():
            if not isinstance(value, dict):
                raise _Problem("必须是对象")
            return _struct(shape, value, path, problems)
    if value is None or value == "":
        raise _Problem("不能为空")
    match shape:
        case inspect.IntType():
            return _integer(shape, value)
        case inspect.DecimalType():
            return _decimal(value)
        case inspect.BoolType():
            return _truth(value)
        case inspect.StrType():
            return _text(shape, value)
    raise AssertionError(f"no reading of {shape}")


def _union(shape: inspect.UnionType, value: Any, path: str, problems: dict[str, list[str]]) -> Any:
    options = [option for option in shape.types if not isinstance(option, inspect.NoneType)]
    if (value is None or value == "") and len(options) < len(shape.types):
        return None
    for option in options:
        if isinstance(option, inspect.StructType) is isinstance(value, dict) or len(options) == 1:
            return _value(option, value, path, problems)
    return _value(options[0], value, path, problems)


def _list(shape: inspect.ListType, value: Any, path: str, problems: dict[str, list[str]]) -> list[Any]:
    if value is None or value == "":
        return []
    if isinstance(value, str) and value.startswith("["):
        try:
            value = msgspec.json.decode(value)
        except ValueError:
            raise _Problem("必须是数组") from None
    items = value if isinstance(value, list) else [value]
    found = []
    for index, item in enumerate(items):
        name = f"{path}.{index}"
        try:
            found.append(_value(shape.item_type, item, name, problems))
        except _Problem as problem:
            problems[name] = [f"{name} {problem}"]
    return found


def _integer(shape: inspect.IntType, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Problem("必须是整数")
    lowest = -INTEGER_MAX if shape.ge is None else shape.ge
    highest = INTEGER_MAX if shape.le is None else shape.le
    if not lowest <= value <= highest:
        raise _Problem(f"必须在 {lowest} 到 {highest} 之间")
    return value


def _decimal(value: Any) -> Decimal:
    written = str(value).strip() if isinstance(value, (int, float, str)) and not isinstance(value, bool) else ""
    if not _DECIMAL.fullmatch(written):
        raise _Problem("必须是数字")
    return Decimal(written)


def _truth(value: Any) -> bool:
    if isinstance(value, (bool, int, str)) and (known := _TRUTH.get(str(value).strip().lower())) is not None:
        return known
    raise _Problem("必须是布尔值")


def _text(shape: inspect.StrType, value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise _Problem("必须是字符串")
    longest = TEXT_MAX if shape.max_length is None else shape.max_length
    if len(value) > longest:
        raise _Problem(f"不能超过 {longest} 个字符")
    return str(_checked(value))


def _checked(value: Any) -> Any:
    """PostgreSQL keeps every character but NUL, and whole characters only."""
    if "\\u0000" in (text := msgspec.json.encode(value).decode()) or "\0" in text:
        raise _Problem("含有非法字符")
    return value
