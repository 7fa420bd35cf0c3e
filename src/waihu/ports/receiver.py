"""Whoever is told about finished calls. Implemented by `adapters/webhooks`."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """`accepted`: it is told and need not be told again. `detail` says in a few words what came back."""

    accepted: bool
    detail: str


class Receiver(Protocol):
    async def post(self, url: str, body: bytes, *, event: str) -> Answer:
        """Tells the JSON in `body`. `event` is the same for every try of one push. Never raises."""
        ...
