"""The switch and the carriers behind it: every call from its INVITE to its end. `people.py` decides its fate."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Protocol
from zoneinfo import ZoneInfo

from waihu.dialing.commands import PlaceCall
from waihu.dialing.events import CallAnswered, CallEnded, CallRinging, Event
from waihu.domain.ids import AttemptId, ContactId, Instant, NodeId, TrunkId
from waihu.domain.outcome import Ending, HungUpBy, Outcome
from waihu.simulator.luck import draw
from waihu.simulator.people import EVIDENCE, Fate, Population, fate
from waihu.simulator.timeline import Timeline

RINGS_ON_MS = 60_000
"""How long a carrier lets a call ring whose caller is silent."""

LOST_MEDIA_MS = 30_000
"""How long a carrier keeps an answered call whose audio has stopped."""

_SETUP, _FAILS = 100, 101


@dataclass(frozen=True, slots=True)
class Carrier:
    """One trunk's far end. Beyond its own limits it answers 503; None: it has none of that kind.

    `setup_ms` is (least, most) until anything is heard of a call. `failing` is the share of calls it answers 500.
    """

    setup_ms: tuple[int, int] = (40, 200)
    channels_max: int | None = None
    cps_max: int | None = None
    failing: float = 0.0


class CallState(Enum):
    SENT = auto()
    RINGING = auto()
    ANSWERED = auto()
    OVER = auto()


class Owner(Protocol):
    """The engine that placed a call."""

    id: NodeId

    def hear(self, event: Event) -> None:
        """What becomes of the call, as the switch tells it."""
        ...


@dataclass(slots=True, eq=False)
class LiveCall:
    """A call as the carrier's own log has it."""

    order: PlaceCall
    owner: Owner
    invited_at: Instant
    setup_ms: int
    fate: Fate
    state: CallState = CallState.SENT
    answered_at: Instant | None = None
    ended_at: Instant | None = None
    outcome: Outcome | None = None
    """How it truly ended; None when our side ended it before anybody could tell."""
    vanished: bool = False
    """The switch has forgotten it, the carrier has not."""


class Witness(Protocol):
    """Watches from the carriers' side."""

    def invited(self, call: LiveCall) -> None: ...

    def ended(self, call: LiveCall) -> None: ...

    def vanished(self, call: LiveCall) -> None:
        """Our side has nothing of the call any more; it has not ended yet."""
        ...


@dataclass(slots=True)
class _TrunkEnd:
    carrier: Carrier
    up: bool = True
    live: int = 0
    started: deque[Instant] = field(default_factory=deque)


