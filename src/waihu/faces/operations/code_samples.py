"""Code for every call of a reference, in curl and in Python, made from its OpenAPI document and examples.

Samples stand in the document as `x-codeSamples`, which other tools for references know, too. All expect the same
variables (`EXPECTED`) and can be run as they are.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waihu.faces.examples import Example, Examples, Variable
from waihu.faces.operations.documents import METHODS, Document

SAMPLES = "x-codeSamples"
EXPECTED = (
    "The samples expect variables: WAIHU is the address, as in http://127.0.0.1:8080, TOKEN a token, and the others "
    "are what earlier answers have told, such as USER_ID. curl takes them from the shell; Python is with httpx."
)

_FORM = "multipart/form-data"
_WAIHU = Variable("WAIHU")
_DOWNLOADED = "answer.wav"
_LINE_MAX = 88
_INDENT = 2
_IN_PATH = re.compile(r"{(\w+)}")
# `taskID` and `task_id` are both TASK_ID.
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class _Call:
    """One request. `path` in pieces, `query` with a name as often as it has values."""

    method: str
    path: Sequence[str | Variable]
    query: Sequence[tuple[str, Any]]
    headers: Mapping[str, Any]
    body: Mapping[str, Any] | None
    files: Mapping[str, str]
    form: Mapping[str, Any]
    has_token: bool
    is_download: bool


def with_samples(document: Document, examples: Examples) -> dict[str, Any]:
    """The document with samples at every operation, and the parameters of each path in the path's order."""
    paths = {
        path: {
            key: _operation_with_samples(key.upper(), path, each, examples) if key in METHODS else each
            for key, each in item.items()
        }
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}


def _operation_with_samples(method: str, path: str, operation: Document, examples: Examples) -> dict[str, Any]:
    call = _call(method, path, operation, examples.get(f"{method} {path}", Example()))
    # Those of a path come in any order, another one each time the process starts.
    ordered = sorted(operation.get("parameters", ()), key=lambda each: _place(path, each))
    parameters = {"parameters": ordered} if ordered else {}
    return {**operation, **parameters, SAMPLES: [*_samples(call)]}


def _place(path: str, parameter: Document) -> int:
    return path.index(f"{{{parameter['name']}}}") if parameter["in"] == "path" else len(path)


def _samples(call: _Call) -> Iterator[dict[str, str]]:
    yield {"lang": "Shell", "label": "curl", "source": _in_curl(call)}
    yield {"lang": "Python", "label": "Python", "source": _in_python(call)}


def _call(method: str, path: str, operation: Document, example: Example) -> _Call:
    places = {each["name"]: each["in"] for each in operation.get("parameters", ())}
    sent = example.parameters.items()
    content = operation.get("requestBody", {}).get("content", {})
    body = example.body or {}
    described = content.get(_FORM, {}).get("schema", {}).get("properties", {})
    files = {name for name, each in described.items() if each.get("format") == "binary"}
    return _Call(
        method=method,
        path=[*_path(path, example)],
        query=[
            (name, each)
            for name, value in sent
            if places[name] == "query"
            for each in (value if isinstance(value, list) else [value])
        ],
        headers={name: value for name, value in sent if places[name] == "header"},
        body=None if _FORM in content else example.body,
        files={name: value for name, value in body.items() if name in files},
        form={name: value for name, value in body.items() if name not in files} if _FORM in content else {},
        has_token=bool(operation.get("security")) and {} not in operation["security"],
        is_download="audio/wav" in operation.get("responses", {}).get("200", {}).get("content", {}),
    )


def _path(path: str, example: Example) -> Iterator[str | Variable]:
    for place, piece in enumerate(_IN_PATH.split(path)):
        # Between the texts of a path stand the names of its parameters.
        yield piece if place % 2 == 0 else example.parameters.get(piece) or Variable(_variable(piece))


def _variable(parameter: str) -> str:
    return _WORD_BEGINS.sub("_", parameter).upper()


# curl


