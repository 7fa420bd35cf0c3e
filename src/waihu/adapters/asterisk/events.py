"""The few of Asterisk's events that matter, with the few fields that matter, as they stand on the wire."""

from datetime import datetime

import msgspec

from waihu.domain.ids import Instant


class Channel(msgspec.Struct):
    """`state` is Down, Ring, Ringing or Up."""

    id: str
    state: str
    creationtime: str


class _ChannelEvent(msgspec.Struct):
    timestamp: str
    channel: Channel

    @property
    def channel_id(self) -> str:
        return self.channel.id


class Dial(_ChannelEvent):
    """An outgoing call has come further: `dialstatus` RINGING is a 180, PROGRESS a 183."""

    channel: Channel = msgspec.field(name="peer")
    dialstatus: str = ""


class ChannelStateChange(_ChannelEvent):
    pass


class StasisStart(_ChannelEvent):
    """From here on the channel obeys requests such as `play`."""


class ChannelHangupRequest(_ChannelEvent):
    """Somebody wants the call to end: the far end, or the switch and we ourselves if it is `soft`."""

    soft: bool = False


class ChannelDestroyed(_ChannelEvent):
    """The call is over. `cause` is a Q.850 cause or 0, `tech_cause` the SIP status of a failed call."""

    cause: int
    tech_cause: int | None = None


class ChannelDtmfReceived(_ChannelEvent):
    digit: str


class Playback(msgspec.Struct):
    id: str
    target_uri: str


class PlaybackFinished(msgspec.Struct):
    timestamp: str
    playback: Playback

    @property
    def channel_id(self) -> str:
        return self.playback.target_uri.removeprefix("channel:")


class ContactInfo(msgspec.Struct):
    """`aor` is the name of a trunk's objects. `contact_status` is Unknown until the first OPTIONS has its answer."""

    aor: str
    contact_status: str


class ContactStatusChange(msgspec.Struct):
    """A trunk answers OPTIONS, or does so no more."""

    contact_info: ContactInfo


class Endpoint(msgspec.Struct):
    """The answer of `/endpoints/PJSIP/<name>`. `state` is online, offline or unknown."""

    state: str


class Status(msgspec.Struct):
    startup_time: str


class Info(msgspec.Struct):
    """The answer of `/asterisk/info?only=status`."""

    status: Status


CallEvent = (
    Dial
    | ChannelStateChange
    | StasisStart
    | ChannelHangupRequest
    | ChannelDestroyed
    | ChannelDtmfReceived
    | PlaybackFinished
)
Event = CallEvent | ContactStatusChange

_DECODERS: dict[str, msgspec.json.Decoder[Event]] = {
    kind.__name__: msgspec.json.Decoder(kind)
    for kind in (
        Dial,
        ChannelStateChange,
        StasisStart,
        ChannelHangupRequest,
        ChannelDestroyed,
        ChannelDtmfReceived,
        PlaybackFinished,
        ContactStatusChange,
    )
}

EVENT_TYPES = tuple(_DECODERS)
"""Their names on the wire, for the filter in the switch."""


class _Head(msgspec.Struct):
    type: str


_head_decoder = msgspec.json.Decoder(_Head)


def decode_event(text: str) -> Event | None:
    """The event, or None for one of another type: some may come before the filter is in force."""
    decoder = _DECODERS.get(_head_decoder.decode(text).type)
    return None if decoder is None else decoder.decode(text)


def instant_of(timestamp: str) -> Instant:
    """Asterisk writes `2026-11-21T02:51:02.496+0000`."""
    return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
