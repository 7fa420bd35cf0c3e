"""The store of the use cases: everything a user can see or change. The engine has its own (dialing_store).

Implemented by `adapters/postgres/repositories`. A session is one transaction: what happens in it becomes true
together, at its end. An id that is none (not a UUID, too large) is an id of nothing, never a mistake.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Protocol

from waihu.domain.agent import AgentKind
from waihu.domain.campaign import CampaignState, PauseReason, RetryPolicy
from waihu.domain.hours import CallingHours
from waihu.domain.ids import AccountId, AttemptId, CampaignId, Instant, TrunkId
from waihu.ports.callbacks import Callbacks
from waihu.ports.carrier import Trunk
from waihu.ports.choices import Choices
from waihu.ports.cloud_nodes import CloudNodes
from waihu.ports.customers import Customers
from waihu.ports.dialing_store import Turn
from waihu.ports.do_not_call import DoNotCall
from waihu.ports.ledger import Ledger
from waihu.ports.privacy import Privacy
from waihu.ports.rows import (
    Account,
    Agent,
    AgentVersion,
    Allocation,
    Call,
    CallFilter,
    Campaign,
    CampaignFilter,
    CampaignNames,
    CampaignRules,
    CampaignView,
    Contact,
    ContactFilter,
    HoursGroup,
    KeptTrunk,
    OfferedTrunk,
    Origin,
    Page,
    Paging,
    Partner,
    RetryRule,
)
from waihu.ports.text_talks import TextTalks
from waihu.ports.tokens import Tokens
from waihu.ports.users import LoginTickets, Users


class Accounts(Protocol):
    async def add_partner(self, name: str) -> Partner: ...

    async def partner(self, partner: str) -> Partner | None: ...

    async def add(
        self, partner: str, parent: AccountId | None, name: str, email: str | None, phone: str | None, now: Instant
    ) -> Account: ...

    async def get(self, account: str) -> Account | None: ...

    async def by_ids(self, accounts: Sequence[AccountId]) -> Mapping[AccountId, Account]: ...

    async def all(self) -> Sequence[Account]: ...

    async def children(self, parent: AccountId) -> Sequence[Account]: ...

    async def mains(self, partner: str) -> Sequence[Account]:
        """The main accounts of a partner."""
        ...

    async def set_daily_cap(self, account: AccountId, calls: int | None, now: Instant) -> None: ...


class Trunks(Protocol):
    async def add(
        self, trunk: Trunk, partner: str | None, name: str, channels_max: int, cps_max: float, now: Instant
    ) -> KeptTrunk:
        """`trunk.id` is chosen by the caller."""
        ...

    async def change(self, trunk: Trunk, name: str, channels_max: int, cps_max: float, now: Instant) -> None: ...

    async def get(self, trunk: str) -> KeptTrunk | None: ...

    async def all(self) -> Sequence[KeptTrunk]: ...

    async def remove(self, trunk: TrunkId, now: Instant) -> None: ...

    async def allocate(
        self,
        trunk: TrunkId,
        account: AccountId,
        channels_max: int,
        deadline_at: Instant | None,
        price: Decimal | None,
        billing_unit_s: int | None,
        remark: str | None,
        now: Instant,
    ) -> int:
        """Gives the account channels of the trunk, or changes what it has. Answers the allocation's id.

        `price` and `billing_unit_s` None: what they were, and nothing per minute for a new allocation.

        Campaigns that must pay from now on, and cannot, are paused.
        """
        ...

    async def withdraw(self, account: AccountId, allocation: int, now: Instant) -> bool:
        """Campaigns that must pay from now on, and cannot, are paused."""
        ...

    async def bind(self, account: AccountId, allocation: int, agents: frozenset[int] | None) -> bool:
        """Only campaigns of `agents` may use the allocation; None: all."""
        ...

    async def offered(self, partner: str, holder: AccountId | None, paging: Paging) -> Page[OfferedTrunk]:
        """The trunks that the partner can give away: its own, and the whole installation's.

        With `holder` only those that it was given, with its allocation alone. Allocations of other partners'
        accounts are never among them.
        """
        ...

    async def withdraw_all(self, accounts: Sequence[AccountId]) -> None: ...

    async def allocations(
        self, account: AccountId, *, leaving_out: CampaignId | None = None, lock: bool = False
    ) -> Sequence[Allocation]:
        """What the account may use, a sub-account also what its main account has.

        `reserved` counts the campaigns that hold channels of it, but not `leaving_out`.

        `lock` keeps others from counting until the session ends, so that two campaigns cannot both take the
        last channel.
        """
        ...


class HoursGroups(Protocol):
    async def add(
        self,
        account: AccountId,
        name: str,
        hours: CallingHours,
        *,
        is_default: bool,
        skip_holiday: bool,
        remark: str | None,
        now: Instant,
    ) -> HoursGroup: ...

    async def change(self, group: HoursGroup, now: Instant) -> None: ...

    async def get(self, account: AccountId, group: int, *, keep: bool = False) -> HoursGroup | None:
        """`keep`: nobody can remove it until the session ends."""
        ...

    async def all(self, account: AccountId) -> Sequence[HoursGroup]: ...

    async def page(self, account: AccountId, paging: Paging) -> Page[HoursGroup]: ...

    async def clear_default(self, account: AccountId, now: Instant) -> None: ...

    async def used_by(self, group: int) -> int:
        """How many campaigns, deleted ones aside, follow it. Until the session ends they do not become more."""
        ...

    async def remove(self, group: int) -> None: ...


class RetryRules(Protocol):
    async def add(
        self,
        account: AccountId,
        name: str,
        policy: RetryPolicy,
        *,
        is_default: bool,
        remark: str | None,
        now: Instant,
        enabled: bool = True,
    ) -> RetryRule: ...

    async def change(self, rule: RetryRule) -> None: ...

    async def clear_default(self, account: AccountId, now: Instant) -> None: ...

    async def used_by(self, rule: int) -> int:
        """How many campaigns, deleted ones aside, follow it. Until the session ends they do not become more."""
        ...

    async def remove(self, rule: int) -> None: ...

    async def get(self, account: AccountId, rule: int, *, keep: bool = False) -> RetryRule | None:
        """`keep`: nobody can remove it until the session ends."""
        ...

    async def all(self, account: AccountId) -> Sequence[RetryRule]: ...


class Agents(Protocol):
    async def add(
        self,
        account: AccountId,
        kind: AgentKind,
        name: str,
        definition: Mapping[str, object],
        *,
        is_default: bool,
        now: Instant,
    ) -> Agent: ...

    async def rename(self, agent: int, name: str) -> None: ...

    async def add_version(self, agent: int, definition: Mapping[str, object], now: Instant) -> int:
        """Answers the number of the new version."""
        ...

    async def get(self, account: AccountId, agent: int) -> Agent | None: ...

    async def all(self, account: AccountId) -> Sequence[Agent]: ...

    async def page(
        self, paging: Paging, *, account: AccountId | None = None, partner: str | None = None
    ) -> Page[Agent]:
        """Of one account, or of all accounts of a partner; oldest first."""
        ...

    async def version(self, account: AccountId, version: int) -> AgentVersion | None:
        """By the version's own id."""
        ...

    async def versions(self, pinned: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], AgentVersion]:
        """By agent and number of the version."""
        ...

    async def calls(self, account: AccountId, agents: Sequence[int]) -> Mapping[int, int]:
        """How many calls the campaigns of each agent have made; one without campaigns is left out."""
        ...


