"""Who is asking, and whose things they may reach. Every face comes through here, and nowhere else decides it."""

import secrets
from dataclasses import dataclass
from hashlib import sha256

from waihu.domain.errors import Invalid, NotFound, Unauthenticated
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.rows import Account, Token
from waihu.ports.store import Store

PREFIX = "waihu_"
LIFETIME_DAYS = 365
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds a valid token. `account` None: everything of the partner is theirs."""

    partner: str
    account: AccountId | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """`secret` is shown this once; only its hash is kept."""

    secret: str
    token: Token


class Access:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def issue(
        self, partner: str, *, account: AccountId | None = None, name: str = "", days: int = LIFETIME_DAYS
    ) -> IssuedToken:
        """A token for all of a partner, or for one account of it. Raises NotFound."""
        now = self._clock()
        secret = PREFIX + secrets.token_urlsafe(32)
        async with self._store.writing() as session:
            if await session.accounts.partner(partner) is None:
                raise NotFound("partner")
            if account is not None:
                owner = await session.accounts.get(account)
                if owner is None or owner.partner != partner:
                    raise NotFound("account")
            token = await session.tokens.add(partner, account, _hash(secret), name, now + days * DAY_MS, now)
        return IssuedToken(secret, token)

    async def revoke(self, token: str) -> None:
        """From now on the token opens nothing. Raises NotFound."""
        async with self._store.writing() as session:
            if await session.tokens.get(token) is None:
                raise NotFound("token")
            await session.tokens.revoke(token, self._clock())

    async def tokens(self, partner: str) -> list[Token]:
        async with self._store.reading() as session:
            return list(await session.tokens.of_partner(partner))

    async def authenticate(self, secret: str | None) -> Caller:
        """Raises Unauthenticated."""
        if not secret:
            raise Unauthenticated
        async with self._store.looking() as session:
            return self._caller(await session.tokens.by_sha256(_hash(secret)))

    async def admit(self, secret: str | None, user_id: str, sub_user_id: str | None) -> AccountId:
        """The account that is meant: `user_id`, or its `sub_user_id` where one is named.

        Raises Unauthenticated, and NotFound when there is no such account, or it is somebody else's.
        """
        if not secret:
            raise Unauthenticated
        async with self._store.looking() as session:
            found = await session.tokens.presented(_hash(secret), user_id, sub_user_id)
        caller = self._caller(found.token)
        target = found.user
        if sub_user_id is not None:
            if found.user is None or found.sub_user is None or found.sub_user.parent != found.user.id:
                raise NotFound("account")
            target = found.sub_user
        return _reached(caller, target)

    async def authorise_own(self, caller: Caller, named: str | None) -> AccountId:
        """The account that is meant where a request need not name one: None means the token's own, else the partner's
        only main account. Raises Invalid when there is not exactly one, and NotFound as `admit`.
        """
        async with self._store.looking() as session:
            meant = named or caller.account
            if meant is not None:
                return _reached(caller, await session.accounts.get(meant))
            mains = await session.accounts.mains(caller.partner)
        if len(mains) != 1:
            raise Invalid.field("account", "该 token 可操作多个账户,请指明账户")
        return _reached(caller, mains[0])

    def _caller(self, token: Token | None) -> Caller:
        if token is None or token.revoked_at is not None or token.expires_at <= self._clock():
            raise Unauthenticated
        return Caller(token.partner, token.account)


def _reached(caller: Caller, account: Account | None) -> AccountId:
    if account is None or account.partner != caller.partner:
        raise NotFound("account")
    # An account's token reaches the account itself and its sub-accounts, never its siblings or its parent.
    if caller.account is not None and caller.account not in (account.id, account.parent):
        raise NotFound("account")
    return account.id


def _hash(secret: str) -> str:
    # The secret is 256 random bits: a plain hash cannot be searched, and costs nothing per request.
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
