"""From rows to the plans that the core decides by."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from houses import PostgresHouse

from waihu.adapters.postgres.pool import Pool
from waihu.application.planning import public_holidays, talk_variables
from waihu.domain.campaign import CampaignPlan, ClosedPeriod, EndAction, RetryPolicy, TrunkShare
from waihu.domain.hours import CallingHours, Window
from waihu.domain.outcome import Outcome
from waihu.ports.carrier import Trunk
from waihu.ports.dialing_store import TrunkLimits

OFFICE = [[], *[[[540, 720], [780, 1080]]] * 5, []]
OFFICE_WINDOWS = ((), *((Window(540, 720), Window(780, 1080)),) * 5, ())
EVENINGS = [[[1140, 1260]]] * 7


@pytest.fixture
async def house(pool: Pool) -> PostgresHouse:
    return await PostgresHouse(pool).furnish()


async def plans(house: PostgresHouse) -> list[CampaignPlan]:
    return list((await house.store.world()).plans)


async def hours(house: PostgresHouse, **columns: Any) -> int:
    columns = {"week": OFFICE, "zone": "Europe/Paris", "skip_holiday": False, **columns}
    return await house.pool.fetchval(
        "insert into calling_hours (account_id, name, week, zone, skip_holiday) "
        "values ($1, 'h', $2, $3, $4) returning id",
        house.account,
        *columns.values(),
    )


async def test_a_plain_campaign(house: PostgresHouse) -> None:
    campaign = await house.campaign(channels_max=3)

    assert campaign == CampaignPlan(
        id=campaign.id, account=house.account, trunks=(TrunkShare(house.trunk),), channels_max=3
    )


async def test_every_rule_reaches_the_plan(house: PostgresHouse) -> None:
    start, stop = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    plan = await house.campaign(
        calling_hours_id=await hours(house),
        holidays=[["2026-03-05 12:00", "2026-03-06 09:30"]],
        start_at=start,
        stop_at=stop,
        pause_s=5,
        daily_cap=2,
        retry={"enabled": True, "delay_s": {"busy": 600}, "retries_max": 3, "new_first": True},
        in_contact_zone=True,
        ring_timeout_s=30,
        end_action="pause_and_keep",
    )

    def at(moment: datetime) -> int:
        return int(moment.timestamp() * 1000)

    assert plan == CampaignPlan(
        id=plan.id,
        account=house.account,
        hours=CallingHours(OFFICE_WINDOWS, "Europe/Paris"),
        # Noon in Paris in winter.
        holidays=(ClosedPeriod(at(datetime(2026, 3, 5, 11, tzinfo=UTC)), at(datetime(2026, 3, 6, 8, 30, tzinfo=UTC))),),
        start_at=at(start),
        stop_at=at(stop),
        trunks=(TrunkShare(house.trunk),),
        channels_max=10,
        pause_s=5,
        retry=RetryPolicy({Outcome.BUSY: 600}, 3, new_first=True),
        daily_cap=2,
        in_contact_zone=True,
        ring_timeout_s=30,
        end_action=EndAction.PAUSE_AND_KEEP,
    )


async def test_own_windows_go_before_those_of_the_group_but_keep_its_zone(house: PostgresHouse) -> None:
    plan = await house.campaign(calling_hours_id=await hours(house), week=EVENINGS)

    assert plan.hours == CallingHours(((Window(1140, 1260),),) * 7, "Europe/Paris")


async def test_public_holidays_close_the_days_where_the_group_skips_them(house: PostgresHouse) -> None:
    plan = await house.campaign(calling_hours_id=await hours(house, skip_holiday=True))

    year = datetime.now(UTC).year
    assert {date(year, 10, 1), date(year + 1, 10, 1)} <= plan.hours.closed_days
    assert plan.hours.closed_days == public_holidays(year)


@pytest.mark.parametrize(
    ("enabled", "own", "policy"),
    [
        (True, None, RetryPolicy({Outcome.NO_ANSWER: 60}, 2)),
        (False, None, RetryPolicy()),
        (
            True,
            {"enabled": True, "delay_s": {"busy": 1}, "retries_max": 1, "new_first": False},
            RetryPolicy({Outcome.BUSY: 1}, 1),
        ),
        (True, {"enabled": False, "delay_s": {"busy": 1}, "retries_max": 1, "new_first": False}, RetryPolicy()),
    ],
)
async def test_the_own_retry_policy_goes_before_the_rule(
    house: PostgresHouse, enabled: bool, own: dict[str, Any] | None, policy: RetryPolicy
) -> None:
    rule = await house.pool.fetchval(
        "insert into retry_rule (account_id, name, enabled, retries_max, delay_s) "
        "values ($1, 'r', $2, 2, $3) returning id",
        house.account,
        enabled,
        {"no_answer": 60},
    )

    assert (await house.campaign(retry_rule_id=rule, retry=own)).retry == policy


async def test_trunks_come_in_the_campaigns_order_with_their_shares(house: PostgresHouse) -> None:
    campaign = await house.campaign()
    second = await house.pool.fetchval(
        "insert into trunk (name, host, channels_max, cps_max) values ('U', '127.0.0.2', 5, 1) returning id"
    )
    await house.pool.execute(
        "insert into trunk_allocation (trunk_id, account_id, channels_max) values ($1, $2, 1)", second, house.account
    )
    await house.pool.execute("insert into campaign_trunk values ($1, $2, 0, 4)", campaign.id, second)

    assert [(share.trunk, share.channels_max) for share in (await plans(house))[0].trunks] == [
        (str(second), 4),
        (house.trunk, None),
    ]


@pytest.mark.parametrize(
    ("change", "usable"),
    [
        ("update trunk_allocation set deadline_at = now() + interval '1 minute'", True),
        ("update trunk_allocation set deadline_at = now() - interval '1 minute'", False),
        ("delete from trunk_allocation", False),
        ("update trunk set deleted_at = now()", False),
    ],
)
async def test_a_trunk_is_used_while_it_is_there_and_allocated(house: PostgresHouse, change: str, usable: bool) -> None:
    await house.campaign()

    await house.pool.execute(change)

    assert bool((await plans(house))[0].trunks) is usable


async def test_a_sub_account_uses_its_main_accounts_trunks_and_the_tighter_cap(house: PostgresHouse) -> None:
    sub = await house.sub_account()
    await house.pool.execute("update account set daily_cap = 3 where id = $1", house.account)
    plan = await house.campaign(account=sub, daily_cap=5)
    assert plan.trunks == (TrunkShare(house.trunk),)
    assert plan.daily_cap == 3

    await house.pool.execute("update account set daily_cap = 2 where id = $1", sub)
    assert (await plans(house))[0].daily_cap == 2


async def test_only_running_campaigns_are_in_the_world(house: PostgresHouse) -> None:
    await house.campaign()
    for change in ("state = 'paused'", "state = 'running', deleted_at = now()"):
        await house.pool.execute(f"update campaign set {change}")
        assert await plans(house) == []


async def test_a_campaign_that_cannot_be_read_does_not_stop_the_others(house: PostgresHouse) -> None:
    good, bad = await house.campaign(), await house.campaign()
    for nonsense in ({"week": [[[600, 500]]] * 7}, {"retry": {"enabled": True}}, {"holidays": [["a", "b"]]}):
        ((column, value),) = nonsense.items()
        await house.pool.execute(f"update campaign set {column} = $2 where id = $1", bad.id, value)
        assert await plans(house) == [good]


async def test_an_unchanged_row_is_the_same_plan_and_a_changed_one_is_not(house: PostgresHouse) -> None:
    await house.campaign()
    (before,) = await plans(house)
    assert (await plans(house))[0] is before

    await house.pool.execute("update trunk_allocation set deadline_at = now()")
    assert (await plans(house))[0] != before


async def test_trunks_with_their_limits(house: PostgresHouse) -> None:
    await house.pool.execute(
        "update trunk set port = 5070, username = 'u', password = 'p', register = true, caller_id = '021', "
        "cps_max = 0.5"
    )

    assert (await house.store.world()).trunks == [
        TrunkLimits(Trunk(house.trunk, "127.0.0.1", 5070, "u", "p", True, "021"), channels_max=10, cps_max=0.5)
    ]


def test_a_script_may_call_things_by_their_chinese_or_english_names() -> None:
    assert talk_variables("张三", "13800000001", {"公司": "河畔"}) == {
        "姓名": "张三",
        "name": "张三",
        "手机号": "13800000001",
        "phone": "13800000001",
        "公司": "河畔",
        "company": "河畔",
    }
    assert talk_variables(None, "1", {}) == {"手机号": "1", "phone": "1"}


def test_a_contacts_own_variables_go_first() -> None:
    found = talk_variables("A", "1", {"name": "B", "empty": None, "age": 3})

    assert (found["name"], found["姓名"], found["age"]) == ("B", "B", "3")
    assert "empty" not in found
