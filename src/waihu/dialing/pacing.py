"""How fast calls may start. Counts calls from the moment the switch confirms them, so that a stalled commit or a
slow switch can never bunch more starts into one window than the trunk allows.
"""

from collections import deque

from waihu.domain.ids import Instant

GUARD_MS = 50
"""A window is this much longer here than at the carrier: the network may bring calls closer together."""


class StartGate:
    """At most `starts_max` starts in any window of `window_ms`, evenly spaced where nothing holds them up."""

    __slots__ = ("_last_planned", "_spacing_ms", "_started", "_starts_max", "_unconfirmed", "_window_ms")

    def __init__(self, cps: float | None) -> None:
        self._started: deque[Instant] = deque()
        self._unconfirmed = 0
        self._window_ms = 0
        self._last_planned: Instant | None = None
        self.set_rate(cps)

    def set_rate(self, cps: float | None) -> None:
        """Calls per second; below one, a single call per 1/cps seconds. None: no limit; 0: no calls."""
        if cps is None:
            self._starts_max, self._window_ms, self._spacing_ms = None, 0, 0
        elif cps <= 0:
            # The window stays: what it holds still counts when the rate comes back.
            self._starts_max, self._spacing_ms = 0, 0
        elif cps < 1:
            self._starts_max, self._window_ms = 1, round(1000 / cps)
            self._spacing_ms = self._window_ms
        else:
            self._starts_max, self._window_ms = int(cps), 1000
            self._spacing_ms = 1000 // self._starts_max

    def next_start(self, now: Instant) -> Instant | None:
        """The earliest instant for another start; None when only a confirmation or a new rate can tell."""
        if self._starts_max is None:
            return now
        started = self._started
        while started and started[0] <= now - self._window_ms - GUARD_MS:
            started.popleft()
        spaced = now if self._last_planned is None else max(now, self._last_planned + self._spacing_ms)
        excess = len(started) + self._unconfirmed - self._starts_max
        if excess < 0:
            return spaced
        if self._unconfirmed >= self._starts_max:
            return None
        return max(spaced, started[excess] + self._window_ms + GUARD_MS)

    def plan(self, now: Instant) -> None:
        self._unconfirmed += 1
        self._last_planned = now

    def confirm(self, now: Instant) -> None:
        """The planned call has left, or may have."""
        assert self._unconfirmed > 0, "a start is confirmed once"
        self._unconfirmed -= 1
        if self._starts_max is not None:
            self._started.append(now)

    def withdraw(self) -> None:
        """The planned call certainly did not leave."""
        assert self._unconfirmed > 0, "only a planned start can be withdrawn"
        self._unconfirmed -= 1
