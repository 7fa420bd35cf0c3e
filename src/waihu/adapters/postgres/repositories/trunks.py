"""Trunks, and how many of their channels each account may use."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import as_uuid, fits_integer, instant, moment
from waihu.domain.ids import AccountId, CampaignId, Instant, TrunkId
from waihu.ports.carrier import Trunk
from waihu.ports.rows import Allocation, KeptTrunk

_COLUMNS = """id, name, host, port, username, password, register, caller_id, channels_max, cps_max, is_up,
    status_detail, created_at"""

# A sub-account uses what it was given itself, else what its main account was; the two then share it. A campaign
# without a limit of its own for the trunk may put all its channels there, but never more than were allocated. Running
# campaigns hold channels, and finished ones that were told to keep them.
_ALLOCATIONS = """
    with mine as (
        select distinct on (l.trunk_id) l.*, t.name
        from account a join trunk_allocation l on l.account_id in (a.id, a.parent_id)
        join trunk t on t.id = l.trunk_id
        where a.id = $1 and t.deleted_at is null
        order by l.trunk_id, l.account_id <> a.id
    ),
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
    select m.id, m.account_id, m.trunk_id, m.name, m.channels_max, m.deadline_at, m.remark,
        coalesce((select sum(h.channels) from holding h where h.id = m.id), 0)::integer as reserved
    from mine m order by m.id
"""
_LOCK = """
    select from trunk_allocation l
    where l.account_id in (select id from account where id = $1 union select parent_id from account where id = $1)
    order by l.id for update
"""


class TrunkRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, trunk: Trunk, name: str, channels_max: int, cps_max: float, now: Instant) -> KeptTrunk:
        row = await self._connection.fetchrow(
            f"""insert into trunk (id, name, host, port, username, password, register, caller_id, channels_max,
                    cps_max, created_at, updated_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) returning {_COLUMNS}""",
            *_values(trunk, name, channels_max, cps_max, now),
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
        remark: str | None,
        now: Instant,
    ) -> int:
        id = await self._connection.fetchval(
            """insert into trunk_allocation (trunk_id, account_id, channels_max, deadline_at, remark, created_at)
               values ($1, $2, $3, $4, $5, $6)
               on conflict (trunk_id, account_id) do update
                   set channels_max = excluded.channels_max, deadline_at = excluded.deadline_at,
                       remark = excluded.remark
               returning id""",
            trunk,
            account,
            channels_max,
            moment(deadline_at),
            remark,
            moment(now),
        )
        assert isinstance(id, int)
        return id

    async def withdraw(self, account: AccountId, allocation: int) -> bool:
        if not fits_integer(allocation):
            return False
        done = await self._connection.execute(
            "delete from trunk_allocation where id = $1 and account_id = $2", allocation, account
        )
        return bool(done == "DELETE 1")

    async def allocations(
        self, account: AccountId, *, leaving_out: CampaignId | None = None, lock: bool = False
    ) -> Sequence[Allocation]:
        if lock:
            await self._connection.execute(_LOCK, account)
        found = await self._connection.fetch(_ALLOCATIONS, account, leaving_out)
        return [
            Allocation(
                id=row["id"],
                account=AccountId(str(row["account_id"])),
                trunk=TrunkId(str(row["trunk_id"])),
                trunk_name=row["name"],
                channels_max=row["channels_max"],
                deadline_at=instant(row["deadline_at"]),
                remark=row["remark"],
                reserved=row["reserved"],
            )
            for row in found
        ]


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
        name=row["name"],
        channels_max=row["channels_max"],
        cps_max=row["cps_max"],
        is_up=row["is_up"],
        status_detail=row["status_detail"],
        created_at=instant(row["created_at"]),
    )
