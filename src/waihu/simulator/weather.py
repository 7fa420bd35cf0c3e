"""What goes wrong between the parts of an engine. `Storm` draws it by seed; after its end the weather is fine."""

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from waihu.domain.ids import Instant
from waihu.simulator.luck import draw
from waihu.simulator.timeline import Timeline


class Answer(Enum):
    """What becomes of a question to the store or to the switch."""

    ANSWERED = auto()
    LOST = auto()
    """It was done, and the answer never came."""
    NOT_DONE = auto()
    """Neither done nor answered."""
    LATE = auto()
    """The answer never came, and it is done only later, when it may have been repeated already."""
    REFUSED = auto()


class Point(IntEnum):
    """Where an engine can die."""

    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()
    BEFORE_COMMAND = auto()
    AFTER_COMMAND = auto()


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each fault strikes, as chances per occasion."""

    commit: float = 0.0
    claim: float = 0.0
    renew: float = 0.0
    place: float = 0.0
    event: float = 0.0
    crash: float = 0.0
    freeze: float = 0.0
    wake: float = 0.0


_COMMIT, _CLAIM, _RENEW, _PLACE, _EVENT, _CRASH, _FREEZE, _WAKE, _DELAY = range(9)


class Storm:
    """Faults by seed until `end`. Each kind has its own row of draws, so that one does not shift the others."""

    def __init__(self, seed: int, rates: Rates, timeline: Timeline, end: Instant) -> None:
        self._seed = seed
        self._rates = rates
        self._timeline = timeline
        self._end = end
        self._drawn: defaultdict[int, int] = defaultdict(int)

    def delay_ms(self, least: int, most: int) -> int:
        """How long something takes, mostly near the least."""
        return least + int((most - least) * self._draw(_DELAY) ** 3)

    def commit(self) -> Answer:
        return self._answer(_COMMIT, self._rates.commit, (Answer.LOST, Answer.NOT_DONE, Answer.LATE))

    def claim(self) -> Answer:
        return self._answer(_CLAIM, self._rates.claim, (Answer.LOST, Answer.NOT_DONE))

    def renew(self) -> Answer:
        return self._answer(_RENEW, self._rates.renew, (Answer.LOST, Answer.NOT_DONE, Answer.LATE))

    def place(self) -> Answer:
        return self._answer(_PLACE, self._rates.place, (Answer.LOST, Answer.NOT_DONE, Answer.REFUSED))

    def deliveries_ms(self) -> tuple[int, ...]:
        """After how long a call's event comes, once for each time that it comes."""
        if not self._strikes(_EVENT, self._rates.event):
            return (self.delay_ms(1, 20),)
        kind = self._draw(_EVENT)
        if kind < 0.3:
            return ()
        if kind < 0.6:
            return (self.delay_ms(1, 20), self.delay_ms(1, 5_000))
        return (self.delay_ms(500, 90_000),)

    def crashes(self, point: Point) -> bool:
        return self._strikes(_CRASH * 16 + point, self._rates.crash)

    def freeze_ms(self) -> int:
        """How long the whole process stands still now; mostly not at all."""
        return self.delay_ms(200, 120_000) if self._strikes(_FREEZE, self._rates.freeze) else 0

    def wake_late_ms(self) -> int:
        return self.delay_ms(100, 3_600_000) if self._strikes(_WAKE, self._rates.wake) else 0

    def _answer(self, row: int, rate: float, faults: tuple[Answer, ...]) -> Answer:
        if not self._strikes(row, rate):
            return Answer.ANSWERED
        return faults[int(self._draw(row) * len(faults))]

    def _strikes(self, row: int, rate: float) -> bool:
        return rate > 0 and self._timeline.now < self._end and self._draw(row) < rate

    def _draw(self, row: int) -> float:
        self._drawn[row] += 1
        return draw(self._seed, self._drawn[row], 0, row)
