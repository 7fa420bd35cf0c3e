"""The people who are called, as distributions. `fate` says what becomes of one call; `carriers.py` lets it happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

from waihu.domain.ids import ContactId, Instant
from waihu.domain.outcome import Ending, Outcome
from waihu.simulator.luck import draw

EVIDENCE: Mapping[Outcome, Ending] = {
    Outcome.NO_ANSWER: Ending(sip_code=480, q850=19, timed_out=True),
    Outcome.BUSY: Ending(sip_code=486, q850=17),
    Outcome.REJECTED: Ending(sip_code=603, q850=21),
    Outcome.INVALID_NUMBER: Ending(sip_code=404, q850=1),
    Outcome.POWERED_OFF: Ending(sip_code=480, q850=19, announcement=Outcome.POWERED_OFF),
    Outcome.UNREACHABLE: Ending(sip_code=480, q850=20),
    Outcome.SUSPENDED: Ending(sip_code=404, q850=1, announcement=Outcome.SUSPENDED),
    Outcome.INCOMING_BARRED: Ending(q850=55),
    Outcome.IN_ARREARS: Ending(sip_code=402, q850=127),
    Outcome.SCREENED: Ending(sip_code=607, q850=127),
    Outcome.BLOCKED_BY_CARRIER: Ending(sip_code=608, q850=127),
    Outcome.NETWORK_BUSY: Ending(sip_code=503, q850=34),
    Outcome.TRUNK_ERROR: Ending(sip_code=500, q850=38),
}
"""What the switch sees at the end of a call that ended so. An answered call has its answer as evidence."""

_AT_ONCE_S = (0.3, 3.0)
_AFTER_ANNOUNCEMENT_S = (4.0, 15.0)
_HOLD_S: Mapping[Outcome, tuple[float, float]] = {
    Outcome.POWERED_OFF: _AFTER_ANNOUNCEMENT_S,
    Outcome.SUSPENDED: _AFTER_ANNOUNCEMENT_S,
    Outcome.UNREACHABLE: _AFTER_ANNOUNCEMENT_S,
    Outcome.REJECTED: (3.0, 15.0),
}

_RINGS_AFTER_MS = 400
_TALK_MIN_MS = 1000
_HOUR_MS = 3_600_000

# Purposes of draws.
_IS_DEAD, _PERSON, _ANSWERS, _ELSE, _RING, _TALK, _HOLD = range(7)


class Fate(NamedTuple):
    """What becomes of a call if nobody ends it earlier. Times in ms since the carrier got it.

    `ended_ms` None: it rings until our own time-out.
    """

    outcome: Outcome
    ringing_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Population:
    """Who is called. Shares and chances lie in [0, 1]; ranges are (least, most) in seconds.

    `dead`: the share of numbers that end so at every call. `answer`: the mean chance that another number's call
    is answered. `spread` 0: everybody answers alike, 1: people differ as much as that mean allows. `otherwise`:
    weights of what becomes of calls that are not answered. `by_hour`: 24 factors on `answer`, local midnight first.
    """

    answer: float = 0.35
    spread: float = 0.5
    dead: Mapping[Outcome, float] = field(
        default_factory=lambda: {Outcome.INVALID_NUMBER: 0.05, Outcome.SUSPENDED: 0.02}
    )
    otherwise: Mapping[Outcome, float] = field(
        default_factory=lambda: {
            Outcome.NO_ANSWER: 0.55,
            Outcome.BUSY: 0.15,
            Outcome.REJECTED: 0.15,
            Outcome.POWERED_OFF: 0.10,
            Outcome.UNREACHABLE: 0.05,
        }
    )
    ring_s: tuple[float, float] = (2.0, 25.0)
    talk_mean_s: float = 45.0
    by_hour: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.answer <= 1 or not 0 <= self.spread <= 1:
            raise ValueError("answer and spread are shares between 0 and 1")
        if sum(self.dead.values()) > 1 or min([0.0, *self.dead.values(), *self.otherwise.values()]) < 0:
            raise ValueError("shares of dead numbers must not be negative nor come to more than 1")
        if self.by_hour and len(self.by_hour) != 24:
            raise ValueError("by_hour needs 24 factors")
        for outcome in (*self.dead, *self.otherwise):
            if outcome not in EVIDENCE:
                raise ValueError(f"no call ends as {outcome.value} by itself")


def fate(people: Population, seed: int, contact: ContactId, call: int, at: Instant) -> Fate:
    """What becomes of the `call`-th call that reaches `contact`. `at` is local time: ms since a local midnight."""
    dead = _chosen(people.dead, draw(seed, contact, 0, _IS_DEAD))
    if dead is not None:
        return _unanswered(dead, seed, contact, call)
    differs = people.spread * min(people.answer, 1 - people.answer) * (2 * draw(seed, contact, 0, _PERSON) - 1)
    chance = people.answer + differs
    if people.by_hour:
        chance *= people.by_hour[at // _HOUR_MS % 24]
    if draw(seed, contact, call, _ANSWERS) >= chance:
        weights = people.otherwise
        total = sum(weights.values())
        outcome = _chosen(weights, draw(seed, contact, call, _ELSE) * total) if total else None
        return _unanswered(outcome or Outcome.NO_ANSWER, seed, contact, call)
    ring_ms = _within_ms(people.ring_s, draw(seed, contact, call, _RING))
    talk_ms = _TALK_MIN_MS - int(people.talk_mean_s * 1000 * log(1 - draw(seed, contact, call, _TALK)))
    return Fate(Outcome.ANSWERED, min(ring_ms, _RINGS_AFTER_MS), ring_ms, ring_ms + talk_ms)


def _unanswered(outcome: Outcome, seed: int, contact: ContactId, call: int) -> Fate:
    if outcome is Outcome.NO_ANSWER:
        return Fate(outcome, ringing_ms=_RINGS_AFTER_MS)
    held_ms = _within_ms(_HOLD_S.get(outcome, _AT_ONCE_S), draw(seed, contact, call, _HOLD))
    return Fate(outcome, ringing_ms=_RINGS_AFTER_MS if outcome is Outcome.REJECTED else None, ended_ms=held_ms)


def _chosen(shares: Mapping[Outcome, float], luck: float) -> Outcome | None:
    for outcome, share in shares.items():
        luck -= share
        if luck < 0:
            return outcome
    return None


def _within_ms(range_s: tuple[float, float], luck: float) -> int:
    least, most = range_s
    return int(1000 * (least + (most - least) * luck))
