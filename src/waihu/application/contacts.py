"""Contacts of a campaign: put in, put back and taken out, and shown with the reason why they are not dialled now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from waihu.application.contact_entry import NewContact, key_of
from waihu.application.contact_import import ContactImport, ImportReport, Progress
from waihu.application.customer_entry import NewCustomer, variables_of
from waihu.application.customers import Customers
from waihu.application.holds import hold_of
from waihu.domain.campaign import CampaignState
from waihu.domain.errors import Conflict, NotFound
from waihu.domain.hold import Hold
from waihu.domain.ids import AccountId, CampaignId
from waihu.ports.clock import Clock
from waihu.ports.contact_book import ContactBook
from waihu.ports.customer_rows import Component, CustomerEntry
from waihu.ports.rows import Campaign, Contact, ContactFilter, Origin, Page, Paging
from waihu.ports.store import Session, Store


@dataclass(frozen=True, slots=True)
class ContactView:
    """`hold` is None for a contact that is finished."""

    contact: Contact
    hold: Hold | None


class Contacts:
    def __init__(self, store: Store, book: ContactBook, clock: Clock, customers: Customers) -> None:
        self._store = store
        self._customers = customers
        self._import = ContactImport(book, clock)
        self._clock = clock

    async def page(self, account: AccountId, campaign: str, chosen: ContactFilter, paging: Paging) -> Page[ContactView]:
        """In the order they came. Raises NotFound."""
        now = self._clock()
        async with self._store.reading() as session:
            owner = await _owner(session, account, campaign)
            page = await session.contacts.page(owner.id, chosen, paging)
        return Page(tuple(ContactView(each, hold_of(each, owner, now)) for each in page.items), page.total)

    async def read(self, account: AccountId, campaign: str, key: str) -> ContactView:
        """The contact imported as `key`, however it is written, else the first one with that phone. Raises NotFound."""
        async with self._store.reading() as session:
            owner = await _owner(session, account, campaign)
            known = key_of(key)
            found = None if known is None else await session.contacts.by_key(owner.id, known)
        if found is None:
            raise NotFound("contact")
        return ContactView(found, hold_of(found, owner, self._clock()))

    async def add(
        self,
        account: AccountId,
        campaign: str,
        contacts: Sequence[NewContact],
        *,
        all_or_none: bool = False,
        stopped_only: Sequence[Origin] = (),
        customers: Sequence[NewCustomer] = (),
        batch: str | None = None,
    ) -> ImportReport:
        """Adds a batch. Campaigns of the origins in `stopped_only` must not be running. `customers`: the same people,
        in the same order, who become customers of the CRM pool first; none: they stay out of it. `batch`: the id by
        which the client may ask what was added.

        Raises NotFound, and Conflict `running`.
        """
        idle = await self._idle(account, campaign, stopped_only)
        if not customers:
            return await self._import.add(idle, contacts, all_or_none=all_or_none, batch=batch)
        template = await self._customers.template(account)
        read = await self._customers.read_rows(customers, template, all_required=False)
        contacts = [
            _known_as(contact, customer, template) if isinstance(customer, CustomerEntry) else contact
            for contact, customer in zip(contacts, read.rows, strict=True)
        ]
        return await self._import.add(idle, contacts, all_or_none=all_or_none, customers=read, batch=batch)

    async def add_file(
        self,
        account: AccountId,
        campaign: str,
        path: Path,
        name: str,
        progress: Progress = lambda done, total: None,
    ) -> ImportReport:
        """Adds the contacts of a file that the user calls `name`. Raises Invalid and NotFound."""
        return await self._import.add_file(await self._idle(account, campaign, ()), path, name, progress)

    async def reset(
        self,
        account: AccountId,
        campaign: str,
        chosen: ContactFilter,
        *,
        phones: Sequence[str] | None = None,
        keyword: str | None = None,
        stopped_only: Sequence[Origin] = (),
    ) -> int:
        """Lets contacts be called as if for the first time, and answers how many. Raises as `add` does."""
        owner = await self._idle(account, campaign, stopped_only)
        return await self._import.reset(owner, chosen, phones=phones, keyword=keyword)

    async def delete(
        self, account: AccountId, campaign: str, phones: Sequence[str], *, stopped_only: Sequence[Origin] = ()
    ) -> int:
        """Takes contacts out, and answers how many these were. Raises as `add` does."""
        return await self._import.delete(await self._idle(account, campaign, stopped_only), phones)

    async def _idle(self, account: AccountId, campaign: str, stopped_only: Sequence[Origin]) -> CampaignId:
        async with self._store.reading() as session:
            owner = await _owner(session, account, campaign)
        if owner.origin in stopped_only and owner.state is CampaignState.RUNNING:
            raise Conflict("running", "任务启动中,请先停止任务")
        return owner.id


def _known_as(contact: NewContact, customer: CustomerEntry, template: Sequence[Component]) -> NewContact:
    """The contact with what its row says of the customer, for scripts."""
    said = {"公司": customer.company, "邮箱": customer.email}
    variables = {name: value for name, value in said.items() if value is not None}
    return replace(
        contact,
        name=contact.name or customer.name,
        variables={**variables, **variables_of(customer, template), **contact.variables},
    )


async def _owner(session: Session, account: AccountId, campaign: str) -> Campaign:
    owner = await session.campaigns.get(account, campaign)
    if owner is None:
        raise NotFound("campaign")
    return owner
