"""What phone numbers tell of where they are. Implemented by `adapters/phone_places.py`."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from waihu.domain.place import Place


class PhonePlaces(Protocol):
    async def of(self, phones: Iterable[str]) -> Mapping[str, Place]:
        """The place of each phone, in its diallable form; NOWHERE for those that tell nothing.

        The first call may take seconds, all later ones microseconds: not inside a session. Raises Unavailable.
        """
        ...
