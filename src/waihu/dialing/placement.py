"""Filling free channels: which campaign's turn it is, on which trunk, and with which contact.

A campaign is tried when something of its own has changed, and otherwise waits in the queues of its trunks: then a
freed channel costs the same with ten campaigns and with ten thousand.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from waihu.dialing.commands import PlaceCall
from waihu.dialing.decision import Decision
from waihu.dialing.eligibility import (
    campaign_gate,
    contact_closes_at,
    contact_hold,
    counts_until,
    local_day,
)
from waihu.dialing.records import AttemptPlanned, ContactHeld
from waihu.dialing.resources import of_campaign, of_share, of_trunk
from waihu.dialing.state import CampaignRun, DialerState, LiveAttempt, TrunkLine
from waihu.domain.campaign import CampaignPlan, TrunkShare
from waihu.domain.contact import DueContact
from waihu.domain.ids import CampaignId, Instant, TrunkId, attempt_id

CHECK_SLACK_S = 10
"""How long after the ring time-out nothing may be heard of a call before the switch is asked."""

LOST_MEDIA_S = 30
"""How long a carrier keeps a call whose audio has stopped; the common media time-out of carriers."""

RINGS_ON_S = 65
"""How long a carrier lets a call ring whose caller has vanished: nobody cancels it at our ring time-out any more."""


def fill_channels(
    state: DialerState, touched: Sequence[CampaignId], now: Instant, decision: Decision
) -> list[CampaignId]:
    """Plans calls until no campaign can, one call a turn; answers the campaigns whose ready contacts moved.

    `touched` are the campaigns of which something else than their trunks may have changed.
    """
    moved: list[CampaignId] = []
    tries = [(run.turn, run.plan.id) for name in touched if (run := state.campaigns.get(name)) is not None]
    heapify(tries)
    while (run := _next_run(state, tries, now)) is not None:
        before = len(run.ready)
        planned = _plan_one(state, run, now, decision)
        if len(run.ready) != before:
            moved.append(run.plan.id)
        if planned:
            run.turn = state.next_turn()
            heappush(tries, (run.turn, run.plan.id))
    return moved


def gate_of(state: DialerState, run: CampaignRun, now: Instant) -> bool:
    """Whether the campaign's own times allow calls now; looks again when the last answer has run out."""
    if now >= run.gate.until:
        run.gate = campaign_gate(run.plan, now)
        state.wake(run.gate.until, of_campaign(run.plan.id))
    return run.gate.hold is None


def _next_run(state: DialerState, tries: list[tuple[int, CampaignId]], now: Instant) -> CampaignRun | None:
    """The campaign whose turn it is: of those to be tried, and those that wait for a trunk which may start a call."""
    while True:
        queue = tries
        at: TrunkId | None = None
        for trunk, line in state.trunks.items():
            if line.queue and (not queue or line.queue[0] < queue[0]) and _may_start(state, trunk, line, now):
                queue, at = line.queue, trunk
        if not queue:
            return None
        turn, campaign = heappop(queue)
        run = state.campaigns.get(campaign)
        if run is None:
            continue
        if turn != run.turn:
            # It has dialled since it came to this queue: its place is farther back now.
            heappush(queue, (run.turn, campaign))
            continue
        if at is not None:
            run.queued_at.discard(at)
        if run.running and run.ready:
            return run


def _plan_one(state: DialerState, run: CampaignRun, now: Instant, decision: Decision) -> bool:
    if not gate_of(state, run, now) or not _campaign_has_room(state, run, now):
        return False
    share = _pick_trunk(state, run, now)
    if share is None:
        _queue_up(state, run, now)
        return False
    contact = _next_contact(run, now, decision)
    if contact is None:
        return False
    _plan(state, run, contact, share, now, decision)
    return True


def _campaign_has_room(state: DialerState, run: CampaignRun, now: Instant) -> bool:
    while run.cooling and run.cooling[0] <= now:
        heappop(run.cooling)
    allowance = state.allowance(of_campaign(run.plan.id))
    return allowance.has_room(now) and allowance.in_use + len(run.cooling) < allowance.channels


def _pick_trunk(state: DialerState, run: CampaignRun, now: Instant) -> TrunkShare | None:
    """The trunk with the most free channels among those that may start a call at once."""
    best: TrunkShare | None = None
    most_free = 0
    for share in run.plan.trunks:
        allowance = state.allowance(of_trunk(share.trunk))
        free = allowance.channels - allowance.in_use
        if free <= most_free or not allowance.has_room(now) or not _share_has_room(state, run.plan, share, now):
            continue
        if _may_start(state, share.trunk, state.trunk(share.trunk), now):
            best, most_free = share, free
    return best


def _may_start(state: DialerState, trunk: TrunkId, line: TrunkLine, now: Instant) -> bool:
    """Whether the trunk may start a call at once; arranges to be woken when it is only a matter of time."""
    allowance = state.allowance(of_trunk(trunk))
    if not line.up or not allowance.has_room(now):
        return False
    start = allowance.gate.next_start(now)
    if start is None:
        return False
    start = max(start, line.rests_until)
    if start > now:
        state.wake(start, of_trunk(trunk))
        return False
    return True


