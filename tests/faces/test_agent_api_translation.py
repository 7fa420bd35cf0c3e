"""Between the wire's words and ours, without a server."""

from typing import Any

import pytest

from waihu.domain.campaign import EndAction, TakingOrder
from waihu.domain.errors import Invalid
from waihu.domain.hours import DAY_MIN, Window
from waihu.domain.outcome import Outcome
from waihu.faces.agent_api.envelope import Asked, meta_of
from waihu.faces.agent_api.hours import content_of, engine_hours_of, week_of, work_hours_of
from waihu.faces.agent_api.number_status import NAMES, RETRIED, code_of, codes_of, outcomes_of, retried_outcomes
from waihu.faces.agent_api.php import Malformed, body_values, query_values
from waihu.faces.agent_api.reading import read
from waihu.faces.agent_api.task_bodies import (
    NewTaskBodyV2,
    TaskBodyV1,
    TaskBodyV2,
    change_v1,
    change_v2,
    new_rules,
)
from waihu.faces.agent_api.task_shapes import END_ACTIONS, POP_MODES
from waihu.faces.agent_api.times import bound, parse_minute, parse_time, written, written_minute

V1 = {
    "name": "任务",
    "caller_line_id": "a",
    "destination_extension": 1,
    "dial_time_id": 2,
    "maximumcall": 3,
}
V2 = {
    "name": "任务",
    "destination_extension": "1",
    "dial_time_id": 2,
    "maximumcall": 3,
    "task_extras": {
        "start_time": "2024-11-01 13:25:26",
        "stop_time": "2025-11-01 13:25:26",
        "line": [],
        "holiday": [],
    },
}


def extras(**changes: Any) -> dict[str, Any]:
    return {**V2, "task_extras": {**V2["task_extras"], **changes}}  # type: ignore[dict-item]


# Outcomes


@pytest.mark.documented
def test_every_outcome_has_a_code_with_a_name() -> None:
    assert {code_of(outcome) for outcome in Outcome} == set(NAMES) - {0}


@pytest.mark.documented
def test_the_codes_of_the_table() -> None:
    table = {
        1: Outcome.ANSWERED,
        2: Outcome.BLOCKED_BY_CARRIER,
        3: Outcome.REJECTED,
        4: Outcome.NO_ANSWER,
        5: Outcome.INVALID_NUMBER,
        6: Outcome.POWERED_OFF,
        7: Outcome.SUSPENDED,
        8: Outcome.BUSY,
        9: Outcome.INCOMING_BARRED,
        10: Outcome.IN_ARREARS,
        11: Outcome.DO_NOT_CALL,
        12: Outcome.SCREENED,
    }

    assert {code: code_of(outcome) for code, outcome in table.items()} == {code: code for code in table}


@pytest.mark.ours
def test_a_code_means_every_outcome_that_is_shown_as_it() -> None:
    assert set(outcomes_of(NAMES)) == set(Outcome)
    assert all(codes_of(outcomes_of([code])) == [code] for code in NAMES if code)


@pytest.mark.ours
def test_what_may_be_called_again() -> None:
    again = set(retried_outcomes(RETRIED))

    assert again == set(Outcome) - {Outcome.ANSWERED, Outcome.DO_NOT_CALL, Outcome.UNKNOWN}


@pytest.mark.documented
def test_end_actions_and_orders_are_all_translated() -> None:
    assert sorted(END_ACTIONS.items(), key=lambda each: each[1]) == [
        (EndAction.NONE, 0),
        (EndAction.PAUSE_AND_RELEASE, 1),
        (EndAction.PAUSE_AND_KEEP, 2),
    ]
    assert POP_MODES == {TakingOrder.RANDOM: 0, TakingOrder.SEQUENTIAL: 1, TakingOrder.REVERSE: 2}


# Times


@pytest.mark.documented
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2024-11-01 13:25:26", "2024-11-01 13:25:26"),
        ("2024-11-01 13:25", "2024-11-01 13:25:00"),
        ("2024-11-01", "2024-11-01 00:00:00"),
    ],
)
def test_a_time(text: str, shown: str) -> None:
    at = parse_time(text)

    assert at is not None
    assert written(at) == shown


@pytest.mark.documented
def test_times_are_chinese() -> None:
    assert parse_time("1970-01-01 08:00:00") == 0


