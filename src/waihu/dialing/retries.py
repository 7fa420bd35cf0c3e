"""When to try a contact again. Computes the due time; `eligibility.py` decides whether it may happen then."""

from waihu.dialing.eligibility import earliest
from waihu.domain.campaign import CampaignPlan
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import Instant
from waihu.domain.outcome import Outcome


def retry_after(plan: CampaignPlan, contact: DueContact, outcome: Outcome, ended_at: Instant) -> Hold | None:
    """The hold until the next try, or None when the contact is finished with this outcome.

    `contact.tries` counts the tries before the one that has just ended: the first try is no retry.
    """
    delay_s = plan.retry.delay_s.get(outcome)
    if delay_s is None or contact.tries >= plan.retry.retries_max:
        return None
    return earliest(plan, contact, Hold(HoldReason.RETRY_DELAY, ended_at + delay_s * 1000))
