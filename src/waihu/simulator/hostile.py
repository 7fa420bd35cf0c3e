"""The hostile world: a seed decides campaigns, people, carriers, users' whims and faults; the judge watches.

`hostile(seeds, contacts)` answers the broken promises. There must be none; `replay` names the command that shows one
again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from waihu.domain.campaign import CampaignPlan, CampaignState, ClosedPeriod, RetryPolicy, TrunkShare
from waihu.domain.contact import DueContact
from waihu.domain.hours import CallingHours, Window
from waihu.domain.ids import AccountId, CampaignId, ContactId, Instant, TrunkId
from waihu.simulator.carriers import Carrier
from waihu.simulator.judge import Judge, Violation, first_open
from waihu.simulator.luck import draw
from waihu.simulator.node import LeaseTerms
from waihu.simulator.people import EVIDENCE, Population
from waihu.simulator.store import MemoryStore
from waihu.simulator.timeline import Timeline
from waihu.simulator.weather import Rates, Storm
from waihu.simulator.world import World

T = TypeVar("T")

SECOND_MS = 1000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

ZONES = (
    "Asia/Shanghai",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
)
"""Zones whose clocks change at midnight, by half an hour, or stand between the hours."""

_ACCOUNT = AccountId("account")
_PEACE_MS = 20 * DAY_MS
"""So long without a call, and what is unfinished then is stuck."""
_SCENARIO, _FAULTS, _PEOPLE = 1, 2, 3


def hostile(seeds: Iterable[int], contacts: int) -> list[Violation]:
    """Runs one hostile world of `contacts` numbers for each seed; answers what promises were broken."""
    return [violation for seed in seeds for violation in HostileWorld(seed, contacts).run()]


def replay(seed: int, contacts: int) -> str:
    """The command that runs this world again."""
    return f"waihu simulate --hostile --seed {seed} --contacts {contacts}"


class _Lot:
    """Choices of a scenario, drawn in order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0

    def unit(self) -> float:
        self._drawn += 1
        return draw(self._seed, self._drawn, 0, _SCENARIO)

    def chance(self, share: float) -> bool:
        return self.unit() < share

    def between(self, least: int, most: int) -> int:
        return least + int(self.unit() * (most - least + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.unit() * len(choices))]


@dataclass(frozen=True, slots=True)
class _TrunkSize:
    channels: int
    cps: float


