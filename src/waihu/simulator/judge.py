"""The judge stands at the carriers: sees every INVITE, knows what was promised, and notes every broken promise.

It shares no rule with the core: calling hours are read off the wall clock again, limits are counted again.
"""

from bisect import bisect_right
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from waihu.domain.campaign import CampaignPlan, CampaignState
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, TrunkId
from waihu.domain.outcome import Outcome
from waihu.simulator.carriers import LiveCall
from waihu.simulator.store import AttemptState, MemoryStore
from waihu.simulator.timeline import Timeline

T = TypeVar("T")


class Promise(StrEnum):
    """What is never broken."""

    ONE_CALL_PER_ATTEMPT = "an attempt is dialled once"
    COMMITTED_FIRST = "a call is dialled only while its attempt is open in the store"
    ONE_CALL_AT_A_TIME = "a contact has one call at a time"
    RETRY_POLICY = "a contact is dialled again only when, and as often as, the retry policy says"
    CALLING_HOURS = "nobody is dialled outside the calling hours on the wall clock"
    TRUNK_CHANNELS = "a trunk carries no more calls than it has channels"
    CAMPAIGN_CHANNELS = "a campaign holds no more channels than it may"
    TRUNK_SHARE = "a campaign holds no more channels of a trunk than its share"
    PAUSE = "a campaign's channel rests after a call as long as it should"
    CALLS_PER_SECOND = "a trunk gets no more calls in any second than its rate"
    DO_NOT_CALL = "a number on the do-not-call list is not dialled"
    DAILY_CAP = "a phone gets no more calls a day than the cap"
    STOPPED = "a campaign that does not run dials nobody"
    TRUE_OUTCOME = "the outcome is what truly happened, or unknown"
    NONE_OPEN = "no attempt stays open"
    NONE_LOST = "every contact is finished, or free to be claimed"
    NONE_STUCK = "a campaign that nothing hinders comes to its end"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise. Phones are left out: the contact's id names the person."""

    promise: Promise
    at: Instant
    detail: str
    campaign: CampaignId | None = None
    contact: ContactId | None = None
    attempt: AttemptId | None = None
    trunk: TrunkId | None = None
    seed: int | None = None

    def __str__(self) -> str:
        when = datetime.fromtimestamp(self.at / 1000, UTC).isoformat(timespec="milliseconds")
        names = ("seed", "campaign", "contact", "attempt", "trunk")
        named = ", ".join(f"{name} {value}" for name in names if (value := getattr(self, name)) is not None)
        return f"{when} {self.promise}: {self.detail} [{named}]"


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


@dataclass(slots=True)
class _TrunkLog:
    limits: History[tuple[int, float]]
    live: int
    invited: deque[Instant]


@dataclass(slots=True)
class _ContactLog:
    calls: int = 0
    last: LiveCall | None = None


_LONGEST_WINDOW_MS = 60_000


