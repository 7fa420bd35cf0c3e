"""Virtual time: what happens when. Nothing waits; the clock jumps to the next thing that happens."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from waihu.domain.ids import Instant


class Timeline:
    """Things due at the same instant happen in the order in which they were arranged."""

    __slots__ = ("_due", "_order", "now")

    def __init__(self, begin: Instant) -> None:
        self.now = begin
        self._due: list[tuple[Instant, int, Callable[[Any], object], Any]] = []
        self._order = 0

    def at(self, instant: Instant, do: Callable[[Any], object], what: Any = None) -> None:
        """Arranges `do(what)` for `instant`, which must not have passed."""
        assert instant >= self.now, "the past cannot be arranged"
        self._order += 1
        heappush(self._due, (instant, self._order, do, what))

    def after(self, delay_ms: int, do: Callable[[Any], object], what: Any = None) -> None:
        self._order += 1
        heappush(self._due, (self.now + delay_ms, self._order, do, what))

    def run(self, end: Instant) -> None:
        """Lets everything happen that is due up to and including `end`, which is then the present."""
        due = self._due
        while due and due[0][0] <= end:
            self.now, _, do, what = heappop(due)
            do(what)
        self.now = end
