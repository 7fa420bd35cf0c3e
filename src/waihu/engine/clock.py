"""The engine's clock: wall time that runs evenly and never goes back between two looks."""

import time

from waihu.domain.ids import Instant

_STEP_MS = 200


class SteadyClock:
    """Wall time as of the last `resync`, carried on by the monotonic clock."""

    def __init__(self) -> None:
        self._offset_ms = self._offset()
        self._last: Instant = 0

    def now(self) -> Instant:
        self._last = max(self._last, self.monotonic_ms() + self._offset_ms)
        return self._last

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def resync(self) -> None:
        """Takes over a step of the wall clock. Deadlines kept as instants must be given anew after it."""
        offset = self._offset()
        if abs(offset - self._offset_ms) > _STEP_MS:
            self._offset_ms = offset

    def _offset(self) -> int:
        return time.time_ns() // 1_000_000 - self.monotonic_ms()