class Judge:
    """`grace_ms`: how long after a rule has changed a call planned before may still be dialled."""

    def __init__(self, store: MemoryStore, timeline: Timeline, grace_ms: int) -> None:
        self.violations: list[Violation] = []
        self.calls: list[LiveCall] = []
        self._store = store
        self._timeline = timeline
        self._grace_ms = grace_ms
        self._plans: dict[CampaignId, History[CampaignPlan]] = defaultdict(History)
        self._running: dict[CampaignId, History[bool]] = defaultdict(History)
        self._trunks: dict[TrunkId, _TrunkLog] = {}
        self._dialled: set[AttemptId] = set()
        self._contacts: defaultdict[ContactId, _ContactLog] = defaultdict(_ContactLog)
        self._campaign_live: defaultdict[CampaignId, int] = defaultdict(int)
        self._campaign_ended: defaultdict[CampaignId, deque[LiveCall]] = defaultdict(deque)
        self._share_live: defaultdict[tuple[CampaignId, TrunkId], int] = defaultdict(int)
        self._day: defaultdict[tuple[AccountId, date, str], list[Instant]] = defaultdict(list)

    # What was promised.

    def plan_is(self, plan: CampaignPlan) -> None:
        self._plans[plan.id].set(self._timeline.now, plan)

    def running_is(self, campaign: CampaignId, running: bool) -> None:
        self._running[campaign].set(self._timeline.now, running)

    def trunk_is(self, trunk: TrunkId, channels: int, cps: float) -> None:
        log = self._trunks.setdefault(trunk, _TrunkLog(History(), 0, deque()))
        log.limits.set(self._timeline.now, (channels, cps))

    # What happened.

    def invited(self, call: LiveCall) -> None:
        self.calls.append(call)
        campaign, trunk = call.order.campaign, call.order.trunk
        self._trunks[trunk].live += 1
        self._campaign_live[campaign] += 1
        self._share_live[campaign, trunk] += 1
        plans = self._plans[campaign].during(call.invited_at - self._grace_ms, call.invited_at)
        self._judge_attempt(call)
        self._judge_again(call)
        self._judge_when(call, plans)
        self._judge_limits(call, plans)
        self._judge_whom(call, plans)

    def ended(self, call: LiveCall) -> None:
        self._trunks[call.order.trunk].live -= 1
        if not call.vanished:
            self._leave_campaign(call)
            self._campaign_ended[call.order.campaign].append(call)

    def vanished(self, call: LiveCall) -> None:
        self._leave_campaign(call)

    def _leave_campaign(self, call: LiveCall) -> None:
        campaign = call.order.campaign
        self._campaign_live[campaign] -= 1
        self._share_live[campaign, call.order.trunk] -= 1

    def close(self) -> list[Violation]:
        """Judges what is left when the world has come to rest."""
        for call in self.calls:
            self._judge_outcome(call)
        for attempt in self._store.attempts.values():
            if attempt.is_open:
                self._note(Promise.NONE_OPEN, "still open", attempt.campaign, attempt.contact, attempt.id)
        for contact in self._store.contacts.values():
            if contact.finished:
                if contact.outcome is None:
                    self._note(Promise.NONE_LOST, "finished without an outcome", contact.campaign, contact.id)
            elif contact.node is not None:
                self._note(Promise.NONE_LOST, f"kept by node {contact.node}", contact.campaign, contact.id)
            elif self._is_stuck(contact.id):
                self._note(Promise.NONE_STUCK, f"unfinished, held: {contact.hold}", contact.campaign, contact.id)
        for name, campaign in self._store.campaigns.items():
            if campaign.state is CampaignState.RUNNING and not campaign.unfinished:
                self._note(Promise.NONE_STUCK, "all contacts are finished, the campaign is not", name)
        return self.violations

    def _judge_attempt(self, call: LiveCall) -> None:
        attempt = call.order.attempt
        if attempt in self._dialled:
            self._note_call(Promise.ONE_CALL_PER_ATTEMPT, "dialled again", call)
        self._dialled.add(attempt)
        row = self._store.attempts.get(attempt)
        if row is None or not row.is_open:
            self._note_call(Promise.COMMITTED_FIRST, "unknown" if row is None else f"{row.state.name}", call)

    def _judge_again(self, call: LiveCall) -> None:
        log = self._contacts[call.order.contact]
        before, log.last = log.last, call
        log.calls += 1
        if before is None:
            return
        if before.ended_at is None:
            self._note_call(Promise.ONE_CALL_AT_A_TIME, "the call before goes on", call)
            return
        row = self._store.attempts[before.order.attempt]
        plans = self._plans[call.order.campaign].during(before.ended_at - self._grace_ms, call.invited_at)
        for plan in plans:
            delay_s = None if row.outcome is None else plan.retry.delay_s.get(row.outcome)
            waited_ms = call.invited_at - before.ended_at
            if delay_s is not None and waited_ms >= delay_s * 1000 and log.calls <= plan.retry.retries_max + 1:
                return
        self._note_call(Promise.RETRY_POLICY, f"call {log.calls}, the one before was {row.outcome}", call)

    def _judge_when(self, call: LiveCall, plans: list[CampaignPlan]) -> None:
        zone = self._store.contacts[call.order.contact].zone
        if not any(is_open(plan, call.invited_at, zone) for plan in plans):
            local = datetime.fromtimestamp(call.invited_at / 1000, ZoneInfo(plans[-1].hours.zone))
            self._note_call(Promise.CALLING_HOURS, f"dialled at {local:%a %H:%M:%S %z} of the campaign", call)
        begin = call.invited_at - self._grace_ms
        if not any(self._running[call.order.campaign].during(begin, call.invited_at)):
            self._note_call(Promise.STOPPED, "the campaign does not run", call)

    def _judge_limits(self, call: LiveCall, plans: list[CampaignPlan]) -> None:
        campaign, trunk, now = call.order.campaign, call.order.trunk, call.invited_at
        log = self._trunks[trunk]
        limits = log.limits.during(now - self._grace_ms, now)
        channels = max(channels for channels, _ in limits)
        if log.live > channels:
            self._note_call(Promise.TRUNK_CHANNELS, f"{log.live} calls, {channels} channels", call)
        channels = max(plan.channels_max for plan in plans)
        if (live := self._campaign_live[campaign]) > channels:
            self._note_call(Promise.CAMPAIGN_CHANNELS, f"{live} calls, {channels} channels", call)
        resting = self._resting(campaign, min(plan.pause_s for plan in plans) * 1000)
        if live <= channels < live + resting:
            self._note_call(Promise.PAUSE, f"{live} calls, {resting} channels at rest of {channels}", call)
        shares = [share for plan in plans for share in plan.trunks if share.trunk == trunk]
        if not shares:
            self._note_call(Promise.TRUNK_SHARE, "not a trunk of the campaign", call)
        elif all(share.channels_max is not None for share in shares):
            channels = max(share.channels_max or 0 for share in shares)
            if (live := self._share_live[campaign, trunk]) > channels:
                self._note_call(Promise.TRUNK_SHARE, f"{live} calls, {channels} channels", call)
        self._judge_rate(log, call)

    def _resting(self, campaign: CampaignId, pause_ms: int) -> int:
        """Channels at rest. What a node that is over, or a campaign that was paused, remembered of rests is gone."""
        if not all(self._running[campaign].during(self._timeline.now - pause_ms, self._timeline.now)):
            return 0
        ended = self._campaign_ended[campaign]
        while ended and (ended[0].ended_at or 0) <= self._timeline.now - pause_ms:
            ended.popleft()
        return sum(1 for call in ended if not self._store.nodes[call.owner.id].over)

    def _judge_rate(self, log: _TrunkLog, call: LiveCall) -> None:
        now, invited = call.invited_at, log.invited
        invited.append(now)
        while invited[0] <= now - _LONGEST_WINDOW_MS:
            invited.popleft()
        cps = max(cps for _, cps in log.limits.during(now - self._grace_ms - 1000, now))
        window_ms = 1000 if cps >= 1 else round(1000 / cps)
        if cps < 1 and any(c >= 1 for _, c in log.limits.during(now - self._grace_ms - window_ms, now)):
            return
        inside = 0
        for at in reversed(invited):
            if at <= now - window_ms:
                break
            inside += 1
        if inside > max(1, int(cps)):
            self._note_call(Promise.CALLS_PER_SECOND, f"{inside} calls in {window_ms} ms, the rate is {cps}", call)

    def _judge_whom(self, call: LiveCall, plans: list[CampaignPlan]) -> None:
        plan, phone, now = plans[-1], call.order.phone, call.invited_at
        entered = self._store.do_not_call.get((plan.account, phone))
        row = self._store.attempts.get(call.order.attempt)
        if entered is not None and (now > entered + self._grace_ms or row is None or row.planned_at > entered):
            self._note_call(Promise.DO_NOT_CALL, f"{now - entered} ms after it was entered", call)
        day = datetime.fromtimestamp(now / 1000, ZoneInfo(plan.hours.zone)).date()
        # The store counts plans, in their order; calls may overtake each other on the way.
        planned_at = now if row is None else row.planned_at
        calls = 1 + sum(1 for before in self._day[plan.account, day, phone] if before <= planned_at)
        self._day[plan.account, day, phone].append(planned_at)
        if all(plan.daily_cap is not None and calls > plan.daily_cap for plan in plans):
            self._note_call(Promise.DAILY_CAP, f"call {calls} on {day}, the cap is {plan.daily_cap}", call)

    def _judge_outcome(self, call: LiveCall) -> None:
        row = self._store.attempts.get(call.order.attempt)
        if row is None or row.is_open:
            return
        if row.state is AttemptState.WITHDRAWN:
            self._note_call(Promise.TRUE_OUTCOME, "withdrawn although it was dialled", call)
        elif call.outcome is not None and row.outcome not in (call.outcome, Outcome.UNKNOWN):
            self._note_call(Promise.TRUE_OUTCOME, f"{row.outcome} instead of {call.outcome}", call)

    def _is_stuck(self, contact: ContactId) -> bool:
        row = self._store.contacts[contact]
        if self._store.campaigns[row.campaign].state is not CampaignState.RUNNING:
            return False
        return row.hold is None or (row.hold.until is not None and row.hold.until <= self._timeline.now)

    def _note_call(self, promise: Promise, detail: str, call: LiveCall) -> None:
        order = call.order
        self.violations.append(
            Violation(promise, call.invited_at, detail, order.campaign, order.contact, order.attempt, order.trunk)
        )

    def _note(
        self,
        promise: Promise,
        detail: str,
        campaign: CampaignId,
        contact: ContactId | None = None,
        attempt: AttemptId | None = None,
    ) -> None:
        self.violations.append(Violation(promise, self._timeline.now, detail, campaign, contact, attempt))


def is_open(plan: CampaignPlan, at: Instant, contact_zone: str | None) -> bool:
    """Whether a person may be dialled at `at`, read off the wall clock."""
    if (plan.start_at is not None and at < plan.start_at) or (plan.stop_at is not None and at >= plan.stop_at):
        return False
    if any(closed.begin <= at < closed.end for closed in plan.holidays):
        return False
    zone = (contact_zone if plan.in_contact_zone else None) or plan.hours.zone
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    if local.date() in plan.hours.closed_days:
        return False
    minute = local.hour * 60 + local.minute
    return any(w.begin_min <= minute < w.end_min for w in plan.hours.week[local.isoweekday() % 7])