@pytest.mark.ours
@pytest.mark.parametrize("text", ["", "x", "2024-02-30 00:00:00", "0001-01-01 00:00:00", "9999-12-31", "2024-1-1 1"])
def test_what_is_no_time(text: str) -> None:
    assert parse_time(text) is None


@pytest.mark.ours
@pytest.mark.parametrize(
    ("text", "includes_ms"), [("2024-11-01 13:25:26", 1_000), ("2024-11-01 13:25", 60_000), ("2024-11-01", 86_400_000)]
)
def test_an_end_includes_all_that_it_names(text: str, includes_ms: int) -> None:
    problems: dict[str, list[str]] = {}

    begin, end = bound("start_at", text, problems), bound("end_at", text, problems, end=True)

    assert begin is not None and end is not None
    assert (end - begin + 1, problems) == (includes_ms, {})


@pytest.mark.documented
@pytest.mark.parametrize(
    ("text", "minute"), [("00:00", 0), ("09:30", 570), ("9:30", 570), ("18:00:00", 1080), ("24:00", DAY_MIN)]
)
def test_a_time_of_day(text: str, minute: int) -> None:
    assert parse_minute(text) == minute
    assert parse_minute(written_minute(minute)) == minute


@pytest.mark.ours
@pytest.mark.parametrize("text", ["", "24:01", "25:00", "09:60", "9", "\u0669:00", "09:00:60"])
def test_what_is_no_time_of_day(text: str) -> None:
    assert parse_minute(text) is None


# Hours


@pytest.mark.documented
def test_hours_in_three_forms() -> None:
    week = week_of([(-1, "03:00", "19:00"), (1, "20:00", "23:30")], "work_hour")

    assert week[0] == (Window(180, 1140),)
    assert week[1] == (Window(180, 1140), Window(1200, 1410))
    assert [(hour.wday, hour.begin) for hour in work_hours_of(week)][:3] == [(1, "03:00"), (1, "20:00"), (2, "03:00")]
    assert [(hour.wday, hour.begin, hour.end) for hour in engine_hours_of(week)] == [
        ("-1", "03:00", "19:00"),
        (1, "20:00", "23:30"),
    ]
    assert [(day.week, len(day.times)) for day in content_of(week)][:2] == [(0, 1), (1, 2)]


@pytest.mark.ours
def test_all_wrong_windows_are_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        week_of([(1, "10:00", "09:00"), (9, "09:00", "10:00"), (1, "x", "y")], "content")

    assert len(refused.value.problems["content"]) == 3


# Pages


@pytest.mark.documented
@pytest.mark.parametrize(
    ("total", "page", "per_page", "has_pages", "last_page"),
    [(31, 1, 1, True, 31), (0, 1, 15, False, 1), (15, 1, 15, False, 1), (16, 1, 15, True, 2), (1, 2, 15, True, 1)],
)
def test_what_a_list_says_of_its_pages(total: int, page: int, per_page: int, has_pages: bool, last_page: int) -> None:
    meta = meta_of(total, Asked(page, per_page, str(per_page)))

    assert (meta.has_pages, meta.last_page, meta.per_page) == (has_pages, last_page, str(per_page))


# PHP


@pytest.mark.documented
@pytest.mark.parametrize(
    ("query", "values"),
    [
        (b"", {}),
        (b"name=a&name=b", {"name": "b"}),
        (b"status[]=1&status[]=3", {"status": ["1", "3"]}),
        (b"status%5B1%5D=3&status%5B0%5D=1", {"status": ["1", "3"]}),
        (b"levels[0][]=0&levels[0][]=100&levels[1][0]=5", {"levels": [["0", "100"], ["5"]]}),
        (b"a[b]=1&a[c][d]=2", {"a": {"b": "1", "c": {"d": "2"}}}),
        (b"a=1&a[b]=2", {"a": {"b": "2"}}),
        (b"name=%E4%BB%BB%E5%8A%A1&flag", {"name": "任务", "flag": ""}),
        (b"a[b][c][d][e][f]=1", {}),
    ],
)
def test_a_query(query: bytes, values: dict[str, Any]) -> None:
    assert query_values(query) == values


