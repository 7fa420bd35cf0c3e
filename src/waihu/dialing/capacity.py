"""How many calls may be held at once: this node's allowance of a trunk, a campaign, or a share of both."""

from waihu.dialing.pacing import StartGate
from waihu.domain.ids import Instant


class Allowance:
    """What was granted of one resource, and what of it is in use. Nothing is granted until somebody does."""

    __slots__ = ("channels", "gate", "in_use", "until")

    def __init__(self) -> None:
        self.channels = 0
        self.in_use = 0
        self.until: Instant | None = None
        self.gate = StartGate(None)

    def grant(self, channels: int, cps: float | None, until: Instant | None) -> None:
        self.channels = channels
        self.until = until
        self.gate.set_rate(cps)

    def has_room(self, now: Instant) -> bool:
        return self.in_use < self.channels and not self.is_over(now)

    def is_over(self, now: Instant) -> bool:
        """Whether what was granted has expired."""
        return self.until is not None and now >= self.until

    def take(self, now: Instant) -> None:
        assert self.has_room(now), "more calls than channels"
        self.in_use += 1

    def give_back(self) -> None:
        assert self.in_use > 0, "a channel is given back once"
        self.in_use -= 1