class HostileWorld:
    """One seed's world. `run` lives through the storm, lets the world come to rest, and answers the verdict."""

    def __init__(self, seed: int, contacts: int) -> None:
        self.seed = seed
        lot = self._lot = _Lot(seed)
        self._next_contact = 1
        self._phones = max(1, int(contacts * lot.pick((0.5, 0.9, 3))))
        self._trunks = {TrunkId(f"trunk-{n}"): self._some_trunk() for n in range(1, lot.between(1, 3) + 1)}
        zone = lot.pick(ZONES)
        begin = self._some_begin(zone)
        plans = [self._some_plan(n, zone, begin) for n in range(1, lot.between(1, 3) + 1)]
        opening = min(first_open(plan, begin) or begin for plan in plans)
        self.timeline = Timeline(max(begin, opening - lot.between(0, 30) * MINUTE_MS))
        self._storm_end = opening + lot.pick((1, 4, 30)) * HOUR_MS
        self._restless_ms = lot.pick((5, 20, 120)) * MINUTE_MS
        self._opening = max(self.timeline.now, opening)
        self.store = MemoryStore(lambda: self.timeline.now)
        terms = LeaseTerms()
        self.judge = Judge(self.store, self.timeline, grace_ms=terms.ttl_ms)
        self.rates = self._some_rates()
        self.world = World(
            self.timeline,
            self.store,
            self._some_people(),
            {trunk: self._some_carrier(size) for trunk, size in self._trunks.items()},
            seed + _PEOPLE,
            witnesses=[self.judge],
            terms=terms,
            storm=Storm(seed + _FAULTS, self.rates, self.timeline, self._storm_end),
        )
        for trunk, size in self._trunks.items():
            self._set_trunk(trunk, size)
        for plan in plans:
            self.judge.plan_is(plan)
            self.judge.running_is(plan.id, True)
            numbers = self._some_contacts(plan, contacts // len(plans))
            self.judge.contacts_come(plan.id, numbers)
            self.world.add_campaign(plan, numbers)
        self._plans = {plan.id: plan for plan in plans}
        for number in range(1, lot.between(1, 3) + 1):
            self.world.start_node(f"node-{number}")
        self._arrange_whims(lot.pick((0, 3, 10, 30)))

    def run(self) -> list[Violation]:
        """What was broken; empty when all promises were kept."""
        self.timeline.at(self._storm_end + MINUTE_MS, self._calm_down)
        self.world.run(self._storm_end + HOUR_MS)
        end, attempts = self._storm_end + _PEACE_MS, 0
        while self.timeline.now < end and not self._is_at_rest():
            self.world.run(min(end, self.timeline.now + 6 * HOUR_MS))
            if len(self.store.attempts) > attempts:
                # One channel and half an hour a day take their time, and are not stuck.
                attempts, end = len(self.store.attempts), self.timeline.now + _PEACE_MS
        return [replace(violation, seed=self.seed) for violation in self.judge.close()]

    def _is_at_rest(self) -> bool:
        if self.world.switch.live or any(row.state is CampaignState.RUNNING for row in self.store.campaigns.values()):
            return False
        return not any(row.is_open for row in self.store.attempts.values())

    def _calm_down(self, _: object) -> None:
        """Trunks come back, and engines that own contacts without knowing them are started anew."""
        for trunk in self._trunks:
            self.world.set_trunk_up(trunk, True)
        for node in self.world.nodes:
            if node.unsure_claims:
                node.die()

    # Users' whims.

    def _arrange_whims(self, count: int) -> None:
        whims: tuple[Callable[[object], None], ...] = (
            self._pause,
            self._pause,
            self._stop_for_good,
            self._forbid,
            self._forbid,
            self._forbid,
            self._add_contacts,
            self._change_plan,
            self._change_plan,
            self._change_trunk,
            self._change_trunk,
            self._trunk_trouble,
            self._restart_switch,
        )
        for _ in range(count):
            at = self._opening + int(self._restless_ms * self._lot.unit() ** 2)
            if at < self._storm_end:
                self.timeline.at(at, self._lot.pick(whims))

    def _some_running(self) -> CampaignPlan | None:
        running = [p for p in self._plans.values() if self.store.campaigns[p.id].state is CampaignState.RUNNING]
        return self._lot.pick(running) if running else None

    def _pause(self, _: object) -> None:
        plan = self._some_running()
        if plan is not None:
            self._set_state(plan.id, CampaignState.PAUSED)
            self.timeline.after(self._lot.between(0, 300_000), self._resume, plan.id)

    def _resume(self, campaign: CampaignId) -> None:
        if self.store.campaigns[campaign].state is CampaignState.PAUSED:
            self._set_state(campaign, CampaignState.RUNNING)

    def _stop_for_good(self, _: object) -> None:
        plan = self._some_running()
        if plan is not None and self._lot.chance(0.3):
            self._set_state(plan.id, CampaignState.PAUSED)

    def _forbid(self, _: object) -> None:
        for _each in range(self._lot.pick((1, 1, 20))):
            self.store.forbid(_ACCOUNT, self._some_phone(), self.timeline.now)

    def _add_contacts(self, _: object) -> None:
        plan = self._lot.pick(list(self._plans.values()))
        numbers = self._some_contacts(plan, self._lot.pick((1, 5, 20)))
        self.judge.contacts_come(plan.id, numbers)
        self.store.add_contacts(plan.id, numbers)
        if self.store.campaigns[plan.id].state is CampaignState.RUNNING:
            self.judge.running_is(plan.id, True)
        self.world.tell_all()

    def _change_plan(self, _: object) -> None:
        lot, plan = self._lot, self._lot.pick(list(self._plans.values()))
        match lot.between(1, 4):
            case 1:
                changed = replace(plan, channels_max=lot.between(1, 12))
            case 2:
                changed = replace(plan, hours=self._some_hours(plan.hours.zone), stop_at=None)
            case 3:
                changed = replace(plan, retry=self._some_retry(), daily_cap=lot.pick((None, 1, 2)))
            case _:
                changed = replace(plan, trunks=self._some_shares(), ring_timeout_s=lot.between(15, 60))
        self._plans[plan.id] = changed
        self.judge.plan_is(self._plans[plan.id])
        self.world.change_plan(self._plans[plan.id])

    def _change_trunk(self, _: object) -> None:
        self._set_trunk(self._lot.pick(list(self._trunks)), self._some_trunk())

    def _trunk_trouble(self, _: object) -> None:
        trunk = self._lot.pick(list(self._trunks))
        self.world.set_trunk_up(trunk, False)
        self.timeline.after(self._lot.between(0, 600_000), lambda _: self.world.set_trunk_up(trunk, True))

    def _restart_switch(self, _: object) -> None:
        self.world.restart_switch()

    def _set_state(self, campaign: CampaignId, state: CampaignState) -> None:
        self.judge.running_is(campaign, state is CampaignState.RUNNING)
        self.world.set_state(campaign, state)

    def _set_trunk(self, trunk: TrunkId, size: _TrunkSize) -> None:
        self.judge.trunk_is(trunk, size.channels, size.cps)
        self.world.add_trunk(trunk, size.channels, size.cps)

    # The scenario.

    def _some_begin(self, zone: str) -> Instant:
        """Some day of 2020 to 2035, often shortly before the clock is changed."""
        lot = self._lot
        begin = int(datetime(lot.between(2020, 2035), 1, 1, tzinfo=ZoneInfo("UTC")).timestamp()) * 1000
        if lot.chance(0.5):
            changes = _clock_changes(zone, begin)
            if changes:
                return lot.pick(changes) - lot.between(0, 26) * HOUR_MS
        return begin + lot.between(0, 364 * 24 * 60) * MINUTE_MS

    def _some_plan(self, number: int, zone: str, begin: Instant) -> CampaignPlan:
        lot = self._lot
        plan = CampaignPlan(
            id=CampaignId(f"campaign-{number}"),
            account=_ACCOUNT,
            hours=self._some_hours(zone),
            trunks=self._some_shares(),
            channels_max=lot.pick((1, 2, 5, 10, 30)),
            pause_s=lot.pick((0, 0, 0, 5, 30)),
            retry=self._some_retry(),
            daily_cap=lot.pick((None, None, 1, 2)),
            in_contact_zone=lot.chance(0.2),
            ring_timeout_s=lot.between(15, 60),
            call_max_s=lot.pick((30, 120, 1800)),
        )
        opening = first_open(plan, begin) or begin
        if lot.chance(0.15):
            plan = replace(plan, start_at=opening + lot.between(0, 10 * MINUTE_MS))
        if lot.chance(0.15):
            plan = replace(plan, stop_at=opening + lot.between(0, 2 * HOUR_MS))
        if lot.chance(0.2):
            closes = opening + lot.between(0, 30 * MINUTE_MS)
            lasts_ms = max(SECOND_MS, lot.between(1, 3 * HOUR_MS))
            plan = replace(plan, holidays=(ClosedPeriod(closes, closes + lasts_ms),))
        return plan

    def _some_hours(self, zone: str) -> CallingHours:
        lot = self._lot
        day: tuple[Window, ...]
        match lot.between(1, 5):
            case 1:
                return CallingHours.always(zone)
            case 2:
                day = (Window(9 * 60, 12 * 60), Window(14 * 60, 20 * 60))
            case 3:
                day = (Window(8 * 60 + 7, 11 * 60 + 43), Window(13 * 60 + 1, 20 * 60 + 59))
            case 4:
                # Around the hours at which clocks are changed.
                day = (Window(lot.between(0, 50), lot.between(65, 260)), Window(23 * 60 + lot.between(0, 40), 24 * 60))
            case _:
                first = lot.between(0, 23 * 60)
                day = (Window(first, first + lot.between(30, 59)),)
        week = tuple(day if lot.chance(0.85) else () for _ in range(6))
        today = datetime.fromtimestamp(self._lot.between(0, 1) * DAY_MS / 1000, ZoneInfo(zone)).date()
        closed = frozenset({today}) if lot.chance(0.3) else frozenset[date]()
        return CallingHours((*week, day), zone, closed)

    def _some_retry(self) -> RetryPolicy:
        lot = self._lot
        delays = {outcome: lot.pick((10, 60, 600, 4 * 3600)) for outcome in EVIDENCE if lot.chance(0.4)}
        return RetryPolicy(delays, lot.between(0, 3), lot.chance(0.3))

    def _some_shares(self) -> tuple[TrunkShare, ...]:
        lot, trunks = self._lot, list(self._trunks)
        chosen = [trunk for trunk in trunks if lot.chance(0.6)] or [lot.pick(trunks)]
        return tuple(TrunkShare(trunk, lot.pick((None, None, 1, 3))) for trunk in chosen)

    def _some_trunk(self) -> _TrunkSize:
        return _TrunkSize(self._lot.pick((1, 2, 5, 10, 30)), self._lot.pick((0.2, 0.5, 1, 2, 2.5, 5, 10)))

    def _some_carrier(self, size: _TrunkSize) -> Carrier:
        lot = self._lot
        return Carrier(
            channels_max=max(1, size.channels - 1) if lot.chance(0.2) else None,
            cps_max=max(1, int(size.cps) - 1) if lot.chance(0.2) else None,
            failing=lot.pick((0.0, 0.0, 0.05, 0.3)),
        )

    def _some_people(self) -> Population:
        lot = self._lot
        return Population(answer=lot.pick((0.1, 0.3, 0.6)), talk_mean_s=lot.pick((5, 30, 120)))

    def _some_contacts(self, plan: CampaignPlan, count: int) -> list[DueContact]:
        lot, first = self._lot, self._next_contact
        self._next_contact += count
        return [
            DueContact(
                ContactId(number), self._some_phone(), zone=lot.pick((None, *ZONES)) if plan.in_contact_zone else None
            )
            for number in range(first, first + count)
        ]

    def _some_phone(self) -> str:
        return f"1{self._lot.between(1, self._phones):010d}"

    def _some_rates(self) -> Rates:
        lot = self._lot
        if lot.chance(0.15):
            return Rates()
        return Rates(
            commit=lot.pick((0, 0.02, 0.2)),
            claim=lot.pick((0, 0.05, 0.3)),
            renew=lot.pick((0, 0.05, 0.3)),
            place=lot.pick((0, 0.02, 0.2)),
            event=lot.pick((0, 0.05, 0.3)),
            crash=lot.pick((0, 0, 0.002, 0.02)),
            freeze=lot.pick((0, 0, 0.02, 0.1)),
            wake=lot.pick((0, 0.02)),
        )


def _clock_changes(zone: str, year: Instant) -> list[Instant]:
    """Days of the year that begins at `year` on which the zone's clock is changed."""
    tz, first = ZoneInfo(zone), datetime.fromtimestamp(year / 1000, ZoneInfo("UTC"))
    days = [first + timedelta(days=n) for n in range(366)]
    offsets = [day.astimezone(tz).utcoffset() for day in days]
    return [int(days[n + 1].timestamp()) * 1000 for n in range(len(days) - 1) if offsets[n] != offsets[n + 1]]
