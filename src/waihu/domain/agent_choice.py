"""Which agent talks with a contact, where a campaign has several: by the hour of the answer, or by what its client said
of the contact. Without a rule that fits, the campaign's own agent does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import assert_never

from waihu.domain.hours import DAY_MIN


@dataclass(frozen=True, slots=True)
class HourRule:
    """`agent` talks in `[begin_min, end_min)` of the local day."""

    begin_min: int
    end_min: int
    agent: int


@dataclass(frozen=True, slots=True)
class ByHour:
    """`otherwise` talks at all other hours; None: the campaign's own agent."""

    rules: tuple[HourRule, ...]
    otherwise: int | None = None


@dataclass(frozen=True, slots=True)
class VariableRule:
    """`agent` talks when the contact's value is one of `values`, or contains one of them."""

    values: tuple[str, ...]
    agent: int
    contains: bool = False
    sort: int = 0


@dataclass(frozen=True, slots=True)
class ByVariable:
    """Rules are tried by `sort`, lowest first; of equal ones in the order in which they were given."""

    rules: tuple[VariableRule, ...]


AgentChoice = ByHour | ByVariable


@dataclass(frozen=True, slots=True)
class Chosen:
    """`agent` None: the campaign's own. Another one may be due from minute `until_min` of the day; None: at no time."""

    agent: int | None
    until_min: int | None = None


def choose(choice: AgentChoice | None, value: str | None, minute: int) -> Chosen:
    """Who talks at `minute` of the local day with a contact of whom its client said `value`."""
    match choice:
        case None:
            return Chosen(None)
        case ByHour(rules, otherwise):
            edges = [DAY_MIN, *(edge for rule in rules for edge in (rule.begin_min, rule.end_min))]
            until_min = min(edge for edge in edges if edge > minute)
            found = next((rule.agent for rule in rules if rule.begin_min <= minute < rule.end_min), otherwise)
            return Chosen(found, until_min)
        case ByVariable(rules):
            fitting = (rule.agent for rule in sorted(rules, key=lambda each: each.sort) if _fits(rule, value))
            return Chosen(next(fitting, None))
        case _:
            assert_never(choice)


def agents_of(choice: AgentChoice | None) -> frozenset[int]:
    """All agents that a choice names."""
    match choice:
        case None:
            return frozenset()
        case ByHour(rules, otherwise):
            return frozenset(rule.agent for rule in rules) | ({otherwise} if otherwise is not None else set())
        case ByVariable(variable_rules):
            return frozenset(rule.agent for rule in variable_rules)
        case _:
            assert_never(choice)


def overlapping(rules: Iterable[HourRule]) -> tuple[HourRule, HourRule] | None:
    """Two rules that both want the same minute."""
    ordered = sorted(rules, key=lambda each: each.begin_min)
    return next(((a, b) for a, b in pairwise(ordered) if b.begin_min < a.end_min), None)


def _fits(rule: VariableRule, value: str | None) -> bool:
    said = (value or "").strip()
    if not said:
        return False
    return any(wanted in said if rule.contains else wanted == said for wanted in rule.values)
