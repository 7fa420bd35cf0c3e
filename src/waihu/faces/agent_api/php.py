"""Values the way PHP clients write them: `status[]=1`, `levels[0][1]=100`, forms, and JSON whatever its header says."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec

_KEY = re.compile(r"[^\[\]]+|\[[^\[\]]*\]")
_DEPTH_MAX = 4


class Malformed(Exception):
    """A body that is neither a JSON object nor a form."""


def query_values(query_string: bytes) -> dict[str, Any]:
    return _nested(parse_qsl(query_string.decode("utf-8", "replace"), keep_blank_values=True))


def body_values(body: bytes, content_type: str) -> dict[str, Any]:
    """The values of a body; an empty one has none. Raises Malformed."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")
    if not text:
        return {}
    if content_type.startswith("application/x-www-form-urlencoded") and text[:1] not in (b"{", b"["):
        return _nested(parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        values = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    if values == []:
        # PHP writes an empty object so.
        return {}
    if not isinstance(values, dict):
        raise Malformed
    return values


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for name, value in pairs:
        parts = [part.strip("[]") for part in _KEY.findall(name)]
        if 0 < len(parts) <= _DEPTH_MAX:
            _put(root, parts, value)
    return {name: _lists(value) for name, value in root.items()}


def _put(into: dict[str, Any], parts: list[str], value: str) -> None:
    first, *rest = parts
    key = first or str(len(into))
    if not rest:
        into[key] = value
        return
    inner = into.get(key)
    if not isinstance(inner, dict):
        inner = into[key] = {}
    _put(inner, rest, value)


def _lists(value: Any) -> Any:
    """Objects whose keys are all numbers are PHP's lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    if all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
