"""Callbacks as users have to do with them: where they go, what became of them, and once more, please."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from waihu.application.access import Caller
from waihu.application.callback_news import MASKED, Newsroom, NumbersNews
from waihu.application.callback_signature import new_secret
from waihu.application.signed_keys import SignedKeys
from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.ports.callbacks import (
    ADDRESS_KINDS,
    Blackout,
    CallbackAddress,
    CallbackLook,
    CallbackState,
    Kind,
    NumberBatch,
)
from waihu.ports.clock import Clock
from waihu.ports.receiver import Addresses
from waihu.ports.rows import Page, Paging
from waihu.ports.store import Store

URL_MAX = 2000


@dataclass(frozen=True, slots=True)
class NewAddress:
    """`secret` is shown this once, and only when it is new."""

    address: CallbackAddress
    secret: str | None


class Callbacks:
    def __init__(
        self, store: Store, clock: Clock, addresses: Addresses, batch_keys: SignedKeys, newsroom: Newsroom
    ) -> None:
        self._store = store
        self._clock = clock
        self._addresses = addresses
        self._batch_keys = batch_keys
        self._newsroom = newsroom

    async def address(self, account: AccountId) -> CallbackAddress:
        async with self._store.looking() as session:
            return await session.callbacks.address(account)

    async def set_address(
        self,
        account: AccountId,
        url: str | None,
        *,
        wants_secret: bool = False,
        kinds: frozenset[Kind] | None = None,
    ) -> NewAddress:
        """Where the account is told from now on; None: where its main account is. What waits goes along.

        The first address brings a secret along, and so does `wants_secret`: the old one is void then. It is told of
        `kinds` and of nothing else; None leaves what was. Raises Invalid.
        """
        if kinds is not None and not (kinds and kinds <= ADDRESS_KINDS):
            raise Invalid.field("kinds", f"kinds 至少要有一种,且只能是 {'、'.join(sorted(ADDRESS_KINDS))}")
        await self.check_addresses({"callback_url": url})
        async with self._store.writing() as session:
            before = await session.callbacks.address(account)
            secret = new_secret() if wants_secret or (url is not None and not before.has_secret) else None
            await session.callbacks.set_address(account, url, secret, kinds or before.kinds, self._clock())
            return NewAddress(await session.callbacks.address(account), secret)

    async def check_addresses(self, named: Mapping[str, str | None]) -> None:
        """Raises Invalid with every address, by the name of its field, to which nothing may be sent."""
        problems: dict[str, list[str]] = {}
        for field, url in named.items():
            if url and (problem := await self._problem(url)):
                problems[field] = [problem]
        if problems:
            raise Invalid(problems)

    async def page(self, account: AccountId, state: CallbackState | None, paging: Paging) -> Page[CallbackLook]:
        """Newest first."""
        async with self._store.reading() as session:
            return await session.callbacks.page(account, state, paging)

    async def redeliver(self, account: AccountId, callback: int) -> int:
        """Tells once more what was told together with this one, whatever became of it; answers how many callbacks
        that are. The receiver's rest is over. Raises NotFound.
        """
        async with self._store.writing() as session:
            found = await session.callbacks.redeliver(account, callback, self._clock())
        if not found:
            raise NotFound("callback")
        return found

    async def redeliver_given_up(self, account: AccountId) -> int:
        """The same with everything of the account that was given up."""
        async with self._store.writing() as session:
            return await session.callbacks.redeliver_given_up(account, self._clock())

    async def blackouts(self, caller: Caller) -> Sequence[Blackout]:
        """Of the addresses of all accounts that the caller reaches, those that are over too; newest first."""
        async with self._store.looking() as session:
            return await session.callbacks.blackouts(caller.partner, caller.account)

    async def batch(self, account: AccountId, batch: str, *, masked: bool = False) -> NumbersNews:
        """`masked`: the account hides phones from whoever asks. Raises NotFound."""
        async with self._store.looking() as session:
            found = await session.callbacks.batch(batch)
        if found is None or found.account != account:
            raise NotFound("batch")
        return self._newsroom.of_batch(found, masked=masked)

    async def batch_by_key(self, key: str) -> tuple[NumberBatch, bool]:
        """The batch, and whether its phones are to be shown as the account shows them to onlookers.

        Raises NotFound for a key that is forged, over, or of nothing.
        """
        opened = self._batch_keys.opened(key)
        async with self._store.looking() as session:
            found = await session.callbacks.batch(opened.removesuffix(MASKED))
        if found is None:
            raise NotFound("batch")
        return found, opened.endswith(MASKED)

    async def _problem(self, url: str) -> str | None:
        if len(url) > URL_MAX:
            return f"网址不能超过 {URL_MAX} 个字符"
        problem = await self._addresses.problem(url)
        return None if problem is None else _SAYING[problem]


_SAYING = {
    "not a URL": "不是有效的网址",
    "not an http or https URL": "必须是 http 或 https 网址",
    "an internal address": "不允许使用内网地址;自建部署可由管理员在 WAIHU_CALLBACK_ALLOW 中放行",
}
