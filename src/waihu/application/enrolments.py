"""Customers of the pool on their way into campaigns. There may be a million: they go in portions, in the background."""

import asyncio
from collections.abc import Sequence

import structlog

from waihu.application.customers import CustomersAsked, chosen_by
from waihu.domain.campaign import CampaignState
from waihu.domain.errors import Conflict, NotFound, Unavailable
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.contact_book import ContactBook
from waihu.ports.customer_rows import Enrolment
from waihu.ports.rows import Origin
from waihu.ports.store import Store

PORTION = 5_000
"""Customers in one transaction: a fraction of a second's work."""
POLL_S = 1.0

log = structlog.get_logger()


class Enrolments:
    def __init__(self, store: Store, book: ContactBook, clock: Clock) -> None:
        self._store = store
        self._book = book
        self._clock = clock

    async def begin(
        self, account: AccountId, campaign: str, asked: CustomersAsked, *, stopped_only: Sequence[Origin] = ()
    ) -> Enrolment:
        """Those who are in the pool now are on their way. Campaigns of the origins in `stopped_only` must not be
        running. Raises Invalid, NotFound, and Conflict `running`.
        """
        async with self._store.writing() as session:
            found = await session.campaigns.get(account, campaign)
            if found is None:
                raise NotFound("campaign")
            if found.origin in stopped_only and found.state is CampaignState.RUNNING:
                raise Conflict("running", "任务启动中,请先停止任务")
            chosen = chosen_by(asked, await session.customers.template(account))
            return await session.customers.add_enrolment(account, found.id, chosen, self._clock())

    async def read(self, account: AccountId, enrolment: str) -> Enrolment:
        """How far it has come. Raises NotFound."""
        async with self._store.looking() as session:
            found = await session.customers.enrolment(account, enrolment)
        if found is None:
            raise NotFound("enrolment")
        return found

    async def run(self) -> None:
        """Moves what is on its way, until it is cancelled. Any number of processes may do it."""
        while True:
            try:
                await self.move_all()
            except Unavailable:
                # What is on its way stays so.
                pass
            except Exception:
                log.exception("customers left on their way")
            await asyncio.sleep(POLL_S)

    async def move_all(self) -> None:
        """Brings everything that is on its way to its end. Raises Unavailable."""
        async with self._store.looking() as session:
            open_enrolments = await session.customers.open_enrolments()
        for enrolment in open_enrolments:
            while await self._book.enrol(enrolment, PORTION):
                pass
            now = self._clock()
            async with self._store.writing() as session:
                if await session.customers.finish_enrolment(enrolment, now):
                    await session.callbacks.tell_batch(enrolment, now)
