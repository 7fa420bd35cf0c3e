"""Numbers that an account never calls. Its sub-accounts do not call them either.

From the moment they are on the list no call to them is planned; running campaigns finish with them when it is their
turn.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from waihu.application.contact_entry import key_of
from waihu.application.contact_file import ContactFile, open_contacts
from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.domain.phone import normalise, number_of
from waihu.ports.clock import Clock
from waihu.ports.do_not_call import ForbiddenPhone
from waihu.ports.rows import Page, Paging
from waihu.ports.store import Store

SOURCE_MAX = 100
_CHUNK = 50_000
_SHOWN_MAX = 100


@dataclass(slots=True)
class ForbidReport:
    """What became of numbers that were to be put on the list. `invalid_at`: the places of the first that are none."""

    added: int = 0
    known: int = 0
    invalid: int = 0
    invalid_at: list[int] = field(default_factory=list)


class DoNotCallLists:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add(
        self, account: AccountId, written: Sequence[str], *, source: str = "", skip_invalid: bool = False
    ) -> ForbidReport:
        """Numbers as people write them. Nothing is added when one is none, unless they are to be skipped.

        Raises Invalid.
        """
        _check_source(source)
        report = ForbidReport()
        phones = _phones(enumerate(written), report)
        if phones and (skip_invalid or not report.invalid):
            async with self._store.writing() as session:
                report.added = await session.do_not_call.add(account, phones, source, self._clock())
            report.known = len(phones) - report.added
        return report

    async def add_file(
        self,
        account: AccountId,
        path: Path,
        name: str,
        progress: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> ForbidReport:
        """The numbers of a file that the user calls `name`, a portion at a time. `invalid_at` are its lines.

        Raises NotFound, and Invalid for a file that cannot be read; what came before the fault is on the list then.
        """
        async with self._store.reading() as session:
            if await session.accounts.get(account) is None:
                raise NotFound("account")
        file = await asyncio.to_thread(open_contacts, path, name)
        report = ForbidReport()
        while (chunk := await asyncio.to_thread(_read, file, report)).is_more:
            async with self._store.writing() as session:
                added = await session.do_not_call.add(account, chunk.phones, name[:SOURCE_MAX], self._clock())
            report.added += added
            report.known += len(chunk.phones) - added
            progress(chunk.line, file.lines_total)
        return report

    async def remove(self, account: AccountId, written: Sequence[str]) -> int:
        """Answers how many of these numbers were on the list."""
        phones = [phone for each in written if (phone := normalise(each)) is not None]
        async with self._store.writing() as session:
            return await session.do_not_call.remove(account, phones)

    async def find(self, account: AccountId, written: str) -> ForbiddenPhone | None:
        """Why the account may not call this number; None: it may. Raises Invalid for what is no number."""
        phone = normalise(written)
        if phone is None:
            raise Invalid.field("phone", "号码格式不正确")
        async with self._store.looking() as session:
            return await session.do_not_call.get(account, phone)

    async def page(self, account: AccountId, phone_part: str | None, paging: Paging) -> Page[ForbiddenPhone]:
        """Newest first; of a sub-account its own."""
        async with self._store.reading() as session:
            return await session.do_not_call.page(account, phone_part, paging)


@dataclass(frozen=True, slots=True)
class _Chunk:
    phones: list[str]
    line: int
    is_more: bool


def _read(file: ContactFile, report: ForbidReport) -> _Chunk:
    rows = list(islice(file.rows, _CHUNK))
    phones = _phones(((line, contact.phone) for line, contact in rows), report)
    return _Chunk(phones, rows[-1][0] if rows else 0, bool(rows))


def _phones(written: Iterable[tuple[int, str]], report: ForbidReport) -> list[str]:
    """The diallable ones of the numbers, each once; the others are noted in the report by their places."""
    found: dict[str, None] = {}
    for place, text in written:
        key = key_of(text)
        if key is not None:
            found[number_of(key)] = None
            continue
        report.invalid += 1
        if len(report.invalid_at) < _SHOWN_MAX:
            report.invalid_at.append(place)
    return list(found)


def _check_source(source: str) -> None:
    if len(source) > SOURCE_MAX:
        raise Invalid.field("source", f"来源不能超过 {SOURCE_MAX} 个字符")
