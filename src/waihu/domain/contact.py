"""A contact as the dialing core sees it: a number that is due."""

from dataclasses import dataclass

from waihu.domain.ids import ContactId


@dataclass(frozen=True, slots=True)
class DueContact:
    """`attempts` numbers the attempts planned so far, `tries` those that count for the retry policy.

    `calls_today` counts planned calls to this phone on the current day of the campaign's zone.
    """

    id: ContactId
    phone: str
    attempts: int = 0
    tries: int = 0
    zone: str | None = None
    calls_today: int = 0
