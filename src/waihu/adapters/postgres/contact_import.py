"""The contact book on PostgreSQL: implements `ports/contact_book.py` with the statements of `contact_import.sql`."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

from waihu.adapters.postgres.pool import Connection, Pool
from waihu.adapters.postgres.queries import load
from waihu.adapters.postgres.reach import reaching, transact
from waihu.adapters.postgres.repositories.values import moment
from waihu.domain.errors import NotFound, Unavailable
from waihu.domain.ids import CampaignId
from waihu.ports.contact_book import ContactEntry, Rejection
from waihu.ports.rows import ContactFilter

_SQL = load("contact_import.sql")

_PAGE = 20_000
"""Contacts changed in one transaction: about a second's work."""


class PostgresContactBook:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(
        self, campaign: CampaignId, entries: Sequence[ContactEntry], *, all_or_none: bool = False
    ) -> Sequence[tuple[int, Rejection]]:
        async with reaching(self._pool, Unavailable) as connection:
            reserved = await _SQL["reserve"].row(connection, campaign=campaign, count=len(entries))
        if reserved is None:
            raise NotFound("campaign")

        async def add(connection: Connection) -> list[tuple[int, Rejection]]:
            await _SQL["stage"].run(connection)
            await connection.copy_records_to_table(
                "incoming_contact", columns=ContactEntry._fields, records=entries, schema_name="pg_temp"
            )
            rows = await _SQL["add"].rows(connection, campaign=campaign, base=reserved["base"])
            rejected = [
                (row["line"], Rejection.DO_NOT_CALL if row["forbidden"] else Rejection.DUPLICATE) for row in rows
            ]
            if rejected and all_or_none:
                raise _NotAll(rejected)
            if len(rejected) < len(entries):
                await _SQL["touch"].run(connection, campaign=campaign)
            return rejected

        try:
            return await transact(self._pool, Unavailable, add)
        except _NotAll as undone:
            return undone.rejected

    async def reset(
        self,
        campaign: CampaignId,
        chosen: ContactFilter,
        *,
        keys: Sequence[str] | None = None,
        keyword: str | None = None,
    ) -> int:
        total = 0
        async for page in self._pages(campaign, chosen, keys, keyword):
            total += await transact(self._pool, Unavailable, partial(_reset, campaign=campaign, ids=page))
        return total

    async def delete(self, campaign: CampaignId, keys: Sequence[str]) -> int:
        total = 0
        async for page in self._pages(campaign, ContactFilter(), keys, None):
            async with reaching(self._pool, Unavailable) as connection:
                row = await _SQL["delete"].row(connection, campaign=campaign, ids=page)
            assert row is not None
            total += row["contacts"]
        return total

    async def reorder(self, campaign: CampaignId) -> None:
        async for page in self._pages(campaign, ContactFilter(), None, None):
            async with reaching(self._pool, Unavailable) as connection:
                await _SQL["reorder"].run(connection, campaign=campaign, ids=page)

    async def _pages(
        self, campaign: CampaignId, chosen: ContactFilter, keys: Sequence[str] | None, keyword: str | None
    ) -> AsyncIterator[list[int]]:
        """The ids of the chosen contacts, in portions; what is done to one portion does not move the next."""
        found = None
        if keys is not None:
            async with reaching(self._pool, Unavailable) as connection:
                found = [row["id"] for row in await _SQL["find"].rows(connection, campaign=campaign, keys=keys)]
        page: list[int] = [0]
        while page:
            async with reaching(self._pool, Unavailable) as connection:
                rows = await _SQL["next_page"].rows(
                    connection,
                    campaign=campaign,
                    after=page[-1],
                    ids=found,
                    keyword=keyword,
                    outcomes=chosen.outcomes,
                    waiting=chosen.waiting,
                    created_from=moment(chosen.created_from),
                    created_to=moment(chosen.created_to),
                    count=_PAGE,
                )
            page = [row["id"] for row in rows]
            if page:
                yield page


async def _reset(connection: Connection, *, campaign: CampaignId, ids: Sequence[int]) -> int:
    row = await _SQL["reset"].row(connection, campaign=campaign, ids=ids)
    assert row is not None
    contacts: int = row["contacts"]
    if contacts:
        await _SQL["touch"].run(connection, campaign=campaign)
    return contacts


class _NotAll(Exception):
    """Undoes an addition that had to be whole."""

    def __init__(self, rejected: list[tuple[int, Rejection]]) -> None:
        super().__init__()
        self.rejected = rejected
