"""Sharing out capacity between nodes: what `renew` of the dialing store promises, in memory.

A node grows only into what no other node's lease holds, and shrinks only in its own renewal. So the sum over all
nodes never exceeds a limit, whatever is lost or late.
"""

from dataclasses import dataclass
from math import ceil

from waihu.domain.ids import Instant, NodeId
from waihu.ports.dialing_store import Demand, Grant

WINDOW_SLACK_MS = 3_000
"""A rate given up is handed on this much later than its window, for calls that were planned under it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`cps` None: the resource has no rate limit."""

    channels: int
    cps: float | None


@dataclass(slots=True)
class Lease:
    """Channels stay reserved until `reclaim_at`, since calls outlive leases; a rate only until `expires_at`."""

    sequence: int
    channels: int
    cps: float
    cps_before: float
    cps_changed_at: Instant
    in_use: int
    want: int
    expires_at: Instant
    reclaim_at: Instant

    def cps_at(self, now: Instant, window_ms: int) -> float:
        before = self.cps_before if now < self.cps_changed_at + window_ms else 0.0
        return max(before, self.cps if now < self.expires_at + window_ms else 0.0)


class LeaseBook:
    def __init__(self) -> None:
        self._leases: dict[str, dict[NodeId, Lease]] = {}

    def renew(
        self,
        node: NodeId,
        sequence: int,
        demand: Demand,
        limits: Limits | None,
        now: Instant,
        ttl_ms: int,
        drain_ms: int,
    ) -> Grant:
        """What `node` may hold for the next `ttl_ms`. `limits` None: the resource is no longer in use."""
        leases = self._leases.setdefault(demand.resource, {})
        mine = leases.get(node)
        if mine is not None and mine.sequence >= sequence:
            return Grant(demand.resource, mine.channels, mine.cps if limits and limits.cps is not None else None)
        for other in [name for name, lease in leases.items() if name != node and lease.reclaim_at <= now]:
            del leases[other]
        others = [lease for name, lease in leases.items() if name != node]
        share = _share(demand, others, now)
        channels = cps = 0.0
        if limits is not None:
            free = limits.channels - sum(lease.channels for lease in others)
            channels = max(0, min(ceil(limits.channels * share), free))
            if limits.cps is not None:
                cps = _rate(limits.cps, share, demand, others, now)
        channels = max(demand.in_use, int(channels))
        before, changed_at = (0.0, now)
        if mine is not None:
            before, changed_at = (mine.cps, now) if mine.cps != cps else (mine.cps_before, mine.cps_changed_at)
        leases[node] = Lease(
            sequence,
            channels,
            cps,
            before,
            changed_at,
            demand.in_use,
            demand.want,
            now + ttl_ms,
            now + ttl_ms + drain_ms,
        )
        return Grant(demand.resource, channels, cps if limits is None or limits.cps is not None else None)

    def drop(self, node: NodeId) -> None:
        """The node has no calls and starts none: its leases are free at once."""
        for leases in self._leases.values():
            leases.pop(node, None)

    def expire(self, node: NodeId, now: Instant) -> None:
        """The node's calls have ended: its channels are free as soon as it can start no others."""
        for leases in self._leases.values():
            lease = leases.get(node)
            if lease is not None:
                lease.reclaim_at = max(now, lease.expires_at)


def _share(demand: Demand, others: list[Lease], now: Instant) -> float:
    """This node's part of the whole, by what each node holds and wants; an even part while nobody does."""
    alive = [lease for lease in others if lease.expires_at > now]
    own = demand.in_use + demand.want
    everyone = own + sum(lease.in_use + lease.want for lease in alive)
    return own / everyone if everyone else 1 / (len(alive) + 1)


def _rate(cps_max: float, share: float, demand: Demand, others: list[Lease], now: Instant) -> float:
    """Whole calls per second. A rate below one cannot be divided: one node has all of it while it wants it."""
    if cps_max < 1:
        window_ms = round(1000 / cps_max) + WINDOW_SLACK_MS
        taken = any(lease.cps_at(now, window_ms) > 0 for lease in others)
        return cps_max if demand.want and not taken else 0.0
    free = int(cps_max) - sum(lease.cps_at(now, 1000 + WINDOW_SLACK_MS) for lease in others)
    return max(0.0, min(ceil(int(cps_max) * share), free))
