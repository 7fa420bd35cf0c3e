"""Why a contact is not being dialled: its own reason, else its campaign's, else that others come first."""

from waihu.domain.campaign import CampaignState
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import Instant
from waihu.ports.rows import Campaign, Contact


def hold_of(contact: Contact, campaign: Campaign, now: Instant) -> Hold | None:
    """The one reason that holds at `now`, or None for a contact that is finished."""
    if contact.finished:
        return None
    if campaign.state is not CampaignState.RUNNING:
        return Hold(HoldReason.PAUSED)
    if contact.own_hold is not None and contact.own_hold.until is not None and contact.own_hold.until > now:
        return contact.own_hold
    if campaign.hold is not None and (campaign.hold.until is None or campaign.hold.until > now):
        return campaign.hold
    return Hold(HoldReason.WAITING_TURN)
