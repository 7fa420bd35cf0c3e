"""Who is asking, and whose things they may reach. Every face comes through here, and nowhere else decides it."""

import secrets
from dataclasses import dataclass
from hashlib import sha256

from waihu.domain.errors import Invalid, NotFound, Unauthenticated
from waihu.domain.ids import AccountId, Instant
from waihu.ports.clock import Clock
from waihu.ports.rows import Token
from waihu.ports.store import Session, Store

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
        async with self._store.reading() as session:
            return await _authenticate(session, secret, self._clock())

    async def authorise(self, caller: Caller, user_id: str, sub_user_id: str | None) -> AccountId:
        """The account that is meant. Raises NotFound when there is none, or it is somebody else's."""
        async with self._store.reading() as session:
            return await _authorise(session, caller, user_id, sub_user_id)

    async def admit(self, secret: str | None, user_id: str, sub_user_id: str | None) -> AccountId:
        """`authenticate` and `authorise` in one look."""
        async with self._store.reading() as session:
            caller = await _authenticate(session, secret, self._clock())
            return await _authorise(session, caller, user_id, sub_user_id)

    async def authorise_own(self, caller: Caller, named: str | None) -> AccountId:
        """As `authorise`, where a request need not name an account: None means the token's own, else the partner's only
        main account. Raises Invalid when there is not exactly one.
        """
        async with self._store.reading() as session:
            meant = named or caller.account
            if meant is None:
                mains = await session.accounts.mains(caller.partner)
                if len(mains) != 1:
                    raise Invalid.field("account", "该 token 可操作多个账户,请指明账户")
                meant = mains[0].id
            return await _authorise(session, caller, meant, None)


async def _authenticate(session: Session, secret: str | None, now: Instant) -> Caller:
    if not secret:
        raise Unauthenticated
    token = await session.tokens.by_sha256(_hash(secret))
    if token is None or token.revoked_at is not None or token.expires_at <= now:
        raise Unauthenticated
    return Caller(token.partner, token.account)


async def _authorise(session: Session, caller: Caller, user_id: str, sub_user_id: str | None) -> AccountId:
    user = await session.accounts.get(user_id)
    if user is None or user.partner != caller.partner:
        raise NotFound("account")
    target = user
    if sub_user_id is not None:
        sub = await session.accounts.get(sub_user_id)
        if sub is None or sub.parent != user.id:
            raise NotFound("account")
        target = sub
    # An account's token reaches the account itself and its sub-accounts, never its siblings or its parent.
    if caller.account is not None and caller.account not in (target.id, target.parent):
        raise NotFound("account")
    return target.id


def _hash(secret: str) -> str:
    # The secret is 256 random bits: a plain hash cannot be searched, and costs nothing per request.
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
