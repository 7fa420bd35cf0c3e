"""What the store keeps, in our own words. Read-only values: changing one means asking the store.

Times are instants. `wire` holds what a face has to give back as it came and nobody else interprets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from waihu.domain.agent import AgentKind
from waihu.domain.agent_choice import AgentChoice
from waihu.domain.campaign import CampaignState, EndAction, PauseReason, Phase, RetryPolicy, TakingOrder, TrunkShare
from waihu.domain.hold import Hold
from waihu.domain.hours import CallingHours
from waihu.domain.hours import Week as Week
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, TrunkId
from waihu.domain.outcome import HungUpBy, Outcome
from waihu.ports.carrier import Trunk
from waihu.ports.customer_rows import Customer, CustomerId
from waihu.ports.dialing_store import Turn

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list: `page` from 1, `size` rows each."""

    page: int = 1
    size: int = 15

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows of one page, and how many there are on all pages."""

    items: tuple[T, ...]
    total: int


# Tenants


@dataclass(frozen=True, slots=True)
class Partner:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant; a sub-account names its `parent`. Finished calls are told to `callback_url`."""

    id: AccountId
    partner: str
    parent: AccountId | None
    name: str
    email: str | None
    phone: str | None
    callback_url: str | None
    daily_cap: int | None
    created_at: Instant


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; the secret itself is not. `account` None: it reaches the whole partner."""

    id: str
    partner: str
    account: AccountId | None
    name: str
    expires_at: Instant
    revoked_at: Instant | None
    created_at: Instant


# Trunks


@dataclass(frozen=True, slots=True)
class KeptTrunk:
    """A trunk with its limits and what the engine last saw of it. `partner` None: the whole installation's."""

    trunk: Trunk
    partner: str | None
    name: str
    channels_max: int
    cps_max: float
    is_up: bool
    status_detail: str
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a call costs: `price` for each billing unit that has started between answer and hang-up."""

    price: Decimal = Decimal(0)
    billing_unit_s: int = 60


@dataclass(frozen=True, slots=True)
class Allocation:
    """The channels of a trunk that an account may use. `reserved` of them are held by its campaigns.

    `agents`: only campaigns of these may use it; None: all.
    """

    id: int
    account: AccountId
    trunk: TrunkId
    trunk_name: str
    channels_max: int
    deadline_at: Instant | None
    tariff: Tariff
    agents: frozenset[int] | None
    remark: str | None
    created_at: Instant
    reserved: int

    @property
    def residue(self) -> int:
        return max(0, self.channels_max - self.reserved)


@dataclass(frozen=True, slots=True)
class OfferedTrunk:
    """A trunk that a partner can give to accounts, and the allocations that are made of it to them."""

    trunk: KeptTrunk
    allocations: tuple[Allocation, ...]


# What a campaign chooses from


@dataclass(frozen=True, slots=True)
class HoursGroup:
    """Named calling hours; `skip_holiday`: nobody is called on public holidays."""

    id: int
    account: AccountId
    name: str
    hours: CallingHours
    is_default: bool
    skip_holiday: bool
    remark: str | None
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class RetryRule:
    """A named retry policy. One that is not `enabled` retries nothing."""

    id: int
    account: AccountId
    name: str
    remark: str | None
    enabled: bool
    is_default: bool
    policy: RetryPolicy
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class Agent:
    """Who talks. `definition` is the script of the newest `version`, in the shape of domain.agent.Script."""

    id: int
    account: AccountId
    kind: AgentKind
    name: str
    version: int
    is_default: bool
    definition: Mapping[str, object]
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class AgentBrief:
    """An agent without what it says. Deleted ones too: campaigns that pinned them are still shown."""

    id: int
    kind: AgentKind
    name: str
    is_default: bool
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """What an agent says in its `version`, unchangeable. `id` is its own among the versions of all agents."""

    id: int
    agent: int
    version: int
    definition: Mapping[str, object]


# Campaigns


class Origin(StrEnum):
    """Through which door a campaign came in; each face lists its own."""

    AGENT_API_V1 = "agent_api_v1"
    AGENT_API_V2 = "agent_api_v2"
    VOICEFOX = "voicefox"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class OwnRetry:
    """A campaign's own retry policy, which it keeps while it is switched off."""

    enabled: bool
    policy: RetryPolicy


@dataclass(frozen=True, slots=True)
class CampaignRules:
    """What a user decides about a campaign.

    `choice` says when another agent than `agent` talks. `week` are its own windows, None follows `calling_hours`, on
    `weekdays` (0 is Sunday) only where these are given. `retry` is its own policy, None follows `retry_rule`.
    `holidays` are periods `[begin, end)` in local time, "YYYY-MM-DD HH:MM".
    """

    name: str
    agent: int
    channels_max: int
    remark: str | None = None
    choice: AgentChoice | None = None
    calling_hours: int | None = None
    week: Week | None = None
    weekdays: frozenset[int] | None = None
    holidays: tuple[tuple[str, str], ...] = ()
    start_at: Instant | None = None
    stop_at: Instant | None = None
    trunks: tuple[TrunkShare, ...] = ()
    retry_rule: int | None = None
    retry: OwnRetry | None = None
    pause_s: int = 0
    taking_order: TakingOrder = TakingOrder.SEQUENTIAL
    in_contact_zone: bool = False
    ring_timeout_s: int = 60
    end_action: EndAction = EndAction.NONE
    wire: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it stands. `agent_version` is pinned: a later version does not talk in it. So are the versions of
    the other agents that its rules choose from, by their ids, in `chosen_versions`.

    `number` is a short integer name. `hold` says why a running campaign is not dialling.
    """

    id: CampaignId
    number: int
    account: AccountId
    origin: Origin
    state: CampaignState
    pause_reason: PauseReason | None
    phase: Phase | None
    hold: Hold | None
    agent_version: int
    chosen_versions: Mapping[int, int]
    keeps_channels: bool
    rules: CampaignRules
    started_at: Instant | None
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class CampaignNames:
    """What a campaign and its agent are called."""

    name: str
    agent: int
    agent_name: str


@dataclass(frozen=True, slots=True)
class CallCounts:
    """`attempts` are closed ones; `trunk_errors` those of them that the trunk itself refused."""

    attempts: int = 0
    answered: int = 0
    trunk_errors: int = 0
    talk_ms: int = 0


@dataclass(frozen=True, slots=True)
class TrunkUse:
    """What a campaign has done over one of its trunks, and how many calls it has on it now."""

    trunk: TrunkId
    name: str
    cps_max: float
    channels_max: int
    done: CallCounts
    ringing: int
    talking: int


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """`trunks` come in the order in which the campaign names them."""

    contacts: int
    finished: int
    trunks: tuple[TrunkUse, ...]


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign with all that it names, and how far it is."""

    campaign: Campaign
    agent: AgentBrief
    hours_group: HoursGroup | None
    retry_rule: RetryRule | None
    progress: CampaignProgress


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """Which campaigns of `accounts` are listed. `phases` narrows running ones only; None in it: not told yet."""

    accounts: tuple[AccountId, ...]
    origins: tuple[Origin, ...]
    name_part: str | None = None
    states: tuple[CampaignState, ...] | None = None
    phases: tuple[Phase | None, ...] | None = None


# Contacts and calls


@dataclass(frozen=True, slots=True)
class CallBrief:
    """A contact's last attempt."""

    attempt: AttemptId
    talk_ms: int


@dataclass(frozen=True, slots=True)
class Contact:
    """One person of a campaign. `key` is the number as imported; `own_hold` may have passed already. `customer` may
    have been deleted since.
    """

    id: ContactId
    campaign: CampaignId
    key: str
    phone: str
    name: str | None
    extra: str | None
    variables: Mapping[str, str]
    attempts: int
    tries: int
    finished: bool
    outcome: Outcome | None
    own_hold: Hold | None
    created_at: Instant
    last_call: CallBrief | None
    customer: CustomerId | None


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """`outcomes`: finished with one of these; `waiting`: also those that are not finished. None: all.

    `created_from` and `created_to` are inclusive.
    """

    outcomes: tuple[Outcome, ...] | None = None
    waiting: bool = True
    created_from: Instant | None = None
    created_to: Instant | None = None


@dataclass(frozen=True, slots=True)
class AgentName:
    id: int
    kind: AgentKind
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A closed attempt with the contact it was made to. `turns` counts what the callee said or pressed.

    `agent` is who talked; where nobody did, the campaign's own. `intention` is 1 (A) to 6 (F), 0: not graded.

    `customer_id`: whom of the CRM pool the contact was; None, it did not come in through the pool. `customer` is what
    the pool knows now, None when it knows nobody of that id.
    """

    attempt: AttemptId
    account: AccountId
    campaign: CampaignId
    contact: ContactId
    trunk: TrunkId
    phone: str
    planned_at: Instant
    placed_at: Instant | None
    answered_at: Instant | None
    closed_at: Instant
    outcome: Outcome
    sip_code: int | None
    q850: int | None
    hung_up_by: HungUpBy | None
    recording: str | None
    agent: AgentName
    score: int
    intention: int
    turns: int
    contact_key: str
    contact_name: str | None
    contact_extra: str | None
    contact_variables: Mapping[str, str]
    contact_created_at: Instant
    customer_id: CustomerId | None
    customer: Customer | None

    @property
    def talk_ms(self) -> int:
        return self.closed_at - self.answered_at if self.answered_at is not None else 0

    @property
    def began_at(self) -> Instant:
        return self.placed_at if self.placed_at is not None else self.planned_at


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Closed calls; `phone_part` is searched in the called number. All bounds are inclusive.

    `scores` are ranges one of which the score is in, `intentions` those one of which it has; None: any.
    """

    phone_part: str | None = None
    scores: tuple[tuple[int, int], ...] | None = None
    intentions: tuple[int, ...] | None = None
    began_from: Instant | None = None
    began_to: Instant | None = None
    closed_from: Instant | None = None
    closed_to: Instant | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    call: Call
    turns: tuple[Turn, ...]
