"""What a client would send: one example for each call of a wire API that takes more than its path. The reference shows
them as code (`operations/code_samples.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Variable:
    """What the client has from an earlier answer. Code shows it as the variable `name`."""

    name: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """`parameters` by their names in the reference; one of the path that is not among them is a variable of its name.

    `body` as it is sent; in a form, the value of a file is its name.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


Examples = Mapping[str, Example]
"""By call, as in `POST /agent-api/users`."""
