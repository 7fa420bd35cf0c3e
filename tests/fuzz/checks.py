"""All that schemathesis checks of an answer, and what is overlooked, with the reason why."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemathesis import CheckContext, Response
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.generation.case import Case
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from tests.fuzz.tolerance import is_tolerated

INVALID = 422
RANGE_NOT_SATISFIABLE = 416


@dataclass(frozen=True, slots=True)
class Overlooked:
    """A refusal of what the document allows: where, of which fields, in which words, and why it is right."""

    where: str
    fields: str
    words: str
    why: str

    def covers(self, label: str, field: str, said: str) -> bool:
        return all(
            re.search(pattern, text)
            for pattern, text in ((self.where, label), (f"^({self.fields})$", field), (self.words, said))
        )


ANY = r".*"
TASKS = r"(POST|PUT) /agent-api/(new/)?user/{user_id}/task(/{task_id})?$"
REFUSALS = (
    Overlooked(ANY, ANY, "含有非法字符|含有无法保存的字符", "PostgreSQL keeps no NUL, and no half of a character."),
    Overlooked(ANY, "name|email|phone", "已被使用", "A name is taken once."),
    Overlooked("users", "password", "不一致", "A password comes twice."),
    Overlooked(
        TASKS,
        r"destination_extension|dial_time_id|auto_recycle_rule_id|task_extras\.line|caller_line_id",
        "不存在",
        "A sub-account has not what its main account has.",
    ),
    Overlooked(
        TASKS, r"maximumcall|task_extras\.line", "剩余并发数", "A sub-account, and a limited line, has fewer channels."
    ),
    Overlooked(TASKS, "end_action", "动态坐席", "One of the two, not both."),
    Overlooked(
        TASKS,
        r"task_extras\.destination_extension.*|group_switch_rule.*",
        ANY,
        "What has to be there depends on is_group_switch, and hours do not overlap.",
    ),
    Overlooked(TASKS, r"task_extras\.redial_conditions", ANY, "To redial it has to be known when."),
    Overlooked(
        TASKS,
        r"task_extras\.(work_week|work_hour|holiday|stop_time)",
        ANY,
        "Hours, days and holidays have to leave something, and to begin before they end.",
    ),
    Overlooked("customer/component", "validate", "只能用于", "A rule is for values of its type."),
    Overlooked("dial-time-group", "content", "至少需要", "One window at least, on any day."),
    Overlooked("subset_users", "user_id", "不能再注册", "A sub-account has no sub-accounts."),
    Overlooked("POST /openapi/tasks", "assistantId", "至少填写一个", "One of the two, either."),
    Overlooked("POST /openapi/tasks", "concurrency", "剩余并发数", "Other tasks have some of the channels."),
    Overlooked("POST /openapi/tasks", "name", "不能为空", "A name of white space is none."),
)


def every_check() -> list[Any]:
    load_all_checks()
    replaced = {negative_data_rejection: refuses_what_is_wrong, positive_data_acceptance: accepts_what_is_right}
    return [replaced.get(check, check) for check in CHECKS.get_all() if callable(check) and not isinstance(check, type)]


def refuses_what_is_wrong(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    try:
        return negative_data_rejection(ctx, response, case)
    except AcceptedNegativeData:
        operation = case.operation.schema.raw_schema["paths"][case.operation.path][case.operation.method]
        # Imports tell in their answer which rows they have refused.
        if _rows_refused(response) or is_tolerated(operation, response.request):
            return None
        raise


def accepts_what_is_right(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    try:
        return positive_data_acceptance(ctx, response, case)
    except RejectedPositiveData:
        # Nobody knows beforehand how long a file is.
        if response.status_code == RANGE_NOT_SATISFIABLE:
            return None
        problems = list(_problems(response)) if response.status_code == INVALID else []
        if problems and all(_is_overlooked(case.operation.label, *problem) for problem in problems):
            return None
        raise


def _rows_refused(response: Response) -> int:
    if response.headers.get("content-type") != ["application/json"]:
        return 0
    match response.json():
        case {"data": {"fail": int(count)}}:
            return count
    return 0


def _problems(response: Response) -> Iterator[tuple[str, str]]:
    """Field and what is wrong with it, in the envelope of either API."""
    match response.json():
        case {"message": Mapping() as problems} | {"errors": Mapping() as problems}:
            for field, said in problems.items():
                yield from ((field, each) for each in said)


def _is_overlooked(label: str, field: str, said: str) -> bool:
    return any(each.covers(label, field, said) for each in REFUSALS)
