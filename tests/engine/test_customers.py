"""The CRM pool on the real database: what a call leaves there, imports that meet, and lists that stay quick."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from houses import PostgresHouse
from test_dialing_store import ANNA, BO, CARL, NOW, claim, closed, planned

from waihu.adapters.postgres.pool import Connection, Pool
from waihu.adapters.postgres.repositories.customers import CustomerRepository, put_customers
from waihu.domain.ids import AccountId, NodeId
from waihu.domain.place import Operator
from waihu.ports.contact_book import ContactEntry
from waihu.ports.customer_rows import ComponentRole, CustomerEntry, CustomerFilter, Newcomers
from waihu.ports.rows import Paging

CUSTOMERS = 20_000
LEVEL = "0f6a3a52-9d0c-4b6e-8a53-3f0c8e6d6a11"


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


@pytest.fixture
async def node(house: PostgresHouse) -> NodeId:
    return await house.store.join("here", NOW)


def entry(line: int, phone: str, **said: Any) -> CustomerEntry:
    nothing = dict.fromkeys(CustomerEntry._fields)
    known = {"line": line, "phone": phone, "province": "", "city": "", "components": {}}
    return CustomerEntry(**{**nothing, **known, **said})


def contacts(*phones: str) -> list[ContactEntry]:
    return [ContactEntry(line, phone, None, None, None, {}) for line, phone in enumerate(phones, start=1)]


async def count(pool: Pool, table: str) -> int:
    counted: int = await pool.fetchval(f"select count(*) from {table}")
    return counted


async def test_who_has_been_called_is_known_once(house: PostgresHouse, node: NodeId, pool: Pool) -> None:
    """Anna is called twice and a stranger to the pool once; that Bo was not called at all is known, too."""
    campaign = await house.campaign()
    newcomers = Newcomers([entry(1, ANNA), entry(2, BO)], NOW)
    await house.book.add(campaign.id, contacts(ANNA, f"{ANNA}_2", BO), newcomers=newcomers)
    await house.book.add(campaign.id, contacts(CARL))
    await pool.execute("delete from queue where contact_id = (select id from contact where key = $1)", BO)
    claimed = await claim(house, node, campaign, new_first=True)

    for contact in claimed.contacts:
        plan = planned(campaign, contact)
        assert await house.store.commit(node, [plan], NOW) == []
        await house.store.commit(node, [closed(plan)], NOW)

    assert len(claimed.contacts) == 3
    called = await pool.fetch("select phone from customer join customer_call on customer_id = id")
    assert [row["phone"] for row in called] == [ANNA]
    assert await count(pool, "customer_call") == 1


async def test_a_whole_import_that_fails_leaves_no_customer(house: PostgresHouse, pool: Pool) -> None:
    campaign = await house.campaign()
    newcomers = Newcomers([entry(1, ANNA), entry(2, BO)], NOW)

    rejected = await house.book.add(campaign.id, contacts(ANNA, ANNA), all_or_none=True, newcomers=newcomers)

    assert len(rejected) == 1
    assert (await count(pool, "customer"), await count(pool, "contact")) == (0, 0)


async def test_imports_of_the_same_people_do_not_cross(house: PostgresHouse, pool: Pool) -> None:
    """Many at once, in every order: each person is there once, and nobody had to give way."""
    campaign = await house.campaign()
    phones = [f"130{number:08}" for number in range(40)]

    async def bring_in(turn: int) -> None:
        some = phones[turn:] + phones[:turn]
        newcomers = Newcomers([entry(line, phone) for line, phone in enumerate(some, start=1)], NOW)
        await house.book.add(campaign.id, contacts(*some), newcomers=newcomers)

    await asyncio.gather(*(bring_in(turn) for turn in range(0, 40, 5)))

    assert (await count(pool, "customer"), await count(pool, "contact")) == (40, 40)
    assert await count(pool, "contact c join customer u on u.id = c.customer_id and u.phone = c.phone") == 40


async def test_a_file_does_not_touch_the_pool(house: PostgresHouse, pool: Pool) -> None:
    campaign = await house.campaign()

    await house.book.add(campaign.id, contacts(ANNA))

    assert await count(pool, "customer") == 0
    assert await pool.fetchval("select customer_id from contact") is None


# Lists


@pytest.fixture
async def crowd(house: PostgresHouse, pool: Pool) -> AccountId:
    """A pool in which one of a hundred belongs to a sub-account, which is answered, beside a neighbour's."""
    sub = await house.sub_account()
    neighbour = await pool.fetchval(
        "insert into account (partner_id, name) select partner_id, 'Neighbour' from account limit 1 returning id"
    )
    await fill(pool, house.account, sub, CUSTOMERS)
    await fill(pool, neighbour, neighbour, 2 * CUSTOMERS)
    await pool.execute("insert into customer_call select id, now() from customer where sex = 1")
    await pool.execute("vacuum analyze customer")
    return sub


