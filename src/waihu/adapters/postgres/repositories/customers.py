"""The CRM pool: `ports/customers.py` on PostgreSQL, with the statements of `customers.sql`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.queries import load
from waihu.adapters.postgres.repositories.statements import Values, page
from waihu.adapters.postgres.repositories.values import as_uuid, instant, moment
from waihu.domain.ids import AccountId, CampaignId, Instant
from waihu.domain.place import Operator, Place
from waihu.ports.customer_rows import (
    Component,
    ComponentKind,
    ComponentRole,
    ComponentValue,
    Customer,
    CustomerEntry,
    CustomerFilter,
    CustomerId,
    Enrolment,
    Rule,
)
from waihu.ports.rows import Page, Paging

SQL = load("customers.sql")

_MILLISECOND = timedelta(milliseconds=1)
_LAST_CHARACTER = "\U0010ffff"
_COMPONENT = "id, account_id, name, kind, rules, sort, role, created_at, updated_at"
_ENROLMENT = "id, account_id, campaign_id, accepted, duplicate, do_not_call, created_at, finished_at"


class CustomerRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def template(self, account: AccountId) -> Sequence[Component]:
        found = await self._connection.fetch(
            f"""select {_COMPONENT} from customer_component
                where account_id = (select coalesce(parent_id, id) from account where id = $1) order by sort, id""",
            account,
        )
        return [_component(row) for row in found]

    async def add_component(
        self,
        pool: AccountId,
        name: str,
        kind: ComponentKind,
        *,
        rules: Sequence[Rule],
        sort: int,
        role: ComponentRole | None,
        now: Instant,
    ) -> Component:
        row = await self._connection.fetchrow(
            f"""insert into customer_component (account_id, name, kind, rules, sort, role, created_at, updated_at)
                values ($1, $2, $3, $4, $5, $6, $7, $7) returning {_COMPONENT}""",
            pool,
            name,
            kind,
            rules,
            sort,
            role,
            moment(now),
        )
        assert row is not None
        return _component(row)

    async def change_component(self, component: Component, now: Instant) -> None:
        await self._connection.execute(
            "update customer_component set name = $2, kind = $3, rules = $4, sort = $5, updated_at = $6 where id = $1",
            component.id,
            component.name,
            component.kind,
            component.rules,
            component.sort,
            moment(now),
        )

    async def remove_component(self, component: str) -> None:
        await self._connection.execute("delete from customer_component where id = $1", component)

    async def put(self, account: AccountId, entries: Sequence[CustomerEntry], now: Instant) -> Mapping[str, CustomerId]:
        return await put_customers(self._connection, account, entries, now)

    async def get(self, account: AccountId, customer: str) -> Customer | None:
        found = await read_customers(self._connection, [customer])
        owned = next(iter(found.values()), None)
        if owned is None:
            return None
        seen = await self._connection.fetchval(
            "select $1 in (id, parent_id) from account where id = $2", account, owned.account
        )
        return owned if seen else None

    async def page(self, account: AccountId, chosen: CustomerFilter, paging: Paging) -> Page[Customer]:
        values = Values()
        found, total = await page(
            self._connection,
            "select c.id, c.created_at from customer c",
            table="customer",
            key="c.id",
            conditions=await _conditions(self._connection, account, chosen, values),
            order="created_at desc, id desc",
            paging=paging,
            values=values,
        )
        shown = await read_customers(self._connection, [str(row["id"]) for row in found])
        return Page(tuple(shown.values()), total)

    async def remove(self, account: AccountId, chosen: CustomerFilter, phones: Sequence[str] | None, most: int) -> int:
        values = Values()
        conditions = await _conditions(self._connection, account, chosen, values)
        if phones is not None:
            conditions.append(values.among("phone", phones))
        found = await self._connection.fetch(
            f"""select id from customer where {" and ".join(conditions)}
                order by phone, id limit {values.place(most)} for update""",
            *values,
        )
        row = await SQL["remove"].row(self._connection, ids=[row["id"] for row in found])
        assert row is not None
        removed: int = row["customers"]
        return removed

    async def add_enrolment(
        self, account: AccountId, campaign: CampaignId, chosen: CustomerFilter, now: Instant
    ) -> Enrolment:
        row = await self._connection.fetchrow(
            f"""insert into enrolment (account_id, campaign_id, chosen, created_at)
                values ($1, $2, $3, $4) returning {_ENROLMENT}""",
            account,
            campaign,
            msgspec.to_builtins(chosen),
            moment(now),
        )
        assert row is not None
        return _enrolment(row)

    async def enrolment(self, account: AccountId, enrolment: str) -> Enrolment | None:
        row = await self._connection.fetchrow(
            f"select {_ENROLMENT} from enrolment where id = $1 and account_id = $2", as_uuid(enrolment), account
        )
        return None if row is None else _enrolment(row)

    async def open_enrolments(self) -> Sequence[str]:
        found = await self._connection.fetch(
            "select id from enrolment where finished_at is null order by created_at, id"
        )
        return [str(row["id"]) for row in found]

    async def finish_enrolment(self, enrolment: str, now: Instant) -> Enrolment | None:
        row = await self._connection.fetchrow(
            f"update enrolment set finished_at = $2 where id = $1 and finished_at is null returning {_ENROLMENT}",
            enrolment,
            moment(now),
        )
        return None if row is None else _enrolment(row)


async def put_customers(
    connection: Connection, account: AccountId, entries: Sequence[CustomerEntry], now: Instant
) -> dict[str, CustomerId]:
    """Stores customers of an account; answers their ids by phone."""
    stored = await SQL["put"].rows(
        connection, account=account, entries=[entry._asdict() for entry in entries], now=moment(now)
    )
    return {row["phone"]: CustomerId(str(row["id"])) for row in stored}


async def read_customers(connection: Connection, ids: Sequence[str]) -> dict[str, Customer]:
    """By id, newest first; those that are gone are left out."""
    wanted = [found for found in map(as_uuid, ids) if found is not None]
    read = await SQL["read"].rows(connection, ids=wanted) if wanted else []
    return {str(row["id"]): _customer(row) for row in read}


async def stage_customers(
    connection: Connection,
    account: AccountId,
    chosen: CustomerFilter,
    *,
    after: tuple[datetime, UUID] | None,
    until: datetime,
    most: int,
) -> None:
    """Puts the next of the chosen customers into `incoming_contact`: in the order they came, beginning after a
    customer of that time and id, up to those that were there at `until`.
    """
    values = Values()
    conditions = await _conditions(connection, account, chosen, values)
    conditions.append(f"created_at < {values.place(until + _MILLISECOND)}")
    if after is not None:
        conditions.append(f"(created_at, id) > ({values.place(after[0])}, {values.place(after[1])})")
    await connection.execute(
        f"""insert into incoming_contact (line, key, name, extra, variables, customer_id)
            select row_number() over (order by created_at, id), phone, name, extra, '{{}}', id
            from customer where {" and ".join(conditions)} order by created_at, id limit {values.place(most)}""",
        *values,
    )
    await SQL["variables"].run(connection)


async def _conditions(connection: Connection, account: AccountId, chosen: CustomerFilter, values: Values) -> list[str]:
    """Which rows of `customer` are chosen, of those that the account may see."""
    pool = await connection.fetchval("select coalesce(parent_id, id) from account where id = $1", account)
    conditions = [f"pool_id = {values.place(pool)}"]
    if str(pool) != account:
        # The second one leads to the index of sub-accounts' customers.
        conditions += [f"account_id = {values.place(account)}", "account_id <> pool_id"]
    for column, start in (
        ("phone", chosen.phone_start),
        ("email", chosen.email_start),
        ("company", chosen.company_start),
    ):
        if start is not None:
            end = start + _LAST_CHARACTER
            conditions.append(f"{column} >= {values.place(start)} and {column} < {values.place(end)}")
    conditions += [f"{role.value} = {values.place(value)}" for role, value in chosen.roles.items()]
    if chosen.components:
        conditions += [f"components @> {values.place(dict(chosen.components))}", "components <> '{}'"]
    if chosen.operators is not None:
        conditions.append(values.among("operator", chosen.operators))
    if chosen.sexes is not None:
        conditions.append(f"coalesce(sex, 0) = any({values.place(chosen.sexes)})")
    if chosen.called is not None:
        called = "exists (select from customer_call where customer_id = customer.id)"
        conditions.append(called if chosen.called else f"not {called}")
    if chosen.created_from is not None:
        conditions.append(f"created_at >= {values.place(moment(chosen.created_from))}")
    if chosen.created_to is not None:
        # The whole of that millisecond: rows that come together are microseconds apart.
        conditions.append(f"created_at < {values.place(moment(chosen.created_to + 1))}")
    return conditions


def _component(row: Record) -> Component:
    return Component(
        id=str(row["id"]),
        pool=AccountId(str(row["account_id"])),
        name=row["name"],
        kind=ComponentKind(row["kind"]),
        rules=tuple(map(Rule, row["rules"])),
        sort=row["sort"],
        role=None if row["role"] is None else ComponentRole(row["role"]),
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )


def _customer(row: Record) -> Customer:
    return Customer(
        id=CustomerId(str(row["id"])),
        account=AccountId(str(row["account_id"])),
        phone=row["phone"],
        name=row["name"],
        email=row["email"],
        company=row["company"],
        sex=row["sex"] or 0,
        sort=row["sort"] or 0,
        source_id=row["source_id"],
        industry_id=row["industry_id"],
        grade_id=row["grade_id"],
        extra=row["extra"],
        place=Place(None if row["operator"] is None else Operator(row["operator"]), row["province"], row["city"]),
        components=tuple(
            ComponentValue(id, name, ComponentKind(kind), sort, value) for id, name, kind, sort, value in row["shown"]
        ),
        called_at=instant(row["called_at"]),
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )


def _enrolment(row: Record) -> Enrolment:
    return Enrolment(
        id=str(row["id"]),
        account=AccountId(str(row["account_id"])),
        campaign=CampaignId(str(row["campaign_id"])),
        accepted=row["accepted"],
        duplicate=row["duplicate"],
        do_not_call=row["do_not_call"],
        created_at=instant(row["created_at"]),
        finished_at=instant(row["finished_at"]),
    )
