"""Between a choice of agents and its JSON: `{"by": "hour", "otherwise", "rules": [{"begin_min", "end_min", "agent"}]}`
or `{"by": "variable", "rules": [{"values", "contains", "agent", "sort"}]}`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, assert_never

from waihu.domain.agent_choice import AgentChoice, ByHour, ByVariable, HourRule, VariableRule


def choice_to_json(choice: AgentChoice | None) -> dict[str, object] | None:
    match choice:
        case None:
            return None
        case ByHour():
            return {"by": "hour", **asdict(choice)}
        case ByVariable():
            return {"by": "variable", **asdict(choice)}
        case _:
            assert_never(choice)


def choice_from_json(kept: Mapping[str, Any] | None) -> AgentChoice | None:
    if kept is None:
        return None
    if kept["by"] == "hour":
        return ByHour(tuple(HourRule(**rule) for rule in kept["rules"]), kept["otherwise"])
    return ByVariable(tuple(VariableRule(**rule | {"values": tuple(rule["values"])}) for rule in kept["rules"]))
