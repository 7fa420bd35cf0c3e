"""How the network ended an attempt: a closed list of outcomes, the raw evidence, and what it speaks for."""

from dataclasses import dataclass
from enum import StrEnum

from waihu.domain.ids import Instant


class Outcome(StrEnum):
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    POWERED_OFF = "powered_off"
    UNREACHABLE = "unreachable"
    SUSPENDED = "suspended"
    INCOMING_BARRED = "incoming_barred"
    IN_ARREARS = "in_arrears"
    SCREENED = "screened"
    BLOCKED_BY_CARRIER = "blocked_by_carrier"
    NETWORK_BUSY = "network_busy"
    TRUNK_ERROR = "trunk_error"
    DO_NOT_CALL = "do_not_call"
    """Decided by us, before any call."""
    UNKNOWN = "unknown"
    """The call may or may not have reached the person; it is never dialled again by itself."""


class HungUpBy(StrEnum):
    AGENT = "agent"
    CALLEE = "callee"


@dataclass(frozen=True, slots=True)
class Ending:
    """What the switch saw when a call ended. Raw values are kept, `outcome_of` interprets them.

    `sip_code`: final SIP status of a failed call. `q850`: hang-up cause, ITU-T Q.850. `announcement`: name of
    an in-band announcement that was recognised. `timed_out`: our own ring timeout cancelled the call.
    `gone`: the switch no longer knows the call, so nothing of this is evidence.
    """

    answered_at: Instant | None = None
    sip_code: int | None = None
    q850: int | None = None
    announcement: Outcome | None = None
    timed_out: bool = False
    hung_up_by: HungUpBy | None = None
    gone: bool = False


_BY_SIP_CODE: dict[int, Outcome] = {
    404: Outcome.INVALID_NUMBER,
    410: Outcome.INVALID_NUMBER,
    484: Outcome.INVALID_NUMBER,
    604: Outcome.INVALID_NUMBER,
    408: Outcome.TRUNK_ERROR,
    480: Outcome.UNREACHABLE,
    486: Outcome.BUSY,
    600: Outcome.BUSY,
    403: Outcome.REJECTED,
    603: Outcome.REJECTED,
    487: Outcome.NO_ANSWER,
    607: Outcome.SCREENED,
    608: Outcome.BLOCKED_BY_CARRIER,
    402: Outcome.IN_ARREARS,
    429: Outcome.NETWORK_BUSY,
    503: Outcome.NETWORK_BUSY,
}

_BY_Q850: dict[int, Outcome] = {
    1: Outcome.INVALID_NUMBER,
    17: Outcome.BUSY,
    18: Outcome.NO_ANSWER,
    19: Outcome.NO_ANSWER,
    20: Outcome.POWERED_OFF,
    21: Outcome.REJECTED,
    22: Outcome.INVALID_NUMBER,
    27: Outcome.TRUNK_ERROR,
    28: Outcome.INVALID_NUMBER,
    34: Outcome.NETWORK_BUSY,
    38: Outcome.TRUNK_ERROR,
    42: Outcome.NETWORK_BUSY,
    55: Outcome.INCOMING_BARRED,
}


def outcome_of(ending: Ending, answered: bool) -> Outcome:
    """The outcome that the evidence speaks for.

    Order of trust: an answer, a recognised announcement, our own timer, the SIP code, the Q.850 cause. The
    tables follow RFC 3261 and RFC 3398 section 8.2.6; codes outside them mean the trunk is at fault.
    """
    if answered:
        return Outcome.ANSWERED
    if ending.gone:
        return Outcome.UNKNOWN
    if ending.announcement is not None:
        return ending.announcement
    if ending.timed_out:
        return Outcome.NO_ANSWER
    if ending.sip_code is not None and ending.sip_code in _BY_SIP_CODE:
        return _BY_SIP_CODE[ending.sip_code]
    if ending.sip_code is None and ending.hung_up_by is HungUpBy.AGENT:
        # We broke it off while it rang, as a stop of waihu does; the person may have heard it.
        return Outcome.UNKNOWN
    if ending.sip_code is None and ending.q850 is not None:
        return _BY_Q850.get(ending.q850, Outcome.TRUNK_ERROR)
    return Outcome.TRUNK_ERROR
