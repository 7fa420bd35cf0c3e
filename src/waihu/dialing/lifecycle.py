"""What becomes of an attempt after its plan: refused, placed, answered, closed, or never heard of again."""

from collections.abc import Sequence
from heapq import heappop, heappush

from waihu.dialing.commands import CheckCall, HangUp
from waihu.dialing.decision import Decision
from waihu.dialing.eligibility import tomorrow
from waihu.dialing.events import (
    AttemptRefused,
    CallAnswered,
    CallEnded,
    CallNotPlaced,
    CallPlaced,
    CallRinging,
    Refusal,
)
from waihu.dialing.placement import leave_channels, leave_channels_after_call
from waihu.dialing.records import (
    AttemptAnswered,
    AttemptClosed,
    AttemptWithdrawn,
    ContactFinished,
    ContactHeld,
    ContactReleased,
)
from waihu.dialing.resources import of_trunk
from waihu.dialing.retries import retry_after
from waihu.dialing.state import SINCE_EVER, CampaignRun, DialerState, LiveAttempt
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import CampaignId, Instant
from waihu.domain.outcome import Outcome, outcome_of

CHECK_EVERY_S = 15
"""How often the switch is asked about a call that should have ended."""

REST_S = 5
"""How long a trunk rests after a call could not be placed on it, and its contact waits; also one whose trunk was taken
away."""

# Each function answers the campaigns it touched: none when the event is late or repeated and changes nothing. The
# carrier may tell anything twice, and after a reconnect in any order.

Touched = Sequence[CampaignId]


def refused(state: DialerState, event: AttemptRefused, now: Instant, decision: Decision) -> Touched:
    attempt = state.attempts.get(event.attempt)
    if attempt is None:
        return ()
    state.allowance(of_trunk(attempt.trunk)).gate.withdraw()
    run = leave_channels(state, attempt)
    contact, campaign = attempt.contact.id, attempt.campaign
    match event.refusal:
        case Refusal.DO_NOT_CALL:
            decision.records.append(ContactFinished(contact, campaign, Outcome.DO_NOT_CALL))
        case Refusal.DAILY_CAP:
            # The day it was planned for, which may be yesterday.
            hold = Hold(HoldReason.DAILY_CAP, tomorrow(run.plan, attempt.planned_at))
            run.expect(hold)
            decision.records.append(ContactHeld(contact, campaign, hold))
        case Refusal.NO_TRUNK:
            # The campaign's new trunks are on their way here.
            hold = Hold(HoldReason.NO_TRUNK, now + REST_S * 1000)
            run.expect(hold)
            decision.records.append(ContactHeld(contact, campaign, hold))
        case Refusal.STOPPED:
            decision.records.append(ContactReleased(contact, campaign))
            stop(run, decision)
        case Refusal.NOT_OURS:
            pass
    return (campaign,)


def placed(state: DialerState, event: CallPlaced, now: Instant) -> Touched:
    attempt = state.attempts.get(event.attempt)
    if attempt is not None:
        _confirm(state, attempt, now)
    return ()


def not_placed(state: DialerState, event: CallNotPlaced, now: Instant, decision: Decision) -> Touched:
    attempt = state.attempts.get(event.attempt)
    if attempt is None or attempt.placed_at is not None:
        return ()
    state.allowance(of_trunk(attempt.trunk)).gate.withdraw()
    line = state.trunk(attempt.trunk)
    line.rests_until = now + REST_S * 1000
    state.wake(line.rests_until, of_trunk(attempt.trunk))
    run = leave_channels(state, attempt)
    hold = Hold(HoldReason.TRUNK_DOWN, line.rests_until)
    run.expect_retry(hold)
    decision.records.append(AttemptWithdrawn(attempt.id, attempt.contact.id, attempt.campaign, now, hold))
    return (attempt.campaign,)


def ringing(state: DialerState, event: CallRinging, now: Instant) -> Touched:
    attempt = state.attempts.get(event.attempt)
    if attempt is not None and attempt.ringing_at is None and attempt.answered_at is None:
        _confirm(state, attempt, now)
        attempt.ringing_at = now
    return ()


def answered(state: DialerState, event: CallAnswered, now: Instant, decision: Decision) -> Touched:
    attempt = state.attempts.get(event.attempt)
    if attempt is None or attempt.answered_at is not None:
        return ()
    _confirm(state, attempt, now)
    attempt.answered_at = now
    attempt.check_at = now + (state.campaigns[attempt.campaign].plan.call_max_s + 1) * 1000
    heappush(state.checks, (attempt.check_at, attempt.id))
    decision.records.append(AttemptAnswered(attempt.id, now))
    return ()


def ended(state: DialerState, event: CallEnded, now: Instant, decision: Decision) -> Touched:
    attempt = state.attempts.get(event.attempt)
    if attempt is None:
        return ()
    _confirm(state, attempt, now)
    run = leave_channels_after_call(state, attempt, now, gone=event.ending.gone)
    answered_at = attempt.answered_at or event.ending.answered_at
    outcome = outcome_of(event.ending, answered=answered_at is not None)
    retry = retry_after(run.plan, attempt.contact, outcome, now)
    if retry is not None:
        run.expect_retry(retry)
    decision.records.append(
        AttemptClosed(
            attempt=attempt.id,
            contact=attempt.contact.id,
            campaign=attempt.campaign,
            outcome=outcome,
            ending=event.ending,
            placed_at=attempt.placed_at,
            ringing_at=attempt.ringing_at,
            answered_at=answered_at,
            at=now,
            retry=retry,
        )
    )
    return (attempt.campaign,)


def stop(run: CampaignRun, decision: Decision) -> None:
    """Plans nothing more and gives back what was claimed; calls in progress end by themselves."""
    run.running = False
    release_ready(run, decision)


def release_ready(run: CampaignRun, decision: Decision) -> None:
    if run.ready:
        decision.records.extend(ContactReleased(contact.id, run.plan.id) for contact in run.ready)
        run.ready.clear()
        run.expect_at(SINCE_EVER)
        run.fresh = False


def ask_about_silent_calls(state: DialerState, now: Instant, decision: Decision) -> None:
    """Events get lost. A call that should have ended is asked about until the switch says it has."""
    while state.checks and state.checks[0][0] <= now:
        at, attempt_id = heappop(state.checks)
        attempt = state.attempts.get(attempt_id)
        if attempt is None or attempt.check_at != at:
            continue
        if attempt.answered_at is not None:
            decision.commands.append(HangUp(attempt_id))
        decision.commands.append(CheckCall(attempt_id))
        attempt.check_at = now + CHECK_EVERY_S * 1000
        heappush(state.checks, (attempt.check_at, attempt_id))


def _confirm(state: DialerState, attempt: LiveAttempt, now: Instant) -> None:
    """The first that is heard of a call says that it has left."""
    if attempt.placed_at is None:
        attempt.placed_at = now
        state.allowance(of_trunk(attempt.trunk)).gate.confirm(now)
