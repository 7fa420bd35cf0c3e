"""What the core is told. Counterpart: `commands.py`, what it asks for, and `records.py`, what it decides."""

from dataclasses import dataclass
from enum import StrEnum

from waihu.dialing.resources import Resource
from waihu.domain.campaign import CampaignPlan
from waihu.domain.contact import DueContact
from waihu.domain.ids import AttemptId, CampaignId, Instant, TrunkId
from waihu.domain.outcome import Ending


@dataclass(frozen=True, slots=True)
class CampaignStarted:
    """The campaign runs, under these rules. Told again whenever a rule changes."""

    plan: CampaignPlan


@dataclass(frozen=True, slots=True)
class CampaignStopped:
    """Paused, completed or deleted elsewhere: plan nothing more, let its calls end."""

    campaign: CampaignId


@dataclass(frozen=True, slots=True)
class CapacityGranted:
    """This node may hold `channels` and start `cps` calls per second until `until`; replaces what it had.

    `cps` None: the resource has no rate limit. `until` None: for good (one node, no leases).
    """

    resource: Resource
    channels: int
    cps: float | None = None
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class TrunkWentUp:
    trunk: TrunkId


@dataclass(frozen=True, slots=True)
class TrunkWentDown:
    """The trunk does not answer, or the switch itself is gone. Calls in progress go on."""

    trunk: TrunkId


@dataclass(frozen=True, slots=True)
class ContactsClaimed:
    """Answer to ClaimContacts. The contacts are this node's own until it releases or finishes them.

    `next_due_at`: when the earliest contact still waiting in the store is due, None when none waits.
    `unfinished`: whether any contact of the campaign is unfinished, here or on another node.
    """

    campaign: CampaignId
    contacts: tuple[DueContact, ...]
    next_due_at: Instant | None
    unfinished: bool


@dataclass(frozen=True, slots=True)
class ClaimFailed:
    """The store could not answer. Nothing was claimed."""

    campaign: CampaignId


@dataclass(frozen=True, slots=True)
class ContactsArrived:
    """A hint: contacts were added or came due. The truth is in the store."""

    campaign: CampaignId


class Refusal(StrEnum):
    """Why the store did not take a planned attempt."""

    DO_NOT_CALL = "do_not_call"
    DAILY_CAP = "daily_cap"
    STOPPED = "stopped"
    """The campaign was paused or deleted meanwhile."""
    NO_TRUNK = "no_trunk"
    """The account may no longer use the trunk."""
    NOT_OURS = "not_ours"
    """The contact was deleted, reset, or taken over by another node."""


@dataclass(frozen=True, slots=True)
class AttemptRefused:
    attempt: AttemptId
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class CallPlaced:
    """The switch took the call: it counts in the trunk's rate from now."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class CallNotPlaced:
    """The call certainly never left the house."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class CallRinging:
    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class CallAnswered:
    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class CallEnded:
    attempt: AttemptId
    ending: Ending


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The instant asked for by `Decision.wake_at` has come."""


Event = (
    CampaignStarted
    | CampaignStopped
    | CapacityGranted
    | TrunkWentUp
    | TrunkWentDown
    | ContactsClaimed
    | ClaimFailed
    | ContactsArrived
    | AttemptRefused
    | CallPlaced
    | CallNotPlaced
    | CallRinging
    | CallAnswered
    | CallEnded
    | TimePassed
)