class Campaigns(Protocol):
    async def add(
        self,
        account: AccountId,
        origin: Origin,
        rules: CampaignRules,
        *,
        agent_version: int,
        chosen_versions: Mapping[int, int],
        order_seed: int,
        now: Instant,
    ) -> CampaignId:
        """A new campaign, ready to be started."""
        ...

    async def change(
        self,
        campaign: CampaignId,
        rules: CampaignRules,
        *,
        agent_version: int,
        chosen_versions: Mapping[int, int],
        now: Instant,
    ) -> None: ...

    async def get(self, account: AccountId, campaign: str, *, lock: bool = False) -> Campaign | None: ...

    async def owner(self, campaign: str) -> AccountId | None:
        """Whose campaign it is, whoever asks."""
        ...

    async def view(self, account: AccountId, campaign: str) -> CampaignView | None: ...

    async def view_even_deleted(self, campaign: CampaignId) -> CampaignView | None: ...

    async def by_number(self, account: AccountId, number: int) -> CampaignView | None: ...

    async def page(self, chosen: CampaignFilter, paging: Paging) -> Page[CampaignView]:
        """Newest first."""
        ...

    async def set_state(
        self,
        campaign: CampaignId,
        state: CampaignState,
        pause_reason: PauseReason | None,
        *,
        keeps_channels: bool,
        now: Instant,
    ) -> None: ...

    async def remove(self, campaign: CampaignId, now: Instant) -> None: ...

    async def remove_all(self, accounts: Sequence[AccountId], reason: PauseReason, now: Instant) -> None:
        """All campaigns of the accounts; those that run are paused for `reason`."""
        ...

    async def names(self, campaigns: Sequence[CampaignId]) -> Mapping[CampaignId, CampaignNames]:
        """Also of deleted ones."""
        ...


