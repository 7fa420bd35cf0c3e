"""Trunks: paths to carriers, and how many channels of each an account may use."""

import re
from collections.abc import Sequence
from decimal import Decimal
from uuid import uuid4

from waihu.domain.errors import Conflict, Invalid, NotFound
from waihu.domain.ids import AccountId, Instant, TrunkId
from waihu.ports.carrier import Trunk
from waihu.ports.clock import Clock
from waihu.ports.rows import Allocation, KeptTrunk, OfferedTrunk, Page, Paging
from waihu.ports.store import Store

CHANNELS_MAX = 100_000
PRICE_MAX = 10_000
BILLING_UNITS_S = range(1, 3601)

# These words are written into the switch's configuration: no spaces, no line ends, no separators of it.
_HOST = re.compile(r"[A-Za-z0-9.:\-\[\]]{1,255}")
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_WORD = re.compile(r"[\x21-\x3a\x3c-\x5a\x5e-\x7e]{1,128}")


class Trunks:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add(
        self,
        name: str,
        host: str,
        *,
        port: int = 5060,
        username: str | None = None,
        password: str | None = None,
        register: bool = False,
        caller_id: str | None = None,
        channels_max: int,
        cps_max: float,
        partner: str | None = None,
    ) -> KeptTrunk:
        """`cps_max`: calls that may begin per second. `partner` None: the whole installation's.

        Raises Invalid, and NotFound for an unknown partner.
        """
        trunk = Trunk(TrunkId(str(uuid4())), host, port, username, password, register, caller_id)
        _check(trunk, name, channels_max, cps_max)
        async with self._store.writing() as session:
            if partner is not None and await session.accounts.partner(partner) is None:
                raise NotFound("partner")
            return await session.trunks.add(trunk, partner, name, channels_max, cps_max, self._clock())

    async def change(self, changed: KeptTrunk) -> None:
        """Raises Invalid, and NotFound for a trunk that is gone."""
        _check(changed.trunk, changed.name, changed.channels_max, changed.cps_max)
        async with self._store.writing() as session:
            if await session.trunks.get(changed.trunk.id) is None:
                raise NotFound("trunk")
            await session.trunks.change(
                changed.trunk, changed.name, changed.channels_max, changed.cps_max, self._clock()
            )

    async def read(self, trunk: str) -> KeptTrunk:
        async with self._store.reading() as session:
            found = await session.trunks.get(trunk)
        if found is None:
            raise NotFound("trunk")
        return found

    async def all(self) -> list[KeptTrunk]:
        async with self._store.reading() as session:
            return list(await session.trunks.all())

    async def remove(self, trunk: str) -> None:
        """Takes it away from everybody; campaigns that name it go on with their other trunks. Raises NotFound."""
        async with self._store.writing() as session:
            found = await session.trunks.get(trunk)
            if found is None:
                raise NotFound("trunk")
            await session.trunks.remove(found.trunk.id, self._clock())

    async def allocate(
        self,
        trunk: str,
        account: str,
        channels_max: int,
        *,
        deadline_at: Instant | None = None,
        price: Decimal | None = None,
        billing_unit_s: int | None = None,
        remark: str | None = None,
        partner: str | None = None,
    ) -> int:
        """Lets the account use up to `channels_max` channels until `deadline_at`, replacing what it had.

        `price` is for each started billing unit; None: as before, and nothing per minute for a new allocation. It holds
        for calls that are planned from now on, and campaigns that must pay and cannot are paused. `partner`: who does
        it, with a trunk that is theirs to give.

        The allocations of all accounts together may exceed the trunk: its own limit holds in any case.
        Answers the allocation's id. Raises Invalid and NotFound.
        """
        if not 0 < channels_max <= CHANNELS_MAX:
            raise Invalid.field("channels_max", f"并发数必须在 1 到 {CHANNELS_MAX} 之间")
        _check_price(price, billing_unit_s)
        async with self._store.writing() as session:
            found = await session.trunks.get(trunk)
            if found is None or (partner is not None and found.partner not in (None, partner)):
                raise NotFound("trunk")
            owner = await session.accounts.get(account)
            if owner is None:
                raise NotFound("account")
            return await session.trunks.allocate(
                found.trunk.id, owner.id, channels_max, deadline_at, price, billing_unit_s, remark, self._clock()
            )

    async def withdraw(self, account: AccountId, allocation: int) -> None:
        """No call is planned over it from now on. Raises NotFound."""
        async with self._store.writing() as session:
            if not await session.trunks.withdraw(account, allocation, self._clock()):
                raise NotFound("allocation")

    async def bind(self, account: AccountId, allocation: int, agents: Sequence[int]) -> None:
        """Lets only campaigns of these agents use the allocation, running ones too; of all agents if it is empty.

        Agents of the account or of its sub-accounts. Raises Conflict for a sub-account, Invalid and NotFound.
        """
        async with self._store.writing() as session:
            owner = await session.accounts.get(account)
            if owner is None:
                raise NotFound("account")
            if owner.parent is not None:
                raise Conflict("main_account_only", "仅主账户可绑定线路话术")
            family = [owner.id, *(child.id for child in await session.accounts.children(owner.id))]
            known = {agent.id for each in family for agent in await session.agents.all(each)}
            if unknown := sorted(set(agents) - known):
                raise Invalid.field("agents", f"话术不存在:{'、'.join(map(str, unknown))}")
            if not await session.trunks.bind(owner.id, allocation, frozenset(agents) or None):
                raise NotFound("allocation")

    async def offered(self, partner: str, paging: Paging, *, holder: str | None = None) -> Page[OfferedTrunk]:
        """The trunks that the partner can give to its accounts. With `holder` those that this account was given.

        Raises NotFound for a holder that is not the partner's.
        """
        async with self._store.reading() as session:
            account = None
            if holder is not None:
                owner = await session.accounts.get(holder)
                if owner is None or owner.partner != partner:
                    raise NotFound("account")
                account = owner.id
            return await session.trunks.offered(partner, account, paging)

    async def allocations(self, account: AccountId) -> list[Allocation]:
        async with self._store.reading() as session:
            return list(await session.trunks.allocations(account))


