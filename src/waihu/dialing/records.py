"""What the core has decided, to be committed before its commands are run. The store may refuse a plan."""

from dataclasses import dataclass
from datetime import date

from waihu.domain.campaign import EndAction, PauseReason, Phase
from waihu.domain.hold import Hold
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, TrunkId
from waihu.domain.outcome import Ending, Outcome


@dataclass(frozen=True, slots=True)
class AttemptPlanned:
    """`day` and `daily_cap` let the store count calls per phone and day exactly, across nodes."""

    attempt: AttemptId
    contact: ContactId
    campaign: CampaignId
    account: AccountId
    trunk: TrunkId
    number: int
    phone: str
    at: Instant
    day: date
    daily_cap: int | None


@dataclass(frozen=True, slots=True)
class AttemptAnswered:
    attempt: AttemptId
    at: Instant


@dataclass(frozen=True, slots=True)
class AttemptClosed:
    """`retry` None: the contact is finished with `outcome`. Otherwise it waits until `retry.until`."""

    attempt: AttemptId
    contact: ContactId
    campaign: CampaignId
    outcome: Outcome
    ending: Ending
    placed_at: Instant | None
    ringing_at: Instant | None
    answered_at: Instant | None
    at: Instant
    retry: Hold | None


@dataclass(frozen=True, slots=True)
class AttemptWithdrawn:
    """The call never left; the try does not count and the contact waits until `hold.until`."""

    attempt: AttemptId
    contact: ContactId
    campaign: CampaignId
    at: Instant
    hold: Hold


@dataclass(frozen=True, slots=True)
class ContactHeld:
    """Claimed, but not dialled now."""

    contact: ContactId
    campaign: CampaignId
    hold: Hold


@dataclass(frozen=True, slots=True)
class ContactReleased:
    """Claimed and given back as it was."""

    contact: ContactId
    campaign: CampaignId


@dataclass(frozen=True, slots=True)
class ContactFinished:
    """Finished without a call, e.g. because its number is on the do-not-call list."""

    contact: ContactId
    campaign: CampaignId
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CampaignPhased:
    """What the campaign is doing on this node; `hold` says why it is not dialling. None: nothing any more."""

    campaign: CampaignId
    phase: Phase | None
    hold: Hold | None


@dataclass(frozen=True, slots=True)
class CampaignCompleted:
    """No contact is unfinished. The store refuses silently if one was added meanwhile."""

    campaign: CampaignId
    end_action: EndAction


@dataclass(frozen=True, slots=True)
class CampaignPaused:
    """Paused by a rule, e.g. its stop time has come."""

    campaign: CampaignId
    reason: PauseReason


Record = (
    AttemptPlanned
    | AttemptAnswered
    | AttemptClosed
    | AttemptWithdrawn
    | ContactHeld
    | ContactReleased
    | ContactFinished
    | CampaignPhased
    | CampaignCompleted
    | CampaignPaused
)
