"""Campaigns under their numbers, for wires that name things by short integers: the agent version that talks and the
trunk allocations that are called over are named so, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from waihu.application.campaigns import Campaigns, view
from waihu.application.contact_entry import NewContact
from waihu.application.contacts import Contacts
from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import AccountId, CampaignId
from waihu.ports.rows import Account, AgentVersion, CampaignFilter, CampaignRules, CampaignView, Origin, Page, Paging
from waihu.ports.store import Session, Store


@dataclass(frozen=True, slots=True)
class NumberedCampaign:
    """A campaign with what its numbers stand for.

    `speaking` is the agent version it has pinned. `allocations` are ids, in the order of the campaign's trunks; a
    trunk that its account has no more is left out. `agent_calls`: made so far by all campaigns of its agent.
    """

    view: CampaignView
    owner: Account
    speaking: AgentVersion
    allocations: tuple[int, ...]
    agent_calls: int


class NumberedCampaigns:
    def __init__(self, store: Store, campaigns: Campaigns, contacts: Contacts) -> None:
        self._store = store
        self._campaigns = campaigns
        self._contacts = contacts

    async def create(
        self,
        account: AccountId,
        origin: Origin,
        rules: CampaignRules,
        contacts: Sequence[NewContact],
        *,
        agent_version: int | None = None,
    ) -> NumberedCampaign:
        """A campaign with all of `contacts`, or no campaign. Raises Invalid; the first contact is its `contacts[0]`."""
        campaign = await self._campaigns.create(account, origin, rules, agent_version=agent_version)
        report = await self._contacts.add(account, campaign, contacts, all_or_none=True)
        if report.rejected:
            await self._campaigns.delete(account, campaign)
            raise Invalid({f"contacts[{each.line - 1}]": [each.problem] for each in report.rejected})
        async with self._store.reading() as session:
            return (await _numbered(session, account, [await view(session, account, campaign)]))[0]

    async def read(self, account: AccountId, number: int) -> NumberedCampaign:
        """Raises NotFound."""
        async with self._store.reading() as session:
            return (await _numbered(session, account, [await _get(session, account, number)]))[0]

    async def page(self, account: AccountId, paging: Paging) -> Page[NumberedCampaign]:
        """All campaigns of the account, whichever way they came in, newest first."""
        async with self._store.reading() as session:
            page = await session.campaigns.page(CampaignFilter((account,), tuple(Origin)), paging)
            return Page(tuple(await _numbered(session, account, page.items)), page.total)

    async def id_of(self, account: AccountId, number: int) -> CampaignId:
        """Raises NotFound."""
        async with self._store.looking() as session:
            return (await _get(session, account, number)).campaign.id


async def _get(session: Session, account: AccountId, number: int) -> CampaignView:
    found = await session.campaigns.by_number(account, number)
    if found is None:
        raise NotFound("campaign")
    return found


async def _numbered(session: Session, account: AccountId, views: Sequence[CampaignView]) -> list[NumberedCampaign]:
    owner = await session.accounts.get(account)
    if owner is None:
        raise NotFound("account")
    allocations = {each.trunk: each.id for each in await session.trunks.allocations(account)}
    pinned = {(each.agent.id, each.campaign.agent_version) for each in views}
    versions = await session.agents.versions(list(pinned))
    calls = await session.agents.calls(account, [agent for agent, _ in pinned])
    return [
        NumberedCampaign(
            view=view,
            owner=owner,
            speaking=versions[view.agent.id, view.campaign.agent_version],
            allocations=tuple(
                allocations[share.trunk] for share in view.campaign.rules.trunks if share.trunk in allocations
            ),
            agent_calls=calls.get(view.agent.id, 0),
        )
        for view in views
    ]