async def fill(pool: Pool, main: AccountId, sub: AccountId, count: int) -> None:
    await pool.execute(
        """insert into customer (pool_id, account_id, phone, name, email, company, sex, operator, province, city,
               components, created_at, updated_at)
           select $1::uuid, case when n % 100 = 0 then $2::uuid else $1::uuid end, (13000000000 + n)::text,
               '客户' || n, n || '@example.com', '公司' || n % 1000, n % 3,
               (array['telecom', 'unicom', 'mobile'])[n % 3 + 1], '', '',
               jsonb_build_object($3::text, case when n % 500 = 0 then '金' else '银' end),
               timestamptz '2026-01-01' + n * interval '1 second', now()
           from generate_series(1, $4::int) n""",
        main,
        sub,
        LEVEL,
        count,
    )


class Explained:
    """A connection that explains what it is asked to fetch, and keeps the plans."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.plans: list[str] = []

    async def fetch(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, *values)
        return await self._connection.fetch(statement, *values)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, *values)
        return await self._connection.fetchval(statement, *values)

    def total_and_page(self) -> tuple[str, str]:
        """The two halves of the statement that finds a page."""
        _, counted, ids = self.plans[0].split("InitPlan")
        return counted, ids

    async def _explain(self, statement: str, *values: Any) -> None:
        if "customer" in statement:
            rows = await self._connection.fetch(f"explain {statement}", *values)
            self.plans.append("\n".join(row[0] for row in rows))


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        yield connection


FILTERS = [
    (CustomerFilter(), "customer_page_idx", CUSTOMERS),
    (CustomerFilter(phone_start="13000000777"), "customer_pool_id_phone_account_id_key", 1),
    (CustomerFilter(phone_start="1300000777"), "customer_pool_id_phone_account_id_key", 10),
    (CustomerFilter(email_start="777@example.com"), "customer_email_idx", 1),
    (CustomerFilter(company_start="公司777"), "customer_company_idx", 20),
    (CustomerFilter(roles={ComponentRole.NAME: "客户777"}), "customer_name_idx", 1),
    (CustomerFilter(components={LEVEL: "金"}), "customer_components_idx", 40),
    (CustomerFilter(operators=(Operator.UNICOM, Operator.MOBILE)), "customer_page_idx", 13_334),
    (CustomerFilter(sexes=(1,)), "customer_page_idx", 6_667),
    (CustomerFilter(created_from=1_767_225_700_000, created_to=1_767_225_799_999), "customer_page_idx", 100),
]


async def test_every_filter_is_answered_from_an_index(
    house: PostgresHouse, connection: Connection, crowd: AccountId
) -> None:
    for chosen, index, total in FILTERS:
        explained = Explained(connection)

        page = await CustomerRepository(explained).page(house.account, chosen, Paging(1, 15))  # type: ignore[arg-type]

        assert page.total == total, chosen
        counted, ids = explained.total_and_page()
        assert index in ids, f"{chosen}: {ids}"
        assert index in counted or "Index Only Scan" in counted, f"{chosen}: {counted}"

    explained = Explained(connection)
    page = await CustomerRepository(explained).page(crowd, CustomerFilter(), Paging(1, 15))  # type: ignore[arg-type]

    # A sub-account's list does not walk the whole pool.
    assert page.total == CUSTOMERS // 100
    counted, ids = explained.total_and_page()
    assert "customer_own_page_idx" in ids and "customer_own_page_idx" in counted


async def test_pages_go_on_where_the_one_before_ended_and_totals_are_exact(
    house: PostgresHouse, connection: Connection, crowd: AccountId
) -> None:
    customers = CustomerRepository(connection)
    for page in (1, 667, 1334, 1335):
        found = await customers.page(house.account, CustomerFilter(), Paging(page, 15))

        newest = 13_000_000_000 + CUSTOMERS - (page - 1) * 15
        left = max(0, min(15, newest - 13_000_000_000))
        assert [int(each.phone) for each in found.items] == [newest - place for place in range(left)]

    called = [await customers.page(house.account, CustomerFilter(called=each), Paging()) for each in (True, False)]
    assert [each.total for each in called] == [6_667, 13_333]


async def test_deletion_forgets_that_somebody_was_called(
    house: PostgresHouse, connection: Connection, pool: Pool
) -> None:
    known = await put_customers(connection, house.account, [entry(1, ANNA), entry(2, BO)], NOW)
    await pool.execute("insert into customer_call select id, now() from customer")

    removed = await CustomerRepository(connection).remove(house.account, CustomerFilter(), [ANNA], 100)

    assert removed == 1
    assert await pool.fetchval("select customer_id from customer_call") == await pool.fetchval(
        "select id from customer where id = $1", known[BO]
    )


async def test_an_id_of_nobody(house: PostgresHouse, connection: Connection) -> None:
    customers = CustomerRepository(connection)

    assert await customers.get(house.account, str(uuid4())) is None
    assert await customers.get(house.account, "x") is None
