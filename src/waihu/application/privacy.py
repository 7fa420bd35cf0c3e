"""Which phones an account hides from whoever looks at it, and the security code without which nobody changes that."""

from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.privacy import PhoneMasks
from waihu.ports.store import Store
from waihu.ports.users import PasswordHasher

CODE_LENGTHS = range(6, 65)


class Privacy:
    def __init__(self, store: Store, clock: Clock, hasher: PasswordHasher) -> None:
        self._store = store
        self._clock = clock
        self._hasher = hasher

    async def masks(self, account: AccountId) -> PhoneMasks:
        """How the account's phones are shown to everybody, also to the partner."""
        async with self._store.looking() as session:
            return await session.privacy.masks(account)

    async def save(self, account: AccountId, masks: PhoneMasks, code: str) -> None:
        """For the account; its sub-accounts follow where they have set nothing. Raises Invalid about a wrong `code`."""
        async with self._store.looking() as session:
            code_hash = await session.privacy.code_hash(account)
        if code_hash is None:
            raise Invalid.field("code", "该账户尚未设置安全码,请联系管理员设置")
        if not await self._hasher.matches(code_hash, code):
            raise Invalid.field("code", "安全码不正确")
        async with self._store.writing() as session:
            await session.privacy.set_masks(account, masks, self._clock())

    async def set_code(self, account: str, code: str | None) -> None:
        """The administrator's: from now on this code is asked for, None: settings can no longer be changed.

        Raises NotFound and Invalid.
        """
        if code is not None and len(code) not in CODE_LENGTHS:
            raise Invalid.field("code", f"Give {CODE_LENGTHS.start} to {CODE_LENGTHS.stop - 1} characters.")
        code_hash = None if code is None else await self._hasher.hash(code)
        async with self._store.writing() as session:
            found = await session.accounts.get(account)
            if found is None:
                raise NotFound("account")
            await session.privacy.set_code_hash(found.id, code_hash, self._clock())
