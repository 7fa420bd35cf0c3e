"""Trunks, and how many of their channels each account may use."""

from collections.abc import Sequence
from decimal import Decimal

from asyncpg import Record

from waihu.adapters.postgres.money import pausing
from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import as_uuid, fits_integer, instant, moment
from waihu.domain.ids import AccountId, CampaignId, Instant, TrunkId
from waihu.ports.carrier import Trunk
from waihu.ports.rows import Allocation, KeptTrunk, OfferedTrunk, Page, Paging, Tariff

_COLUMNS = """id, partner_id, name, host, port, username, password, register, caller_id, channels_max, cps_max, is_up,
    status_detail, created_at, updated_at"""

# A campaign without a limit of its own for the trunk may put all its channels there, but never more than were
# allocated. Running campaigns hold channels, and finished ones that were told to keep them. $2 is left out.
_WITH_RESERVED = """
    holding as (
        select m.id, least(coalesce(s.channels_max, c.channels_max), c.channels_max, m.channels_max) as channels
        from mine m
        join account u on u.id = m.account_id or u.parent_id = m.account_id
        join campaign c on c.account_id = u.id and (c.state = 'running' or c.keeps_channels)
            and c.deleted_at is null and c.id is distinct from $2
        join campaign_trunk s on s.campaign_id = c.id and s.trunk_id = m.trunk_id
        where u.id = m.account_id or not exists (
            select from trunk_allocation own where own.trunk_id = m.trunk_id and own.account_id = u.id
        )
    )
    select m.id, m.account_id, m.trunk_id, m.name, m.channels_max, m.deadline_at, m.price, m.billing_unit_s,
        m.agent_ids, m.remark, m.created_at,
        coalesce((select sum(h.channels) from holding h where h.id = m.id), 0)::integer as reserved
    from mine m order by m.id
"""

# A sub-account uses what it was given itself, else what its main account was; the two then share it.
_ALLOCATIONS = f"""
    with mine as (
        select distinct on (l.trunk_id) l.*, t.name
        from account a join trunk_allocation l on l.account_id in (a.id, a.parent_id)
        join trunk t on t.id = l.trunk_id
        where a.id = $1 and t.deleted_at is null
        order by l.trunk_id, l.account_id <> a.id
    ),
    {_WITH_RESERVED}
"""

# Of these trunks, to accounts of partner $3, or to account $4 of it alone.
_GIVEN = f"""
    with mine as (
        select l.*, t.name
        from trunk_allocation l join trunk t on t.id = l.trunk_id join account a on a.id = l.account_id
        where l.trunk_id = any($1::uuid[]) and a.partner_id = $3 and ($4::uuid is null or a.id = $4)
    ),
    {_WITH_RESERVED}
"""
_OFFERED = """
    from trunk t
    where t.deleted_at is null and (t.partner_id is null or t.partner_id = $1)
      and ($2::uuid is null or exists (
          select from trunk_allocation l join account a on a.id = l.account_id
          where l.trunk_id = t.id and a.id = $2 and a.partner_id = $1
      ))
"""
_LOCK = """
    select from trunk_allocation l
    where l.account_id in (select id from account where id = $1 union select parent_id from account where id = $1)
    order by l.id for update
"""


class TrunkRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self, trunk: Trunk, partner: str | None, name: str, channels_max: int, cps_max: float, now: Instant
    ) -> KeptTrunk:
        row = await self._connection.fetchrow(
            f"""insert into trunk (id, name, host, port, username, password, register, caller_id, channels_max,
                    cps_max, created_at, updated_at, partner_id)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12) returning {_COLUMNS}""",
            *_values(trunk, name, channels_max, cps_max, now),
            partner,
        )
        assert row is not None
        return _trunk(row)

    async def change(self, trunk: Trunk, name: str, channels_max: int, cps_max: float, now: Instant) -> None:
        await self._connection.execute(
            """update trunk set name = $2, host = $3, port = $4, username = $5, password = $6, register = $7,
                   caller_id = $8, channels_max = $9, cps_max = $10, updated_at = $11
               where id = $1""",
            *_values(trunk, name, channels_max, cps_max, now),
        )

    async def get(self, trunk: str) -> KeptTrunk | None:
        row = await self._connection.fetchrow(
            f"select {_COLUMNS} from trunk where id = $1 and deleted_at is null", as_uuid(trunk)
        )
        return None if row is None else _trunk(row)

    async def all(self) -> Sequence[KeptTrunk]:
        found = await self._connection.fetch(
            f"select {_COLUMNS} from trunk where deleted_at is null order by created_at, id"
        )
        return [_trunk(row) for row in found]

    async def remove(self, trunk: TrunkId, now: Instant) -> None:
        await self._connection.execute("update trunk set deleted_at = $2 where id = $1", trunk, moment(now))
        await self._connection.execute("delete from trunk_allocation where trunk_id = $1", trunk)

    async def allocate(
        self,
        trunk: TrunkId,
        account: AccountId,
        channels_max: int,
        deadline_at: Instant | None,
        price: Decimal | None,
        billing_unit_s: int | None,
        remark: str | None,
        now: Instant,
    ) -> int:
        async def allocate() -> int:
            id = await self._connection.fetchval(
                """insert into trunk_allocation as l (trunk_id, account_id, channels_max, deadline_at, price,
                       billing_unit_s, remark, created_at)
                   values ($1, $2, $3, $4, coalesce($5::numeric, 0), coalesce($6::integer, 60), $7, $8)
                   on conflict (trunk_id, account_id) do update
                       set channels_max = excluded.channels_max, deadline_at = excluded.deadline_at,
                           price = coalesce($5, l.price), billing_unit_s = coalesce($6, l.billing_unit_s),
                           remark = excluded.remark
                   returning id""",
                trunk,
                account,
                channels_max,
                moment(deadline_at),
                price,
                billing_unit_s,
                remark,
                moment(now),
            )
            assert isinstance(id, int)
            return id

        return await pausing(self._connection, account, allocate, now)

    async def bind(self, account: AccountId, allocation: int, agents: frozenset[int] | None) -> bool:
        if not fits_integer(allocation):
            return False
        done = await self._connection.execute(
            "update trunk_allocation set agent_ids = $3 where id = $1 and account_id = $2",
            allocation,
            account,
            None if agents is None else sorted(agents),
        )
        return bool(done == "UPDATE 1")

    async def offered(self, partner: str, holder: AccountId | None, paging: Paging) -> Page[OfferedTrunk]:
        found = await self._connection.fetch(
            f"select {_COLUMNS} {_OFFERED} order by created_at, id limit $3 offset $4",
            partner,
            holder,
            paging.size,
            paging.offset,
        )
        counted = await self._connection.fetchval(f"select count(*) {_OFFERED}", partner, holder)
        given = await self._connection.fetch(_GIVEN, [row["id"] for row in found], None, partner, holder)
        return Page(
            tuple(
                OfferedTrunk(_trunk(row), tuple(_allocation(each) for each in given if each["trunk_id"] == row["id"]))
                for row in found
            ),
            counted,
        )

    async def withdraw(self, account: AccountId, allocation: int, now: Instant) -> bool:
        if not fits_integer(allocation):
            return False

        async def withdraw() -> bool:
            done = await self._connection.execute(
                "delete from trunk_allocation where id = $1 and account_id = $2", allocation, account
            )
            return bool(done == "DELETE 1")

        # A sub-account falls back to its main account's allocation, which may have a price.
        return await pausing(self._connection, account, withdraw, now)

    async def withdraw_all(self, accounts: Sequence[AccountId]) -> None:
        await self._connection.execute("delete from trunk_allocation where account_id = any($1)", accounts)

    async def allocations(
        self, account: AccountId, *, leaving_out: CampaignId | None = None, lock: bool = False
    ) -> Sequence[Allocation]:
        if lock:
            await self._connection.execute(_LOCK, account)
        found = await self._connection.fetch(_ALLOCATIONS, account, leaving_out)
        return [_allocation(row) for row in found]


def _values(trunk: Trunk, name: str, channels_max: int, cps_max: float, now: Instant) -> tuple[object, ...]:
    return (
        trunk.id,
        name,
        trunk.host,
        trunk.port,
        trunk.username,
        trunk.password,
        trunk.register,
        trunk.caller_id,
        channels_max,
        cps_max,
        moment(now),
    )


def _allocation(row: Record) -> Allocation:
    return Allocation(
        id=row["id"],
        account=AccountId(str(row["account_id"])),
        trunk=TrunkId(str(row["trunk_id"])),
        trunk_name=row["name"],
        channels_max=row["channels_max"],
        deadline_at=instant(row["deadline_at"]),
        tariff=Tariff(row["price"], row["billing_unit_s"]),
        agents=None if row["agent_ids"] is None else frozenset(row["agent_ids"]),
        remark=row["remark"],
        created_at=instant(row["created_at"]),
        reserved=row["reserved"],
    )


def _trunk(row: Record) -> KeptTrunk:
    return KeptTrunk(
        trunk=Trunk(
            id=TrunkId(str(row["id"])),
            host=row["host"],
            port=row["port"],
            username=row["username"],
            password=row["password"],
            register=row["register"],
            caller_id=row["caller_id"],
        ),
        partner=None if row["partner_id"] is None else str(row["partner_id"]),
        name=row["name"],
        channels_max=row["channels_max"],
        cps_max=row["cps_max"],
        is_up=row["is_up"],
        status_detail=row["status_detail"],
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )
