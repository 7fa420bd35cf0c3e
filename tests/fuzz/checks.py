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
    Overlooked(ANY, ANY, "含有非法字符|含有无法保存的字符", "PostgreSQL keeps no NUL, and no half of a character"),
    Overlooked(ANY, r"name|email|phone", "已被使用", "names are taken once"),
    Overlooked(TASKS, "destination_extension|dial_time_id|auto_recycle_rule_id|task_extras.line|caller_line_id", "不存在", "a sub-account has not the things of its main account"),
    Overlooked(TASKS, "maximumcall|task_extras.line", "剩余并发数", "a sub-account has fewer channels, and so has a limited line"),
    Overlooked(TASKS, "task_extras.line", "只能选择一次", "a line may be said as id and as {id, limit}"),
    Overlooked(TASKS, "end_action", "动态坐席", "not both at once"),
    Overlooked(TASKS, r"task_extras\.destination_extension.*|group_switch_rule.*", ANY, "what is chosen by depends on is_group_switch, and hours do not overlap"),
    Overlooked(TASKS, "task_extras.redial_conditions", ANY, "redialling needs to know when, and numbers as text are numbers"),
    Overlooked(TASKS, r"task_extras\.(work_week|work_hour|holiday|stop_time)", ANY, "of hours, days and times together something must be left"),
    Overlooked("component", "validate|name", "只能用于|已被使用", "a rule fits one type"),
    Overlooked("dial-time-group", "content", "至少需要|无效", "one window at least, on any day"),
    Overlooked("subset_users", "user_id", "不能再注册", "a sub-account has no sub-accounts"),
    Overlooked("POST /openapi/tasks", "assistantId", "至少填写一个", "one of two, either"),
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
