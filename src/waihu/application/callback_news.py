"""What the callbacks of a push tell of, looked up when it is told. How it is said is the wire's matter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from waihu.application.signed_keys import LIFETIME_MS, SignedKeys
from waihu.domain.ids import AttemptId, CampaignId, Instant
from waihu.domain.place import Place
from waihu.ports.callbacks import Kind, NumberBatch, Push
from waihu.ports.phone_places import PhonePlaces
from waihu.ports.rows import Account, Call, CampaignView
from waihu.ports.store import Session


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call as its receiver is told. `voice_key` opens the recording, None where there is none."""

    call: Call
    account: Account
    campaign_name: str
    agent: int
    agent_name: str
    voice_key: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class CallsNews:
    calls: tuple[FinishedCall, ...]


@dataclass(frozen=True, slots=True)
class CampaignNews:
    """A campaign was created, deleted or stopped. `stopped_for`: the reason of a pause, None at its own end."""

    kind: Kind
    view: CampaignView
    account: Account
    stopped_for: str | None


@dataclass(frozen=True, slots=True)
class NumbersNews:
    """`key` opens the batch's numbers."""

    batch: NumberBatch
    key: str


News = CallsNews | CampaignNews | NumbersNews

Render = Callable[[News], bytes]
"""Writes a push in the words of a wire."""


MASKED = " masked"
"""Ends the name of a batch in a key that does not open whole phones."""


class Newsroom:
    def __init__(self, voice_key: Callable[[str, Instant], str], batch_keys: SignedKeys, places: PhonePlaces) -> None:
        self._voice_key = voice_key
        self._places = places
        self._batch_keys = batch_keys

    async def prepare(self, pushes: Sequence[Push]) -> None:
        """What may take seconds the first time, before a session is opened. Raises Unavailable."""
        if any(push.kind is Kind.CALL_FINISHED for push in pushes):
            await self._places.of(())

    async def news(self, session: Session, pushes: Sequence[Push]) -> dict[str, News]:
        """What each push tells, by its event; one whose matter is no more is left out."""
        told = await self._calls(session, [push for push in pushes if push.kind is Kind.CALL_FINISHED])
        for push in pushes:
            news = await self._other(session, push)
            if news is not None:
                told[push.event] = news
        return told

    def of_batch(self, batch: NumberBatch, *, masked: bool = False) -> NumbersNews:
        """`masked`: for somebody from whom the account hides phones, so the key must not open them either."""
        # The key ends with the batch, so a repetition tells the same as the first try.
        thing = batch.id + MASKED if masked else batch.id
        return NumbersNews(batch, self._batch_keys.key(thing, batch.created_at + LIFETIME_MS))

    async def _other(self, session: Session, push: Push) -> News | None:
        (*_, last) = push.callbacks
        match push.kind:
            case Kind.CALL_FINISHED:
                return None
            case Kind.CAMPAIGN_CREATED | Kind.CAMPAIGN_DELETED | Kind.CAMPAIGN_STOPPED:
                view = await session.campaigns.view_even_deleted(CampaignId(last.body["campaign"]))
                account = None if view is None else await session.accounts.get(view.campaign.account)
                if view is None or account is None:
                    return None
                return CampaignNews(push.kind, view, account, last.body.get("reason"))
            case Kind.NUMBERS_CHANGED:
                batch = await session.callbacks.batch(last.body["batch"])
                return None if batch is None else self.of_batch(batch)

    async def _calls(self, session: Session, pushes: Sequence[Push]) -> dict[str, News]:
        """All pushes' calls are looked up together: there are many small pushes, and few questions."""
        attempts = {push.event: [AttemptId(each.body["attempt"]) for each in push.callbacks] for push in pushes}
        if not attempts:
            return {}
        # Links end by when a call is told for the first time, so a repetition tells the same.
        since = {AttemptId(each.body["attempt"]): each.since for push in pushes for each in push.callbacks}
        calls = await session.calls.by_ids([attempt for each in attempts.values() for attempt in each])
        campaigns = await session.campaigns.names(list({call.campaign for call in calls.values()}))
        accounts = await session.accounts.by_ids(list({call.account for call in calls.values()}))
        places = await self._places.of(call.phone for call in calls.values())
        finished = {
            call.attempt: FinishedCall(
                call=call,
                account=accounts[call.account],
                campaign_name=campaigns[call.campaign].name,
                agent=call.agent.id,
                agent_name=call.agent.name,
                voice_key=None
                if call.recording is None
                else self._voice_key(call.recording, since[call.attempt] + LIFETIME_MS),
                place=places[call.phone],
            )
            for call in calls.values()
            if call.account in accounts
        }
        found = {event: tuple(finished[each] for each in ids if each in finished) for event, ids in attempts.items()}
        return {event: CallsNews(told) for event, told in found.items() if told}
