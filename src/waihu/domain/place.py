"""Where a phone is registered and whose network it is on, as far as its number tells."""

from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """China's mobile networks."""

    TELECOM = "telecom"
    UNICOM = "unicom"
    MOBILE = "mobile"
    BROADNET = "broadnet"


@dataclass(frozen=True, slots=True)
class Place:
    """`province` and `city` in their short forms, 河北 and 邢台; empty where the number does not tell.

    A number that was carried to another network keeps the operator that it was given out by.
    """

    operator: Operator | None = None
    province: str = ""
    city: str = ""


NOWHERE = Place()
