"""The forecast of a campaign: the dialing core itself, in fine weather, among simulated people."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from waihu.domain.campaign import CampaignState
from waihu.domain.contact import DueContact
from waihu.domain.ids import ContactId, Instant
from waihu.domain.outcome import Outcome
from waihu.simulator.campaign_file import SimulatedCampaign, read_campaign_file
from waihu.simulator.carriers import Carrier, LiveCall
from waihu.simulator.store import MemoryStore
from waihu.simulator.timeline import Timeline
from waihu.simulator.world import World

HORIZON_MS = 90 * 86_400_000
"""A campaign that is not over by then is reported as unfinished."""

_PAUSE_BEFORE_LOOK_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the campaign. `fill`: the mean share of its channels that were in use."""

    begin: Instant
    attempts: int
    answered: int
    fill: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """`finished_at` None: still unfinished at the horizon, or when its stop time came.

    `outcomes` counts contacts by their last outcome. `channels_most` is the most in use at once; `hours` leaves
    out those without a call. `steps` counts the events that the core was told.
    """

    begin: Instant
    finished_at: Instant | None
    zone: str
    contacts: int
    unfinished: int
    attempts: int
    answered: int
    outcomes: Mapping[Outcome, int]
    channels_most: int
    hours: tuple[Hour, ...]
    steps: int


def simulate(path: Path, seed: int = 1) -> Forecast:
    """Forecasts the campaign of a file. The same file and seed give the same forecast. Raises Invalid."""
    return forecast(read_campaign_file(path), seed)


def forecast(campaign: SimulatedCampaign, seed: int) -> Forecast:
    plan = campaign.plan
    timeline = Timeline(campaign.begin)
    store = MemoryStore(lambda: timeline.now)
    observer = _Observer(timeline, plan.channels_max)
    carriers = {trunk.id: Carrier() for trunk in campaign.trunks}
    world = World(timeline, store, campaign.people, carriers, seed, witnesses=[observer], zone=plan.hours.zone)
    for trunk in campaign.trunks:
        world.add_trunk(trunk.id, trunk.channels, trunk.cps)
    world.add_campaign(
        plan, [DueContact(ContactId(number), f"10{number:09}") for number in range(1, campaign.contacts + 1)]
    )
    world.start_node("forecast")
    row = store.campaigns[plan.id]
    while row.state is CampaignState.RUNNING and timeline.now < campaign.begin + HORIZON_MS:
        world.run(timeline.now + _PAUSE_BEFORE_LOOK_MS)
    finished = [contact for contact in store.contacts.values() if contact.finished]
    return Forecast(
        begin=campaign.begin,
        finished_at=observer.last_end if row.state is CampaignState.COMPLETED else None,
        zone=plan.hours.zone,
        contacts=campaign.contacts,
        unfinished=campaign.contacts - len(finished),
        attempts=observer.attempts,
        answered=observer.answered,
        outcomes=Counter(contact.outcome for contact in store.contacts.values() if contact.outcome is not None),
        channels_most=observer.most,
        hours=observer.hours(),
        steps=world.steps,
    )


class _Observer:
    """Counts at the carriers' side."""

    def __init__(self, timeline: Timeline, channels_max: int) -> None:
        self.attempts = self.answered = self.most = 0
        self.last_end: Instant = timeline.now
        self._timeline = timeline
        self._channels_max = channels_max
        self._live = 0
        self._attempts: Counter[Instant] = Counter()
        self._answered: Counter[Instant] = Counter()
        self._busy_ms: Counter[Instant] = Counter()

    def invited(self, call: LiveCall) -> None:
        self.attempts += 1
        self._live += 1
        self.most = max(self.most, self._live)
        self._attempts[_hour(call.invited_at)] += 1

    def ended(self, call: LiveCall) -> None:
        now = self.last_end = self._timeline.now
        self._live -= 1
        if call.answered_at is not None:
            self.answered += 1
            self._answered[_hour(call.invited_at)] += 1
        at = call.invited_at
        while at < now:
            until = min(now, _hour(at) + _HOUR_MS)
            self._busy_ms[_hour(at)] += until - at
            at = until

    def vanished(self, call: LiveCall) -> None:
        """Nothing vanishes in fine weather."""

    def hours(self) -> tuple[Hour, ...]:
        return tuple(
            Hour(hour, self._attempts[hour], self._answered[hour], self._busy_ms[hour] / _HOUR_MS / self._channels_max)
            for hour in sorted(self._attempts)
        )


_HOUR_MS = 3_600_000


def _hour(at: Instant) -> Instant:
    return at - at % _HOUR_MS


def local(at: Instant, zone: str) -> str:
    """An instant as people of the zone write it."""
    return f"{datetime.fromtimestamp(at / 1000, ZoneInfo(zone)):%Y-%m-%d %H:%M}"
