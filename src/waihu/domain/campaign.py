"""A campaign's rules as the dialing core needs them, and the states a campaign can be in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from waihu.domain.hours import CallingHours
from waihu.domain.ids import AccountId, CampaignId, Instant, TrunkId
from waihu.domain.outcome import Outcome


class CampaignState(StrEnum):
    DRAFT = "draft"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"


class Phase(StrEnum):
    """What a running campaign is doing."""

    DIALING = "dialing"
    WAITING_HOURS = "waiting_hours"
    WAITING_RETRY = "waiting_retry"
    WAITING_CAPACITY = "waiting_capacity"
    DRAINING = "draining"


class PauseReason(StrEnum):
    USER = "user"
    SCHEDULE_END = "schedule_end"
    NO_TRUNK = "no_trunk"
    NO_BALANCE = "no_balance"
    ACCOUNT_DELETED = "account_deleted"
    FAULT = "fault"


class EndAction(StrEnum):
    """What happens to the channels a campaign holds when its last contact is finished."""

    NONE = "none"
    PAUSE_AND_RELEASE = "pause_and_release"
    PAUSE_AND_KEEP = "pause_and_keep"


class TakingOrder(StrEnum):
    """In which order new numbers are taken."""

    RANDOM = "random"
    SEQUENTIAL = "sequential"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`delay_s` lists the outcomes that are tried again and how long after the call ended.

    `retries_max` counts tries after the first. `new_first`: numbers never dialled go before due retries.
    """

    delay_s: Mapping[Outcome, int] = field(default_factory=dict)
    retries_max: int = 0
    new_first: bool = False


@dataclass(frozen=True, slots=True)
class TrunkShare:
    """A trunk the campaign may use; `channels_max` None means as many as the trunk has."""

    trunk: TrunkId
    channels_max: int | None = None


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """`[begin, end)`, a second at least: a holiday of this campaign alone."""

    begin: Instant
    end: Instant

    def __post_init__(self) -> None:
        if self.end - self.begin < 1000:
            raise ValueError(f"a holiday must last at least a second: {self}")


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """Everything the core decides by. A change of any rule is a new plan."""

    id: CampaignId
    account: AccountId
    hours: CallingHours = field(default_factory=CallingHours.always)
    holidays: tuple[ClosedPeriod, ...] = ()
    start_at: Instant | None = None
    stop_at: Instant | None = None
    trunks: tuple[TrunkShare, ...] = ()
    channels_max: int = 1
    pause_s: int = 0
    """How long a channel rests after a call before it dials again."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    daily_cap: int | None = None
    """Calls one phone number gets per day (in the hours' zone), all campaigns of the account together."""
    in_contact_zone: bool = False
    ring_timeout_s: int = 60
    call_max_s: int = 1800
    end_action: EndAction = EndAction.NONE
