"""Where contacts are put in, put back and taken out: many at a time, beside engines that dial them.

Implemented by `adapters/postgres/contact_import.py`. Reading contacts is `ports/store.py`'s.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from waihu.domain.ids import CampaignId
from waihu.ports.callbacks import BatchNote
from waihu.ports.customer_rows import Newcomers
from waihu.ports.rows import ContactFilter


class Rejection(StrEnum):
    """Why a contact was not taken in."""

    INVALID = "invalid"
    DUPLICATE = "duplicate"
    """Its key is in the campaign already, or came before in the same input."""
    DO_NOT_CALL = "do_not_call"


class ContactEntry(NamedTuple):
    """A contact fit to be stored. `key`: its diallable phone, with `_suffix` where one phone comes twice.

    `line` says where in the input it was, from 1, and is each entry's own within one call.
    """

    line: int
    key: str
    name: str | None
    extra: str | None
    zone: str | None
    variables: Mapping[str, str]


class ContactBook(Protocol):
    """All methods raise NotFound for a campaign that is gone, and Unavailable."""

    async def add(
        self,
        campaign: CampaignId,
        entries: Sequence[ContactEntry],
        *,
        all_or_none: bool = False,
        newcomers: Newcomers | None = None,
        note: BatchNote | None = None,
    ) -> Sequence[tuple[int, Rejection]]:
        """Adds the entries in one transaction; answers the lines that were rejected, in order.

        With `all_or_none` nothing is added when anything is rejected. A campaign that had completed runs again.
        `newcomers` are stored in the pool of the campaign's account first, whether the campaign takes them or not;
        contacts with their phones are known as these customers. `note` None: nobody is told.
        """
        ...

    async def enrol(self, enrolment: str, most: int) -> bool:
        """Takes up to `most` further customers of an enrolment into its campaign, in one transaction.

        False: there is nothing left to do in it.
        """
        ...

    async def reset(
        self,
        campaign: CampaignId,
        chosen: ContactFilter,
        *,
        keys: Sequence[str] | None = None,
        keyword: str | None = None,
    ) -> int:
        """Lets the chosen contacts be called as if for the first time; answers how many they are.

        `keys` are keys or phones; None: all. `keyword` is a part of the key or the name. Contacts that an engine has
        at this moment are left to it. A campaign that had completed runs again.
        """
        ...

    async def delete(self, campaign: CampaignId, keys: Sequence[str], note: BatchNote | None = None) -> int:
        """Removes contacts by key or phone; calls in progress end by themselves. Answers how many they were."""
        ...

    async def reorder(self, campaign: CampaignId) -> None:
        """Puts the contacts that were never held into the campaign's present taking order."""
        ...
