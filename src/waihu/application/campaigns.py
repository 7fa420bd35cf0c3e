"""Campaigns: made, changed, started and stopped by users. Dialling them is the engine's."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from waihu.application.campaign_checks import check, check_payable, check_startable
from waihu.domain.campaign import CampaignState, PauseReason
from waihu.domain.errors import Conflict, NotFound
from waihu.domain.ids import AccountId, CampaignId
from waihu.ports.callbacks import Kind
from waihu.ports.choices import BackgroundSound, ReviewConfig, SeatGroup
from waihu.ports.clock import Clock
from waihu.ports.contact_book import ContactBook
from waihu.ports.rows import (
    Agent,
    Allocation,
    Campaign,
    CampaignFilter,
    CampaignRules,
    CampaignView,
    HoursGroup,
    Origin,
    Page,
    Paging,
    RetryRule,
)
from waihu.ports.store import Session, Store


@dataclass(frozen=True, slots=True)
class CampaignOptions:
    """What a campaign of the account can choose from. Trunks whose time is up are not among it."""

    hours_groups: Sequence[HoursGroup]
    trunks: Sequence[Allocation]
    agents: Sequence[Agent]
    retry_rules: Sequence[RetryRule]
    seat_groups: Sequence[SeatGroup]
    background_sounds: Sequence[BackgroundSound]
    review_configs: Sequence[ReviewConfig]


Change = Callable[[CampaignRules], CampaignRules]
"""From the rules as they are to the rules as they shall be; may raise Invalid."""


class Campaigns:
    def __init__(self, store: Store, book: ContactBook, clock: Clock) -> None:
        self._store = store
        self._book = book
        self._clock = clock

    async def options(self, account: AccountId) -> CampaignOptions:
        now = self._clock()
        async with self._store.reading() as session:
            allocations = await session.trunks.allocations(account)
            return CampaignOptions(
                hours_groups=await session.hours_groups.all(account),
                trunks=[each for each in allocations if each.deadline_at is None or each.deadline_at > now],
                agents=await session.agents.all(account),
                retry_rules=await session.retry_rules.all(account),
                seat_groups=await session.choices.seat_groups(account),
                background_sounds=await session.choices.background_sounds(account),
                review_configs=await session.choices.review_configs(account),
            )

    async def create(
        self,
        account: AccountId,
        origin: Origin,
        rules: CampaignRules,
        *,
        agent_version: int | None = None,
    ) -> CampaignId:
        """A campaign that is ready to be started. `agent_version` None: the newest one of its agent. Raises Invalid."""
        now = self._clock()
        async with self._store.writing() as session:
            speakers = await check(session, account, rules, None, now)
            campaign = await session.campaigns.add(
                account,
                origin,
                rules,
                agent_version=agent_version or speakers.version,
                chosen_versions=speakers.chosen,
                order_seed=secrets.randbits(63),
                now=now,
            )
            await session.callbacks.add(account, Kind.CAMPAIGN_CREATED, {"campaign": campaign}, now)
            return campaign

    async def update(self, account: AccountId, campaign: str, change: Change) -> None:
        """Changes the rules, also while it runs. Naming its agents is taking their newest versions.

        Raises Invalid and NotFound, and Conflict `no_balance` when it runs and could not go on under these rules.
        """
        now = self._clock()
        async with self._store.writing() as session:
            found = await _get(session, account, campaign, lock=True)
            rules = change(found.rules)
            speakers = await check(session, account, rules, found.id, now)
            if found.state is CampaignState.RUNNING:
                await check_payable(session, account, rules, now)
            await session.campaigns.change(
                found.id, rules, agent_version=speakers.version, chosen_versions=speakers.chosen, now=now
            )
        if rules.taking_order is not found.rules.taking_order:
            # In many short transactions of its own: there may be a million contacts.
            await self._book.reorder(found.id)

    async def read(self, account: AccountId, campaign: str) -> CampaignView:
        """Raises NotFound."""
        async with self._store.looking() as session:
            return await view(session, account, campaign)

    async def page(self, chosen: CampaignFilter, paging: Paging) -> Page[CampaignView]:
        async with self._store.looking() as session:
            return await session.campaigns.page(chosen, paging)

    async def start(self, account: AccountId, campaign: str) -> None:
        """Lets the engines dial; starting a running campaign changes nothing.

        Raises NotFound, and Conflict when it could not make a single call: `no_trunk`, `trunk_unavailable`,
        `agent_not_allowed`, `schedule_over`, `no_balance`.
        """
        now = self._clock()
        async with self._store.writing() as session:
            found = await _get(session, account, campaign, lock=True)
            if found.state is CampaignState.RUNNING:
                return
            await check_startable(session, found, now)
            await session.campaigns.set_state(found.id, CampaignState.RUNNING, None, keeps_channels=False, now=now)

    async def pause(self, account: AccountId, campaign: str) -> None:
        """No new calls; those in progress are finished. Its channels are free for others.

        A campaign that has come to its end stays stopped then, also when contacts are added. Raises NotFound.
        """
        async with self._store.writing() as session:
            found = await _get(session, account, campaign, lock=True)
            if found.state in (CampaignState.RUNNING, CampaignState.COMPLETED):
                await session.campaigns.set_state(
                    found.id, CampaignState.PAUSED, PauseReason.USER, keeps_channels=False, now=self._clock()
                )

    async def copy(self, account: AccountId, campaign: str) -> CampaignId:
        """A new campaign with the same rules and the same agent version, without contacts. Raises NotFound."""
        async with self._store.writing() as session:
            # What it has chosen stays as long as it is there itself.
            found = await _get(session, account, campaign, lock=True)
            rules = replace(found.rules, name=f"{found.rules.name}_副本")
            now = self._clock()
            copied = await session.campaigns.add(
                account,
                found.origin,
                rules,
                agent_version=found.agent_version,
                chosen_versions=found.chosen_versions,
                order_seed=secrets.randbits(63),
                now=now,
            )
            await session.callbacks.add(account, Kind.CAMPAIGN_CREATED, {"campaign": copied}, now)
            return copied

    async def delete(self, account: AccountId, campaign: str) -> None:
        """Its calls and recordings stay. Raises NotFound, and Conflict `running`."""
        async with self._store.writing() as session:
            found = await _get(session, account, campaign, lock=True)
            if found.state is CampaignState.RUNNING:
                raise Conflict("running", "任务启动中,请先停止任务")
            now = self._clock()
            await session.campaigns.remove(found.id, now)
            await session.callbacks.add(account, Kind.CAMPAIGN_DELETED, {"campaign": found.id}, now)


async def view(session: Session, account: AccountId, campaign: str) -> CampaignView:
    """For use cases that show a campaign among other things. Raises NotFound."""
    found = await session.campaigns.view(account, campaign)
    if found is None:
        raise NotFound("campaign")
    return found


async def _get(session: Session, account: AccountId, campaign: str, *, lock: bool = False) -> Campaign:
    found = await session.campaigns.get(account, campaign, lock=lock)
    if found is None:
        raise NotFound("campaign")
    return found
