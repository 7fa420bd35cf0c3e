"""The dialing store on paper: one card per contact, and a strict reading of every record against it.

It plays the store's part for the stories and for the random runs. A record that does not fit the card it speaks of
is a broken promise of the core.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

from waihu.dialing.commands import ClaimContacts
from waihu.dialing.eligibility import local_day
from waihu.dialing.events import AttemptRefused, ContactsClaimed, Refusal
from waihu.dialing.records import (
    AttemptAnswered,
    AttemptClosed,
    AttemptPlanned,
    AttemptWithdrawn,
    ContactFinished,
    ContactHeld,
    ContactReleased,
    Record,
)
from waihu.domain.campaign import CampaignPlan
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import AttemptId, CampaignId, ContactId, Instant, attempt_id


class Place(Enum):
    WAITING = auto()
    CLAIMED = auto()
    LIVE = auto()
    FINISHED = auto()
    GONE = auto()
    """Deleted, or taken over by another node."""


@dataclass(slots=True)
class Card:
    """A contact. While it waits it has a hold, and `due_at` None means that no time can be named."""

    id: ContactId
    campaign: CampaignId
    phone: str
    due_at: Instant | None
    zone: str | None = None
    attempts: int = 0
    tries: int = 0
    place: Place = Place.WAITING
    hold: Hold | None = None


class PaperStore:
    def __init__(self) -> None:
        self.plans: dict[CampaignId, CampaignPlan] = {}
        self.cards: dict[tuple[CampaignId, ContactId], Card] = {}
        self.open: dict[AttemptId, AttemptPlanned] = {}
        self.calls: Counter[tuple[str, date]] = Counter()
        self.used: set[AttemptId] = set()

    def add(self, card: Card) -> None:
        card.hold = Hold(HoldReason.WAITING_TURN)
        self.cards[card.campaign, card.id] = card

    def of(self, campaign: CampaignId) -> Iterator[Card]:
        return (card for card in self.cards.values() if card.campaign == campaign)

    def claim(self, asked: ClaimContacts, now: Instant) -> ContactsClaimed:
        """The longest due first; retries before new numbers, or after them with `new_first`."""
        campaign, day = asked.campaign, local_day(self.plans[asked.campaign], now)
        due = [card for card in self.of(campaign) if _is_due(card, now)]
        due.sort(key=lambda card: ((card.attempts > 0) == asked.new_first, card.due_at))
        taken = due[: asked.count]
        for card in taken:
            card.place, card.hold = Place.CLAIMED, None
        waiting = [card.due_at for card in self.of(campaign) if card.place is Place.WAITING and card.due_at is not None]
        return ContactsClaimed(
            campaign=campaign,
            contacts=tuple(
                DueContact(
                    id=card.id,
                    phone=card.phone,
                    attempts=card.attempts,
                    tries=card.tries,
                    zone=card.zone,
                    calls_today=self.calls[card.phone, day],
                )
                for card in taken
            ),
            next_due_at=min(waiting, default=None),
            unfinished=any(card.place not in (Place.FINISHED, Place.GONE) for card in self.of(campaign)),
        )

    def write(self, record: Record) -> None:
        match record:
            case AttemptPlanned():
                self._plan(record)
            case AttemptAnswered():
                assert record.attempt in self.open, "only an open attempt is answered"
            case AttemptClosed():
                card = self._close(record)
                card.tries += 1
                if record.retry is None:
                    card.place = Place.FINISHED
                else:
                    _put_back(card, record.retry)
            case AttemptWithdrawn():
                planned = self.open[record.attempt]
                _put_back(self._close(record), record.hold)
                self.calls[planned.phone, planned.day] -= 1
            case ContactHeld():
                _put_back(self._claimed(record), record.hold)
            case ContactReleased():
                _put_back(self._claimed(record), Hold(HoldReason.WAITING_TURN))
            case ContactFinished():
                self._claimed(record).place = Place.FINISHED

    def refuse(self, attempt: AttemptId, refusal: Refusal) -> AttemptRefused:
        """The store's answer to a plan that was written but may not stand."""
        planned = self.open.pop(attempt)
        self.used.discard(attempt)
        self.calls[planned.phone, planned.day] -= 1
        card = self.cards[planned.campaign, planned.contact]
        card.attempts -= 1
        card.place = Place.GONE if refusal is Refusal.NOT_OURS else Place.CLAIMED
        return AttemptRefused(attempt, refusal)

    def _plan(self, planned: AttemptPlanned) -> None:
        card, plan = self._claimed(planned), self.plans[planned.campaign]
        assert planned.attempt not in self.used, "one try, one id"
        assert planned.number == card.attempts + 1
        assert planned.attempt == attempt_id(card.campaign, card.id, planned.number)
        assert (planned.phone, planned.account, planned.daily_cap) == (card.phone, plan.account, plan.daily_cap)
        assert planned.day == local_day(plan, planned.at)
        self.used.add(planned.attempt)
        self.open[planned.attempt] = planned
        self.calls[planned.phone, planned.day] += 1
        card.attempts += 1
        card.place = Place.LIVE

    def _close(self, record: AttemptClosed | AttemptWithdrawn) -> Card:
        planned = self.open.pop(record.attempt)
        assert (planned.campaign, planned.contact) == (record.campaign, record.contact)
        card = self.cards[record.campaign, record.contact]
        assert card.place is Place.LIVE
        return card

    def _claimed(self, record: AttemptPlanned | ContactHeld | ContactReleased | ContactFinished) -> Card:
        card = self.cards[record.campaign, record.contact]
        assert card.place is Place.CLAIMED, f"only a claimed contact is decided about, this one is {card.place.name}"
        return card


def _is_due(card: Card, now: Instant) -> bool:
    return card.place is Place.WAITING and card.due_at is not None and card.due_at <= now


def _put_back(card: Card, hold: Hold) -> None:
    card.place, card.hold = Place.WAITING, hold
    if hold.reason is not HoldReason.WAITING_TURN:
        card.due_at = hold.until
