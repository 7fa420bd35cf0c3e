"""The CRM pool (公海) of the store.

A pool is a main account's. A customer belongs to the account that brought it in: the main account sees all of its
pool, a sub-account what is its own. A phone is in the pool once for each account that brought it in. Implemented by
`adapters/postgres/repositories/customers.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from waihu.domain.ids import AccountId, CampaignId, Instant
from waihu.ports.customer_rows import (
    Component,
    ComponentKind,
    ComponentRole,
    Customer,
    CustomerEntry,
    CustomerFilter,
    CustomerId,
    Enrolment,
    Rule,
)
from waihu.ports.rows import Page, Paging


class Customers(Protocol):
    """`account` is whoever asks: everything is limited to what it may see. An id that is none names nothing."""

    async def template(self, account: AccountId) -> Sequence[Component]:
        """Of the account's pool, in the order of `sort`."""
        ...

    async def add_component(
        self,
        pool: AccountId,
        name: str,
        kind: ComponentKind,
        *,
        rules: Sequence[Rule],
        sort: int,
        role: ComponentRole | None,
        now: Instant,
    ) -> Component: ...

    async def change_component(self, component: Component, now: Instant) -> None: ...

    async def remove_component(self, component: str) -> None: ...

    async def put(self, account: AccountId, entries: Sequence[CustomerEntry], now: Instant) -> Mapping[str, CustomerId]:
        """Stores them, or what is new of those that the account has; answers who has which phone."""
        ...

    async def get(self, account: AccountId, customer: str) -> Customer | None: ...

    async def page(self, account: AccountId, chosen: CustomerFilter, paging: Paging) -> Page[Customer]:
        """Newest first."""
        ...

    async def remove(self, account: AccountId, chosen: CustomerFilter, phones: Sequence[str] | None, most: int) -> int:
        """Deletes up to `most` of the chosen ones that have one of `phones` (None: any); answers how many."""
        ...

    async def add_enrolment(
        self, account: AccountId, campaign: CampaignId, chosen: CustomerFilter, now: Instant
    ) -> Enrolment: ...

    async def enrolment(self, account: AccountId, enrolment: str) -> Enrolment | None: ...

    async def open_enrolments(self) -> Sequence[str]:
        """Ids of those that are not finished, oldest first."""
        ...

    async def finish_enrolment(self, enrolment: str, now: Instant) -> Enrolment | None:
        """None: somebody else has finished it."""
        ...
