"""Mistakes in the words of the wire."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from waihu.domain.errors import Invalid


class Forbidden(Exception):
    """The token is good, but not for the account that is named."""


@contextmanager
def naming(wire_names: Mapping[str, str]) -> Iterator[None]:
    """Problems that arise within are told under the names the client used; `field[0]` is named as its `field` is."""
    try:
        yield
    except Invalid as mistake:
        raise Invalid({_renamed(field, wire_names): said for field, said in mistake.problems.items()}) from mistake


def _renamed(field: str, wire_names: Mapping[str, str]) -> str:
    name, bracket, place = field.partition("[")
    return wire_names.get(name, name) + bracket + place
