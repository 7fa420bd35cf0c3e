"""The dialing core's door: `Dialer.step(event, now)` routes each event to the rule it concerns, then fills channels.

It decides nothing itself. The rules: `lifecycle` (attempts), `placement` (who is next, on which trunk), `eligibility`
(when), `retries` (again?), `pacing` and `capacity` (limits), `campaigns` (claiming, phases, completion).
"""

import pickle
from collections.abc import Sequence
from typing import assert_never

from waihu.dialing import campaigns, lifecycle
from waihu.dialing.decision import Decision
from waihu.dialing.events import (
    AttemptRefused,
    CallAnswered,
    CallEnded,
    CallNotPlaced,
    CallPlaced,
    CallRinging,
    CampaignStarted,
    CampaignStopped,
    CapacityGranted,
    ClaimFailed,
    ContactsArrived,
    ContactsClaimed,
    Event,
    TimePassed,
    TrunkWentDown,
    TrunkWentUp,
)
from waihu.dialing.placement import fill_channels, lay_ghosts
from waihu.dialing.resources import Resource, campaign_of
from waihu.dialing.state import DialerState
from waihu.domain.campaign import CampaignPlan
from waihu.domain.ids import AttemptId, CampaignId, Instant

Touched = Sequence[CampaignId] | None
EVERYONE = None


class Dialer:
    """One engine's dialing decisions. Deterministic: the same events at the same instants decide the same."""

    def __init__(self) -> None:
        self._state = DialerState()

    def step(self, event: Event, now: Instant) -> Decision:
        """What follows from `event` at `now`; `now` never goes back.

        The shell commits `records` first, reports what the store refused as AttemptRefused (and drops the
        refused PlaceCall), then runs `commands`, and sends TimePassed at `wake_at`.
        """
        state, decision = self._state, Decision()
        # Whatever the event: what alarms were set for is due now, too.
        due = state.forget_alarms(now)
        lay_ghosts(state, now)
        touched = self._route(event, now, decision)
        if due:
            touched = self._touched_by(due, touched, now)
        if touched is EVERYONE:
            touched = list(state.campaigns)
        lifecycle.ask_about_silent_calls(state, now, decision)
        moved = fill_channels(state, touched, now, decision)
        campaigns.look_after(state, touched, moved, now, decision)
        decision.wake_at = state.next_alarm()
        return decision

    def plan_of(self, campaign: CampaignId) -> CampaignPlan | None:
        """The rules under which the campaign runs here, or None when it does not."""
        run = self._state.campaigns.get(campaign)
        return run.plan if run is not None and run.running else None

    def campaigns(self) -> Sequence[CampaignId]:
        """Campaigns that run here."""
        return [run.plan.id for run in self._state.campaigns.values() if run.running]

    def live(self) -> Sequence[AttemptId]:
        """Attempts between plan and close."""
        return list(self._state.attempts)

    def demands(self, now: Instant) -> dict[Resource, tuple[int, int]]:
        """For each resource in use or wanted: calls held now, and how many more would be placed at once."""
        return campaigns.demands(self._state, now)

    def snapshot(self) -> bytes:
        """All of the core's memory, for `restore`."""
        return pickle.dumps(self._state)

    @classmethod
    def restore(cls, snapshot: bytes) -> "Dialer":
        """A core that decides as the one did that `snapshot` was taken from. Only for snapshots of our own."""
        dialer = cls()
        dialer._state = pickle.loads(snapshot)
        return dialer

    def _route(self, event: Event, now: Instant, decision: Decision) -> Touched:
        """Applies the event; answers the campaigns it may have touched, None for all."""
        state = self._state
        match event:
            case CallPlaced():
                return lifecycle.placed(state, event, now)
            case CallRinging():
                return lifecycle.ringing(state, event, now)
            case CallAnswered():
                return lifecycle.answered(state, event, now, decision)
            case CallEnded():
                return lifecycle.ended(state, event, now, decision)
            case TimePassed():
                return ()
            case ContactsClaimed():
                return campaigns.claimed(state, event, now, decision)
            case AttemptRefused():
                return lifecycle.refused(state, event, now, decision)
            case CallNotPlaced():
                return lifecycle.not_placed(state, event, now, decision)
            case CapacityGranted():
                return self._granted(event, now)
            case CampaignStarted():
                return campaigns.start(state, event.plan, now)
            case CampaignStopped():
                return campaigns.stop(state, event.campaign, decision)
            case ClaimFailed():
                return campaigns.claim_failed(state, event.campaign, now)
            case ContactsArrived():
                return campaigns.contacts_arrived(state, event.campaign, now)
            case TrunkWentUp():
                state.trunk(event.trunk).up = True
                return EVERYONE
            case TrunkWentDown():
                state.trunk(event.trunk).up = False
                return EVERYONE
            case _:
                assert_never(event)

    def _granted(self, event: CapacityGranted, now: Instant) -> Touched:
        allowance = self._state.allowance(event.resource)
        had_room = allowance.has_room(now)
        allowance.grant(event.channels, event.cps, event.until)
        if event.until is not None and event.until > now:
            self._state.wake(event.until, event.resource)
        campaign = campaign_of(event.resource)
        if campaign is not None:
            return (campaign,)
        # Leases are renewed all the time, mostly to what they were.
        return EVERYONE if allowance.has_room(now) != had_room else ()

    def _touched_by(self, due: Sequence[Resource], touched: Touched, now: Instant) -> Touched:
        """What the event has touched, and whatever the alarms were set for."""
        if touched is EVERYONE:
            return EVERYONE
        names = list(touched)
        for resource in due:
            campaign = campaign_of(resource)
            if campaign is not None:
                names.append(campaign)
            elif self._state.allowance(resource).is_over(now):
                return EVERYONE
        return names
