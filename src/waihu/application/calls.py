"""Calls that have ended: found, read, and heard again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from waihu.application.campaigns import view
from waihu.application.recordings import Recordings
from waihu.domain.errors import NotFound
from waihu.domain.ids import AccountId, AttemptId, CampaignId
from waihu.ports.dialing_store import Turn
from waihu.ports.rows import Call, CallFilter, CampaignView, Page, Paging
from waihu.ports.store import Session, Store


@dataclass(frozen=True, slots=True)
class CallDetail:
    """A call with what was said in it, and the campaign it belongs to."""

    call: Call
    turns: Sequence[Turn]
    campaign: CampaignView


class Calls:
    def __init__(self, store: Store, recordings: Recordings) -> None:
        self._store = store
        self._recordings = recordings

    async def page(self, account: AccountId, campaign: str, chosen: CallFilter, paging: Paging) -> Page[Call]:
        """Newest first. Raises NotFound."""
        async with self._store.reading() as session:
            return await session.calls.page(await _campaign(session, account, campaign), chosen, paging)

    async def read(self, account: AccountId, campaign: str, attempt: str) -> CallDetail:
        """Raises NotFound."""
        async with self._store.looking() as session:
            seen = await view(session, account, campaign)
            opened = await session.calls.opened(seen.campaign.id, attempt)
            if opened is None:
                raise NotFound("call")
            return CallDetail(*opened, seen)

    async def exists(self, account: AccountId, campaign: str, attempt: str) -> None:
        """Raises NotFound for what is no call of the campaign."""
        async with self._store.reading() as session:
            if await session.calls.get(await _campaign(session, account, campaign), attempt) is None:
                raise NotFound("call")

    async def recording(self, account: AccountId, campaign: str, attempt: str) -> Path:
        """The WAV file of a call. Raises NotFound, also for a call that was not recorded."""
        async with self._store.reading() as session:
            found = await session.calls.recordings(await _campaign(session, account, campaign), [attempt])
        if not found:
            raise NotFound("recording")
        return self._recordings.path(next(iter(found.values())))

    async def recorded(self, account: AccountId, campaign: str, attempts: Sequence[str]) -> dict[AttemptId, str]:
        """Which of `attempts` have a recording, each with a key that opens it, as they were asked. Raises NotFound."""
        async with self._store.reading() as session:
            found = await session.calls.recordings(await _campaign(session, account, campaign), attempts)
        asked = dict.fromkeys(AttemptId(attempt.lower()) for attempt in attempts)
        return {attempt: self._recordings.key(found[attempt]) for attempt in asked if attempt in found}


async def _campaign(session: Session, account: AccountId, campaign: str) -> CampaignId:
    found = await session.campaigns.get(account, campaign)
    if found is None:
        raise NotFound("campaign")
    return found.id