class Contacts(Protocol):
    """Reading them; many are put in and taken out through `ports/contact_book.py`."""

    async def page(self, campaign: CampaignId, chosen: ContactFilter, paging: Paging) -> Page[Contact]:
        """In the order they came."""
        ...

    async def by_key(self, campaign: CampaignId, key: str) -> Contact | None:
        """The contact imported as `key`, else the first one with that phone."""
        ...


class Calls(Protocol):
    async def page(self, campaign: CampaignId, chosen: CallFilter, paging: Paging) -> Page[Call]:
        """Newest first."""
        ...

    async def get(self, campaign: CampaignId, attempt: str) -> Call | None: ...

    async def by_ids(self, attempts: Sequence[AttemptId]) -> Mapping[AttemptId, Call]:
        """Of whatever campaign, also of deleted ones; calls that are not closed are left out."""
        ...

    async def opened(self, campaign: CampaignId, attempt: str) -> tuple[Call, Sequence[Turn]] | None:
        """The call with what was said in it."""
        ...

    async def recordings(self, campaign: CampaignId, attempts: Sequence[str]) -> Mapping[AttemptId, str]:
        """Which of the calls have a recording, and where below the recordings directory."""
        ...


class Session(Protocol):
    @property
    def accounts(self) -> Accounts: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def users(self) -> Users: ...
    @property
    def login_tickets(self) -> LoginTickets: ...
    @property
    def cloud_nodes(self) -> CloudNodes: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def privacy(self) -> Privacy: ...
    @property
    def trunks(self) -> Trunks: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def hours_groups(self) -> HoursGroups: ...
    @property
    def retry_rules(self) -> RetryRules: ...
    @property
    def agents(self) -> Agents: ...
    @property
    def choices(self) -> Choices: ...
    @property
    def do_not_call(self) -> DoNotCall: ...
    @property
    def text_talks(self) -> TextTalks: ...
    @property
    def campaigns(self) -> Campaigns: ...
    @property
    def contacts(self) -> Contacts: ...
    @property
    def calls(self) -> Calls: ...
    @property
    def callbacks(self) -> Callbacks: ...


class Store(Protocol):
    """All raise domain.errors.Unavailable when the database cannot be reached."""

    def looking(self) -> AbstractAsyncContextManager[Session]:
        """For one question: each sees what is true when it is asked, and nothing is to be changed."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Session]:
        """One consistent view; nothing can be changed through it."""
        ...

    def writing(self) -> AbstractAsyncContextManager[Session]:
        """Changes that become true together when the block ends, or not at all when it raises."""
        ...
