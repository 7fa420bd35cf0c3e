"""Bringing contacts into a campaign: a few at once, or a file of a million beside engines that dial them."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import uuid4

from waihu.application.contact_entry import NewContact, entry_of, key_of
from waihu.application.contact_file import open_contacts
from waihu.application.customer_entry import Problem, ReadCustomers
from waihu.domain.errors import Invalid, Unavailable
from waihu.domain.ids import CampaignId
from waihu.ports.callbacks import BatchNote, NumbersChange
from waihu.ports.clock import Clock
from waihu.ports.contact_book import ContactBook, ContactEntry, Rejection
from waihu.ports.customer_rows import CustomerEntry, Newcomers
from waihu.ports.rows import ContactFilter

CHUNK = 50_000
"""Rows in one transaction: it lasts about a second, and a failure loses no more than that."""

SHOWN_MAX = 100

Progress = Callable[[int, int | None], None]
"""Told the lines done and, where it is known, how many there are."""

_SAYING = {Rejection.DUPLICATE: "号码重复", Rejection.DO_NOT_CALL: "号码在黑名单中"}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A contact that was not taken in. `line`: of the file, or its place in the batch, from 1."""

    line: int
    reason: Rejection
    problem: str
    field: str = "phone"
    """Which of the row's values it is about, as a path such as `components.1.value`."""


@dataclass(slots=True)
class ImportReport:
    """What became of the rows. `rejected` shows the first `SHOWN_MAX` of those that were not accepted."""

    accepted: int = 0
    duplicate: int = 0
    invalid: int = 0
    do_not_call: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def reject(self, rejected: Iterable[Rejected]) -> None:
        for one in rejected:
            match one.reason:
                case Rejection.INVALID:
                    self.invalid += 1
                case Rejection.DUPLICATE:
                    self.duplicate += 1
                case Rejection.DO_NOT_CALL:
                    self.do_not_call += 1
            if len(self.rejected) < SHOWN_MAX:
                self.rejected.append(one)


