"""The OpenAPI document as our world needs it: where it says `string` and means an id, it says which ones there are.

What is drawn from it then finds something, and an id that is none of them is known to be one that must be refused.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from tests.fuzz.world import Known

from waihu.faces.agent_api.fields import WHITE

NOT_AS_SUB_ACCOUNT = ""
"""What the things in the world belong to is the main account, so `sub_user_id` is mostly to be empty."""

IN_PATHS = {
    "users/user_id": "main_user_id",
    "DELETE /agent-api/new/user/{user_id}/line/{line_id} line_id": "allocation_id",
    "dial-time-group/group_id": "time_group_id",
    "transfer-group/group_id": "seats_id",
    "identification/unique_id": "batch_id",
    "unique_id": "enrolment_id",
    "taskID": "task_number",
    "do-not-call/phone": "phone",
}
"""Parameters that are known under another name; with the word before them, where it makes a difference."""

IN_REQUESTS = {
    "sub_user_id": "maybe_sub_user_id",
    "vos_account_id": "own_user_id",
    "user_ids": "own_user_id",
    "user_id": "any_user_id",
    "tenant_id": "tenant_id",
    "caller_line_id": "line_id",
    "caller_line_ids": "line_id",
    "line": "line_id",
    "line.id": "line_id",
    "numbers": "allocation_id",
    "destination_extension": "script_id",
    "assistantId": "speaking_id",
    "assistantVid": "agent_version",
    "group_ids": "script_id",
    "group_id": "script_id",
    "default_group_id": "script_id",
    "dial_time_id": "time_group_id",
    "auto_recycle_rule_id": "rule_id",
    "task_ids": "task_id",
    "recordIds": "recorded_id",
    "components.id": "component_id",
    "GET /agent-api/download-voice key": "voice_key",
    "GET /agent-api/download-number key": "numbers_key",
    "code": "security_code",
    "GET /agent-api/new_line_list id": "tenant_id",
    "PUT /agent-api/new/user/{user_id}/line_bind_group id": "allocation_id",
}
"""The same of what queries and bodies hold; with the field around it, or with the operation."""

UNCHECKED = {
    "vos_account_id",
    "user_ids",
    "task_ids",
    "caller_line_ids",
    "group_switch_rule.group_id",
    "group_switch_rule.default_group_id",
    "destination_extension_list.destination_extension",
    "destination_extension_with_variable_list.destination_extension",
}
"""What is none of those that there are finds nothing, or is not looked at before it is used: it is not refused."""

HOST, PLAIN_HOST = f"^https?://[^/?#@{WHITE}]+", r"^https?://[a-z]{1,9}\.example\.com(/[a-z]{0,9})?$"
DAYS, DAYS_OF_EVERY_MONTH = "(0[1-9]|[12][0-9]|3[01])", "(0[1-9]|1[0-9]|2[0-8])"


def localised(document: Mapping[str, Any], known: Mapping[str, Known]) -> dict[str, Any]:
    local: dict[str, Any] = copy.deepcopy(dict(document))
    for path, item in local["paths"].items():
        for method, operation in item.items():
            _localise(f"{method.upper()} {path}", path, operation, known)
    return local


def _localise(label: str, path: str, operation: dict[str, Any], known: Mapping[str, Known]) -> None:
    words = path.split("/")
    for parameter in operation.get("parameters", ()):
        name = parameter["name"].removesuffix("[]")
        if parameter["in"] == "path" and name == "stage":
            # Any word is a stage, but one.
            parameter["schema"] = {"anyOf": [{"enum": ["clue"]}, {"type": "string"}]}
        elif parameter["in"] == "path":
            before = words[words.index(f"{{{name}}}") - 1]
            values = _first(known, IN_PATHS, f"{label} {name}", f"{before}/{name}", name)
            assert values is not None, f"{label}: say in the world what {name} stands for"
            parameter["schema"]["enum"] = [str(value) for value in values]
        elif parameter["in"] == "query":
            for holder in (parameter, *parameter.get("content", {}).values()):
                if "schema" in holder:
                    _narrow(holder["schema"], label, name, known)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        _narrow(content["schema"], label, "", known)


def _first(known: Mapping[str, Known], names: Mapping[str, str], *candidates: str) -> Known | None:
    for candidate in candidates:
        values = known.get(names.get(candidate, candidate))
        if values is not None:
            return values
    return None


def _narrow(schema: dict[str, Any], label: str, place: str, known: Mapping[str, Known]) -> None:
    """Walks through everything in `schema`, which stands at `place`."""
    for several in ("anyOf", "oneOf"):
        for option in schema.get(several, ()):
            _narrow(option, label, place, known)
    if "properties" in schema:
        schema["additionalProperties"] = False
    for name, field in schema.get("properties", {}).items():
        _narrow(field, label, f"{place}.{name}".lstrip("."), known)
    if "items" in schema:
        _narrow(schema["items"], label, place, known)
    if "pattern" in schema:
        # No pattern says how long a month is, or what may be a host.
        schema["pattern"] = schema["pattern"].replace(DAYS, DAYS_OF_EVERY_MONTH).replace(HOST, PLAIN_HOST)
    *_, around, name = ("", *place.split("."))
    fitting = {"string": str, "integer": int}.get(schema.get("type", ""))
    named = next((each for each in (f"{label} {place}", f"{around}.{name}", name) if each in IN_REQUESTS), None)
    if fitting is None or named is None:
        return
    values: Sequence[Any] = [value for value in known[IN_REQUESTS[named]] if isinstance(value, fitting)]
    if values and not UNCHECKED & {name, f"{around}.{name}"}:
        schema["enum"] = values
    elif values:
        plain = dict(schema)
        schema.clear()
        schema["anyOf"] = [{"type": plain["type"], "enum": values}, plain]
