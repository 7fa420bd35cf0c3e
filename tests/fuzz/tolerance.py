"""How the agent-api reads what is not quite what its document says: as PHP clients write it. This is the whole of its
leniency: whatever else the document does not allow has to be refused.
"""

import json
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
from requests import PreparedRequest

FORM = "multipart/form-data"
SWITCHED = {"group_switch_rule", "destination_extension_list", "destination_extension_with_variable_list"}
TRUTH = {"0": False, "false": False, "1": True, "true": True}
NOTHING = (None, "")


def is_tolerated(operation: Mapping[str, Any], request: PreparedRequest) -> bool:
    """Whether the request is what the document's operation asks for, once it is read so. Of paths nothing is said."""
    return _query_is_good(operation, request) and _body_is_good(operation, request)


def as_read(sent: Any, schema: Mapping[str, Any]) -> Any:
    """Numbers as texts and texts as numbers, 0 and 1 for truth, one thing for a list of it, nothing for an empty list,
    an empty text for nothing, and an empty list for an empty object.
    """
    if "anyOf" in schema:
        if sent in NOTHING and {"type": "null"} in schema["anyOf"]:
            return None
        options = [as_read(sent, option) for option in schema["anyOf"]]
        fitting = (read for read, option in zip(options, schema["anyOf"], strict=True) if _is_valid(read, option))
        return next(fitting, sent)
    match schema.get("type"):
        case "integer" | "number":
            return _number(sent)
        case "boolean" if not isinstance(sent, bool):
            return TRUTH.get(str(sent).strip().lower(), sent)
        case "string" if isinstance(sent, int | float) and not isinstance(sent, bool):
            return str(sent)
        case "array":
            return [as_read(each, schema.get("items", {})) for each in _list(sent)]
        case "object":
            return _object(sent, schema)
    return sent


def _number(sent: Any) -> Any:
    if not isinstance(sent, str):
        return sent
    try:
        return float(sent)
    except ValueError:
        return sent


def _list(sent: Any) -> list[Any]:
    if sent in NOTHING:
        return []
    if isinstance(sent, str) and sent.startswith("["):
        try:
            sent = json.loads(sent)
        except ValueError:
            return [sent]
    return sent if isinstance(sent, list) else [sent]


def _object(sent: Any, schema: Mapping[str, Any]) -> Any:
    if sent == []:
        sent = {}
    if not isinstance(sent, dict):
        return sent
    known = schema.get("properties", {})
    read = {name: as_read(value, known.get(name, {})) for name, value in sent.items()}
    needed = schema.get("required", ())
    return {name: value for name, value in read.items() if name in known and (value != [] or name in needed)}


def _query_is_good(operation: Mapping[str, Any], request: PreparedRequest) -> bool:
    sent: dict[str, list[str]] = {}
    for name, value in parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True):
        sent.setdefault(name, []).append(value)
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "query":
            continue
        schema = parameter.get("schema") or parameter["content"]["application/json"]["schema"]
        values = sent.get(parameter["name"], [])
        # Of what comes twice and is no list the last one counts.
        is_list = schema.get("type") == "array" and "schema" in parameter
        value = values if is_list else (values or [""])[-1]
        if value in ("", []):
            if parameter.get("required"):
                return False
        elif not _is_valid(as_read(value, schema), schema):
            return False
    return True


def _body_is_good(operation: Mapping[str, Any], request: PreparedRequest) -> bool:
    described = operation.get("requestBody")
    if described is None:
        return True
    ((media_type, content),) = described["content"].items()
    schema = content["schema"]
    try:
        sent = _form(request) if media_type == FORM else _json(request)
    except ValueError:
        return False
    if isinstance(sent, dict) and "sub_user_id=" in str(request.url).replace("sub_user_id=&", ""):
        # Whom it is for is said in the query, and then not looked for in the body.
        sent.pop("sub_user_id", None)
    return _is_valid(as_read(_without_unused(sent), schema), schema)


def _json(request: PreparedRequest) -> Any:
    body = request.body or b""
    text = body.decode() if isinstance(body, bytes) else body
    return json.loads(text) if text.strip(" \t\r\n") else {}


def _form(request: PreparedRequest) -> dict[str, str]:
    """Its fields; a file is named by its name."""
    assert isinstance(request.body, bytes)
    header = f"Content-Type: {request.headers.get('Content-Type', '')}\r\n\r\n"
    parts = BytesParser(policy=HTTP).parsebytes(header.encode() + request.body).iter_parts()
    return {part.get_param("name", header="content-disposition"): part.get_filename() or "text" for part in parts}


def _without_unused(body: Any) -> Any:
    """Lists of scripts are kept as they are until `is_group_switch` says that they are used, and of a holiday that says
    both `begin` and, as it was once called, `start`, the latter is not read.
    """
    match body:
        case list():
            return [_without_unused(each) for each in body]
        case dict():
            unused = SWITCHED if not body.get("is_group_switch") else set()
            unused = unused | ({"start"} if body.get("begin") else set())
            return {name: _without_unused(value) for name, value in body.items() if name not in unused}
    return body


def _is_valid(value: Any, schema: Mapping[str, Any]) -> bool:
    return bool(jsonschema_rs.is_valid(dict(schema), value))
