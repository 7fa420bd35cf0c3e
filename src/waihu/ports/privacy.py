"""How an account's phones are shown, and the code that guards it. Implemented by
`adapters/postgres/repositories/privacy.py`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from waihu.domain.ids import AccountId, Instant


class MaskStyle(IntEnum):
    ENDS = 1
    """The first three and the last four digits are shown: 186****1681."""
    LAST_FOUR = 2
    """Only the last four are."""


@dataclass(frozen=True, slots=True)
class PhoneMasks:
    """How phones of the CRM pool, and those of campaigns and calls, are shown. None: in full."""

    customers: MaskStyle | None = None
    contacts: MaskStyle | None = None


class Privacy(Protocol):
    async def masks(self, account: AccountId) -> PhoneMasks:
        """What the account has set; where it has set nothing, what its main account has."""
        ...

    async def code_hash(self, account: AccountId) -> str | None:
        """Of the account's own security code, else of its main account's."""
        ...

    async def set_masks(self, account: AccountId, masks: PhoneMasks, now: Instant) -> None: ...

    async def set_code_hash(self, account: AccountId, code_hash: str | None, now: Instant) -> None: ...
