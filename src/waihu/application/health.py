"""Is everything there that waihu needs? Each adapter looks at its part; `/health` and `waihu doctor` ask them all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """How one part is. `fix` says what an operator can do when it is not `ok`; without a `needed` part waihu works
    on, though perhaps not on everything.
    """

    part: str
    ok: bool
    detail: str
    fix: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """A look at `part`. An exception is a finding, too: the part is not there."""

    part: str
    look: Callable[[], Awaitable[Finding]]
    needed: bool = True


async def examine(checks: Sequence[Check]) -> list[Finding]:
    """All findings, in the order of `checks`, within about two seconds whatever hangs."""
    return list(await asyncio.gather(*(_examine(check) for check in checks)))


async def _examine(check: Check) -> Finding:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await check.look()
    except TimeoutError:
        problem = f"It gave no answer within {_PATIENCE_S:.0f} s."
    except Exception as failure:
        problem = f"{type(failure).__name__}: {failure}".splitlines()[0]
    return Finding(check.part, False, problem, needed=check.needed)
