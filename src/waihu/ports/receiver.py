"""Whoever is told what happens, and where that may be. Implemented by `adapters/webhooks`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """`accepted`: it is told and need not be told again. `detail` says in a few words what came back."""

    accepted: bool
    detail: str


class Receiver(Protocol):
    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Tells the JSON in `body`. Never raises."""
        ...


class Addresses(Protocol):
    async def problem(self, url: str) -> str | None:
        """Why nothing may be sent there, in a few words; None when it may. A name that nobody knows yet may."""
        ...
