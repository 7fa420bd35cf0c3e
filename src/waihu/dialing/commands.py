"""What the core asks the shell to do, after the records of the same decision are committed."""

from dataclasses import dataclass

from waihu.domain.ids import AttemptId, CampaignId, ContactId, Instant, TrunkId


@dataclass(frozen=True, slots=True)
class ClaimContacts:
    """Take up to `count` due contacts for this node; answered by ContactsClaimed or ClaimFailed.

    With `count` 0 only the answer matters: whether any contact is unfinished, and when the next is due.
    """

    campaign: CampaignId
    count: int
    new_first: bool


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Start the call, unless `not_after` has come: then answer CallNotPlaced."""

    attempt: AttemptId
    contact: ContactId
    campaign: CampaignId
    trunk: TrunkId
    phone: str
    ring_timeout_s: int
    not_after: Instant


@dataclass(frozen=True, slots=True)
class HangUp:
    """The call has lasted too long."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class CheckCall:
    """Nothing was heard of the call for too long. Answer CallEnded(gone) if the switch does not know it, and
    CallAnswered if it is up.
    """

    attempt: AttemptId


Command = ClaimContacts | PlaceCall | HangUp | CheckCall
