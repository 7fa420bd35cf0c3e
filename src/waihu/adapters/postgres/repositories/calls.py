"""Finished calls, what was said in them, and where their recordings are."""

from collections.abc import Mapping, Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.statements import Values, page
from waihu.adapters.postgres.repositories.values import as_uuid, instant, moment, uuids
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, TrunkId
from waihu.domain.outcome import HungUpBy, Outcome
from waihu.ports.dialing_store import Turn
from waihu.ports.rows import Call, CallFilter, Page, Paging

_READ = """
    select a.id, a.account_id, a.campaign_id, a.contact_id, a.trunk_id, a.phone, a.planned_at, a.placed_at,
        a.answered_at, a.closed_at, a.outcome, a.sip_code, a.q850, a.hung_up_by, a.recording,
        (select count(*) from turn t where t.attempt_id = a.id and t.speaker = 'callee') as turns,
        c.key, c.name, c.extra, c.variables, c.created_at as contact_created_at
    from attempt a left join contact c on c.id = a.contact_id
"""


class CallRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, campaign: CampaignId, chosen: CallFilter, paging: Paging) -> Page[Call]:
        values = Values()
        found, total = await page(
            self._connection,
            _READ,
            table="attempt",
            key="a.id",
            conditions=_conditions(campaign, chosen, values),
            order="planned_at desc, id desc",
            paging=paging,
            values=values,
        )
        return Page(tuple(map(_call, found)), total)

    async def get(self, campaign: CampaignId, attempt: str) -> Call | None:
        row = await self._connection.fetchrow(
            f"{_READ} where a.id = $1 and a.campaign_id = $2 and a.state = 'closed'", as_uuid(attempt), campaign
        )
        return None if row is None else _call(row)

    async def by_ids(self, attempts: Sequence[AttemptId]) -> Mapping[AttemptId, Call]:
        found = await self._connection.fetch(f"{_READ} where a.id = any($1) and a.state = 'closed'", attempts)
        return {call.attempt: call for call in map(_call, found)}

    async def turns(self, attempt: AttemptId) -> Sequence[Turn]:
        found = await self._connection.fetch(
            "select speaker, text, at_ms, dtmf from turn where attempt_id = $1 order by sequence", attempt
        )
        return [Turn(row["speaker"], row["text"], row["at_ms"], row["dtmf"]) for row in found]

    async def recordings(self, campaign: CampaignId, attempts: Sequence[str]) -> Mapping[AttemptId, str]:
        found = await self._connection.fetch(
            """select id, recording from attempt
               where id = any($1) and campaign_id = $2 and recording is not null and state = 'closed'""",
            uuids(list(attempts)),
            campaign,
        )
        return {AttemptId(str(row["id"])): row["recording"] for row in found}


def _conditions(campaign: CampaignId, chosen: CallFilter, values: Values) -> list[str]:
    conditions = [f"campaign_id = {values.place(campaign)}", "state = 'closed'"]
    if chosen.phone_part:
        conditions.append(values.contains("phone", chosen.phone_part))
    if chosen.began_from is not None:
        conditions.append(f"coalesce(placed_at, planned_at) >= {values.place(moment(chosen.began_from))}")
    if chosen.began_to is not None:
        conditions.append(f"coalesce(placed_at, planned_at) <= {values.place(moment(chosen.began_to))}")
    if chosen.closed_from is not None:
        conditions.append(f"closed_at >= {values.place(moment(chosen.closed_from))}")
    if chosen.closed_to is not None:
        conditions.append(f"closed_at <= {values.place(moment(chosen.closed_to))}")
    return conditions


def _call(row: Record) -> Call:
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
        turns=row["turns"],
        # The contact may have been deleted since; the call remains.
        contact_key=row["key"] or row["phone"],
        contact_name=row["name"],
        contact_extra=row["extra"],
        contact_variables=row["variables"] or {},
        contact_created_at=instant(row["contact_created_at"] or row["planned_at"]),
    )
