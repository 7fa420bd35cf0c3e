"""WAV files as answers, whole or the byte range that a player asks for (RFC 9110, section 14)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from litestar import Response
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Parameter, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.response import Stream

RANGE = Parameter(
    name="Range",
    param_in="header",
    description="只取文件的一部分,如 bytes=0-1023",
    schema=Schema(type=OpenAPIType.STRING),
)
PARTS = {
    206: ResponseSpec(bytes, description="Partial Content", media_type="audio/wav", generate_examples=False),
    416: ResponseSpec(None, description="Requested Range Not Satisfiable"),
}
"""What else can be answered where a part can be asked for."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_CHUNK_BYTES = 64 * 1024
_NOT_SATISFIABLE = 416


def wav_answer(path: Path, asked: str | None) -> Response[Any]:
    """The file at `path`, or the part that the `Range` header names; whole for several ranges and for nonsense."""
    size = path.stat().st_size
    headers = {
        "accept-ranges": "bytes",
        "content-disposition": f'inline; filename="{path.name}"',
    }
    found = _RANGE.fullmatch(asked.strip()) if asked else None
    if found is None or not (found[1] or found[2]) or (found[1] and found[2] and int(found[2]) < int(found[1])):
        return _stream(path, 0, size, 200, headers)
    if found[1]:
        begin = int(found[1])
        end = min(int(found[2]) + 1, size) if found[2] else size
    else:
        begin, end = max(0, size - int(found[2])), size
    if begin >= end:
        return Response(b"", status_code=_NOT_SATISFIABLE, headers={"content-range": f"bytes */{size}"})
    return _stream(path, begin, end, 206, headers | {"content-range": f"bytes {begin}-{end - 1}/{size}"})


def _stream(path: Path, begin: int, end: int, status: int, headers: dict[str, str]) -> Stream:
    return Stream(
        _bytes(path, begin, end),
        status_code=status,
        media_type="audio/wav",
        headers=headers | {"content-length": str(end - begin)},
    )


def _bytes(path: Path, begin: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(begin)
        left = end - begin
        while left > 0 and (chunk := file.read(min(_CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk
