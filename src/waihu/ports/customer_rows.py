"""What the CRM pool (公海) keeps: the people an account knows, and the template of what is known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, NewType

from waihu.domain.ids import AccountId, CampaignId, Instant
from waihu.domain.place import Operator, Place

CustomerId = NewType("CustomerId", str)


class ComponentKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


class Rule(StrEnum):
    """What is asked of a value. Those that are not REQUIRED may be missing; SOMETIMES says so of one that is."""

    REQUIRED = "required"
    INTEGER = "integer"
    DATE = "date"
    SOMETIMES = "sometimes"


class ComponentRole(StrEnum):
    """The components that every pool begins with. Their values are the customer's own columns."""

    NAME = "name"
    COMPANY = "company"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Component:
    """A field of the pool's template."""

    id: str
    pool: AccountId
    name: str
    kind: ComponentKind
    rules: tuple[Rule, ...]
    sort: int
    role: ComponentRole | None
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class ComponentValue:
    """A component as one customer has it."""

    id: str
    name: str
    kind: ComponentKind
    sort: int
    value: str


@dataclass(frozen=True, slots=True)
class Customer:
    """`components`: those that have a value, in the template's order. `called_at`: by an agent, for the first time."""

    id: CustomerId
    account: AccountId
    phone: str
    name: str | None
    email: str | None
    company: str | None
    sex: int
    sort: int
    source_id: int | None
    industry_id: int | None
    grade_id: int | None
    extra: str | None
    place: Place
    components: tuple[ComponentValue, ...]
    called_at: Instant | None
    created_at: Instant
    updated_at: Instant


class CustomerEntry(NamedTuple):
    """A customer fit to be stored. None: not said, so that what is known of the phone already stays.

    `components` is by component id, without those that have a role.
    """

    line: int
    phone: str
    name: str | None
    email: str | None
    company: str | None
    sex: int | None
    sort: int | None
    source_id: int | None
    industry_id: int | None
    grade_id: int | None
    extra: str | None
    operator: str | None
    province: str
    city: str
    components: Mapping[str, str]


class Newcomers(NamedTuple):
    """Customers that are stored together with something else; each has a phone of its own in `line`'s row of it."""

    entries: Sequence[CustomerEntry]
    now: Instant


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Which customers are meant. Phone, email and company are the beginning of what is meant. `components` by id, and
    `roles`, are meant exactly, all of them. Bounds are inclusive. None: does not matter.
    """

    phone_start: str | None = None
    email_start: str | None = None
    company_start: str | None = None
    components: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[ComponentRole, str] = field(default_factory=dict)
    operators: tuple[Operator, ...] | None = None
    sexes: tuple[int, ...] | None = None
    called: bool | None = None
    created_from: Instant | None = None
    created_to: Instant | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Customers on their way into a campaign, and what became of those that it has come to."""

    id: str
    account: AccountId
    campaign: CampaignId
    accepted: int
    duplicate: int
    do_not_call: int
    created_at: Instant
    finished_at: Instant | None
