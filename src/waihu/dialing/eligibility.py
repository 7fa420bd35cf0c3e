"""Whether a campaign, and one of its contacts, may be dialled now; if not, why and until when.

`retries.py` decides when a contact should be tried again; this module decides whether that may happen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from waihu.domain.campaign import CampaignPlan
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.hours import next_open, openness
from waihu.domain.ids import ContactId, Instant

LAUNCH_MARGIN_MS = 500
"""No call is planned so shortly before closing that it could reach the carrier after it."""

_LOOK_AHEAD_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Gate:
    """A campaign's gate: `hold` is None while it is open. Valid for instants before `until`."""

    hold: Hold | None
    until: Instant


def campaign_gate(plan: CampaignPlan, now: Instant) -> Gate:
    """Whether the campaign's own times allow calls. Contacts with own time zones are asked one by one."""
    if plan.stop_at is not None and now >= plan.stop_at - LAUNCH_MARGIN_MS:
        return Gate(Hold(HoldReason.SCHEDULE_END), now + _LOOK_AHEAD_MS)
    hold = _closed(plan, now) or _closed(plan, now + LAUNCH_MARGIN_MS)
    if hold is not None:
        # Looked at again within a day, in case the instant could not be named.
        return Gate(hold, hold.until or now + _LOOK_AHEAD_MS)
    return Gate(None, _closes_at(plan, None, now) - LAUNCH_MARGIN_MS)


def contact_hold(plan: CampaignPlan, contact: DueContact, now: Instant) -> Hold | None:
    """Why this contact is not dialled now although its campaign dials; None when it may be."""
    if plan.daily_cap is not None and now >= counts_until(plan, now):
        return Hold(HoldReason.DAILY_CAP, tomorrow(plan, now))
    if plan.in_contact_zone:
        zone = _own_zone(plan, contact)
        return _closed_for(plan, zone, now) or _closed_for(plan, zone, now + LAUNCH_MARGIN_MS)
    return None


def contact_closes_at(plan: CampaignPlan, contact: DueContact, now: Instant) -> Instant:
    """When the contact's own hours end; called while they are open."""
    return _closes_at(plan, _own_zone(plan, contact), now) - LAUNCH_MARGIN_MS


def earliest(plan: CampaignPlan, contact: DueContact, due: Hold) -> Hold:
    """The hold of a contact that is due at `due.until`, moved into the times in which it may be dialled."""
    assert due.until is not None
    zone = _own_zone(plan, contact) if plan.in_contact_zone else None
    at = due.until
    while (closed := _closed_for(plan, zone, at)) is not None:
        if closed.until is None:
            return closed
        due, at = closed, closed.until
    if plan.stop_at is not None and at >= plan.stop_at:
        return Hold(HoldReason.SCHEDULE_END, at)
    return due


def capped(plan: CampaignPlan, contacts: Sequence[DueContact], counted_at: Instant, now: Instant) -> set[ContactId]:
    """Contacts whose phone has had its calls of today, as they were counted when the store was asked.

    Counts of yesterday say nothing, and those that another campaign has raised since are too low: the store, which
    counts when it commits a plan, has the last word.
    """
    if plan.daily_cap is None or local_day(plan, counted_at) != local_day(plan, now):
        return set()
    return {contact.id for contact in contacts if contact.calls_today >= plan.daily_cap}


def local_day(plan: CampaignPlan, now: Instant) -> date:
    """The day a call at `now` counts in."""
    return datetime.fromtimestamp(now / 1000, ZoneInfo(plan.hours.zone)).date()


def counts_until(plan: CampaignPlan, now: Instant) -> Instant:
    """The end of the local day, less the margin: a call of today that came later would count for tomorrow."""
    return _midnight(plan, now) - LAUNCH_MARGIN_MS


def tomorrow(plan: CampaignPlan, now: Instant) -> Instant | None:
    """When the campaign may first dial on the next local day."""
    return next_open(plan.hours, _midnight(plan, now))


def _midnight(plan: CampaignPlan, now: Instant) -> Instant:
    zone = ZoneInfo(plan.hours.zone)
    midnight = datetime.combine(local_day(plan, now) + timedelta(days=1), datetime.min.time(), zone)
    return int(midnight.timestamp()) * 1000


def _own_zone(plan: CampaignPlan, contact: DueContact) -> str:
    return contact.zone or plan.hours.zone


def _closed(plan: CampaignPlan, now: Instant) -> Hold | None:
    if plan.in_contact_zone:
        return _closed_by_period(plan, now)
    return _closed_for(plan, None, now)


def _closed_for(plan: CampaignPlan, zone: str | None, now: Instant) -> Hold | None:
    by_period = _closed_by_period(plan, now)
    if by_period is not None:
        return by_period
    closed = openness(plan.hours, now, zone).hold
    if closed is None:
        return None
    return Hold(closed if zone is None else HoldReason.CONTACT_HOURS, _first_open(plan, zone, now))


def _closed_by_period(plan: CampaignPlan, now: Instant) -> Hold | None:
    if plan.start_at is not None and now < plan.start_at:
        return Hold(HoldReason.NOT_STARTED, plan.start_at)
    for period in plan.holidays:
        if period.begin <= now < period.end:
            return Hold(HoldReason.HOLIDAY, period.end)
    return None


def _first_open(plan: CampaignPlan, zone: str | None, now: Instant) -> Instant | None:
    """The first opening from `now` on that is in no closed period."""
    at = next_open(plan.hours, now, zone)
    while at is not None and (closed := _closed_by_period(plan, at)) is not None:
        assert closed.until is not None
        at = next_open(plan.hours, closed.until, zone)
    return at


def _closes_at(plan: CampaignPlan, zone: str | None, now: Instant) -> Instant:
    """When the present opening ends, looking a day ahead at most."""
    end = now + _LOOK_AHEAD_MS
    if plan.stop_at is not None:
        end = min(end, plan.stop_at)
    for period in plan.holidays:
        if period.begin > now:
            end = min(end, period.begin)
    if plan.in_contact_zone and zone is None:
        return end
    at = now
    while at < end:
        state = openness(plan.hours, at, zone)
        if state.hold is not None:
            return at
        at = state.until
    return end
