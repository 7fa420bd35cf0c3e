"""What Asterisk's events mean for a call: keeps the evidence of each one and tells the port's events."""

from dataclasses import dataclass

from waihu.adapters.asterisk import events as wire
from waihu.domain.ids import AttemptId, Instant
from waihu.domain.outcome import Ending, HungUpBy
from waihu.ports.carrier import Answered, CarrierEvent, DtmfPressed, EarlyMedia, Ended, PlaybackDone, Ringing

# Asterisk takes an id for taken when it is the beginning of another one. Attempt ids have one length, and with
# a prefix of their own they are no beginning of anything else.
_CHANNEL_PREFIX = "c-"


def channel_id(attempt: AttemptId) -> str:
    """The name of the attempt's channel at the switch."""
    return _CHANNEL_PREFIX + attempt


def attempt_of(channel: str) -> AttemptId | None:
    """The attempt that a channel belongs to; None for channels that are no calls of ours."""
    return AttemptId(channel.removeprefix(_CHANNEL_PREFIX)) if channel.startswith(_CHANNEL_PREFIX) else None


@dataclass(slots=True)
class _Evidence:
    """What was seen of a call so far."""

    answered_at: Instant | None = None
    end_requested: bool = False
    hung_up_by: HungUpBy = HungUpBy.AGENT


class CallEvents:
    """Lives as long as the connection to the switch: what happens in between is not seen, and proves nothing."""

    def __init__(self) -> None:
        self._evidence: dict[AttemptId, _Evidence] = {}

    def forget(self) -> None:
        self._evidence.clear()

    def found_answered(self, attempt: AttemptId, now: Instant) -> Answered:
        """For a call that was answered while nobody listened."""
        self._evidence[attempt] = _Evidence(answered_at=now)
        return Answered(attempt, now)

    def told(self, event: wire.CallEvent) -> CarrierEvent | None:
        """The port's event, if this is one; otherwise only evidence is kept."""
        attempt = attempt_of(event.channel_id)
        if attempt is None:
            return None
        at = wire.instant_of(event.timestamp)
        match event:
            case wire.Dial(dialstatus="RINGING"):
                return Ringing(attempt, at)
            case wire.Dial(dialstatus="PROGRESS"):
                return EarlyMedia(attempt, at)
            case wire.ChannelStateChange(channel=wire.Channel(state="Up")):
                self._evidence_of(attempt).answered_at = at
            case wire.StasisStart():
                # Told only now, a moment after the answer, because before it the call obeys no requests.
                return Answered(attempt, self._evidence_of(attempt).answered_at or at)
            case wire.ChannelHangupRequest():
                self._end_requested(attempt, by_us=event.soft)
            case wire.ChannelDestroyed():
                return Ended(attempt, at, _ending(event, self._evidence.pop(attempt, _Evidence())))
            case wire.ChannelDtmfReceived():
                return DtmfPressed(attempt, at, event.digit)
            case wire.PlaybackFinished():
                return PlaybackDone(attempt, at, event.playback.id)
        return None

    def _end_requested(self, attempt: AttemptId, by_us: bool) -> None:
        evidence = self._evidence_of(attempt)
        # Whoever comes first ends the call; the far end's request is followed by one of the switch itself.
        if not evidence.end_requested:
            evidence.end_requested = True
            evidence.hung_up_by = HungUpBy.AGENT if by_us else HungUpBy.CALLEE

    def _evidence_of(self, attempt: AttemptId) -> _Evidence:
        return self._evidence.setdefault(attempt, _Evidence())


def _ending(event: wire.ChannelDestroyed, evidence: _Evidence) -> Ending:
    # 0 says that the far end gave no cause.
    q850 = event.cause or None
    if evidence.answered_at is not None:
        return Ending(answered_at=evidence.answered_at, q850=q850, hung_up_by=evidence.hung_up_by)
    # A refusal of the carrier, and our own hang-up, come as a request to end the call. Without one it was the
    # ring timeout, which Asterisk reports as 480 though no carrier said so.
    if not evidence.end_requested:
        return Ending(q850=q850, timed_out=True)
    # Of a call that we cancel Asterisk tells a SIP status too, which no carrier has sent.
    if evidence.hung_up_by is HungUpBy.AGENT:
        return Ending(q850=q850, hung_up_by=HungUpBy.AGENT)
    return Ending(sip_code=event.tech_cause, q850=q850)