def _in_curl(call: _Call) -> str:
    assert not (call.query and (call.body or call.form)), "curl puts either into the URL or into the body"
    url = _quoted([_WAIHU, *call.path])
    options = [f"-G {url}" if call.query else url]
    expected = "GET" if call.body is None and not call.form else "POST"
    if call.method != expected:
        options.append(f"-X {call.method}")
    if call.has_token:
        options.append('-H "Authorization: Bearer $TOKEN"')
    options += [f"-H {_quoted([f'{name}: ', value])}" for name, value in call.headers.items()]
    options += [f"--data-urlencode {_quoted([f'{name}=', value])}" for name, value in call.query]
    options += [f"-F {_quoted([f'{name}=@', value])}" for name, value in call.files.items()]
    options += [f"-F {_quoted([f'{name}=', value])}" for name, value in call.form.items()]
    if call.is_download:
        options.append(f"-o {_DOWNLOADED}")
    if call.body is None:
        return _continued("curl", options)
    # The shell puts variables into what follows.
    options += ['-H "Content-Type: application/json"', "-d @- <<JSON"]
    return f"{_continued('curl', options)}\n{_laid_out(call.body, _JSON)}\nJSON"


def _continued(command: str, options: Sequence[str]) -> str:
    return f"{command} " + " \\\n  ".join(options)


def _quoted(pieces: Sequence[Any]) -> str:
    inner = "".join(f"${piece.name}" if isinstance(piece, Variable) else _shell_safe(str(piece)) for piece in pieces)
    return f'"{inner}"'


def _shell_safe(text: str, special: str = '\\$`"') -> str:
    return "".join(f"\\{letter}" if letter in special else letter for letter in text)


# Python


def _in_python(call: _Call) -> str:
    arguments = [_f_string([_WAIHU, *call.path])]
    headers: dict[str, Any] = {}
    if call.has_token:
        headers["Authorization"] = _Code('f"Bearer {TOKEN}"')
    headers |= call.headers
    given = {
        "headers": headers,
        "params": _params(call.query),
        "json": call.body,
        "data": call.form,
        "files": {name: _Code(f'open("{file}", "rb")') for name, file in call.files.items()},
    }
    arguments += [f"{name}={_laid_out(value, _PYTHON, 4)}" for name, value in given.items() if value]
    # The words of httpx for the others take no body.
    has_word = call.method in ("POST", "PUT", "PATCH") or call.body is None
    word = call.method.lower() if has_word else "request"
    if not has_word:
        arguments.insert(0, json.dumps(call.method))
    lines = [
        "import httpx",
        "",
        f"answer = httpx.{word}(",
        *(f"    {argument}," for argument in arguments),
        ")",
        "answer.raise_for_status()",
    ]
    if call.is_download:
        lines[0:1] = ["from pathlib import Path", "", "import httpx"]
        return "\n".join([*lines, f'Path("{_DOWNLOADED}").write_bytes(answer.content)'])
    return "\n".join([*lines, "print(answer.json())"])


def _f_string(pieces: Sequence[str | Variable]) -> str:
    return 'f"' + "".join(f"{{{piece.name}}}" if isinstance(piece, Variable) else piece for piece in pieces) + '"'


def _params(query: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    gathered: dict[str, list[Any]] = {}
    for name, value in query:
        gathered.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in gathered.items()}


# Values


@dataclass(frozen=True, slots=True)
class _Code:
    """Stands in a value for itself."""

    text: str


@dataclass(frozen=True, slots=True)
class _Notation:
    """How a language writes values that are no lists and objects."""

    scalar: Callable[[Any], str]
    last_comma: str


def _json_scalar(value: Any) -> str:
    if isinstance(value, Variable):
        return f"${value.name}" if value.is_number else f'"${value.name}"'
    return _shell_safe(json.dumps(value, ensure_ascii=False), "\\$`")


def _python_scalar(value: Any) -> str:
    match value:
        case Variable():
            return value.name
        case _Code():
            return value.text
        case True | False | None:
            return str(value)
    return json.dumps(value, ensure_ascii=False)


_JSON = _Notation(_json_scalar, "")
_PYTHON = _Notation(_python_scalar, ",")


def _laid_out(value: Any, notation: _Notation, indent: int = 0) -> str:
    """The value on one line if it fits, else an entry on each."""
    if isinstance(value, Mapping):
        begin, end = "{", "}"
        entries = [(f"{json.dumps(name, ensure_ascii=False)}: ", each) for name, each in value.items()]
    elif isinstance(value, list):
        begin, end = "[", "]"
        entries = [("", each) for each in value]
    else:
        return notation.scalar(value)
    short = begin + ", ".join(f"{name}{_laid_out(each, notation)}" for name, each in entries) + end
    if "\n" not in short and indent + len(short) <= _LINE_MAX:
        return short
    deeper = indent + (_INDENT if notation is _JSON else 2 * _INDENT)
    lines = [f"{' ' * deeper}{name}{_laid_out(each, notation, deeper)}" for name, each in entries]
    return f"{begin}\n" + ",\n".join(lines) + f"{notation.last_comma}\n{' ' * indent}{end}"
