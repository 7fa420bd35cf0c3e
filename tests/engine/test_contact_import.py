"""Contacts come in, are put back and taken out, in batches and files, through the real database."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from houses import PostgresHouse
from hypothesis import given
from hypothesis import strategies as st
from lossy_proxy import LossyProxy
from test_dialing_store import ANNA, BO, CARL, NOW, claim, closed, dial, ids, in_ten_minutes, planned
from test_postgres_dialing_store import rows, until_waiting

from waihu.adapters.postgres import contact_import as book_module
from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.pool import Pool, open_pool
from waihu.application import contact_import
from waihu.application.contact_entry import NewContact, entry_of, key_of
from waihu.application.contact_import import ContactImport, ImportReport
from waihu.dialing.records import CampaignCompleted
from waihu.domain.campaign import CampaignPlan, EndAction, TakingOrder
from waihu.domain.errors import Invalid, NotFound, Unavailable
from waihu.domain.ids import CampaignId, NodeId
from waihu.domain.outcome import Outcome
from waihu.domain.phone import normalise
from waihu.ports.contact_book import Rejection
from waihu.ports.rows import ContactFilter

ALL = ContactFilter()


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


@pytest.fixture
async def node(house: PostgresHouse) -> NodeId:
    return await house.store.join("here", NOW)


@pytest.fixture
async def campaign(house: PostgresHouse) -> CampaignPlan:
    return await house.campaign()


@pytest.fixture
def importing(house: PostgresHouse) -> ContactImport:
    return ContactImport(house.book, lambda: NOW)


def new(*phones: str) -> list[NewContact]:
    return [NewContact(phone) for phone in phones]


def said(report: ImportReport) -> tuple[int, list[tuple[int, Rejection]]]:
    return report.accepted, [(one.line, one.reason) for one in report.rejected]


# Numbers


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
    | st.text("0123456789+-() 　０１８６８＋٣", max_size=18)
    | st.text()
)
def test_the_short_cut_for_plain_mobile_numbers_agrees_with_normalising(written: str) -> None:
    if "_" not in written:
        assert key_of(written) == normalise(written)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("+86 138-0000-0001_k3x", "13800000001_k3x"),
        ("13800000001_", None),
        ("13800000001_a_b", None),
        ("13800000001_中", None),
        ("_a", None),
        (" 13800000001\t", "13800000001"),
    ],
)
def test_a_key_is_the_normal_phone_with_its_suffix(written: str, key: str | None) -> None:
    assert key_of(written) == key


@pytest.mark.parametrize(
    "contact",
    [
        NewContact("12"),
        NewContact(ANNA, name="x" * 101),
        NewContact(ANNA, extra="x" * 501),
        NewContact(ANNA, zone="Mars/Olympus"),
        NewContact(ANNA, variables={"a": "x" * 2001}),
        NewContact(ANNA, variables={"x" * 51: "a"}),
        NewContact(ANNA, variables={str(n): "a" for n in range(101)}),
        NewContact(ANNA, name="a\x00b"),
        NewContact(ANNA, variables={"a": "\ud83d"}),
    ],
)
def test_what_cannot_be_stored_is_said_in_words(contact: NewContact) -> None:
    assert isinstance(entry_of(1, contact), str)


# Batches


async def test_a_batch_is_taken_in_and_the_rest_reported(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport
) -> None:
    await house.contacts(campaign.id, [BO])
    await house.forbid(CARL)

    report = await importing.add(campaign.id, new("138 0000 0001", "12", BO, CARL, f"{CARL}_x", ANNA, f"{ANNA}_x"))

    assert said(report) == (
        2,
        [
            (2, Rejection.INVALID),
            (3, Rejection.DUPLICATE),
            (4, Rejection.DO_NOT_CALL),
            (5, Rejection.DO_NOT_CALL),
            (6, Rejection.DUPLICATE),
        ],
    )
    assert (report.duplicate, report.invalid, report.do_not_call) == (2, 1, 2)
    assert await rows(house.pool, "select key, phone from contact order by position") == [
        (BO, BO),
        (ANNA, ANNA),
        (f"{ANNA}_x", ANNA),
    ]
    assert await rows(house.pool, "select sum(contacts) from campaign_stat") == [(3,)]


async def test_everything_of_a_contact_is_kept(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport
) -> None:
    variables = {"级别": "A", "note": 'a "quoted", line\nand another \\'}
    contact = NewContact(ANNA, "张三", " 0c51fc89 ", "America/New_York", variables)

    await importing.add(campaign.id, [contact])

    assert await rows(house.pool, "select key, name, extra, zone, variables from contact") == [
        (ANNA, "张三", " 0c51fc89 ", "America/New_York", variables)
    ]


async def test_all_or_none(house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport) -> None:
    for bad in (ANNA, "12"):
        report = await importing.add(campaign.id, new(ANNA, BO, bad), all_or_none=True)
        assert (report.accepted, [one.line for one in report.rejected]) == (0, [3])
    assert await rows(house.pool, "select * from contact") == await rows(house.pool, "select * from queue") == []

    assert (await importing.add(campaign.id, new(ANNA, BO), all_or_none=True)).accepted == 2


async def test_a_sub_accounts_contacts_are_held_against_both_do_not_call_lists(
    house: PostgresHouse, importing: ContactImport
) -> None:
    campaign = await house.campaign(account=await house.sub_account())
    await house.forbid(ANNA)

    assert said(await importing.add(campaign.id, new(ANNA, BO))) == (1, [(1, Rejection.DO_NOT_CALL)])


async def test_a_campaign_that_is_gone_takes_no_contacts(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport
) -> None:
    await house.pool.execute("update campaign set deleted_at = now()")

    for gone in (campaign.id, CampaignId("00000000-0000-4000-8000-000000000000")):
        with pytest.raises(NotFound):
            await importing.add(gone, new(ANNA))


async def test_engines_see_that_contacts_have_come(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport
) -> None:
    before = await house.store.world()
    await importing.add(campaign.id, new(ANNA))
    after = await house.store.world()
    assert after.arrivals[campaign.id] > before.arrivals[campaign.id]

    await importing.add(campaign.id, new(ANNA))
    assert await house.store.world() == after, "nothing came in, so nothing is to be told"


@pytest.mark.parametrize(
    ("action", "ended_by", "state"),
    [
        (EndAction.NONE, None, "running"),
        (EndAction.NONE, "user", "completed"),
        (EndAction.PAUSE_AND_RELEASE, None, "completed"),
        (EndAction.PAUSE_AND_KEEP, None, "completed"),
    ],
)
async def test_a_completed_campaign_runs_again_unless_it_was_to_end(
    house: PostgresHouse, importing: ContactImport, node: NodeId, action: EndAction, ended_by: str | None, state: str
) -> None:
    campaign = await house.campaign(end_action=action)
    await house.store.commit(node, [CampaignCompleted(campaign.id, action)], NOW)
    await house.pool.execute("update campaign set pause_reason = $1", ended_by)

    await importing.add(campaign.id, new(ANNA))

    assert (await house.look(campaign.id)).state == state


async def test_plans_do_not_wait_for_a_long_import(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport, node: NodeId
) -> None:
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, node, campaign)).contacts
    async with house.pool.acquire() as blocker, blocker.transaction():
        # The import gets stuck where it writes its rows.
        await blocker.execute("insert into contact (campaign_id, position, key) values ($1, 9, $2)", campaign.id, BO)
        adding = await until_waiting(house.pool, importing.add(campaign.id, new(CARL, BO)))

        assert await house.store.commit(node, [planned(campaign, anna)], NOW) == []
        assert not adding.done()
    assert said(await adding) == (1, [(2, Rejection.DUPLICATE)])


async def test_two_imports_of_the_same_numbers_at_once_take_each_in_once(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport
) -> None:
    phones = [f"1380000{number:04}" for number in range(2000)]

    reports = await asyncio.gather(
        importing.add(campaign.id, new(*phones)), importing.add(campaign.id, new(*reversed(phones)))
    )

    assert sum(report.accepted for report in reports) == sum(report.duplicate for report in reports) == 2000
    assert await rows(house.pool, "select count(*), count(distinct position) from contact") == [(2000, 2000)]


async def test_an_unreachable_database_is_unavailable(
    house: PostgresHouse, campaign: CampaignPlan, database_url: str
) -> None:
    async with LossyProxy(database_url) as road:
        pool = await open_pool(road.url)
    with pytest.raises(Unavailable):
        await ContactImport(PostgresContactBook(pool), lambda: NOW).add(campaign.id, new(ANNA))
    pool.terminate()


# Taking order


async def taken(house: PostgresHouse, node: NodeId, campaign: CampaignPlan) -> list[str]:
    return [contact.phone for contact in (await claim(house, node, campaign, 1000)).contacts]


@pytest.mark.parametrize("order", TakingOrder)
async def test_contacts_are_taken_in_the_campaigns_order(
    house: PostgresHouse, importing: ContactImport, node: NodeId, order: TakingOrder
) -> None:
    campaign = await house.campaign(taking_order=order, order_seed=7)
    phones = [f"138000000{number:02}" for number in range(40)]
    await importing.add(campaign.id, new(*phones[:20]))
    await importing.add(campaign.id, new(*phones[20:]))

    found = await taken(house, node, campaign)

    assert sorted(found) == phones
    assert (found == phones) is (order is TakingOrder.SEQUENTIAL)
    assert (found == phones[::-1]) is (order is TakingOrder.REVERSE)


async def test_a_changed_taking_order_moves_the_contacts_that_wait_for_their_first_turn(
    house: PostgresHouse, campaign: CampaignPlan, node: NodeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_module, "_PAGE", 2)
    held = await dial(house, node, campaign, CARL)
    await house.store.commit(node, [closed(held, retry=in_ten_minutes())], NOW)
    phones = [f"138000001{number:02}" for number in range(5)]
    await house.contacts(campaign.id, phones)

    await house.pool.execute("update campaign set taking_order = 'reverse'")
    await house.book.reorder(campaign.id)

    assert await taken(house, node, campaign) == phones[::-1]


# Putting back and taking out


async def finished(house: PostgresHouse, node: NodeId, campaign: CampaignPlan, phone: str, outcome: Outcome) -> int:
    plan = await dial(house, node, campaign, phone)
    await house.store.commit(node, [closed(plan, outcome)], NOW)
    return plan.contact


async def test_a_reset_contact_is_called_as_if_for_the_first_time(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport, node: NodeId
) -> None:
    anna = await finished(house, node, campaign, ANNA, Outcome.BUSY)
    await house.store.commit(node, [CampaignCompleted(campaign.id, EndAction.NONE)], NOW)

    assert await importing.reset(campaign.id, ALL) == 1

    assert (await house.look(campaign.id)).state == "running"
    look = await house.contact(anna)
    assert (look.finished, look.outcome, look.tries, look.attempts) == (False, None, 0, 1)
    assert await rows(house.pool, "select sum(contacts), sum(finished) from campaign_stat") == [(1, 0)]
    (again,) = (await claim(house, node, campaign)).contacts
    assert await house.store.commit(node, [planned(campaign, again)], NOW) == [], "its numbering goes on"


async def test_a_reset_touches_the_chosen_contacts_only(
    house: PostgresHouse,
    campaign: CampaignPlan,
    importing: ContactImport,
    node: NodeId,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(book_module, "_PAGE", 1)
    names = {ANNA: "Anna", BO: "Bo", CARL: "Carl"}
    outcomes = {ANNA: Outcome.BUSY, BO: Outcome.REJECTED, CARL: Outcome.BUSY}
    contacts = {phone: await finished(house, node, campaign, phone, outcomes[phone]) for phone in names}
    for phone, name in names.items():
        await house.pool.execute("update contact set name = $2 where key = $1", phone, name)

    async def reset(chosen: ContactFilter = ALL, **choice: Any) -> set[str]:
        count = await importing.reset(campaign.id, chosen, **choice)
        unfinished = {phone for phone, contact in contacts.items() if not (await house.contact(contact)).finished}
        assert len(unfinished) == count
        await house.pool.execute("update contact set finished = true, outcome = $2 where key = $1", ANNA, "busy")
        await house.pool.execute("update contact set finished = true, outcome = $2 where key = $1", BO, "rejected")
        await house.pool.execute("update contact set finished = true, outcome = $2 where key = $1", CARL, "busy")
        await house.pool.execute("delete from queue")
        return unfinished

    assert await reset() == set(names)
    assert await reset(phones=["138-0000-0001", "nobody"]) == {ANNA}
    assert await reset(phones=[]) == set()
    assert await reset(keyword="CAR") == {CARL}
    assert await reset(keyword="0002") == {BO}
    assert await reset(ContactFilter(outcomes=(Outcome.BUSY,), waiting=False)) == {ANNA, CARL}
    assert await reset(ContactFilter(outcomes=(Outcome.BUSY,), waiting=False), keyword="0003") == {CARL}
    created = await house.pool.fetchval("select (extract(epoch from max(created_at)) * 1000)::bigint from contact")
    assert await reset(ContactFilter(created_to=created - 3_600_000)) == set()
    assert await reset(ContactFilter(created_from=created - 3_600_000, created_to=created + 1)) == set(names)


async def test_a_reset_brings_forward_who_waits_and_leaves_alone_who_is_called(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport, node: NodeId
) -> None:
    waiting, called = await dial(house, node, campaign, ANNA), await dial(house, node, campaign, BO)
    await house.store.commit(node, [closed(waiting, retry=in_ten_minutes())], NOW)

    assert await importing.reset(campaign.id, ALL) == 1

    assert ids(await claim(house, node, campaign)) == [waiting.contact]
    await house.store.commit(node, [closed(called)], NOW)
    assert (await house.contact(called.contact)).finished


async def test_deleted_contacts_are_gone_and_their_calls_end_by_themselves(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport, node: NodeId
) -> None:
    called = await dial(house, node, campaign, ANNA)
    await finished(house, node, campaign, BO, Outcome.BUSY)
    await house.contacts(campaign.id, [CARL, f"{CARL}_x"])

    assert await importing.delete(campaign.id, ["+86 " + ANNA, BO, CARL, "nobody"]) == 4

    await house.store.commit(node, [closed(called)], NOW)
    assert await house.attempt(called.attempt) == "closed"
    assert not (await claim(house, node, campaign)).unfinished
    counted = "select sum(contacts), sum(finished), (select sum(attempts) from trunk_usage) from campaign_stat"
    assert await rows(house.pool, counted) == [(0, 0, 2)]


async def test_a_deleted_contact_that_comes_again_is_another_one(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport, node: NodeId
) -> None:
    called = await dial(house, node, campaign, ANNA)
    await importing.delete(campaign.id, [ANNA])

    again = await dial(house, node, campaign, ANNA)

    assert again.attempt != called.attempt
    await house.store.commit(node, [closed(called, Outcome.BUSY)], NOW)
    assert not (await house.contact(again.contact)).finished


# Files

Write = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "upload"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_a_csv_file_in_every_form_that_spreadsheets_write(
    house: PostgresHouse,
    campaign: CampaignPlan,
    importing: ContactImport,
    written: Write,
    encoding: str,
    delimiter: str,
) -> None:
    lines = [
        "姓名,手机号,公司,级别,时区,extra",
        f"张三 ,{ANNA}, 河畔,A,, x1 ",
        "",
        f"李四, {BO} ",
        f'"王, 五",{CARL},,,Asia/Tokyo',
    ]
    if delimiter != ",":
        lines = [line.replace('"王, 五"', "王五").replace(",", delimiter) for line in lines]
    seen: list[tuple[int, int | None]] = []

    report = await importing.add_file(
        campaign.id, written("\r\n".join(lines), encoding), "客户.csv", lambda *progress: seen.append(progress)
    )

    assert said(report) == (3, [])
    assert seen == [(5, 5)]
    carl = "王, 五" if delimiter == "," else "王五"
    assert await rows(house.pool, "select name, key, extra, zone, variables from contact order by position") == [
        ("张三", ANNA, " x1 ", None, {"company": "河畔", "级别": "A"}),
        ("李四", BO, None, None, {}),
        (carl, CARL, None, "Asia/Tokyo", {}),
    ]


async def test_rejected_rows_are_named_by_their_line_in_the_file(
    campaign: CampaignPlan, importing: ContactImport, written: Write
) -> None:
    path = written(f'phone,note\n{ANNA},"two\nlines"\n\nabc,\n{ANNA},\n')

    report = await importing.add_file(campaign.id, path, "a.csv")

    assert said(report) == (1, [(5, Rejection.INVALID), (6, Rejection.DUPLICATE)])


async def test_a_workbook_holds_numbers_as_numbers(
    house: PostgresHouse, campaign: CampaignPlan, importing: ContactImport, tmp_path: Path
) -> None:
    path = workbook(tmp_path / "upload", [["电话", "name", "年龄"], [int(ANNA), "Anna", 30], [], [BO, None, 1.5]])

    report = await importing.add_file(campaign.id, path, "客户.xlsx")

    assert said(report) == (2, [])
    assert await rows(house.pool, "select key, name, variables from contact order by position") == [
        (ANNA, "Anna", {"年龄": "30"}),
        (BO, None, {"年龄": "1.5"}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("a.xlsx", b"\xff\xd8\xff\xe0\x00\x10JFIF", "另存为"),
        ("a.xlsx", b"PK\x03\x04 nonsense", "另存为"),
        ("a.csv", b"\xff\xd8\xff\xe0\x00\x10JFIF", "另存为"),
        ("a.csv", b"phone\n\xff\xff\xff\n", "UTF-8"),
        ("a.csv", b"\xef\xbb\xbfphone\n\xff\xff\xff\n", "UTF-8"),
        ("a.csv", b"", "空文件"),
        ("a.csv", b"\n\n", "第一行"),
        ("a.csv", b"phone\n", "没有号码"),
        ("a.csv", "姓名,级别\n张三,A\n".encode(), "手机号"),
        ("a.csv", b"13800000001\n13800000002\n", "加一行列名"),
        ("a.csv", b"phone," + b"x" * 51 + b"\n", "50"),
        ("a.csv", b'phone,note\n13800000001,"' + b"x" * 200_000, "第 2 行"),
        ("a.csv", b'phone,name\n13800000001,a\n13800000002,"b\n13800000003,c\n', "第 3 行"),
        ("a.csv", b'phone\n13800000001\n"13800000002', "第 3 行"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_its_name_and_what_to_do(
    house: PostgresHouse,
    campaign: CampaignPlan,
    importing: ContactImport,
    tmp_path: Path,
    name: str,
    content: bytes,
    hint: str,
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)

    with pytest.raises(Invalid) as refused:
        await importing.add_file(campaign.id, path, name)

    problem = "".join(refused.value.problems["file"])
    assert name in problem
    assert hint in problem


async def test_what_was_read_before_a_fault_stays_in_and_is_counted(
    house: PostgresHouse,
    campaign: CampaignPlan,
    importing: ContactImport,
    written: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contact_import, "CHUNK", 2)
    path = written(f'phone\n{ANNA}\n{BO}\n{CARL}\n"{"x" * 200_000}')

    with pytest.raises(Invalid, match="已导入 3 个号码"):
        await importing.add_file(campaign.id, path, "a.csv")

    assert await rows(house.pool, "select count(*) from contact") == [(3,)]
    path = written(f"phone\n{ANNA}\n{BO}\n{CARL}\n{CARL}_x\n")
    report = await importing.add_file(campaign.id, path, "a.csv")
    assert (report.accepted, report.duplicate) == (1, 3)


async def test_an_import_that_breaks_off_says_how_many_are_in(
    house: PostgresHouse, campaign: CampaignPlan, written: Write, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_import, "CHUNK", 2)
    path = written("phone\n" + "\n".join(f"138000000{number:02}" for number in range(6)))
    async with LossyProxy(database_url) as road, await open_pool(road.url) as pool:
        importing = ContactImport(PostgresContactBook(pool), lambda: NOW)

        def progress(done: int, total: int | None) -> None:
            if done == 5:
                road.lose_answer_to(b"COMMIT;")

        with pytest.raises(Unavailable, match="已导入 4 个号码"):
            await importing.add_file(campaign.id, path, "a.csv", progress)
