"""Events per second of the dialing core inside the simulator, on one core. The floor is the simulator's own clockwork:
as many things happen in virtual time, and nothing is decided.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.figures import Figure, Result, Target
from waihu.domain.campaign import CampaignPlan, RetryPolicy, TrunkShare
from waihu.domain.contact import DueContact
from waihu.domain.ids import AccountId, CampaignId, ContactId, TrunkId
from waihu.domain.outcome import Outcome
from waihu.simulator.carriers import Carrier
from waihu.simulator.hostile import HostileWorld
from waihu.simulator.judge import Violation
from waihu.simulator.people import Population
from waihu.simulator.store import MemoryStore
from waihu.simulator.timeline import Timeline
from waihu.simulator.world import World

ROUNDS = 5
CONTACTS = 12_000
CAMPAIGNS = 3
HOSTILE_SEEDS = range(1, 41)
HOSTILE_CONTACTS = 200
EVENTS_PER_S = 30_000

_BEGIN = 1_800_000_000_000
_DAY_MS = 86_400_000


async def run(_: Path) -> Result:
    fine, clockwork, hostile, broken = [], [], [], []
    events = 0
    for seed in range(ROUNDS):
        world, took_s = _fine_world(seed)
        events += world.steps
        fine.append(world.steps / took_s)
        clockwork.append(world.steps / _cpu_s(partial(_clockwork, world.steps)))
        rate, faults = _hostile_worlds(HOSTILE_SEEDS[seed::ROUNDS])
        hostile.append(rate)
        broken.append(faults)
    return Result(
        "events per second of core and simulator on one core",
        [
            Figure(
                what=f"{CAMPAIGNS} campaigns, {CONTACTS:,} numbers, 2 trunks, fine weather",
                unit="events/s",
                subject=fine,
                floor=clockwork,
                samples=events,
                target=Target("subject", least=EVENTS_PER_S),
            ),
            Figure(
                what=f"{len(HOSTILE_SEEDS)} hostile worlds of {HOSTILE_CONTACTS} numbers, judged",
                unit="events/s",
                subject=hostile,
                target=Target("subject", least=EVENTS_PER_S),
            ),
            Figure(
                what="promises broken in them",
                unit="promises",
                subject=broken,
                target=Target("subject", most=0, every_round=True),
            ),
        ],
        [
            "An event is one `Dialer.step`. Time is this process's own processor time, so that others do not count.",
            "The floor lets as many things happen on the simulator's timeline without a core, a store or a carrier: "
            "the rest is what deciding, storing in memory and playing the carrier cost.",
            f"A number costs {events / ROUNDS / CONTACTS:.1f} events in fine weather, retries included. Hostile worlds "
            "are drawn by seed and differ in what they cost.",
        ],
    )


def _fine_world(seed: int) -> tuple[World, float]:
    """A world that has come to its end, and the processor time that this took, making it excluded."""
    timeline = Timeline(_BEGIN)
    trunks = [TrunkId("one"), TrunkId("two")]
    world = World(timeline, MemoryStore(lambda: timeline.now), Population(), dict.fromkeys(trunks, Carrier()), seed)
    for trunk in trunks:
        world.add_trunk(trunk, channels=50, cps=10)
    for number in range(CAMPAIGNS):
        first = number * CONTACTS
        plan = CampaignPlan(
            id=CampaignId(f"campaign-{number}"),
            account=AccountId("account"),
            trunks=tuple(TrunkShare(trunk) for trunk in trunks),
            channels_max=50,
            retry=RetryPolicy({Outcome.BUSY: 600, Outcome.NO_ANSWER: 1800}, retries_max=2),
        )
        contacts = range(first, first + CONTACTS // CAMPAIGNS)
        world.add_campaign(plan, [DueContact(ContactId(n + 1), f"13{n:09d}") for n in contacts])
    world.start_node("node")
    took_s = _cpu_s(lambda: world.run(_BEGIN + 7 * _DAY_MS))
    assert all(not row.unfinished for row in world.store.campaigns.values()), "the world came to its end"
    return world, took_s


def _clockwork(happenings: int) -> None:
    """Things happen, each arranged by the one before it; fifty are always due, like calls in progress."""
    timeline = Timeline(_BEGIN)
    left = happenings

    def happen(delay_ms: int) -> None:
        nonlocal left
        left -= 1
        if left >= 50:
            timeline.after(delay_ms, happen, (delay_ms * 7 + 1) % 60_000)

    for number in range(50):
        timeline.after(number, happen, number)
    timeline.run(_BEGIN + 10_000 * _DAY_MS)


def _hostile_worlds(seeds: Sequence[int]) -> tuple[float, int]:
    """Events per second over all these worlds, and how many promises were broken in them."""
    worlds = [HostileWorld(seed, HOSTILE_CONTACTS) for seed in seeds]
    faults: list[Violation] = []

    def live() -> None:
        for world in worlds:
            faults.extend(world.run())

    took_s = _cpu_s(live)
    return sum(world.world.steps for world in worlds) / took_s, len(faults)


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