@pytest.mark.ours
@pytest.mark.parametrize(
    ("body", "content_type", "values"),
    [
        (b"", "", {}),
        (b" [] ", "application/json", {}),
        (b'\xef\xbb\xbf{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "application/x-www-form-urlencoded", {"a": 1}),
        (b"a=1&b[]=2", "application/x-www-form-urlencoded; charset=utf-8", {"a": "1", "b": ["2"]}),
    ],
)
def test_a_body(body: bytes, content_type: str, values: dict[str, Any]) -> None:
    assert body_values(body, content_type) == values


@pytest.mark.ours
@pytest.mark.parametrize("body", [b"a=1", b"[1]", b"null", b"{", b"\xff", b"[" * 10_000])
def test_what_is_no_body(body: bytes) -> None:
    with pytest.raises(Malformed):
        body_values(body, "application/json")


# Tasks


@pytest.mark.documented
def test_a_1_0_task() -> None:
    rules = new_rules(read(TaskBodyV1, {**V1, "end_action": 2, "call_pause_second": "10"}))

    assert (rules.name, rules.agent, rules.calling_hours, rules.channels_max) == ("任务", 1, 2, 3)
    assert [share.trunk for share in rules.trunks] == ["a"]
    assert (rules.end_action, rules.pause_s) == (EndAction.PAUSE_AND_KEEP, 10)


@pytest.mark.assumed
def test_a_1_0_update_follows_the_time_group_again() -> None:
    rules = new_rules(read(NewTaskBodyV2, extras(work_hour=[{"wday": 1, "begin": "09:00", "end": "10:00"}])))
    assert rules.week is not None

    assert change_v1(read(TaskBodyV1, V1))(rules).week is None


@pytest.mark.observed
def test_the_redial_policy_of_a_2_0_task() -> None:
    body = extras(
        redial_enabled=1,
        redial_new_number_policy=1,
        redial_interval=3,
        redial_max_times=5,
        redial_conditions=[{"da_status": [4, "8"]}, {"da_status": ["is not reachable"]}],
    )

    retry = new_rules(read(NewTaskBodyV2, body)).retry

    assert retry is not None
    assert (retry.enabled, retry.policy.retries_max, retry.policy.new_first) == (True, 5, True)
    assert retry.policy.delay_s == {Outcome.NO_ANSWER: 180, Outcome.UNREACHABLE: 180, Outcome.BUSY: 180}


@pytest.mark.assumed
def test_a_part_of_the_redial_policy_is_changed_alone() -> None:
    rules = new_rules(
        read(NewTaskBodyV2, extras(redial_enabled=1, redial_interval=3, redial_conditions={"da_status": [4]}))
    )

    later = change_v2(read(TaskBodyV2, extras(redial_max_times=7)))(rules).retry

    assert later is not None and rules.retry is not None
    assert (later.enabled, later.policy.retries_max) == (True, 7)
    assert later.policy.delay_s == rules.retry.policy.delay_s


@pytest.mark.assumed
def test_a_redial_policy_that_is_off_leaves_the_way_to_a_rule() -> None:
    rules = new_rules(read(NewTaskBodyV2, {**extras(redial_enabled=0), "auto_recycle_rule_id": 4}))

    assert (rules.retry_rule, rules.retry) == (4, None)


@pytest.mark.ours
def test_what_the_wire_alone_knows_is_kept_through_updates() -> None:
    rules = new_rules(read(NewTaskBodyV2, {**V2, "background_id": 25, "score_scheme_id": 1}))

    later = change_v2(read(TaskBodyV2, {**V2, "score_scheme_id": None}))(rules)

    assert later.wire == {"background_id": 25, "score_scheme_id": None}


@pytest.mark.ours
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-01-02 03:04", "2026-01-02 03:04"),
        ("2026-01-02 03:04:05", "2026-01-02 03:04"),
        ("2026-01-02", "2026-01-02 00:00"),
        ("2026-1-2 3:4", "2026-01-02 03:04"),
    ],
)
def test_a_holiday_is_kept_in_one_form(text: str, kept: str) -> None:
    rules = new_rules(read(NewTaskBodyV2, extras(holiday=[{"begin": text, "end": "2026-02-01 00:00"}])))

    assert rules.holidays == ((kept, "2026-02-01 00:00"),)
