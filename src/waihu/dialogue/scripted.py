"""What a scripted agent says: the greeting, its answer to a key, and goodbye. Speaking and listening are others'."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from waihu.domain.agent import KEYS, Script, fill


@dataclass(frozen=True, slots=True)
class Step:
    """`says` in order, then waits `listens_s` for a key; None: the agent has finished."""

    says: tuple[str, ...]
    listens_s: int | None = None


def begin(script: Script, variables: Mapping[str, str]) -> Step:
    if script.keys:
        return Step(_spoken((script.greeting,), variables), script.key_timeout_s)
    return Step(_spoken((script.greeting, script.goodbye), variables))


def respond(script: Script, variables: Mapping[str, str], pressed: str | None) -> Step:
    """After the wait of `begin`. `pressed` None: nothing came in time."""
    answer = None if pressed is None else (script.keys or {}).get(pressed)
    return Step(_spoken((answer, script.goodbye), variables))


def all_lines(script: Script, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Everything that may be said in the course of it."""
    return _spoken((script.greeting, *(script.keys or {}).values(), script.goodbye), variables)


def key_in(message: str) -> str | None:
    """The key that a written message means, as `1` or `按1`; None when there is none in it, or more than one."""
    found = {letter for letter in unicodedata.normalize("NFKC", message) if letter in KEYS}
    return found.pop() if len(found) == 1 else None


def _spoken(lines: tuple[str | None, ...], variables: Mapping[str, str]) -> tuple[str, ...]:
    filled = (fill(line or "", variables) for line in lines)
    return tuple(line for line in filled if line.strip())
