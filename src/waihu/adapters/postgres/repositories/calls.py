"""Finished calls, what was said in them, and where their recordings are."""

from collections.abc import Mapping, Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.customers import read_customers
from waihu.adapters.postgres.repositories.statements import Values, page
from waihu.adapters.postgres.repositories.values import as_uuid, instant, moment, uuids
from waihu.domain.agent import AgentKind
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, TrunkId
from waihu.domain.outcome import HungUpBy, Outcome
from waihu.ports.customer_rows import Customer, CustomerId
from waihu.ports.dialing_store import Turn
from waihu.ports.rows import AgentName, Call, CallFilter, Page, Paging

_READ = """
    select a.id, a.account_id, a.campaign_id, a.contact_id, a.trunk_id, a.phone, a.planned_at, a.placed_at,
        a.answered_at, a.closed_at, a.outcome, a.sip_code, a.q850, a.hung_up_by, a.recording, a.score, a.intention,
        g.id as agent_id, g.kind as agent_kind, g.name as agent_name,
        (select count(*) from turn t where t.attempt_id = a.id and t.speaker = 'callee') as turns,
        c.key, c.name, c.extra, c.variables, c.created_at as contact_created_at, c.customer_id
    from attempt a left join contact c on c.id = a.contact_id
    join campaign k on k.id = a.campaign_id join agent g on g.id = coalesce(a.agent_id, k.agent_id)
"""


_OPENED = f"""
    select r.*, t.spoken
    from ({_READ} where a.id = $1 and a.campaign_id = $2 and a.state = 'closed') r
    cross join lateral (
        select coalesce(jsonb_agg(jsonb_build_array(speaker, text, at_ms, dtmf) order by sequence), '[]') as spoken
        from turn where attempt_id = r.id
    ) t
"""

# Every closing is counted there in the same statement, and calls are never deleted.
_ALL_OF = "select coalesce(sum(attempts), 0)::bigint from trunk_usage where {campaign}"

_PLACED_WITHIN_MS = 3_600_000
_CLOSED_WITHIN_MS = 86_400_000


class CallRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, campaign: CampaignId, chosen: CallFilter, paging: Paging) -> Page[Call]:
        values = Values()
        conditions = _conditions(campaign, chosen, values)
        found, total = await page(
            self._connection,
            _READ,
            table="attempt",
            key="a.id",
            conditions=conditions,
            order="planned_at desc, id desc",
            paging=paging,
            values=values,
            total=_ALL_OF.format(campaign=conditions[0]) if chosen == CallFilter() else None,
        )
        return Page(tuple(await self._calls(found)), total)

    async def get(self, campaign: CampaignId, attempt: str) -> Call | None:
        row = await self._connection.fetchrow(
            f"{_READ} where a.id = $1 and a.campaign_id = $2 and a.state = 'closed'", as_uuid(attempt), campaign
        )
        return None if row is None else (await self._calls([row]))[0]

    async def opened(self, campaign: CampaignId, attempt: str) -> tuple[Call, Sequence[Turn]] | None:
        row = await self._connection.fetchrow(_OPENED, as_uuid(attempt), campaign)
        if row is None:
            return None
        (call,) = await self._calls([row])
        return call, [Turn(speaker, text, at_ms, dtmf) for speaker, text, at_ms, dtmf in row["spoken"]]

    async def by_ids(self, attempts: Sequence[AttemptId]) -> Mapping[AttemptId, Call]:
        found = await self._connection.fetch(f"{_READ} where a.id = any($1) and a.state = 'closed'", attempts)
        return {call.attempt: call for call in await self._calls(found)}

    async def recordings(self, campaign: CampaignId, attempts: Sequence[str]) -> Mapping[AttemptId, str]:
        found = await self._connection.fetch(
            """select id, recording from attempt
               where id = any($1) and campaign_id = $2 and recording is not null and state = 'closed'""",
            uuids(list(attempts)),
            campaign,
        )
        return {AttemptId(str(row["id"])): row["recording"] for row in found}

    async def _calls(self, found: Sequence[Record]) -> list[Call]:
        known = await read_customers(self._connection, [str(row["customer_id"]) for row in found if row["customer_id"]])
        return [_call(row, known) for row in found]


def _conditions(campaign: CampaignId, chosen: CallFilter, values: Values) -> list[str]:
    conditions = [f"campaign_id = {values.place(campaign)}", "state = 'closed'"]
    if chosen.phone_part:
        conditions.append(values.contains("phone", chosen.phone_part))
    if chosen.scores is not None:
        ranges = (f"score between {values.place(low)} and {values.place(high)}" for low, high in chosen.scores)
        conditions.append(f"({' or '.join(('false', *ranges))})")
    if chosen.intentions is not None:
        conditions.append(f"intention = any({values.place(chosen.intentions)}::int[])")
    conditions += _planned_at(chosen, values)
    if chosen.began_from is not None:
        conditions.append(f"coalesce(placed_at, planned_at) >= {values.place(moment(chosen.began_from))}")
    if chosen.began_to is not None:
        conditions.append(f"coalesce(placed_at, planned_at) <= {values.place(moment(chosen.began_to))}")
    if chosen.closed_from is not None:
        conditions.append(f"closed_at >= {values.place(moment(chosen.closed_from))}")
    if chosen.closed_to is not None:
        conditions.append(f"closed_at <= {values.place(moment(chosen.closed_to))}")
    return conditions


def _planned_at(chosen: CallFilter, values: Values) -> list[str]:
    """Bounds that the index knows of, a little wider than what was asked for: a call is placed and closed after it was
    planned, and soon.
    """
    since = [
        bound - slack_ms
        for bound, slack_ms in ((chosen.began_from, _PLACED_WITHIN_MS), (chosen.closed_from, _CLOSED_WITHIN_MS))
        if bound is not None
    ]
    until = [bound for bound in (chosen.began_to, chosen.closed_to) if bound is not None]
    conditions = []
    if since:
        conditions.append(f"planned_at >= {values.place(moment(max(since)))}")
    if until:
        conditions.append(f"planned_at <= {values.place(moment(min(until)))}")
    return conditions


def _call(row: Record, known: Mapping[str, Customer]) -> Call:
    customer_id = None if row["customer_id"] is None else CustomerId(str(row["customer_id"]))
    return Call(
        attempt=AttemptId(str(row["id"])),
        account=AccountId(str(row["account_id"])),
        campaign=CampaignId(str(row["campaign_id"])),
        contact=ContactId(row["contact_id"]),
        trunk=TrunkId(str(row["trunk_id"])),
        phone=row["phone"],
        planned_at=instant(row["planned_at"]),
        placed_at=instant(row["placed_at"]),
        answered_at=instant(row["answered_at"]),
        closed_at=instant(row["closed_at"]),
        outcome=Outcome(row["outcome"]),
        sip_code=row["sip_code"],
        q850=row["q850"],
        hung_up_by=None if row["hung_up_by"] is None else HungUpBy(row["hung_up_by"]),
        recording=row["recording"],
        agent=AgentName(row["agent_id"], AgentKind(row["agent_kind"]), row["agent_name"]),
        score=row["score"],
        intention=row["intention"],
        turns=row["turns"],
        # The contact may have been deleted since; the call remains.
        contact_key=row["key"] or row["phone"],
        contact_name=row["name"],
        contact_extra=row["extra"],
        contact_variables=row["variables"] or {},
        contact_created_at=instant(row["contact_created_at"] or row["planned_at"]),
        customer_id=customer_id,
        customer=None if customer_id is None else known.get(customer_id),
    )
