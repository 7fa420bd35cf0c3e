"""How full waihu keeps a trunk whose rate does not bind, against an oracle that replays the same calls: it knows every
end the moment it happens and needs no time to act.
"""

import random
from collections import defaultdict
from pathlib import Path

from bench.campaigns import Campaigns, stage_of
from bench.far_side import holds_ms, mean_fill, oracle_begins
from bench.figures import Figure, Result, Target
from bench.tasks import LONG
from waihu.adapters.asterisk.carrier_behaviour import Behaviour, number_answering_after
from waihu.adapters.asterisk.carrier_log import CarrierCall, max_concurrent, max_invites_in_window

ROUNDS = 2
TRUNKS = (10, 30, 100)
CALLS_PER_CHANNEL = 8
CALLS_PER_S = 50
RATIO = 0.98


# Holds of two to nine seconds, four on average, and a quarter of calls that end at once: a tenth of what real calls
# hold, so that the time waihu loses between two calls weighs ten times as much.
_MIX = (
    [Behaviour.TALKS] * 4
    + [Behaviour.ANSWERS_LATE] * 2
    + [Behaviour.HANGS_UP] * 5
    + [Behaviour.POWERED_OFF] * 3
    + [Behaviour.EMPTY_NUMBER]
    + [Behaviour.BUSY] * 3
    + [Behaviour.DECLINES, Behaviour.UNAVAILABLE]
)


async def run(directory: Path) -> Result:
    rnd = random.Random(1)
    runs: defaultdict[int, list[list[CarrierCall]]] = defaultdict(list)
    serial = 0
    async with stage_of(directory, channels=max(TRUNKS), calls_per_s=CALLS_PER_S) as stage:
        campaigns = Campaigns(stage, LONG)
        for _ in range(ROUNDS):
            for channels in TRUNKS:
                numbers = _numbers(rnd, serial, channels * CALLS_PER_CHANNEL)
                serial += len(numbers)
                runs[channels].append((await campaigns.by_waihu(numbers, channels)).calls)
    return Result(
        "slot fill against an oracle replay of the same holds",
        [
            *(_fill(channels, runs[channels]) for channels in TRUNKS),
            *(_overshoot(channels, runs[channels]) for channels in TRUNKS),
            Figure(
                what="most calls in one second",
                unit="calls",
                subject=[max_invites_in_window(calls, 1000) for each in runs.values() for calls in each],
                target=Target("subject", most=CALLS_PER_S, every_round=True),
            ),
        ],
        [
            "Calls on the trunk from INVITE to end, averaged from the first INVITE to the last, all from the carrier's "
            "log. The oracle starts the same calls in the same order, at most "
            f"{CALLS_PER_S} a second and evenly spaced; it too is averaged until its own last start.",
            f"The trunk takes {CALLS_PER_S} calls/s, several times what its channels need.",
        ],
    )


def _fill(channels: int, runs: list[list[CarrierCall]]) -> Figure:
    holds = [holds_ms(calls) for calls in runs]
    mean_s = sum(map(sum, holds)) / sum(map(len, holds)) / 1000
    return Figure(
        what=f"mean calls on {channels} channels, mean hold {mean_s:.1f} s",
        unit="calls",
        subject=[
            mean_fill([call.invited_at_ms for call in calls], held) for calls, held in zip(runs, holds, strict=True)
        ],
        floor=[mean_fill(oracle_begins(held, channels, CALLS_PER_S), held) for held in holds],
        samples=sum(map(len, runs)),
        target=Target("ratio", least=RATIO),
    )


def _overshoot(channels: int, runs: list[list[CarrierCall]]) -> Figure:
    return Figure(
        what=f"most calls at once on {channels} channels",
        unit="calls",
        subject=[max_concurrent(calls) for calls in runs],
        target=Target("subject", most=channels, every_round=True),
    )


def _numbers(rnd: random.Random, first: int, count: int) -> list[str]:
    kinds = [_MIX[place % len(_MIX)] for place in range(count)]
    rnd.shuffle(kinds)
    return [
        number_answering_after(1, serial) if kind is Behaviour.ANSWERS_LATE else kind.number(serial)
        for serial, kind in enumerate(kinds, first)
    ]
