"""Agents and their versions. A version is never changed, so that what was said can be read later."""

from collections.abc import Mapping, Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import fits_integer, instant, moment
from waihu.domain.agent import AgentKind
from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import Agent, AgentVersion, Page, Paging

_NEWEST = """
    select a.id, a.account_id, a.kind, a.name, a.version, a.is_default, a.created_at, a.updated_at, v.definition
    from agent a join agent_version v on v.agent_id = a.id and v.version = a.version
"""


class AgentRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self,
        account: AccountId,
        kind: AgentKind,
        name: str,
        definition: Mapping[str, object],
        *,
        is_default: bool,
        now: Instant,
    ) -> Agent:
        id = await self._connection.fetchval(
            """insert into agent (account_id, kind, name, version, is_default, created_at, updated_at)
               values ($1, $2, $3, 1, $4, $5, $5) returning id""",
            account,
            kind,
            name,
            is_default,
            moment(now),
        )
        await self._add_version(id, 1, definition, now)
        return Agent(id, account, kind, name, 1, is_default, definition, now, now)

    async def rename(self, agent: int, name: str) -> None:
        await self._connection.execute("update agent set name = $2 where id = $1", agent, name)

    async def add_version(self, agent: int, definition: Mapping[str, object], now: Instant) -> int:
        # The update locks the row, so two editors get two versions.
        version = await self._connection.fetchval(
            "update agent set version = version + 1, updated_at = $2 where id = $1 returning version",
            agent,
            moment(now),
        )
        assert isinstance(version, int)
        await self._add_version(agent, version, definition, now)
        return version

    async def get(self, account: AccountId, agent: int) -> Agent | None:
        if not fits_integer(agent):
            return None
        row = await self._connection.fetchrow(
            f"{_NEWEST} where a.id = $1 and a.account_id = $2 and a.deleted_at is null", agent, account
        )
        return None if row is None else _agent(row)

    async def page(
        self, paging: Paging, *, account: AccountId | None = None, partner: str | None = None
    ) -> Page[Agent]:
        of_whom = """where a.deleted_at is null and a.account_id in (
            select id from account where deleted_at is null and ($1::uuid is null or id = $1)
                and ($2::uuid is null or partner_id = $2)
        )"""
        found = await self._connection.fetch(
            f"{_NEWEST} {of_whom} order by a.id limit $3 offset $4", account, partner, paging.size, paging.offset
        )
        counted = await self._connection.fetchval(f"select count(*) from agent a {of_whom}", account, partner)
        return Page(tuple(_agent(row) for row in found), counted)

    async def all(self, account: AccountId) -> Sequence[Agent]:
        found = await self._connection.fetch(
            f"{_NEWEST} where a.account_id = $1 and a.deleted_at is null order by a.id", account
        )
        return [_agent(row) for row in found]

    async def version(self, account: AccountId, version: int) -> AgentVersion | None:
        if not fits_integer(version):
            return None
        row = await self._connection.fetchrow(
            """select v.id, v.agent_id, v.version, v.definition from agent_version v join agent a on a.id = v.agent_id
               where v.id = $1 and a.account_id = $2 and a.deleted_at is null""",
            version,
            account,
        )
        return None if row is None else _agent_version(row)

    async def versions(self, pinned: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], AgentVersion]:
        found = await self._connection.fetch(
            """select v.id, v.agent_id, v.version, v.definition
               from unnest($1::int[], $2::int[]) as p(agent_id, version)
               join agent_version v using (agent_id, version)""",
            [agent for agent, _ in pinned],
            [version for _, version in pinned],
        )
        return {(row["agent_id"], row["version"]): _agent_version(row) for row in found}

    async def calls(self, account: AccountId, agents: Sequence[int]) -> Mapping[int, int]:
        found = await self._connection.fetch(
            """select c.agent_id, sum(s.attempts)::bigint as calls
               from campaign c join trunk_usage s on s.campaign_id = c.id
               where c.account_id = $1 and c.agent_id = any($2) group by c.agent_id""",
            account,
            agents,
        )
        return {row["agent_id"]: row["calls"] for row in found}

    async def _add_version(self, agent: int, version: int, definition: Mapping[str, object], now: Instant) -> None:
        await self._connection.execute(
            "insert into agent_version (agent_id, version, definition, created_at) values ($1, $2, $3, $4)",
            agent,
            version,
            definition,
            moment(now),
        )


def _agent_version(row: Record) -> AgentVersion:
    return AgentVersion(row["id"], row["agent_id"], row["version"], row["definition"])


def _agent(row: Record) -> Agent:
    return Agent(
        id=row["id"],
        account=AccountId(str(row["account_id"])),
        kind=AgentKind(row["kind"]),
        name=row["name"],
        version=row["version"],
        is_default=row["is_default"],
        definition=row["definition"],
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )
