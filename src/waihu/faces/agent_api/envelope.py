"""What every answer is wrapped in: `{code, status, message, data}`, with `meta` before `data` on paged lists."""

from collections.abc import Callable
from math import ceil
from typing import Any, Generic, Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType

from waihu.ports.rows import Page

T = TypeVar("T")


class Answer(Struct, Generic[T], kw_only=True):
    code: Literal[200] = 200
    status: Literal["success"] = "success"
    message: str
    data: T


class Done(Struct, kw_only=True):
    """Some calls answer with no `data` at all."""

    code: Literal[200] = 200
    status: Literal["success"] = "success"
    message: str


class Meta(Struct):
    """`per_page` is a string when the client sent it, else an int."""

    has_pages: bool
    total: int
    last_page: int
    current_page: int
    per_page: str | int


class Listing(Struct, Generic[T], kw_only=True):
    code: Literal[200] = 200
    status: Literal["success"] = "success"
    message: str
    meta: Meta
    data: list[T]


class Rows(Struct, Generic[T], kw_only=True):
    """A list that is paged only when a page is asked for; `meta` is there only then."""

    code: Literal[200] = 200
    status: Literal["success"] = "success"
    message: str
    meta: Meta | UnsetType = UNSET
    data: list[T]


class Failure(Struct, kw_only=True):
    """`message` is a sentence, or field → sentences when values were refused."""

    code: int
    status: Literal["error"] = "error"
    message: str | dict[str, list[str]]
    data: list[Any] = []


class Running(Struct, kw_only=True):
    """What a running 2.0 task is too busy for is refused with a code of the vendor's own, and with HTTP's 200."""

    code: Literal[6007] = 6007
    status: Literal["error"] = "error"
    message: str
    data: list[Any] = []


class Stranger(Struct):
    """What the vendor's framework answers who has no valid token: bare."""

    message: str = "Unauthenticated."


def listing(message: str, page: Page[Any], asked: "Asked", row: Callable[[Any], T]) -> Listing[T]:
    return Listing(message=message, meta=meta_of(page.total, asked), data=[row(item) for item in page.items])


class Asked(Struct):
    """The page that was asked for; `echo` is `per_page` as it came."""

    page: int
    per_page: int
    echo: str | int


def meta_of(total: int, asked: Asked) -> Meta:
    last_page = max(1, ceil(total / asked.per_page))
    return Meta(
        has_pages=asked.page != 1 or last_page > 1,
        total=total,
        last_page=last_page,
        current_page=asked.page,
        per_page=asked.echo,
    )
