"""How soon a freed channel is used again: from the end of a call at the carrier to the next INVITE there, on a full
trunk. The floor is a bare ARI loop that answers each end with the next call.
"""

from pathlib import Path

from bench.campaigns import Campaigns, stage_of
from bench.far_side import refills_ms
from bench.figures import Figure, Result, percentile
from bench.tasks import LONG
from waihu.adapters.asterisk.carrier_behaviour import Behaviour

ROUNDS = 3
CHANNELS = 30
CALLS = 270
CALLS_PER_S = 50
SHARES = (0.5, 0.95)


async def run(directory: Path) -> Result:
    floor, subject = [], []
    async with stage_of(directory, channels=CHANNELS, calls_per_s=CALLS_PER_S) as stage:
        campaigns = Campaigns(stage, LONG)
        for turn in range(ROUNDS):
            looped = await campaigns.by_bare_loop(_numbers(2 * turn), CHANNELS, CALLS_PER_S)
            floor.append(refills_ms(looped.calls, CHANNELS))
            dialled = await campaigns.by_waihu(_numbers(2 * turn + 1), CHANNELS)
            subject.append(refills_ms(dialled.calls, CHANNELS))
    return Result(
        "from the end of a call to the next INVITE on a full trunk",
        [
            Figure(
                what=f"p{share * 100:.0f}",
                unit="ms",
                subject=[percentile(each, share) for each in subject],
                floor=[percentile(each, share) for each in floor],
                samples=sum(map(len, subject)),
            )
            for share in SHARES
        ],
        [
            f"{CHANNELS} channels, {CALLS_PER_S} calls/s allowed; every callee hangs up after two seconds, so ends "
            "come as evenly spaced as the calls were started. Both times are the carrier's, in whole milliseconds.",
            "waihu commits the end of the call and the plan of the next one before it dials; the loop stores nothing.",
        ],
    )


def _numbers(turn: int) -> list[str]:
    return [Behaviour.HANGS_UP.number(serial) for serial in range(turn * CALLS, (turn + 1) * CALLS)]
