"""Which mistakes the reference shows of a route: those that can be made with it, in the words of its API."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIResponse, Operation, Reference
from msgspec import Struct

Told = dict[int, ResponseSpec]


def told(said: Mapping[int, type[Struct]]) -> Told:
    """For `responses` of a route: the statuses, and the shape of what is said with each."""
    return {
        status: ResponseSpec(shape, description=HTTPStatus(status).phrase, generate_examples=False)
        for status, shape in said.items()
    }


@dataclass
class Documented(Operation):
    """Without the 400 that Litestar believes every route to answer, in words of its own."""

    refused_with: ClassVar[frozenset[int]] = frozenset()
    """Statuses of mistakes in what the operation is sent, and in when it is sent."""

    def __post_init__(self) -> None:
        answer = (self.responses or {}).get("400")
        if self.responses and isinstance(answer, OpenAPIResponse) and not _is_ours(answer):
            del self.responses["400"]


def _is_ours(answer: OpenAPIResponse) -> bool:
    """Ours are structs, which are referred to by name."""
    return any(isinstance(content.schema, Reference) for content in (answer.content or {}).values())
