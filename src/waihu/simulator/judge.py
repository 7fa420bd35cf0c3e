"""The judge stands at the carriers: sees every INVITE, knows what was promised, and notes every broken promise.

It shares no rule with the core: calling hours are read off the wall clock again, limits are counted again. `Judge`
takes the evidence while a world runs; `verdict` is a function of the evidence alone. `test_simulator_judge.py` plants
each kind of fault.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from heapq import heappop, heappush
from itertools import count
from zoneinfo import ZoneInfo

from waihu.domain.campaign import CampaignPlan, CampaignState
from waihu.domain.contact import DueContact
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, NodeId, TrunkId
from waihu.domain.outcome import Outcome
from waihu.simulator.carriers import LiveCall
from waihu.simulator.evidence import Evidence, SeenCall
from waihu.simulator.store import AttemptRow, AttemptState, ContactRow, MemoryStore
from waihu.simulator.timeline import Timeline

_SECOND_MS = 1000
_LONGEST_WINDOW_MS = 60_000
_LONGEST_DAY_MS = 25 * 3_600_000
_STEP_MS = 5 * 60_000
_LOOK_AHEAD_MS = 8 * 24 * 3_600_000


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


class Judge:
    """Watches one world from the carriers' side, and is told what is promised. `grace_ms` as in `Evidence`."""

    def __init__(self, store: MemoryStore, timeline: Timeline, grace_ms: int) -> None:
        self.calls: list[LiveCall] = []
        self._timeline = timeline
        self._told = Evidence(store, grace_ms)
        self._vanished_at: dict[LiveCall, Instant] = {}
        self._callers: set[NodeId] = set()

    # What was promised.

    def plan_is(self, plan: CampaignPlan) -> None:
        self._told.plans[plan.id].set(self._timeline.now, plan)

    def running_is(self, campaign: CampaignId, running: bool) -> None:
        self._told.running[campaign].set(self._timeline.now, running)

    def trunk_is(self, trunk: TrunkId, channels: int, cps: float) -> None:
        self._told.trunks[trunk].set(self._timeline.now, (channels, cps))

    def contacts_come(self, campaign: CampaignId, contacts: Iterable[DueContact]) -> None:
        """None of them may be lost. Of contacts that nobody told of, only what the store says is judged."""
        self._told.contacts.update((contact.id, campaign) for contact in contacts)

    # What happened.

    def invited(self, call: LiveCall) -> None:
        self.calls.append(call)
        self._callers.add(call.owner.id)
        for node in self._callers:
            if self._told.store.nodes[node].over:
                self._told.nodes_over.setdefault(node, call.invited_at)

    def ended(self, call: LiveCall) -> None:
        """The call knows when it ended."""

    def vanished(self, call: LiveCall) -> None:
        self._vanished_at[call] = self._timeline.now

    def evidence(self) -> Evidence:
        """What is known by now. The world must not go on while it is used."""
        seen = (
            SeenCall(
                call.order,
                call.owner.id,
                call.invited_at,
                call.answered_at,
                self._vanished_at.get(call),
                call.ended_at,
                call.outcome,
            )
            for call in self.calls
        )
        return replace(self._told, at=self._timeline.now, calls=list(seen))

    def close(self) -> list[Violation]:
        """Judges the world when it has come to rest."""
        return verdict(self.evidence())


def verdict(evidence: Evidence) -> list[Violation]:
    """Every promise that the evidence shows to be broken: at first those of calls, in the order of the calls."""
    trial = _Trial(evidence)
    for call in sorted(evidence.calls, key=lambda call: call.invited_at):
        trial.hear(call)
    trial.close()
    return trial.violations


@dataclass(slots=True)
class _TrunkLog:
    live: int = 0
    invited: deque[Instant] = field(default_factory=deque)


@dataclass(slots=True)
class _ContactLog:
    calls: int = 0
    live: int = 0
    last: SeenCall | None = None


