"""Who is asking, and whose things they may reach. Every face comes through here, and nowhere else decides it."""

from dataclasses import dataclass
from enum import StrEnum

from waihu.domain.errors import Forbidden, Invalid, NotFound, Unauthenticated
from waihu.domain.ids import AccountId, Instant
from waihu.ports.clock import Clock
from waihu.ports.rows import Page, Paging, Token
from waihu.ports.store import Store
from waihu.ports.tokens import Audience, Claims, Presented, Tenant, TokenSigner

LIFETIME_DAYS = 365
LIFETIME_MAX_DAYS = 3650
DAY_MS = 86_400_000


class Reach(StrEnum):
    """Who may make a call."""

    OPEN = "open"
    """Anybody: what opens the thing is in the request itself."""
    TOKEN = "token"
    """Whoever has a valid token."""
    ACCOUNT = "account"
    """Whoever has a token that reaches the account that is meant."""
    PARTNER = "partner"
    """A partner, who also has to reach the account if one is meant."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds a valid token. `account` None: everything of the partner is theirs."""

    partner: str
    account: AccountId | None
    token: Token


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who was let in. `account` is the one that is meant, if the request means one."""

    caller: Caller
    account: AccountId | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """`secret` is the signed token itself, shown this once."""

    secret: str
    token: Token


class Access:
    def __init__(self, store: Store, clock: Clock, signer: TokenSigner) -> None:
        self._store = store
        self._clock = clock
        self._signer = signer

    async def issue(
        self, partner: str, *, account: str | None = None, name: str = "", days: int = LIFETIME_DAYS
    ) -> IssuedToken:
        """A token for all of a partner, or for one account of it. Raises NotFound and Invalid."""
        if not 0 < days <= LIFETIME_MAX_DAYS:
            raise Invalid.field("days", f"days 必须在 1 到 {LIFETIME_MAX_DAYS} 之间")
        now = self._clock()
        async with self._store.writing() as session:
            if await session.accounts.partner(partner) is None:
                raise NotFound("partner")
            owner = None
            if account is not None:
                owner = await session.accounts.get(account)
                if owner is None or owner.partner != partner:
                    raise NotFound("account")
            token = await session.tokens.add(partner, owner.id if owner else None, name, now + days * DAY_MS, now)
            # Before it is kept: without a key there shall be no token.
            secret = self._signer.sign(
                Claims(token.id, token.account or token.partner, Audience.API, now, token.expires_at)
            )
        return IssuedToken(secret, token)

    async def revoke(self, token: str, *, partner: str | None = None) -> None:
        """From now on the token opens nothing. With `partner`, only one of theirs can be revoked. Raises NotFound."""
        async with self._store.writing() as session:
            found = await session.tokens.get(token)
            if found is None or partner not in (None, found.partner):
                raise NotFound("token")
            await session.tokens.revoke(found.id, self._clock())

    async def tokens(self) -> list[Token]:
        """Of all partners, oldest first."""
        async with self._store.looking() as session:
            return list(await session.tokens.all())

    async def tokens_of(self, partner: str, paging: Paging) -> Page[Token]:
        async with self._store.reading() as session:
            return await session.tokens.page(partner, paging)

    async def admit(
        self, secret: str | None, reach: Reach, user_id: str | None = None, sub_user_id: str | None = None
    ) -> Admitted:
        """Lets a request in that names its user, or none. Not for `Reach.OPEN`, which asks nobody.

        Raises Unauthenticated; Forbidden when such a token may never make this call; NotFound when the account does
        not exist or is out of reach.
        """
        assert reach is not Reach.OPEN
        now = self._clock()
        token = self._verified(secret, now)
        async with self._store.looking() as session:
            shown = await session.tokens.presented(token, user_id, sub_user_id)
        caller = _caller(shown, now)
        assert shown is not None
        if reach is Reach.PARTNER and caller.account is not None:
            raise Forbidden
        if user_id is None:
            assert reach is not Reach.ACCOUNT, "a call for an account names it"
            return Admitted(caller, None)
        user, sub_user = shown.user, shown.sub_user
        if user is None or (sub_user_id is not None and (sub_user is None or sub_user.parent != user.id)):
            raise NotFound("account")
        return Admitted(caller, _reached(caller, sub_user or user))

    async def admit_to_campaign(self, secret: str | None, campaign: str) -> Admitted:
        """As `admit`, where a request names a campaign and no account: the account is the one whose it is.

        Raises NotFound for a campaign that does not exist or is out of reach.
        """
        now = self._clock()
        token = self._verified(secret, now)
        async with self._store.looking() as session:
            owner = await session.campaigns.owner(campaign)
            shown = await session.tokens.presented(token, owner, None)
        caller = _caller(shown, now)
        assert shown is not None
        if shown.user is None:
            raise NotFound("campaign")
        return Admitted(caller, _reached(caller, shown.user, "campaign"))

    async def admit_to_own(self, secret: str | None, named: str | None) -> Admitted:
        """As `admit`, where a request need not name an account: None means the token's own, else the partner's only
        main account. Raises Invalid when there is not exactly one.
        """
        now = self._clock()
        token = self._verified(secret, now)
        async with self._store.looking() as session:
            shown = await session.tokens.presented(token, named, None)
            caller = _caller(shown, now)
            assert shown is not None
            if named is None and caller.account is None:
                mains = await session.accounts.mains(caller.partner)
                if len(mains) != 1:
                    raise Invalid.field("account", "该 token 可操作多个账户,请指明账户")
                return Admitted(caller, mains[0].id)
        meant = shown.holder if named is None else shown.user
        if meant is None:
            raise NotFound("account")
        return Admitted(caller, _reached(caller, meant))

    def _verified(self, secret: str | None, now: Instant) -> str:
        """The id of a token that we have signed. Raises Unauthenticated."""
        token = self._signer.verify(secret, Audience.API, now) if secret else None
        if token is None:
            raise Unauthenticated
        return token


def _caller(shown: Presented | None, now: Instant) -> Caller:
    if shown is None:
        raise Unauthenticated
    token = shown.token
    is_over = token.revoked_at is not None or token.expires_at <= now
    # With its account a token goes, too.
    if is_over or (token.account is not None and shown.holder is None):
        raise Unauthenticated
    return Caller(token.partner, token.account, token)


def _reached(caller: Caller, target: Tenant, named: str = "account") -> AccountId:
    """An account's token reaches the account itself and its sub-accounts, never its siblings or its parent.

    `named` is by what the request means the account.
    """
    within = caller.account is None or caller.account in (target.id, target.parent)
    if target.partner != caller.partner or not within:
        raise NotFound(named)
    return target.id
