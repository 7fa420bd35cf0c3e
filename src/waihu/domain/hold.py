"""Why a contact or a campaign is not dialling right now. Every waiting contact has exactly one reason."""

from dataclasses import dataclass
from enum import StrEnum

from waihu.domain.ids import Instant


class HoldReason(StrEnum):
    WAITING_TURN = "waiting_turn"
    """Others of the campaign are ahead of it."""
    CALLING_HOURS = "calling_hours"
    HOLIDAY = "holiday"
    CONTACT_HOURS = "contact_hours"
    """It is outside the calling hours in the contact's own time zone."""
    NOT_STARTED = "not_started"
    SCHEDULE_END = "schedule_end"
    RETRY_DELAY = "retry_delay"
    DAILY_CAP = "daily_cap"
    NO_CHANNEL = "no_channel"
    """All channels it may use are busy, or leased to another engine."""
    NO_TRUNK = "no_trunk"
    """The campaign names no trunk that its account may use."""
    TRUNK_DOWN = "trunk_down"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Hold:
    """`until` is None when no time can be named: somebody has to act, or a channel has to come free."""

    reason: HoldReason
    until: Instant | None = None
