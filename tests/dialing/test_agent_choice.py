"""Who talks where a campaign has several agents: by hour, or by what its client said of the contact."""

import pytest

from waihu.domain.agent_choice import (
    AgentChoice,
    ByHour,
    ByVariable,
    Chosen,
    HourRule,
    VariableRule,
    agents_of,
    choose,
    overlapping,
)

MORNING = HourRule(9 * 60, 12 * 60, agent=1)
AFTERNOON = HourRule(12 * 60, 18 * 60, agent=2)


def at(written: str) -> int:
    hour, minute = written.split(":")
    return int(hour) * 60 + int(minute)


@pytest.mark.parametrize(
    ("time", "agent", "until"),
    [
        ("08:59", None, "09:00"),
        ("09:00", 1, "12:00"),
        ("11:59", 1, "12:00"),
        ("12:00", 2, "18:00"),
        ("18:00", None, "24:00"),
        ("23:59", None, "24:00"),
    ],
)
def test_by_hour_an_end_belongs_to_what_follows(time: str, agent: int | None, until: str) -> None:
    choice = ByHour((AFTERNOON, MORNING))

    assert choose(choice, None, at(time)) == Chosen(agent, at(until))


def test_by_hour_another_agent_may_have_the_rest_of_the_day() -> None:
    assert choose(ByHour((MORNING,), otherwise=7), None, at("20:00")).agent == 7
    assert choose(ByHour((MORNING,), otherwise=7), None, at("10:00")).agent == 1


@pytest.mark.parametrize(
    ("value", "agent"),
    [
        ("女", 12),
        (" 女 ", 12),
        ("男士", 11),
        ("女士", None),
        ("未知", 10),
        ("", None),
        (None, None),
    ],
)
def test_by_variable_exactly_or_as_a_part(value: str | None, agent: int | None) -> None:
    choice = ByVariable(
        (
            VariableRule(("男", "男的"), agent=11, contains=True, sort=1),
            VariableRule(("女", "女性"), agent=12, sort=0),
            VariableRule(("未知",), agent=10, sort=4),
        )
    )

    assert choose(choice, value, at("10:00")) == Chosen(agent)


def test_the_lowest_sort_comes_first_and_then_the_order_given() -> None:
    rules = (
        VariableRule(("VIP",), agent=3, contains=True, sort=2),
        VariableRule(("VIP",), agent=1, contains=True, sort=1),
        VariableRule(("VIP",), agent=2, contains=True, sort=1),
    )

    assert choose(ByVariable(rules), "VIP 客户", 0).agent == 1


@pytest.mark.parametrize(
    ("choice", "agents"),
    [
        (None, set()),
        (ByHour((MORNING, AFTERNOON)), {1, 2}),
        (ByHour((MORNING,), otherwise=5), {1, 5}),
        (ByVariable((VariableRule(("a",), agent=8),)), {8}),
    ],
)
def test_all_agents_of_a_choice(choice: AgentChoice | None, agents: set[int]) -> None:
    assert agents_of(choice) == agents


def test_hours_that_overlap_and_hours_that_only_touch() -> None:
    assert overlapping([AFTERNOON, MORNING]) is None
    assert overlapping([MORNING, HourRule(at("11:59"), at("13:00"), 3)]) is not None
