"""Contacts as users see them. Importing, resetting, deleting and ordering them is `contact_import`'s."""

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.statements import Values, page
from waihu.adapters.postgres.repositories.values import hold, instant, moment
from waihu.domain.ids import AttemptId, CampaignId, ContactId
from waihu.domain.outcome import Outcome
from waihu.ports.customer_rows import CustomerId
from waihu.ports.rows import CallBrief, Contact, ContactFilter, Page, Paging

_READ = """
    select c.id, c.campaign_id, c.key, c.phone, c.name, c.extra, c.variables, c.attempts, c.tries, c.finished,
        c.outcome, c.hold_reason, c.hold_until, c.created_at, c.customer_id,
        a.id as attempt_id, a.answered_at, a.closed_at
    from contact c left join attempt a on a.contact_id = c.id and a.number = c.attempts
"""

# A number that came twice carries a suffix: 13012121211_k3x. In "C" order those keys lie between _ and `.
_BY_KEY = f"""
    {_READ} where c.campaign_id = $1 and (c.key = $2 or (c.key >= $2 || '_' and c.key < $2 || '`'))
    order by c.key <> $2, c.id limit 1
"""


class ContactRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, campaign: CampaignId, chosen: ContactFilter, paging: Paging) -> Page[Contact]:
        values = Values()
        found, total = await page(
            self._connection,
            _READ,
            table="contact",
            key="c.id",
            conditions=_conditions(campaign, chosen, values),
            order="id",
            paging=paging,
            values=values,
        )
        return Page(tuple(map(_contact, found)), total)

    async def by_key(self, campaign: CampaignId, key: str) -> Contact | None:
        row = await self._connection.fetchrow(_BY_KEY, campaign, key)
        return None if row is None else _contact(row)


def _conditions(campaign: CampaignId, chosen: ContactFilter, values: Values) -> list[str]:
    conditions = [f"campaign_id = {values.place(campaign)}"]
    if chosen.outcomes is not None:
        ended = f"finished and {values.among('outcome', chosen.outcomes)}"
        conditions.append(f"({ended} or not finished)" if chosen.waiting else ended)
    if chosen.created_from is not None:
        conditions.append(f"created_at >= {values.place(moment(chosen.created_from))}")
    if chosen.created_to is not None:
        conditions.append(f"created_at <= {values.place(moment(chosen.created_to))}")
    return conditions


def _contact(row: Record) -> Contact:
    last_call = None
    if row["attempt_id"] is not None:
        talked = row["answered_at"] is not None and row["closed_at"] is not None
        talk_ms = instant(row["closed_at"]) - instant(row["answered_at"]) if talked else 0
        last_call = CallBrief(AttemptId(str(row["attempt_id"])), talk_ms)
    return Contact(
        id=ContactId(row["id"]),
        campaign=CampaignId(str(row["campaign_id"])),
        key=row["key"],
        phone=row["phone"],
        name=row["name"],
        extra=row["extra"],
        variables=row["variables"],
        attempts=row["attempts"],
        tries=row["tries"],
        finished=row["finished"],
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        own_hold=hold(row["hold_reason"], row["hold_until"]),
        created_at=instant(row["created_at"]),
        last_call=last_call,
        customer=None if row["customer_id"] is None else CustomerId(str(row["customer_id"])),
    )
