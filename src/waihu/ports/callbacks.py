"""What is still to be told to receivers: rows, and who keeps them (`adapters/postgres/repositories/callbacks.py`).

A callback is one thing to be told, a push is what one POST tells. A receiver is an address of an account, with a queue
of its own and one push at a time. Senders are processes; any of them may take the next push of any receiver.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from waihu.domain.ids import AccountId, CampaignId, Instant
from waihu.ports.rows import Page, Paging


class Kind(StrEnum):
    """What a callback tells of, and with which body."""

    CALL_FINISHED = "call_finished"
    """`{"attempt"}`"""
    CAMPAIGN_CREATED = "campaign_created"
    """`{"campaign"}`"""
    CAMPAIGN_DELETED = "campaign_deleted"
    """`{"campaign"}`"""
    CAMPAIGN_STOPPED = "campaign_stopped"
    """`{"campaign", "state", "reason"}`, as they were when it stopped; written by a trigger."""
    NUMBERS_CHANGED = "numbers_changed"
    """`{"batch"}`"""


ADDRESS_KINDS = frozenset(Kind) - {Kind.CAMPAIGN_STOPPED}
"""What an account's address is told of if it does not choose. That a campaign has stopped, only its own address is."""


class NumbersChange(StrEnum):
    """How a batch of numbers came into a campaign, or that it went out of it."""

    ADDED = "added"
    REMOVED = "removed"
    FROM_CUSTOMERS = "from_customers"


class CallbackState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class NumberBatch:
    """Numbers that changed together. `id` is known to clients as `unique_id`."""

    id: str
    account: AccountId
    campaign: CampaignId
    change: NumbersChange
    numbers: tuple[str, ...]
    created_at: Instant


@dataclass(frozen=True, slots=True)
class BatchNote:
    """How a change of numbers is noted, in its own transaction: as a batch, which whoever listens is told of.

    `is_kept`: the client knows the id, so the batch is kept also when nobody listens. With `is_told` False it is only
    kept and may grow; it is told when it is whole.
    """

    batch: str
    change: NumbersChange
    at: Instant
    is_kept: bool = False
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class Callback:
    """One thing to be told. It has been tried since `since`, which is when it was written or asked for again."""

    id: int
    account: AccountId
    kind: Kind
    body: Mapping[str, str]
    tries: int
    since: Instant


@dataclass(frozen=True, slots=True)
class Push:
    """Callbacks of one kind that are told together, under one `event`, now and at every repetition.

    `turn` fences: a note about the push counts only while it is the receiver's newest. `failures` of the receiver in a
    row came before.
    """

    receiver: str
    turn: int
    account: AccountId
    url: str
    secret: str | None
    event: str
    failures: int
    callbacks: tuple[Callback, ...]

    @property
    def kind(self) -> Kind:
        return self.callbacks[0].kind


@dataclass(frozen=True, slots=True)
class Delivered:
    push: Push
    answer: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Failed:
    """`due_at` None: given up, with everything for that receiver that is being tried since `since_max` or longer.

    The receiver is left alone until `rests_until`; `is_blacklisted`: and that is listed.
    """

    push: Push
    answer: str
    at: Instant
    due_at: Instant | None
    since_max: Instant
    rests_until: Instant
    is_blacklisted: bool


Note = Delivered | Failed


@dataclass(frozen=True, slots=True)
class Room:
    """How many pushes may be begun: to receivers whose last answer was good, or that are new, and to the others."""

    sound: int
    failing: int


@dataclass(frozen=True, slots=True)
class CallbackLook:
    """A callback as people see it; `event` None: not tried yet."""

    id: int
    event: str | None
    kind: Kind
    url: str
    state: CallbackState
    tries: int
    last_answer: str | None
    due_at: Instant
    delivered_at: Instant | None
    given_up_at: Instant | None
    created_at: Instant


@dataclass(frozen=True, slots=True)
class Blackout:
    """A receiver that kept failing was left alone from `began_at` to `ends_at`."""

    id: str
    account: AccountId
    url: str
    began_at: Instant
    ends_at: Instant
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class CallbackAddress:
    """`own` None: the account is told at `inherited`, its main account's address, if there is one. `kinds` are those
    that `own` is told of.
    """

    own: str | None
    inherited: str | None
    has_secret: bool
    kinds: frozenset[Kind]


class Callbacks(Protocol):
    async def add(self, account: AccountId, kind: Kind, body: Mapping[str, str], now: Instant) -> None:
        """To be told at the account's address; nothing happens when there is none."""
        ...

    async def tell_batch(self, batch: str, now: Instant) -> None:
        """A batch that was only kept so far is whole."""
        ...

    async def address(self, account: AccountId) -> CallbackAddress: ...

    async def set_address(
        self, account: AccountId, url: str | None, secret: str | None, kinds: Set[Kind], now: Instant
    ) -> None:
        """`secret` None leaves the one that is. What waits for the address of before goes to the new one; when there is
        none any more, or it is none of `kinds`, it is given up.
        """
        ...

    async def take(
        self,
        sender: int,
        busy: Sequence[str],
        room: Room,
        *,
        batch_max: int,
        now: Instant,
        leased_until: Instant,
    ) -> Sequence[Push]:
        """The next push of each receiver that has one due, rests no more, and is at no push of a living sender.

        `busy` are the receivers at which `sender` knows itself to be. Others keep away from those taken until they are
        noted, the sender is gone, or `leased_until`. Empty for a sender that has not entered.
        """
        ...

    async def note(self, notes: Sequence[Note]) -> None:
        """What became of pushes. Writing it twice changes nothing."""
        ...

    async def forget(self, before: Instant, most: int) -> int:
        """Deletes up to `most` old callbacks that are over, and what belongs to them; answers how many."""
        ...

    async def page(self, account: AccountId, state: CallbackState | None, paging: Paging) -> Page[CallbackLook]:
        """Newest first."""
        ...

    async def redeliver(self, account: AccountId, callback: int, now: Instant) -> int:
        """Tells again what was told together with this callback, under the same event, and ends the receiver's rest.

        Answers how many callbacks these are, 0 when the account has no such callback.
        """
        ...

    async def redeliver_given_up(self, account: AccountId, now: Instant) -> int: ...

    async def blackouts(self, partner: str, account: AccountId | None) -> Sequence[Blackout]:
        """Of all accounts of the partner, or of one and its sub-accounts; newest first."""
        ...

    async def batch(self, batch: str) -> NumberBatch | None: ...


class Presence(Protocol):
    """A sender's place among the senders."""

    @property
    def sender(self) -> int | None:
        """Its number; None while the others cannot see that it lives."""
        ...
