"""Names of things, and what an instant is. An attempt's id is derived, never drawn: one try, one id."""

from hashlib import blake2b
from typing import NewType

Instant = int
"""Milliseconds since 1970-01-01 UTC."""

AccountId = NewType("AccountId", str)
CampaignId = NewType("CampaignId", str)
ContactId = NewType("ContactId", int)
AttemptId = NewType("AttemptId", str)
TrunkId = NewType("TrunkId", str)
NodeId = NewType("NodeId", int)


def attempt_id(campaign: CampaignId, contact: ContactId, number: int) -> AttemptId:
    """The id of a contact's `number`-th attempt: a UUID of version 8 (RFC 9562, section 5.8).

    Two engines that plan the same try arrive at the same id, so the database's primary key refuses the
    second, and a double dial would show at the carrier as a repeated id.
    """
    h = blake2b(f"{campaign}/{contact}/{number}".encode(), digest_size=16).hexdigest()
    return AttemptId(f"{h[:8]}-{h[8:12]}-8{h[13:16]}-a{h[17:20]}-{h[20:]}")
