"""What a world leaves behind for `judge.py`: what the carriers saw, and what was promised over time."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from waihu.dialing.commands import PlaceCall
from waihu.domain.campaign import CampaignPlan
from waihu.domain.ids import CampaignId, ContactId, Instant, NodeId, TrunkId
from waihu.domain.outcome import Outcome
from waihu.simulator.store import MemoryStore

T = TypeVar("T")


class History(Generic[T]):
    """What a rule was over time."""

    __slots__ = ("_since", "_values")

    def __init__(self) -> None:
        self._since: list[Instant] = []
        self._values: list[T] = []

    def set(self, at: Instant, value: T) -> None:
        self._since.append(at)
        self._values.append(value)

    def during(self, begin: Instant, end: Instant) -> list[T]:
        """All values in force at some instant of `[begin, end]`."""
        first = max(0, bisect_right(self._since, begin) - 1)
        return self._values[first : bisect_right(self._since, end)]


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A call as the carrier's log has it. Times are None for what has not happened."""

    order: PlaceCall
    node: NodeId
    invited_at: Instant
    answered_at: Instant | None
    vanished_at: Instant | None
    """From when on our side had nothing of the call any more, while it went on at the carrier."""
    ended_at: Instant | None
    outcome: Outcome | None
    """How it truly ended; None when our side ended it before anybody could tell."""


@dataclass(slots=True)
class Evidence:
    """All that is judged: what the carriers saw, what was promised at which time, and what the store holds at `at`.

    `grace_ms` is the only tolerance: how long after a change of rules a call may still follow the old ones. A node
    that hears nothing of the change goes on by what it knows until its leases end, so it is their length.
    """

    store: MemoryStore
    grace_ms: int
    at: Instant = 0
    calls: list[SeenCall] = field(default_factory=list)
    plans: defaultdict[CampaignId, History[CampaignPlan]] = field(default_factory=lambda: defaultdict(History))
    running: defaultdict[CampaignId, History[bool]] = field(default_factory=lambda: defaultdict(History))
    trunks: defaultdict[TrunkId, History[tuple[int, float]]] = field(default_factory=lambda: defaultdict(History))
    """Channels, and calls per second."""
    contacts: dict[ContactId, CampaignId] = field(default_factory=dict)
    nodes_over: dict[NodeId, Instant] = field(default_factory=dict)
    """Since when at the latest a node that has called was over in the store."""