class ContactImport:
    def __init__(self, book: ContactBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock

    async def add(
        self,
        campaign: CampaignId,
        contacts: Sequence[NewContact],
        *,
        all_or_none: bool = False,
        customers: ReadCustomers | None = None,
        batch: str | None = None,
    ) -> ImportReport:
        """Adds a batch of at most `CHUNK`; with `all_or_none` nothing of it unless everything is accepted.

        `batch` is the id by which a client may ask what was added; None: nobody will. `customers` are the same people
        for the CRM pool, in the same order, stored together with the contacts; None: they stay out of it.

        Raises NotFound and Unavailable.
        """
        assert len(contacts) <= CHUNK, "what is larger comes as a file"
        chunk = _read(iter(enumerate(contacts, start=1)))
        newcomers = None
        if customers is not None:
            chunk.refuse({line: each[0] for line, each in enumerate(customers.rows, start=1) if isinstance(each, list)})
            accepted = (customers.rows[entry.line - 1] for entry in chunk.entries)
            newcomers = Newcomers([each for each in accepted if isinstance(each, CustomerEntry)], customers.now)
        report = ImportReport()
        if chunk.invalid and all_or_none:
            report.reject(sorted(chunk.invalid, key=lambda one: one.line))
        else:
            await self._store(campaign, chunk, report, all_or_none=all_or_none, newcomers=newcomers, batch=batch)
        return report

    async def add_file(
        self, campaign: CampaignId, path: Path, name: str, progress: Progress = lambda done, total: None
    ) -> ImportReport:
        """Adds the contacts of a file that the user calls `name`, `CHUNK` rows at a time.

        Raises Invalid, NotFound and Unavailable. A message says how many rows are in when not all are; they are
        duplicates when the file is imported again.
        """
        file = await asyncio.to_thread(open_contacts, path, name)
        report = ImportReport()
        chunk = await asyncio.to_thread(_read, file.rows)
        if chunk.is_empty and chunk.failure is None:
            raise Invalid.field("file", f"文件 {name} 只有列名,没有号码")
        try:
            while not chunk.is_empty:
                # The next rows are read while the database works on these.
                _, following = await asyncio.gather(
                    self._store(campaign, chunk, report), asyncio.to_thread(_read, file.rows)
                )
                progress(chunk.line, file.lines_total)
                if chunk.failure is not None:
                    break
                chunk = following
        except Unavailable as failure:
            raise Unavailable(f"{failure} {_so_far(report)}") from failure
        if chunk.failure is not None:
            problems = chunk.failure.problems
            raise Invalid({**problems, "file": [*problems["file"], _so_far(report)]}) from chunk.failure
        return report

    async def reset(
        self,
        campaign: CampaignId,
        chosen: ContactFilter,
        *,
        phones: Sequence[str] | None = None,
        keyword: str | None = None,
    ) -> int:
        """Lets the chosen contacts be called again as if for the first time; answers how many they are.

        `phones`, as people write them, None: all; `keyword`: part of number or name. Raises NotFound, Unavailable.
        """
        keys = None if phones is None else _keys(phones)
        return await self._book.reset(campaign, chosen, keys=keys, keyword=keyword)

    async def delete(self, campaign: CampaignId, phones: Sequence[str]) -> int:
        """Takes numbers, as people write them, out of the campaign; answers how many contacts these were.

        Raises NotFound and Unavailable.
        """
        note = BatchNote(str(uuid4()), NumbersChange.REMOVED, self._clock())
        return await self._book.delete(campaign, _keys(phones), note)

    async def _store(
        self,
        campaign: CampaignId,
        chunk: "_Chunk",
        report: ImportReport,
        *,
        all_or_none: bool = False,
        newcomers: Newcomers | None = None,
        batch: str | None = None,
    ) -> None:
        turned_away: Sequence[tuple[int, Rejection]] = []
        if chunk.entries or batch is not None:
            note = BatchNote(batch or str(uuid4()), NumbersChange.ADDED, self._clock(), is_kept=batch is not None)
            turned_away = await self._book.add(
                campaign, chunk.entries, all_or_none=all_or_none, newcomers=newcomers, note=note
            )
        rejected = [*chunk.invalid, *(Rejected(line, reason, _SAYING[reason]) for line, reason in turned_away)]
        report.reject(sorted(rejected, key=lambda one: one.line))
        if not (all_or_none and rejected):
            report.accepted += len(chunk.entries) - len(turned_away)


@dataclass(slots=True)
class _Chunk:
    """Some rows of an input, read as far as `line`. `failure`: why there is nothing to be read after them."""

    entries: list[ContactEntry] = field(default_factory=list)
    invalid: list[Rejected] = field(default_factory=list)
    line: int = 0
    failure: Invalid | None = None

    @property
    def is_empty(self) -> bool:
        return not self.entries and not self.invalid

    def refuse(self, problems: Mapping[int, Problem]) -> None:
        """Takes out lines that are wrong for another reason than the contact itself."""
        known = {one.line for one in self.invalid}
        self.entries = [entry for entry in self.entries if entry.line not in problems]
        self.invalid += [
            Rejected(line, Rejection.INVALID, problem.said, problem.field)
            for line, problem in problems.items()
            if line not in known
        ]


def _read(rows: Iterator[tuple[int, NewContact]]) -> _Chunk:
    """Reads and checks the next `CHUNK` rows, none at the end. Runs in a thread of its own."""
    chunk = _Chunk()
    try:
        for line, contact in islice(rows, CHUNK):
            chunk.line = line
            entry = entry_of(line, contact)
            if isinstance(entry, str):
                chunk.invalid.append(Rejected(line, Rejection.INVALID, entry))
            else:
                chunk.entries.append(entry)
    except Invalid as failure:
        # Kept until the rows before it are stored.
        chunk.failure = failure
    return chunk


def _keys(phones: Iterable[str]) -> list[str]:
    """What is no number is nobody's key."""
    return [key for key in map(key_of, phones) if key is not None]


def _so_far(report: ImportReport) -> str:
    return f"已导入 {report.accepted} 个号码;重新导入时它们会被当作重复号码跳过"
