"""Looking after campaigns: claiming contacts ahead of need, saying what a campaign is doing, seeing its end."""

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heappop

from waihu.dialing.commands import ClaimContacts
from waihu.dialing.decision import Decision
from waihu.dialing.eligibility import campaign_gate, capped, tomorrow
from waihu.dialing.events import ContactsClaimed
from waihu.dialing.lifecycle import release_ready
from waihu.dialing.lifecycle import stop as stop_run
from waihu.dialing.placement import gate_of
from waihu.dialing.records import CampaignCompleted, CampaignPaused, CampaignPhased, ContactHeld, ContactReleased
from waihu.dialing.resources import Resource, of_campaign, of_share, of_trunk
from waihu.dialing.state import CampaignRun, DialerState, earlier
from waihu.domain.campaign import CampaignPlan, PauseReason, Phase
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import CampaignId, Instant

CLAIM_MIN, CLAIM_MAX = 10, 200
RECLAIM_MS = 5_000
"""How soon the store is asked again when it failed, or when only other nodes had the contacts."""


Touched = Sequence[CampaignId]


def start(state: DialerState, plan: CampaignPlan, now: Instant) -> Touched:
    """The campaign runs under these rules from now on, whether it ran before or not."""
    gate = campaign_gate(plan, now)
    state.wake(gate.until, of_campaign(plan.id))
    run = state.campaigns.get(plan.id)
    if run is None:
        state.campaigns[plan.id] = CampaignRun(plan=plan, gate=gate, asked_at=now)
    else:
        run.plan, run.gate, run.running, run.fresh = plan, gate, True, False
        run.expect_at(now)
    return (plan.id,)


def stop(state: DialerState, campaign: CampaignId, decision: Decision) -> Touched:
    run = state.campaigns.get(campaign)
    if run is not None:
        stop_run(run, decision)
    return (campaign,)


def claimed(state: DialerState, event: ContactsClaimed, now: Instant, decision: Decision) -> Touched:
    run = state.campaigns.get(event.campaign)
    if run is None or not run.running:
        decision.records.extend(ContactReleased(contact.id, event.campaign) for contact in event.contacts)
    if run is None:
        return ()
    run.claiming = False
    if run.asked_for:
        run.retries_due = 0
    if run.running:
        _take_in(state, run, event.contacts, now, decision)
    next_due_at = event.next_due_at
    if run.asked_for and not event.contacts and next_due_at is not None and next_due_at <= now:
        # Due, yet not to be had: another node is at them. Ask again soon, not at once.
        next_due_at = now + RECLAIM_MS
    run.store_due_at = earlier(next_due_at, run.expected_at)
    run.unfinished = event.unfinished
    run.fresh = run.live == 0
    return (event.campaign,)


def claim_failed(state: DialerState, campaign: CampaignId, now: Instant) -> Touched:
    run = state.campaigns.get(campaign)
    if run is not None:
        run.claiming = False
        run.store_due_at = now + RECLAIM_MS
    return (campaign,)


def contacts_arrived(state: DialerState, campaign: CampaignId, now: Instant) -> Touched:
    run = state.campaigns.get(campaign)
    if run is not None:
        run.expect_at(now)
        run.unfinished, run.fresh = True, False
    return (campaign,)


def look_after(
    state: DialerState,
    touched: Sequence[CampaignId],
    moved: Iterable[CampaignId],
    now: Instant,
    decision: Decision,
) -> None:
    """Claims, ends and describes the campaigns that the step touched, or whose contacts it moved."""
    for name in dict.fromkeys([*touched, *moved]):
        run = state.campaigns.get(name)
        if run is None:
            continue
        if run.running:
            _look_after_running(state, run, now, decision)
        if not run.running:
            _look_after_stopped(state, run, decision)


