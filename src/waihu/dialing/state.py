"""What the core remembers: campaigns that run here, and attempts between plan and close."""

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush

from waihu.dialing.capacity import Allowance
from waihu.dialing.eligibility import Gate
from waihu.dialing.resources import Resource
from waihu.domain.campaign import CampaignPlan, Phase
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold
from waihu.domain.ids import AttemptId, CampaignId, Instant, TrunkId

SINCE_EVER: Instant = 0


def earlier(one: Instant | None, other: Instant | None) -> Instant | None:
    """The earlier of two instants, where None stands for never."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


@dataclass(slots=True)
class LiveAttempt:
    """One try, from its plan until it is closed, refused or withdrawn."""

    id: AttemptId
    campaign: CampaignId
    contact: DueContact
    trunk: TrunkId
    number: int
    planned_at: Instant
    check_at: Instant
    """When to ask the switch about it, should nothing be heard until then."""
    placed_at: Instant | None = None
    ringing_at: Instant | None = None
    answered_at: Instant | None = None


@dataclass(slots=True)
class CampaignRun:
    """A campaign on this node. `running` False: it was stopped and its last calls are ending."""

    plan: CampaignPlan
    gate: Gate
    running: bool = True
    ready: deque[DueContact] = field(default_factory=deque)
    """Claimed and not yet planned, in the order they are dialled."""
    turn: int = 0
    """Its place among the campaigns that have ready contacts: who has dialled last has the highest."""
    queued_at: set[TrunkId] = field(default_factory=set)
    """Trunks in whose queue it stands."""
    live: int = 0
    cooling: list[Instant] = field(default_factory=list)
    """A heap of the instants at which channels that rest after a call may dial again."""
    claiming: bool = False
    asked_for: int = 0
    """How many contacts the last claim asked for."""
    asked_at: Instant = SINCE_EVER
    store_due_at: Instant | None = SINCE_EVER
    """When the store has the next due contact for us; None: it has none that is free."""
    expected_at: Instant | None = None
    """When the store has a contact that the answer to the running claim may not know of: since it was asked for,
    some went back or were added."""
    retries: list[Instant] = field(default_factory=list)
    """A heap of the instants at which contacts that were called from here are due again."""
    retries_due: int = 0
    """How many of them have become due since contacts were last claimed."""
    unfinished: bool = True
    fresh: bool = False
    """The last claim was answered with no call live, so `unfinished` is the whole truth."""
    told: tuple[Phase | None, Hold | None] = (None, None)

    def expect(self, hold: Hold) -> None:
        """The store will have a contact again at `hold.until`."""
        if hold.until is not None:
            self.expect_at(hold.until)

    def expect_retry(self, hold: Hold) -> None:
        """The contact was called, and is to be called again at `hold.until`."""
        self.expect(hold)
        if hold.until is not None:
            heappush(self.retries, hold.until)

    def expect_at(self, at: Instant) -> None:
        """The store has, or will have, a contact at `at`, even if an answer that is on its way says otherwise."""
        self.store_due_at = earlier(self.store_due_at, at)
        self.expected_at = earlier(self.expected_at, at)


@dataclass(slots=True)
class TrunkLine:
    """A trunk as this node sees it. After a call could not be placed it rests until `rests_until`."""

    up: bool = True
    rests_until: Instant = 0
    queue: list[tuple[int, CampaignId]] = field(default_factory=list)
    """A heap of campaigns that would dial if this trunk could start a call, by the turn they had when they came."""


@dataclass(slots=True)
class DialerState:
    """All of the core's memory: plain data, so that it can be copied, stored and compared."""

    campaigns: dict[CampaignId, CampaignRun] = field(default_factory=dict)
    trunks: dict[TrunkId, TrunkLine] = field(default_factory=dict)
    allowances: dict[Resource, Allowance] = field(default_factory=dict)
    attempts: dict[AttemptId, LiveAttempt] = field(default_factory=dict)
    turns: int = 0
    """How many turns have been given out."""
    alarms: list[tuple[Instant, Resource]] = field(default_factory=list)
    """A heap of instants at which something may have changed by itself, and what; each pair once."""
    alarms_set: set[tuple[Instant, Resource]] = field(default_factory=set)
    checks: list[tuple[Instant, AttemptId]] = field(default_factory=list)
    """A heap of `LiveAttempt.check_at`; entries that no longer match are skipped."""
    ghosts: list[tuple[Instant, TrunkId]] = field(default_factory=list)
    """A heap of vanished calls that the carrier may still have, and until when."""

    def next_turn(self) -> int:
        self.turns += 1
        return self.turns

    def wake(self, at: Instant, whom: Resource) -> None:
        """`whom`: the campaign or the trunk that is to be looked at then."""
        alarm = at, whom
        if alarm not in self.alarms_set:
            self.alarms_set.add(alarm)
            heappush(self.alarms, alarm)

    def forget_alarms(self, now: Instant) -> list[Resource]:
        """Drops the alarms that are due; answers whom they were set for."""
        due = []
        while self.alarms and self.alarms[0][0] <= now:
            alarm = heappop(self.alarms)
            self.alarms_set.discard(alarm)
            due.append(alarm[1])
        return due

    def next_alarm(self) -> Instant | None:
        """The earliest instant at which an alarm or a check is due."""
        if not self.checks:
            return self.alarms[0][0] if self.alarms else None
        return min(self.alarms[0][0], self.checks[0][0]) if self.alarms else self.checks[0][0]

    def allowance(self, resource: Resource) -> Allowance:
        found = self.allowances.get(resource)
        if found is None:
            found = self.allowances[resource] = Allowance()
        return found

    def trunk(self, trunk: TrunkId) -> TrunkLine:
        found = self.trunks.get(trunk)
        if found is None:
            found = self.trunks[trunk] = TrunkLine()
        return found
