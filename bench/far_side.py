"""What the carrier's log says of a run: how fast calls came, how full the trunk was, how soon a channel was used again.

All of it is computed from the far end's own records; neither waihu's counters nor the floor's are asked.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

from waihu.adapters.asterisk.carrier_log import CarrierCall
from waihu.domain.ids import Instant


def calls_per_s(calls: Sequence[CarrierCall]) -> float:
    """The rate at which INVITEs came, from the first to the last; `calls` are in their order."""
    return (len(calls) - 1) * 1000 / (calls[-1].invited_at_ms - calls[0].invited_at_ms)


def holds_ms(calls: Sequence[CarrierCall]) -> list[int]:
    """How long each call had its channel, from INVITE to end."""
    return [_ended(call) - call.invited_at_ms for call in calls]


def mean_fill(begins: Sequence[Instant], holds: Sequence[int]) -> float:
    """How many calls there were on average between the first begin and the last, when numbers run out."""
    first, last = begins[0], max(begins)
    held_ms = sum(min(begin + hold, last) - begin for begin, hold in zip(begins, holds, strict=True))
    return held_ms / (last - first)


def oracle_begins(holds: Sequence[int], channels: int, calls_per_s: float) -> list[Instant]:
    """When an oracle would have started calls that hold so long, in the same order: it uses a free channel at once,
    and starts are evenly spaced at most at the trunk's rate.
    """
    ends: list[float] = []
    begins: list[Instant] = []
    spacing_ms, at = 1000 / calls_per_s, 0.0
    for hold in holds:
        if len(ends) == channels:
            at = max(at, heappop(ends))
        begins.append(round(at))
        heappush(ends, at + hold)
        at += spacing_ms
    return begins


def refills_ms(calls: Sequence[CarrierCall], channels: int) -> list[int]:
    """How long each freed channel stayed free: the n-th end lets the INVITE come that is `channels` places later.

    Meaningful while numbers are left and the trunk is full, which is from the first end to the last INVITE.
    """
    ends = sorted(_ended(call) for call in calls)
    later = [call.invited_at_ms for call in calls[channels:]]
    return [begin - end for begin, end in zip(later, ends, strict=False)]


def _ended(call: CarrierCall) -> Instant:
    assert call.ended_at_ms is not None, "the run is over, and so is every call"
    return call.ended_at_ms