def demands(state: DialerState, now: Instant) -> dict[Resource, tuple[int, int]]:
    found = {name: (held.in_use, 0) for name, held in state.allowances.items() if held.in_use}
    for run in state.campaigns.values():
        plan = run.plan
        # A channel that rests is kept: on another node it would dial at once.
        kept = run.live + sum(1 for rested_at in run.cooling if rested_at > now)
        want = max(0, plan.channels_max - kept) if run.running and _would_dial(run, now) else 0
        _want(found, of_campaign(plan.id), kept, want)
        for share in plan.trunks:
            in_share = state.allowance(of_share(plan.id, share.trunk)).in_use
            of_this = want if share.channels_max is None else min(want, max(0, share.channels_max - in_share))
            _want(found, of_trunk(share.trunk), state.allowance(of_trunk(share.trunk)).in_use, of_this)
            if share.channels_max is not None:
                _want(found, of_share(plan.id, share.trunk), in_share, of_this)
    return found


def _want(found: dict[Resource, tuple[int, int]], resource: Resource, in_use: int, want: int) -> None:
    _, before = found.get(resource, (0, 0))
    found[resource] = (in_use, before + want)


def _take_in(
    state: DialerState, run: CampaignRun, contacts: Sequence[DueContact], now: Instant, decision: Decision
) -> None:
    """Contacts that may be called today are ready to be dialled; the others wait for tomorrow."""
    plan = run.plan
    over = capped(plan, contacts, run.asked_at, now)
    if over:
        hold = Hold(HoldReason.DAILY_CAP, tomorrow(plan, now))
        decision.records.extend(ContactHeld(contact.id, plan.id, hold) for contact in contacts if contact.id in over)
        run.expect(hold)
    if not run.ready:
        run.turn = state.next_turn()
    # Both parts are in the store's order already; sorting keeps it among retries, and among new numbers.
    taken = [*run.ready, *(contact for contact in contacts if contact.id not in over)]
    run.ready = deque(sorted(taken, key=lambda due: (due.attempts > 0) == plan.retry.new_first))


def _would_dial(run: CampaignRun, now: Instant) -> bool:
    if run.gate.hold is not None:
        return False
    return bool(run.ready) or (run.store_due_at is not None and run.store_due_at <= now)


def _look_after_running(state: DialerState, run: CampaignRun, now: Instant, decision: Decision) -> None:
    is_open = gate_of(state, run, now)
    if _is_over(run):
        decision.records.append(CampaignCompleted(run.plan.id, run.plan.end_action))
        run.running = False
        return
    if run.gate.hold is not None and run.gate.hold.reason is HoldReason.SCHEDULE_END:
        decision.records.append(CampaignPaused(run.plan.id, PauseReason.SCHEDULE_END))
        stop_run(run, decision)
        return
    if is_open:
        _claim(state, run, now, decision)
    else:
        # What was claimed is free for reset, removal and other nodes while nobody is called.
        release_ready(run, decision)
        if not run.claiming and not run.live and not run.fresh:
            _ask_how_it_stands(state, run, now, decision)
    _tell(run, _phase(state, run, now), decision)


def _look_after_stopped(state: DialerState, run: CampaignRun, decision: Decision) -> None:
    if run.live:
        _tell(run, (Phase.DRAINING, Hold(HoldReason.PAUSED)), decision)
        return
    if run.told[0] is Phase.DRAINING:
        _tell(run, (None, None), decision)
    if not run.claiming:
        _forget(state, run)


def _forget(state: DialerState, run: CampaignRun) -> None:
    del state.campaigns[run.plan.id]
    name = of_campaign(run.plan.id)
    for resource in [held for held in state.allowances if held == name or held.startswith(f"{name}/")]:
        del state.allowances[resource]


def _is_over(run: CampaignRun) -> bool:
    return run.fresh and not run.unfinished and not run.ready and run.live == 0 and not run.claiming


