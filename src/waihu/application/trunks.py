"""Trunks: paths to carriers, and how many channels of each an account may use."""

import re
from uuid import uuid4

from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import AccountId, Instant, TrunkId
from waihu.ports.carrier import Trunk
from waihu.ports.clock import Clock
from waihu.ports.rows import Allocation, KeptTrunk
from waihu.ports.store import Store

CHANNELS_MAX = 100_000

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
    ) -> KeptTrunk:
        """`cps_max`: calls that may begin per second. Raises Invalid."""
        trunk = Trunk(TrunkId(str(uuid4())), host, port, username, password, register, caller_id)
        _check(trunk, name, channels_max, cps_max)
        async with self._store.writing() as session:
            return await session.trunks.add(trunk, name, channels_max, cps_max, self._clock())

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
        remark: str | None = None,
    ) -> int:
        """Lets the account use up to `channels_max` channels until `deadline_at`, replacing what it had.

        The allocations of all accounts together may exceed the trunk: its own limit holds in any case.
        Answers the allocation's id. Raises Invalid and NotFound.
        """
        if not 0 < channels_max <= CHANNELS_MAX:
            raise Invalid.field("channels_max", f"Give a number of channels from 1 to {CHANNELS_MAX}.")
        async with self._store.writing() as session:
            found = await session.trunks.get(trunk)
            if found is None:
                raise NotFound("trunk")
            owner = await session.accounts.get(account)
            if owner is None:
                raise NotFound("account")
            return await session.trunks.allocate(
                found.trunk.id, owner.id, channels_max, deadline_at, remark, self._clock()
            )

    async def withdraw(self, account: AccountId, allocation: int) -> None:
        """Raises NotFound."""
        async with self._store.writing() as session:
            if not await session.trunks.withdraw(account, allocation):
                raise NotFound("allocation")

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