def _check(trunk: Trunk, name: str, channels_max: int, cps_max: float) -> None:
    problems: dict[str, list[str]] = {}
    if not name.strip() or len(name) > 100:
        problems["name"] = ["Give a name of 1 to 100 characters."]
    if not _HOST.fullmatch(trunk.host):
        problems["host"] = ["This is no host name or IP address."]
    if not 0 < trunk.port < 65536:
        problems["port"] = ["Give a port from 1 to 65535."]
    for field, word in (("username", trunk.username), ("password", trunk.password)):
        if word is not None and not _WORD.fullmatch(word):
            problems[field] = [
                "Only letters, digits and signs can be used; no spaces, semicolons, brackets or backslashes."
            ]
    if trunk.caller_id is not None and not _NUMBER.fullmatch(trunk.caller_id):
        problems["caller_id"] = ["Give the number alone: digits, with a + before them if it is international."]
    if trunk.register and not (trunk.username and trunk.password):
        problems["register"] = ["A trunk that registers needs a user name and a password."]
    if not 0 <= channels_max <= CHANNELS_MAX:
        problems["channels_max"] = [f"Give a number of channels from 0 to {CHANNELS_MAX}."]
    if not 0 < cps_max <= 1000:
        problems["cps_max"] = ["Give a number of calls per second above 0, up to 1000."]
    if problems:
        raise Invalid(problems)


def _check_price(price: Decimal | None, billing_unit_s: int | None) -> None:
    problems: dict[str, list[str]] = {}
    if price is not None and not (price.is_finite() and 0 <= price <= PRICE_MAX and price == round(price, 4)):
        problems["price"] = [f"价格必须在 0 到 {PRICE_MAX} 之间,最多四位小数"]
    if billing_unit_s is not None and billing_unit_s not in BILLING_UNITS_S:
        problems["billing_unit_s"] = [f"计费单元必须在 {BILLING_UNITS_S.start} 到 {BILLING_UNITS_S.stop - 1} 秒之间"]
    if problems:
        raise Invalid(problems)
