"""Users: accounts that a partner registers over the API, and their sub-accounts. What is wrong with a registration is
said field by field, all at once.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from waihu.application.access import Caller
from waihu.application.accounts import furnish
from waihu.application.cloud_nodes import CloudNodes
from waihu.domain.campaign import PauseReason
from waihu.domain.errors import Forbidden, Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.rows import Page, Paging
from waihu.ports.store import Session, Store
from waihu.ports.users import PasswordHasher, Profile, User, UserFilter

NAME_MAX = 100
EMAIL_MAX = 254
PASSWORD_MIN = 6
PASSWORD_MAX = 128
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_PHONE = re.compile(r"[0-9]{5,20}")
_TAKEN = {"name": "账户名已被使用", "email": "邮箱已被使用", "phone": "手机号已被使用"}


@dataclass(frozen=True, slots=True)
class NewPassword:
    text: str
    confirmation: str | None


@dataclass(frozen=True, slots=True)
class NewUser:
    name: str
    email: str
    phone: str
    password: NewPassword
    profile: Profile = field(default_factory=Profile)
    cloud_node: str | None = None
    """None is the one that waihu is."""


Change = Callable[[User], User]
"""From a user as he is to the user as he shall be."""


class Users:
    def __init__(self, store: Store, clock: Clock, nodes: CloudNodes, passwords: PasswordHasher) -> None:
        self._store = store
        self._clock = clock
        self._nodes = nodes
        self._passwords = passwords

    async def register(self, partner: str, new: NewUser) -> User:
        """A main account of the partner, with all that a first campaign needs. Raises Invalid."""
        await self._nodes.named(new.cloud_node)
        return await self._register(partner, None, new)

    async def register_sub_account(self, main: AccountId, new: NewUser) -> User:
        """Raises Invalid, also when `main` is a sub-account itself."""
        async with self._store.reading() as session:
            owner = await _get(session, main)
        if owner.parent is not None:
            raise Invalid.field("user_id", "子账户不能再注册子账户")
        return await self._register(owner.partner, main, new)

    async def read(self, account: AccountId) -> User:
        async with self._store.reading() as session:
            return await _get(session, account)

    async def page(self, chosen: UserFilter, paging: Paging) -> Page[User]:
        async with self._store.reading() as session:
            return await session.users.page(chosen, paging)

    async def update(self, account: AccountId, change: Change, password: NewPassword | None = None) -> None:
        """Raises Invalid; `password` None leaves the one there is."""
        now = self._clock()
        async with self._store.reading() as session:
            before = await _get(session, account)
        _check(change(before), password, before)
        password_hash = None if password is None else await self._passwords.hash(password.text)
        async with self._store.writing() as session:
            found = await _get(session, account)
            changed = change(found)
            await _check_free(session, changed, leaving_out=account)
            await session.users.change(changed, now)
            if password_hash is not None:
                await session.users.set_password_hash(account, password_hash, now)

    async def delete(self, account: AccountId, by: Caller) -> None:
        """Takes the account and its sub-accounts away: their campaigns end, their tokens open nothing, their channels
        are free for others. Calls and recordings stay. Raises Forbidden for a token of the very account.
        """
        if by.account == account:
            raise Forbidden
        now = self._clock()
        async with self._store.writing() as session:
            children = await session.accounts.children(account)
            gone = (account, *(child.id for child in children))
            await session.users.remove(gone, now)
            await session.tokens.revoke_of(gone, now)
            await session.campaigns.remove_all(gone, PauseReason.ACCOUNT_DELETED, now)
            await session.trunks.withdraw_all(gone)

    async def _register(self, partner: str, parent: AccountId | None, new: NewUser) -> User:
        now = self._clock()
        # An id has to be there to speak of it; the row gets its own.
        wanted = User(AccountId(""), partner, parent, new.name, new.email, new.phone, new.profile, now, now)
        _check(wanted, new.password)
        password_hash = await self._passwords.hash(new.password.text)
        async with self._store.writing() as session:
            await _check_free(session, wanted)
            made = await session.accounts.add(partner, parent, new.name, new.email, new.phone, now)
            registered = replace(wanted, id=made.id)
            await session.users.change(registered, now)
            await session.users.set_password_hash(made.id, password_hash, now)
            await furnish(session, made.id, now)
        return registered


async def _get(session: Session, account: AccountId) -> User:
    found = await session.users.get(account)
    if found is None:
        raise NotFound("account")
    return found


def _check(user: User, password: NewPassword | None, before: User | None = None) -> None:
    """What was there before is let be: the command line asks for less. Raises Invalid."""
    problems: dict[str, list[str]] = {}
    if (not user.name.strip() or len(user.name) > NAME_MAX) and not (before and user.name == before.name):
        problems["name"] = [f"账户名必须是 1 到 {NAME_MAX} 个字符"]
    is_email = user.email and len(user.email) <= EMAIL_MAX and _EMAIL.fullmatch(user.email)
    if not is_email and not (before and user.email == before.email):
        problems["email"] = ["邮箱格式不正确"]
    is_phone = user.phone and _PHONE.fullmatch(user.phone)
    if not is_phone and not (before and user.phone == before.phone):
        problems["phone"] = ["手机号必须是 5 到 20 位数字"]
    if password is not None:
        if not PASSWORD_MIN <= len(password.text) <= PASSWORD_MAX:
            problems["password"] = [f"密码必须是 {PASSWORD_MIN} 到 {PASSWORD_MAX} 个字符"]
        elif password.text != password.confirmation:
            problems["password"] = ["两次输入的密码不一致"]
    if problems:
        raise Invalid(problems)


async def _check_free(session: Session, user: User, *, leaving_out: AccountId | None = None) -> None:
    taken = await session.users.taken(user.partner, user.name, user.email, user.phone, leaving_out=leaving_out)
    if taken:
        raise Invalid({field: [_TAKEN[field]] for field in sorted(taken)})
