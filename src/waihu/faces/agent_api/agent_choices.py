"""Scripts by time and by variable as tasks name them: `is_group_switch` with its three lists. `mode` 0 compares the
whole value and 1 a part of it, which no page of the vendor says.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from waihu.application.campaign_checks import CHOICE_RULES_MAX, CHOICE_VALUES_MAX
from waihu.domain.agent_choice import AgentChoice, ByHour, ByVariable, HourRule, VariableRule
from waihu.domain.errors import Invalid
from waihu.faces.agent_api.fields import TimeOfDay, about
from waihu.faces.agent_api.hours import window_of
from waihu.faces.agent_api.reading import given, read

BY_TIME, BY_VARIABLE = 1, 2

_HOURS = "task_extras.destination_extension_list"
_SWITCHES = "group_switch_rule"
_VARIABLES = "task_extras.destination_extension_with_variable_list"

Mode = Annotated[int, Meta(ge=0, le=1, description="0 等于,1 包含")]


class HourBody(Struct):
    begin: Annotated[TimeOfDay, Meta(description="HH:MM")]
    end: TimeOfDay
    destination_extension: Annotated[int, Meta(description="该时段的话术组 id")]


class SwitchBody(Struct):
    """The update form of the same; `default_group_id` talks at all other hours."""

    switch_start: Annotated[TimeOfDay, Meta(description="HH:MM")]
    switch_end: TimeOfDay
    group_id: Annotated[int, Meta(description="该时段的话术组 id")]
    default_group_id: Annotated[int | None, Meta(description="其余时间的话术组 id")] | UnsetType = UNSET


class VariableBody(Struct):
    values: Annotated[list[str], about(minItems=1, maxItems=CHOICE_VALUES_MAX)]
    destination_extension: Annotated[int, Meta(description="话术组 id")]
    mode: Mode | UnsetType = UNSET
    sort: Annotated[int, Meta(description="数值小的优先")] | UnsetType = UNSET


class _Lists(Struct, frozen=True):
    destination_extension_list: list[HourBody] = []
    destination_extension_with_variable_list: list[VariableBody] = []


class _Kept(Struct):
    is_group_switch: int | None = None
    group_switch_rule: list[SwitchBody] = []
    task_extras: _Lists = _Lists()


def choice_of(wire: Mapping[str, object]) -> AgentChoice | None:
    """What the task's own words mean. Raises Invalid under the names that clients use."""
    if not wire.get("is_group_switch"):
        return None
    kept = read(_Kept, {**wire, "task_extras": wire})
    if kept.is_group_switch == BY_TIME:
        return _by_hour(kept)
    if kept.is_group_switch == BY_VARIABLE:
        return _by_variable(kept.task_extras.destination_extension_with_variable_list)
    raise Invalid.field("is_group_switch", "is_group_switch 必须是 0、1 或 2")


def with_lists(
    wire: dict[str, object], switches: list[SwitchBody] | UnsetType, hours: list[HourBody] | UnsetType
) -> dict[str, object]:
    """The wire with the time rules as they were sent. Both lists say the same thing, so the one that is sent with rules
    in it takes the other's place.
    """
    for name, other, sent in (
        ("group_switch_rule", "destination_extension_list", switches),
        ("destination_extension_list", "group_switch_rule", hours),
    ):
        if isinstance(sent, UnsetType):
            continue
        wire[name] = written(sent)
        if sent and isinstance(hours if sent is switches else switches, UnsetType):
            wire[other] = []
    return wire


def written(bodies: object) -> Any:
    """As it is kept and shown again: what was not sent is not in it."""
    return msgspec.to_builtins(bodies)


def names_of(switch: object, *, has_switches: bool, has_hours: bool, has_variables: bool) -> dict[str, str]:
    """What a client that sent these lists calls the parts of a choice."""
    names = {"choice.otherwise": f"{_SWITCHES}.0.default_group_id"}
    if switch == BY_VARIABLE or (switch != BY_TIME and has_variables):
        whole, agent = _VARIABLES, "destination_extension"
    elif has_switches and not has_hours:
        whole, agent = _SWITCHES, "group_id"
    else:
        whole, agent = _HOURS, "destination_extension"
    names["choice"] = whole
    for n in range(CHOICE_RULES_MAX):
        names[f"choice.{n}"] = f"{whole}.{n}"
        names[f"choice.{n}.agent"] = f"{whole}.{n}.{agent}"
        names[f"choice.{n}.values"] = f"{whole}.{n}.values"
    return names


def _by_hour(kept: _Kept) -> ByHour:
    hours = [(each.begin, each.end, each.destination_extension) for each in kept.task_extras.destination_extension_list]
    switches = [(each.switch_start, each.switch_end, each.group_id) for each in kept.group_switch_rule]
    if hours and switches and sorted(hours) != sorted(switches):
        raise Invalid.field(_SWITCHES, "与 task_extras.destination_extension_list 不一致,请只传递其中之一")
    whole, rows = (_SWITCHES, switches) if switches else (_HOURS, hours)
    if not rows:
        raise Invalid.field(_HOURS, "按时间切换话术时,不能为空")
    problems: dict[str, list[str]] = {}
    rules = []
    for n, (begin, end, agent) in enumerate(rows):
        window = window_of(begin, end)
        if window is None:
            problems[f"{whole}.{n}"] = [f"时段 {begin}-{end} 无效,结束时间必须晚于开始时间,格式为 HH:MM"]
        else:
            rules.append(HourRule(window.begin_min, window.end_min, agent))
    others = {given(each.default_group_id, None) for each in kept.group_switch_rule} - {None}
    if len(others) > 1:
        problems[_SWITCHES] = ["各时段的 default_group_id 必须相同"]
    if problems:
        raise Invalid(problems)
    return ByHour(tuple(rules), next(iter(others), None))


def _by_variable(bodies: list[VariableBody]) -> ByVariable:
    if not bodies:
        raise Invalid.field(_VARIABLES, "按变量切换话术时,不能为空")
    return ByVariable(
        tuple(
            VariableRule(
                values=tuple(value.strip() for value in each.values),
                agent=each.destination_extension,
                contains=bool(given(each.mode, 0)),
                sort=given(each.sort, 0),
            )
            for each in bodies
        )
    )