def _claim(state: DialerState, run: CampaignRun, now: Instant, decision: Decision) -> None:
    """Asks for contacts before the last is dialled, and for the truth when there seem to be none."""
    batch = min(CLAIM_MAX, max(CLAIM_MIN, 2 * run.plan.channels_max))
    if run.claiming:
        return
    retries = _retries_due(run, now)
    if len(run.ready) > batch // 2:
        if run.plan.retry.new_first or run.ready[0].attempts:
            return
        # New numbers were claimed ahead of need; a retry that is due goes before them.
        if not retries:
            if run.retries:
                state.wake(run.retries[0], of_campaign(run.plan.id))
            return
        batch = min(CLAIM_MAX, retries)
    if run.store_due_at is None:
        if run.ready or run.live:
            return
        if run.fresh:
            # Other nodes have what is left. They may give it back.
            run.store_due_at = now + RECLAIM_MS
            state.wake(run.store_due_at, of_campaign(run.plan.id))
            return
    elif run.store_due_at > now:
        state.wake(run.store_due_at, of_campaign(run.plan.id))
        return
    elif not state.allowance(of_campaign(run.plan.id)).channels:
        # What another node may have taken meanwhile must not be wanted for ever: a node that wants, and has nothing
        # to dial, keeps capacity from one that has.
        if now >= run.asked_at + RECLAIM_MS:
            _ask_store(run, 0, now, decision)
        else:
            state.wake(run.asked_at + RECLAIM_MS, of_campaign(run.plan.id))
        return
    _ask_store(run, batch, now, decision)


def _retries_due(run: CampaignRun, now: Instant) -> int:
    """How many contacts that were called from here have become due since contacts were last claimed."""
    while run.retries and run.retries[0] <= now:
        heappop(run.retries)
        run.retries_due += 1
    return run.retries_due


def _ask_how_it_stands(state: DialerState, run: CampaignRun, now: Instant, decision: Decision) -> None:
    """Asks whether the campaign is over, unless the store has just failed or a contact is known to wait."""
    if run.store_due_at is not None and run.store_due_at > now:
        state.wake(run.store_due_at, of_campaign(run.plan.id))
        return
    _ask_store(run, 0, now, decision)


def _ask_store(run: CampaignRun, count: int, now: Instant, decision: Decision) -> None:
    run.claiming, run.asked_for, run.asked_at, run.expected_at = True, count, now, None
    decision.commands.append(ClaimContacts(run.plan.id, count, run.plan.retry.new_first))


def _phase(state: DialerState, run: CampaignRun, now: Instant) -> tuple[Phase, Hold | None]:
    if run.gate.hold is not None:
        return Phase.WAITING_HOURS, run.gate.hold
    no_way_out = _no_way_out(state, run)
    if run.live:
        # Calls in progress go on; those who wait are told why.
        return Phase.DIALING, no_way_out
    if no_way_out is not None:
        return Phase.WAITING_CAPACITY, no_way_out
    if run.ready or (run.store_due_at is not None and run.store_due_at <= now):
        channels = state.allowance(of_campaign(run.plan.id)).has_room(now)
        if channels and any(state.allowance(of_trunk(share.trunk)).has_room(now) for share in run.plan.trunks):
            return Phase.DIALING, None
        return Phase.WAITING_CAPACITY, Hold(HoldReason.NO_CHANNEL)
    if run.store_due_at is not None:
        return Phase.WAITING_RETRY, Hold(HoldReason.RETRY_DELAY, run.store_due_at)
    return Phase.DIALING, None


def _no_way_out(state: DialerState, run: CampaignRun) -> Hold | None:
    if not run.plan.trunks:
        return Hold(HoldReason.NO_TRUNK)
    if not any(state.trunk(share.trunk).up for share in run.plan.trunks):
        return Hold(HoldReason.TRUNK_DOWN)
    return None


def _tell(run: CampaignRun, what: tuple[Phase | None, Hold | None], decision: Decision) -> None:
    if what != run.told:
        run.told = what
        decision.records.append(CampaignPhased(run.plan.id, *what))