class _Trial:
    """Goes through the calls as they began. A call that ends in the millisecond in which another begins ends first."""

    def __init__(self, evidence: Evidence) -> None:
        self.violations: list[Violation] = []
        self._known = evidence
        self._store = evidence.store
        self._grace_ms = evidence.grace_ms
        self._leaving: list[tuple[Instant, int, bool, SeenCall]] = []
        self._order = count()
        self._dialled: set[AttemptId] = set()
        self._trunks: defaultdict[TrunkId, _TrunkLog] = defaultdict(_TrunkLog)
        self._contacts: defaultdict[ContactId, _ContactLog] = defaultdict(_ContactLog)
        self._campaign_live: defaultdict[CampaignId, int] = defaultdict(int)
        self._campaign_ended: defaultdict[CampaignId, deque[SeenCall]] = defaultdict(deque)
        self._share_live: defaultdict[tuple[CampaignId, TrunkId], int] = defaultdict(int)
        self._closed: defaultdict[ContactId, list[AttemptRow]] = defaultdict(list)

    def hear(self, call: SeenCall) -> None:
        """Judges the beginning of a call; all that began before it were heard."""
        self._let_leave(call.invited_at)
        campaign, trunk = call.order.campaign, call.order.trunk
        self._trunks[trunk].live += 1
        self._contacts[call.order.contact].live += 1
        self._campaign_live[campaign] += 1
        self._share_live[campaign, trunk] += 1
        for at, is_over in ((call.vanished_at, False), (call.ended_at, True)):
            if at is not None:
                heappush(self._leaving, (at, next(self._order), is_over, call))
        plans = self._plans_of(call)
        self._judge_attempt(call)
        self._judge_again(call)
        self._judge_when(call, plans)
        self._judge_limits(call, plans)
        self._judge_whom(call, plans)

    def _plans_of(self, call: SeenCall) -> list[CampaignPlan]:
        """The rules of which the call must keep each, as one plan or another has it."""
        return self._known.plans[call.order.campaign].during(call.invited_at - self._grace_ms, call.invited_at)

    def _let_leave(self, now: Instant) -> None:
        while self._leaving and self._leaving[0][0] <= now:
            _, _, is_over, call = heappop(self._leaving)
            campaign, trunk = call.order.campaign, call.order.trunk
            if is_over:
                self._trunks[trunk].live -= 1
                self._contacts[call.order.contact].live -= 1
            if not is_over or call.vanished_at is None:
                self._campaign_live[campaign] -= 1
                self._share_live[campaign, trunk] -= 1
            if is_over and call.vanished_at is None:
                self._campaign_ended[campaign].append(call)

    def close(self) -> None:
        """Judges what is left when the world has come to rest."""
        self._judge_days()
        for call in self._known.calls:
            self._judge_outcome(call)
        self._judge_attempts()
        for contact in self._store.contacts.values():
            self._judge_contact(contact)
        for name, campaign in self._known.contacts.items():
            if name not in self._store.contacts:
                self._note(Promise.NONE_LOST, "not in the store", campaign, name)
        for campaign in self._store.campaigns:
            self._judge_campaign(campaign)

    # A call as it begins.

    def _judge_attempt(self, call: SeenCall) -> None:
        attempt = call.order.attempt
        if attempt in self._dialled:
            self._note_call(Promise.ONE_CALL_PER_ATTEMPT, "dialled again", call)
        self._dialled.add(attempt)
        row = self._store.attempts.get(attempt)
        if row is None:
            self._note_call(Promise.COMMITTED_FIRST, "unknown", call)
        elif not row.planned_at <= call.invited_at <= (row.closed_at or call.invited_at):
            self._note_call(Promise.COMMITTED_FIRST, f"open from {row.planned_at} to {row.closed_at}", call)

    def _judge_again(self, call: SeenCall) -> None:
        log = self._contacts[call.order.contact]
        before, log.last = log.last, call
        log.calls += 1
        if log.live > 1:
            self._note_call(Promise.ONE_CALL_AT_A_TIME, "a call before goes on", call)
            return
        if before is None or before.order.attempt == call.order.attempt:
            return
        assert before.ended_at is not None, "no call before is live"
        row, outcome = self._store.attempts.get(before.order.attempt), None
        if row is not None and row.closed_at is not None and row.closed_at <= call.invited_at:
            outcome = row.outcome
        plans = self._known.plans[call.order.campaign].during(before.ended_at - self._grace_ms, call.invited_at)
        for plan in plans:
            delay_s = None if outcome is None else plan.retry.delay_s.get(outcome)
            waited_ms = call.invited_at - before.ended_at
            if delay_s is not None and waited_ms >= delay_s * 1000 and log.calls <= plan.retry.retries_max + 1:
                return
        self._note_call(Promise.RETRY_POLICY, f"call {log.calls}, the one before was {outcome}", call)

    def _judge_when(self, call: SeenCall, plans: list[CampaignPlan]) -> None:
        # The instant of the INVITE counts, not that of the decision, and there is no tolerance: the core leaves half
        # a second for the way to the switch (`PlaceCall.not_after`).
        contact = self._store.contacts.get(call.order.contact)
        zone = None if contact is None else contact.zone
        if not any(is_open(plan, call.invited_at, zone) for plan in plans):
            local = datetime.fromtimestamp(call.invited_at / 1000, ZoneInfo(plans[-1].hours.zone))
            self._note_call(Promise.CALLING_HOURS, f"dialled at {local:%a %H:%M:%S %z} of the campaign", call)
        begin = call.invited_at - self._grace_ms
        if not any(self._known.running[call.order.campaign].during(begin, call.invited_at)):
            self._note_call(Promise.STOPPED, "the campaign does not run", call)

    def _judge_limits(self, call: SeenCall, plans: list[CampaignPlan]) -> None:
        campaign, trunk, now = call.order.campaign, call.order.trunk, call.invited_at
        limits = self._known.trunks[trunk].during(now - self._grace_ms, now)
        channels = max(channels for channels, _ in limits)
        if (live := self._trunks[trunk].live) > channels:
            self._note_call(Promise.TRUNK_CHANNELS, f"{live} calls, {channels} channels", call)
        channels = max(plan.channels_max for plan in plans)
        if (live := self._campaign_live[campaign]) > channels:
            self._note_call(Promise.CAMPAIGN_CHANNELS, f"{live} calls, {channels} channels", call)
        resting = self._resting(campaign, now, min(plan.pause_s for plan in plans) * 1000)
        if live <= channels < live + resting:
            self._note_call(Promise.PAUSE, f"{live} calls, {resting} channels at rest of {channels}", call)
        shares = [share for plan in plans for share in plan.trunks if share.trunk == trunk]
        if not shares:
            self._note_call(Promise.TRUNK_SHARE, "not a trunk of the campaign", call)
        elif all(share.channels_max is not None for share in shares):
            channels = max(share.channels_max or 0 for share in shares)
            if (live := self._share_live[campaign, trunk]) > channels:
                self._note_call(Promise.TRUNK_SHARE, f"{live} calls, {channels} channels", call)
        self._judge_rate(call)

    def _resting(self, campaign: CampaignId, now: Instant, pause_ms: int) -> int:
        """Channels at rest. What a node that is over, or a campaign that was paused, remembered of rests is gone."""
        if not all(self._known.running[campaign].during(now - pause_ms, now)):
            return 0
        ended = self._campaign_ended[campaign]
        while ended and (ended[0].ended_at or 0) <= now - pause_ms:
            ended.popleft()
        return sum(1 for call in ended if self._known.nodes_over.get(call.node, now + 1) > now)

    def _judge_rate(self, call: SeenCall) -> None:
        now, invited = call.invited_at, self._trunks[call.order.trunk].invited
        limits = self._known.trunks[call.order.trunk]
        invited.append(now)
        while invited[0] <= now - _LONGEST_WINDOW_MS:
            invited.popleft()
        # The other starts in the window may have followed an older rate.
        cps = max(cps for _, cps in limits.during(now - self._grace_ms - _SECOND_MS, now))
        window_ms = _SECOND_MS if cps >= 1 else round(_SECOND_MS / cps)
        if cps < 1 and any(c >= 1 for _, c in limits.during(now - self._grace_ms - window_ms, now)):
            return
        inside = 0
        for at in reversed(invited):
            if at <= now - window_ms:
                break
            inside += 1
        if inside > max(1, int(cps)):
            self._note_call(Promise.CALLS_PER_SECOND, f"{inside} calls in {window_ms} ms, the rate is {cps}", call)

    def _judge_whom(self, call: SeenCall, plans: list[CampaignPlan]) -> None:
        plan, phone, now = plans[-1], call.order.phone, call.invited_at
        row = self._store.attempts.get(call.order.attempt)
        planned_at = now if row is None else row.planned_at
        entered = self._store.do_not_call.get((plan.account, phone))
        if entered is not None and (now > entered + self._grace_ms or planned_at > entered):
            self._note_call(Promise.DO_NOT_CALL, f"{now - entered} ms after it was entered", call)

    # What is left in the end.

    def _judge_days(self) -> None:
        # The store counts plans, in their order; calls may overtake each other on the way.
        order = {attempt: number for number, attempt in enumerate(self._store.attempts)}
        counts: defaultdict[tuple[AccountId, date, str], int] = defaultdict(int)
        for call in sorted(self._known.calls, key=lambda call: order.get(call.order.attempt, len(order))):
            plans = self._plans_of(call)
            plan = plans[-1]
            day = datetime.fromtimestamp(call.invited_at / 1000, ZoneInfo(plan.hours.zone)).date()
            counts[plan.account, day, call.order.phone] += 1
            calls = counts[plan.account, day, call.order.phone]
            if all(plan.daily_cap is not None and calls > plan.daily_cap for plan in plans):
                self._note_call(Promise.DAILY_CAP, f"call {calls} on {day}, the cap is {plan.daily_cap}", call)

    def _judge_outcome(self, call: SeenCall) -> None:
        row = self._store.attempts.get(call.order.attempt)
        if row is None or row.is_open:
            return
        if row.state is AttemptState.WITHDRAWN:
            self._note_call(Promise.TRUE_OUTCOME, "withdrawn although it was dialled", call)
        elif row.outcome is Outcome.UNKNOWN:
            return
        elif (call.answered_at is not None) != (row.outcome is Outcome.ANSWERED):
            self._note_call(Promise.TRUE_OUTCOME, f"{row.outcome}, it was answered at {call.answered_at}", call)
        elif call.outcome is not None and row.outcome is not call.outcome:
            self._note_call(Promise.TRUE_OUTCOME, f"{row.outcome} instead of {call.outcome}", call)

    def _judge_attempts(self) -> None:
        for row in self._store.attempts.values():
            if row.is_open:
                self._note(Promise.NONE_OPEN, "still open", row.campaign, row.contact, row.id)
            elif row.state is AttemptState.CLOSED:
                self._closed[row.contact].append(row)
                if row.id not in self._dialled and row.outcome is not Outcome.UNKNOWN:
                    self._note(Promise.TRUE_OUTCOME, f"{row.outcome}, never dialled", row.campaign, row.contact, row.id)

    def _judge_contact(self, row: ContactRow) -> None:
        campaign = self._store.campaigns[row.campaign]
        if row.finished:
            if row.outcome is None:
                self._note(Promise.NONE_LOST, "finished without an outcome", row.campaign, row.id)
            elif not self._is_true(row):
                self._note(Promise.TRUE_OUTCOME, f"{row.outcome} is of none of its attempts", row.campaign, row.id)
        elif row.node is not None:
            self._note(Promise.NONE_LOST, f"kept by node {row.node}", row.campaign, row.id)
        elif campaign.state is CampaignState.COMPLETED:
            self._note(Promise.NONE_LOST, "unfinished, and its campaign is completed", row.campaign, row.id)
        elif campaign.state is CampaignState.RUNNING and self._is_stuck(row):
            self._note(Promise.NONE_STUCK, f"unfinished, held: {row.hold}", row.campaign, row.id)

    def _is_true(self, row: ContactRow) -> bool:
        """Whether a finished contact ended as its last call, or without one because its number is on the list."""
        if row.outcome is Outcome.DO_NOT_CALL:
            return (self._store.campaigns[row.campaign].plan.account, row.phone) in self._store.do_not_call
        closed = self._closed[row.id]
        return bool(closed) and max(closed, key=lambda attempt: attempt.closed_at or 0).outcome is row.outcome

    def _is_stuck(self, row: ContactRow) -> bool:
        """Whether nothing hinders a call, or nothing hinders an earlier one than the contact is held for."""
        if row.hold is None:
            return True
        held_until, now = row.hold.until, self._known.at
        if held_until is not None and held_until <= now:
            return True
        plan = self._store.campaigns[row.campaign].plan
        waits_ms = [delay_s * 1000 for delay_s in plan.retry.delay_s.values()]
        begin = now + max([*waits_ms, 0 if plan.daily_cap is None else _LONGEST_DAY_MS])
        # Who waits for tomorrow waits for the campaign's morning, in whichever zone his hours are.
        openings = [first_open(plan, begin, zone) for zone in {None, row.zone}]
        return all(at is not None and (held_until is None or held_until > at) for at in openings)

    def _judge_campaign(self, name: CampaignId) -> None:
        row = self._store.campaigns[name]
        if row.state is CampaignState.RUNNING and not row.unfinished:
            self._note(Promise.NONE_STUCK, "all contacts are finished, the campaign is not", name)
        begun, now = self._known.running[name].during(self._known.at, self._known.at), self._known.at
        if row.state is CampaignState.PAUSED and all(begun):
            plans = self._known.plans[name].during(0, now)
            if not any(plan.stop_at is not None and plan.stop_at <= now for plan in plans):
                self._note(Promise.NONE_STUCK, f"paused by nobody: {row.pause_reason}", name)

    def _note_call(self, promise: Promise, detail: str, call: SeenCall) -> None:
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
        self.violations.append(Violation(promise, self._known.at, detail, campaign, contact, attempt))


def first_open(plan: CampaignPlan, begin: Instant, contact_zone: str | None = None) -> Instant | None:
    """The first of the instants every five minutes from `begin` on at which a person may be dialled; None when none
    comes within eight days.
    """
    instants = range(begin, begin + _LOOK_AHEAD_MS, _STEP_MS)
    return next((at for at in instants if is_open(plan, at, contact_zone)), None)


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
