"""The contact book on PostgreSQL: implements `ports/contact_book.py` with the statements of `contact_import.sql`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from uuid import uuid4

import msgspec
from asyncpg import Record

from waihu.adapters.postgres.pool import Connection, Pool
from waihu.adapters.postgres.queries import load
from waihu.adapters.postgres.reach import reaching, transact
from waihu.adapters.postgres.repositories.callbacks import keep_batch
from waihu.adapters.postgres.repositories.customers import SQL as CUSTOMERS
from waihu.adapters.postgres.repositories.customers import put_customers, stage_customers
from waihu.adapters.postgres.repositories.values import instant, moment
from waihu.domain.errors import NotFound, Unavailable
from waihu.domain.ids import AccountId, CampaignId
from waihu.domain.phone import number_of
from waihu.ports.callbacks import BatchNote, NumbersChange
from waihu.ports.contact_book import ContactEntry, Rejection
from waihu.ports.customer_rows import CustomerFilter, CustomerId, Newcomers
from waihu.ports.rows import ContactFilter

_SQL = load("contact_import.sql")

_PAGE = 20_000
"""Contacts changed in one transaction: about a second's work."""


class PostgresContactBook:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(
        self,
        campaign: CampaignId,
        entries: Sequence[ContactEntry],
        *,
        all_or_none: bool = False,
        newcomers: Newcomers | None = None,
        note: BatchNote | None = None,
    ) -> Sequence[tuple[int, Rejection]]:
        owner, base = await self._reserve(campaign, len(entries))

        async def add(connection: Connection) -> list[tuple[int, Rejection]]:
            known: Mapping[str, CustomerId] = {}
            if newcomers is not None:
                known = await put_customers(connection, owner, newcomers.entries, newcomers.now)
            await _SQL["stage"].run(connection)
            await connection.copy_records_to_table(
                "incoming_contact",
                columns=(*ContactEntry._fields, "customer_id"),
                records=((*entry, known.get(number_of(entry.key)) if known else None) for entry in entries),
                schema_name="pg_temp",
            )
            rejected = await _add_staged(connection, campaign, base)
            if rejected and all_or_none:
                raise _NotAll(rejected)
            if note is not None:
                lines = {line for line, _ in rejected}
                await keep_batch(connection, campaign, note, [each.key for each in entries if each.line not in lines])
            if len(rejected) < len(entries):
                await _SQL["touch"].run(connection, campaign=campaign)
            return rejected

        try:
            return await transact(self._pool, Unavailable, add)
        except _NotAll as undone:
            return undone.rejected

    async def enrol(self, enrolment: str, most: int) -> bool:
        async with reaching(self._pool, Unavailable) as connection:
            job = await CUSTOMERS["enrolment"].row(connection, enrolment=enrolment)
        assert job is not None, "enrolments are never deleted"
        campaign = CampaignId(str(job["campaign_id"]))
        try:
            _, base = await self._reserve(campaign, most)
        except NotFound:
            return False
        enrol = partial(_enrol, enrolment=enrolment, job=job, base=base, most=most)
        return await transact(self._pool, Unavailable, enrol)

    async def _reserve(self, campaign: CampaignId, count: int) -> tuple[AccountId, int]:
        """Whose campaign it is, and the place before the first one of `count`. Raises NotFound."""
        async with reaching(self._pool, Unavailable) as connection:
            reserved = await _SQL["reserve"].row(connection, campaign=campaign, count=count)
        if reserved is None:
            raise NotFound("campaign")
        return AccountId(str(reserved["account_id"])), reserved["base"]

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

    async def delete(self, campaign: CampaignId, keys: Sequence[str], note: BatchNote | None = None) -> int:
        total = 0
        async for page in self._pages(campaign, ContactFilter(), keys, None):
            total += await transact(self._pool, Unavailable, partial(_delete, campaign=campaign, ids=page, note=note))
            note = None if note is None else replace(note, batch=str(uuid4()))
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


async def _add_staged(connection: Connection, campaign: CampaignId, base: int) -> list[tuple[int, Rejection]]:
    """Adds what is in `incoming_contact`, in the places after `base`; answers the lines that were rejected."""
    rows = await _SQL["add"].rows(connection, campaign=campaign, base=base)
    return [(row["line"], Rejection.DO_NOT_CALL if row["forbidden"] else Rejection.DUPLICATE) for row in rows]


async def _enrol(connection: Connection, *, enrolment: str, job: Record, base: int, most: int) -> bool:
    """The next portion of an enrolment; what it names stays locked until the portion is done."""
    locked = await CUSTOMERS["lock_enrolment"].row(connection, enrolment=enrolment)
    if locked is None:
        return False
    campaign = CampaignId(str(job["campaign_id"]))
    chosen = msgspec.convert(job["chosen"], CustomerFilter)
    await _SQL["stage"].run(connection)
    await stage_customers(
        connection,
        AccountId(str(job["account_id"])),
        chosen,
        after=None if locked["after_at"] is None else (locked["after_at"], locked["after_id"]),
        until=job["created_at"],
        most=most,
    )
    staged = await CUSTOMERS["staged"].row(connection)
    assert staged is not None
    note = BatchNote(enrolment, NumbersChange.FROM_CUSTOMERS, instant(job["created_at"]), is_kept=True, is_told=False)
    if not staged["contacts"]:
        if locked["after_at"] is None:
            # Whoever asked waits to hear of it, also when there was nobody to be moved.
            await keep_batch(connection, campaign, note, [])
        return False
    turned_away = await _add_staged(connection, campaign, base)
    rejected = [reason for _, reason in turned_away]
    accepted = staged["contacts"] - len(rejected)
    keys = await _SQL["staged_keys"].rows(connection, without=[line for line, _ in turned_away])
    await keep_batch(connection, campaign, note, [row["key"] for row in keys])
    await CUSTOMERS["advance"].run(
        connection,
        enrolment=enrolment,
        last=staged["last"],
        accepted=accepted,
        duplicate=rejected.count(Rejection.DUPLICATE),
        do_not_call=rejected.count(Rejection.DO_NOT_CALL),
    )
    if accepted:
        await _SQL["touch"].run(connection, campaign=campaign)
    return bool(staged["contacts"] == most)


async def _delete(connection: Connection, *, campaign: CampaignId, ids: Sequence[int], note: BatchNote | None) -> int:
    row = await _SQL["delete"].row(connection, campaign=campaign, ids=ids)
    assert row is not None
    if note is not None:
        await keep_batch(connection, campaign, note, row["keys"])
    return len(row["keys"])


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
