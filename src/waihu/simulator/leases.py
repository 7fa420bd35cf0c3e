"""Sharing out capacity between nodes: what `renew` of the dialing store promises, in memory.

The rules are those of the statement `renew` in `adapters/postgres/hot_path.sql`: a node grows only into what no other
node's lease holds, and shrinks only in its own renewal. So the sum over all nodes never exceeds a limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from waihu.domain.ids import Instant, NodeId
from waihu.ports.dialing_store import Demand, Grant


@dataclass(frozen=True, slots=True)
class Limits:
    """`cps` None: the resource has no rate limit."""

    channels: int
    cps: float | None


@dataclass(slots=True)
class Lease:
    """Channels stay reserved until `reclaim_at`, since calls outlive leases. A rate that was given up is reserved,
    as `cps_before`, for one window after `cps_before_until`.
    """

    sequence: int
    channels: int
    cps: float
    cps_before: float
    cps_before_until: Instant
    in_use: int
    want: int
    expires_at: Instant
    reclaim_at: Instant

    def channels_at(self, now: Instant) -> int:
        return self.channels if self.reclaim_at > now else 0

    def cps_at(self, now: Instant, window_ms: int) -> float:
        leased = self.cps if self.expires_at + window_ms > now else 0.0
        given_up = self.cps_before if self.cps_before_until + window_ms > now else 0.0
        return max(leased, given_up)


class LeaseBook:
    def __init__(self) -> None:
        self._leases: dict[str, dict[NodeId, Lease]] = {}

    def renew(
        self,
        node: NodeId,
        sequence: int,
        demand: Demand,
        limits: Limits,
        now: Instant,
        ttl_ms: int,
        drain_ms: int,
    ) -> Grant | None:
        """What `node` may hold for the next `ttl_ms`; None when a later renewal has been there before."""
        leases = self._leases.setdefault(demand.resource, {})
        mine = leases.get(node)
        if mine is not None and mine.sequence >= sequence:
            return None
        window_ms = 1100 if limits.cps is None else round(1000 * max(1.0, 1 / limits.cps)) + 100
        others = {name: lease for name, lease in leases.items() if name != node}
        ruler = _Ruler(node, demand, others, now)
        free = limits.channels - sum(lease.channels_at(now) for lease in others.values())
        channels = max(0, min(ruler.channels(limits.channels), free))
        cps = 0.0
        if limits.cps is not None:
            # A rate of one and more is handed out in whole calls per second, since every node keeps a window of its
            # own: two halves of five would be three and three in the worst second. Less goes to one node as a whole.
            units, unit = (int(limits.cps), 1.0) if limits.cps >= 1 else (1, limits.cps)
            taken = sum(lease.cps_at(now, window_ms) for lease in others.values())
            cps = max(0, min(ruler.units(units), int((units * unit - taken) / unit))) * unit
        before, before_until = (0.0, 0) if mine is None else (mine.cps_before, mine.cps_before_until)
        if mine is not None and cps < mine.cps:
            # The node may start calls under its old rate until it hears of the new one, or its old lease ends.
            before = max(mine.cps, before if before_until + window_ms > now else 0.0)
            before_until = max(mine.expires_at, before_until)
        expires_at = now + ttl_ms
        leases[node] = Lease(
            sequence,
            # Calls in progress go on, also when the limit was lowered below them: no other may replace them.
            max(demand.in_use, channels),
            cps,
            before,
            before_until,
            demand.in_use,
            demand.want,
            expires_at,
            expires_at + drain_ms,
        )
        return Grant(demand.resource, channels, None if limits.cps is None else cps)

    def give_up(self, node: NodeId, now: Instant) -> None:
        """The node starts no more calls from this moment on."""
        for lease in self._of(node):
            lease.expires_at = min(lease.expires_at, now)

    def settle(self, node: NodeId, now: Instant, reserve_ms: int) -> None:
        """The node's calls are over: its channels come free when it can start no others, and not before `reserve_ms`,
        while a carrier may still hold calls. All of them: what it said it had in use is older than its last calls.
        """
        for lease in self._of(node):
            lease.reclaim_at = min(lease.reclaim_at, max(lease.expires_at, now + reserve_ms))

    def _of(self, node: NodeId) -> Iterable[Lease]:
        return (leases[node] for leases in self._leases.values() if node in leases)


class _Ruler:
    """Shares are cut from one ruler on which the living nodes stand in the order of their ids. So every node cuts at
    the same places, and the parts add up to the whole.
    """

    def __init__(self, node: NodeId, demand: Demand, others: dict[NodeId, Lease], now: Instant) -> None:
        alive = {name: lease.in_use + lease.want for name, lease in others.items() if lease.expires_at > now}
        self._own = demand.in_use + demand.want
        self._all = self._own + sum(alive.values())
        self._from = sum(wanted for name, wanted in alive.items() if name < node)
        self._nodes_all = 1 + len(alive)
        self._nodes_from = sum(1 for name in alive if name < node)

    def channels(self, limit: int) -> int:
        if self._all > limit:
            return _part(limit, self._from, self._own, self._all)
        # What is left when everybody has what he needs is divided evenly.
        return self._own + _part(limit - self._all, self._nodes_from, 1, self._nodes_all)

    def units(self, limit: int) -> int:
        if self._all:
            return _part(limit, self._from, self._own, self._all)
        return _part(limit, self._nodes_from, 1, self._nodes_all)


def _part(whole: int, begin: int, length: int, everything: int) -> int:
    return -(-whole * (begin + length) // everything) + (-whole * begin // everything)
