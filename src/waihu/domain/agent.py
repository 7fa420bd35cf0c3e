"""Who talks in a call. First form: a script that greets, may wait for a key, says goodbye and hangs up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

KEYS = "0123456789*#"
"""What a callee can press."""

VOICES = ("cmn", "en-us")

_VARIABLE = re.compile(r"\{([^{}]+)\}")


class AgentKind(StrEnum):
    SCRIPT = "script"
    SCRIPT_V2 = "script_v2"
    LLM = "llm"


@dataclass(frozen=True, slots=True)
class Script:
    """What a scripted agent says. `{name}` in a line is replaced by the contact's variable of that name.

    `voice`: `cmn` or `en-us`. `keys`: DTMF digit → line said after it. Empty: no key is waited for.
    """

    greeting: str
    voice: str = "cmn"
    keys: Mapping[str, str] | None = None
    key_timeout_s: int = 5
    goodbye: str | None = None

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> "Script":
        """From the form in which a version keeps it."""
        return cls(**definition)


def fill(line: str, variables: Mapping[str, str]) -> str:
    """The line with its variables; one that the contact does not have is left out, not read aloud."""
    return _VARIABLE.sub(lambda found: variables.get(found[1], ""), line)


def variables_of(script: Script) -> tuple[str, ...]:
    """Names of the variables that a script's lines use, each once, in order."""
    lines = [script.greeting, *(script.keys or {}).values(), script.goodbye or ""]
    return tuple(dict.fromkeys(found for line in lines for found in _VARIABLE.findall(line)))