def _queue_up(state: DialerState, run: CampaignRun, now: Instant) -> None:
    """The campaign waits at each of its trunks that may start no call now, once at each."""
    for share in run.plan.trunks:
        line = state.trunk(share.trunk)
        if share.trunk not in run.queued_at and not _may_start(state, share.trunk, line, now):
            run.queued_at.add(share.trunk)
            heappush(line.queue, (run.turn, run.plan.id))


def _share_has_room(state: DialerState, plan: CampaignPlan, share: TrunkShare, now: Instant) -> bool:
    return share.channels_max is None or state.allowance(of_share(plan.id, share.trunk)).has_room(now)


def _next_contact(run: CampaignRun, now: Instant, decision: Decision) -> DueContact | None:
    while run.ready:
        contact = run.ready.popleft()
        hold = contact_hold(run.plan, contact, now)
        if hold is None:
            return contact
        decision.records.append(ContactHeld(contact.id, run.plan.id, hold))
        run.expect(hold)
    return None


def _plan(
    state: DialerState, run: CampaignRun, contact: DueContact, share: TrunkShare, now: Instant, decision: Decision
) -> None:
    plan = run.plan
    number = contact.attempts + 1
    attempt = LiveAttempt(
        id=attempt_id(plan.id, contact.id, number),
        campaign=plan.id,
        contact=contact,
        trunk=share.trunk,
        number=number,
        planned_at=now,
        check_at=now + (plan.ring_timeout_s + CHECK_SLACK_S) * 1000,
    )
    trunk = state.allowance(of_trunk(share.trunk))
    trunk.take(now)
    trunk.gate.plan(now)
    campaign = state.allowance(of_campaign(plan.id))
    campaign.take(now)
    untils = [run.gate.until, trunk.until, campaign.until]
    shared = state.allowance(of_share(plan.id, share.trunk))
    if share.channels_max is not None:
        assert shared.has_room(now), "more calls than the campaign's share of the trunk"
        untils.append(shared.until)
    shared.in_use += 1
    if plan.in_contact_zone:
        untils.append(contact_closes_at(plan, contact, now))
    if plan.daily_cap is not None:
        untils.append(counts_until(plan, now))
    run.live += 1
    run.fresh = False
    state.attempts[attempt.id] = attempt
    heappush(state.checks, (attempt.check_at, attempt.id))
    decision.records.append(
        AttemptPlanned(
            attempt=attempt.id,
            contact=contact.id,
            campaign=plan.id,
            account=plan.account,
            trunk=share.trunk,
            number=number,
            phone=contact.phone,
            at=now,
            day=local_day(plan, now),
            daily_cap=plan.daily_cap,
        )
    )
    decision.commands.append(
        PlaceCall(
            attempt=attempt.id,
            contact=contact.id,
            campaign=plan.id,
            trunk=share.trunk,
            phone=contact.phone,
            ring_timeout_s=plan.ring_timeout_s,
            not_after=min(until for until in untils if until is not None),
        )
    )


def leave_channels(state: DialerState, attempt: LiveAttempt) -> CampaignRun:
    """The attempt holds its channels no longer."""
    state.allowance(of_trunk(attempt.trunk)).give_back()
    return _leave_campaign(state, attempt)


def leave_channels_after_call(state: DialerState, attempt: LiveAttempt, now: Instant, gone: bool) -> CampaignRun:
    """The call has ended: the campaign's channel rests. After one that is `gone` the trunk's channel rests too.

    The carrier may not know that such a call is over: it goes on ringing, or waits for audio, for a while.
    """
    if gone:
        carrier_ends_at = attempt.planned_at + RINGS_ON_S * 1000
        ghost_until = max(now + LOST_MEDIA_S * 1000, carrier_ends_at if attempt.answered_at is None else 0)
        heappush(state.ghosts, (ghost_until, attempt.trunk))
        state.wake(ghost_until, of_trunk(attempt.trunk))
    else:
        state.allowance(of_trunk(attempt.trunk)).give_back()
    run = _leave_campaign(state, attempt)
    if run.plan.pause_s:
        rested_at = now + run.plan.pause_s * 1000
        heappush(run.cooling, rested_at)
        state.wake(rested_at, of_campaign(attempt.campaign))
    return run


def lay_ghosts(state: DialerState, now: Instant) -> None:
    """Gives back the trunk channels of vanished calls that the carrier must have ended by now."""
    while state.ghosts and state.ghosts[0][0] <= now:
        _, trunk = heappop(state.ghosts)
        state.allowance(of_trunk(trunk)).give_back()


def _leave_campaign(state: DialerState, attempt: LiveAttempt) -> CampaignRun:
    del state.attempts[attempt.id]
    run = state.campaigns[attempt.campaign]
    state.allowance(of_campaign(attempt.campaign)).give_back()
    state.allowance(of_share(attempt.campaign, attempt.trunk)).give_back()
    run.live -= 1
    run.fresh = False
    return run