class Switch:
    """Places calls, tells their owners what becomes of them, and knows which are live."""

    def __init__(
        self,
        timeline: Timeline,
        people: Population,
        carriers: Mapping[TrunkId, Carrier],
        seed: int,
        witnesses: Sequence[Witness],
        zone: str = "Asia/Shanghai",
    ) -> None:
        self.live: dict[AttemptId, LiveCall] = {}
        self.started_at = timeline.now
        self._timeline = timeline
        self._people = people
        self._trunks = {trunk: _TrunkEnd(carrier) for trunk, carrier in carriers.items()}
        self._seed = seed
        self._witnesses = witnesses
        self._zone = ZoneInfo(zone)
        self._calls: dict[ContactId, int] = {}

    def set_up(self, trunk: TrunkId, up: bool) -> None:
        """A trunk that is down takes no new calls; those in progress go on."""
        self._trunks[trunk].up = up

    def place(self, order: PlaceCall, owner: Owner) -> bool:
        """Sends the INVITE. False: nothing was sent, since the trunk is down or the call's name is in use."""
        end = self._trunks[order.trunk]
        if not end.up or order.attempt in self.live:
            return False
        now = self._timeline.now
        turn = self._calls.get(order.contact, 0) + 1
        self._calls[order.contact] = turn
        least, most = end.carrier.setup_ms
        setup_ms = least + int((most - least) * draw(self._seed, order.contact, turn, _SETUP))
        call = LiveCall(order, owner, now, setup_ms, self._fate(end, order, turn))
        self.live[order.attempt] = call
        end.live += 1
        for witness in self._witnesses:
            witness.invited(call)
        self._arrange(call, order.ring_timeout_s * 1000)
        return True

    def hang_up(self, attempt: AttemptId) -> None:
        """Ends the call; does nothing when it is gone."""
        call = self.live.get(attempt)
        if call is None:
            return
        if call.answered_at is not None:
            self._end(call, Outcome.ANSWERED, Ending(call.answered_at, q850=16, hung_up_by=HungUpBy.AGENT))
        else:
            self._end(call, None, Ending(sip_code=487, q850=16))

    def restart(self) -> None:
        """The switch dies and comes back at once: it has forgotten its calls, and carriers keep them for a while."""
        now, self.started_at = self._timeline.now, self._timeline.now
        forgotten, self.live = self.live, {}
        for call in forgotten.values():
            call.vanished = True
            for witness in self._witnesses:
                witness.vanished(call)
            over_at = now + LOST_MEDIA_MS if call.answered_at is not None else call.invited_at + RINGS_ON_MS
            self._timeline.at(max(now, over_at), self._give_up, call)

    def _fate(self, end: _TrunkEnd, order: PlaceCall, turn: int) -> Fate:
        carrier, now = end.carrier, self._timeline.now
        if carrier.cps_max is not None:
            started = end.started
            while started and started[0] <= now - 1000:
                started.popleft()
            if len(started) >= carrier.cps_max:
                return Fate(Outcome.NETWORK_BUSY, ended_ms=0)
            started.append(now)
        if carrier.channels_max is not None and end.live >= carrier.channels_max:
            return Fate(Outcome.NETWORK_BUSY, ended_ms=0)
        if carrier.failing and draw(self._seed, order.contact, turn, _FAILS) < carrier.failing:
            return Fate(Outcome.TRUNK_ERROR, ended_ms=0)
        return fate(self._people, self._seed, order.contact, turn, self._local_ms(now))

    def _local_ms(self, now: Instant) -> int:
        if not self._people.by_hour:
            return 0
        local = datetime.fromtimestamp(now / 1000, self._zone)
        return (local.hour * 60 + local.minute) * 60_000

    def _arrange(self, call: LiveCall, ring_timeout_ms: int) -> None:
        after, fate, setup_ms = self._timeline.after, call.fate, call.setup_ms
        if fate.ringing_ms is not None:
            after(setup_ms + fate.ringing_ms, self._ring, call)
        turns_out_ms = fate.ended_ms if fate.answered_ms is None else fate.answered_ms
        if turns_out_ms is None or turns_out_ms + setup_ms >= ring_timeout_ms:
            after(ring_timeout_ms, self._time_out, call)
        else:
            after(setup_ms + turns_out_ms, self._fail if fate.answered_ms is None else self._answer, call)

    def _ring(self, call: LiveCall) -> None:
        if call.state is CallState.SENT and not call.vanished:
            call.state = CallState.RINGING
            call.owner.hear(CallRinging(call.order.attempt))

    def _answer(self, call: LiveCall) -> None:
        if call.state is CallState.OVER or call.vanished:
            return
        call.state, call.answered_at = CallState.ANSWERED, self._timeline.now
        assert call.fate.ended_ms is not None and call.fate.answered_ms is not None, "an answered call ends by itself"
        self._timeline.after(call.fate.ended_ms - call.fate.answered_ms, self._callee_hangs_up, call)
        call.owner.hear(CallAnswered(call.order.attempt))

    def _give_up(self, call: LiveCall) -> None:
        self._end(call, None, Ending(gone=True))

    def _callee_hangs_up(self, call: LiveCall) -> None:
        self._end(call, Outcome.ANSWERED, Ending(call.answered_at, q850=16, hung_up_by=HungUpBy.CALLEE))

    def _fail(self, call: LiveCall) -> None:
        self._end(call, call.fate.outcome, EVIDENCE[call.fate.outcome])

    def _time_out(self, call: LiveCall) -> None:
        # Our switch's own timer.
        if not call.vanished:
            self._end(call, Outcome.NO_ANSWER, EVIDENCE[Outcome.NO_ANSWER])

    def _end(self, call: LiveCall, outcome: Outcome | None, ending: Ending) -> None:
        if call.state is CallState.OVER:
            return
        call.state, call.ended_at, call.outcome = CallState.OVER, self._timeline.now, outcome
        self._trunks[call.order.trunk].live -= 1
        for witness in self._witnesses:
            witness.ended(call)
        if call.vanished:
            return
        del self.live[call.order.attempt]
        call.owner.hear(CallEnded(call.order.attempt, ending))
