"""Links that log a person in without a password, once, within minutes of being asked for."""

from uuid import uuid4

from waihu.domain.errors import Unauthenticated
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.store import Store
from waihu.ports.tokens import Audience, Claims, TokenSigner

LIFETIME_MS = 5 * 60_000
PATH = "/console/login"


class LoginLinks:
    def __init__(self, store: Store, clock: Clock, signer: TokenSigner) -> None:
        self._store = store
        self._clock = clock
        self._signer = signer

    async def issue(self, account: AccountId, base_url: str) -> str:
        """A URL below `base_url` that logs in whoever opens it first."""
        now = self._clock()
        claims = Claims(str(uuid4()), account, Audience.LOGIN, now, now + LIFETIME_MS)
        async with self._store.writing() as session:
            await session.login_tickets.forget(expired_before=now)
            await session.login_tickets.add(claims.id, account, claims.expires_at)
            ticket = self._signer.sign(claims)
        return f"{base_url}{PATH}?ticket={ticket}"

    async def redeem(self, ticket: str) -> AccountId:
        """Whom the ticket logs in. Raises Unauthenticated for one that is forged, over or used."""
        now = self._clock()
        id = self._signer.verify(ticket, Audience.LOGIN, now)
        if id is None:
            raise Unauthenticated
        async with self._store.writing() as session:
            account = await session.login_tickets.use(id, now)
        if account is None:
            raise Unauthenticated
        return account
