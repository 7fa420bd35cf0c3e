"""What clients send to make a task, and the rules it means. No page shows this call: the shape is ours, after what
`GET /openapi/tasks/{taskID}` gives back.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from waihu.application.campaign_checks import CHANNELS_MAX, RETRIES_MAX, RETRY_DELAY_MAX_S
from waihu.application.contact_entry import NAME_MAX, NewContact
from waihu.domain.campaign import RetryPolicy, TrunkShare
from waihu.domain.errors import Invalid
from waihu.domain.hours import Window
from waihu.domain.ids import Instant
from waihu.domain.outcome import Outcome
from waihu.faces.voicefox.task import NUMBER_FILE_META
from waihu.faces.voicefox.times import parse_date, parse_minute
from waihu.ports.rows import Allocation, CampaignRules, OwnRetry, Week

ITEMS_MAX = 100
_LIST_MAX = 100
_COLUMN_MAX = 2**31 - 1

RETRIED = (
    Outcome.NO_ANSWER,
    Outcome.BUSY,
    Outcome.UNREACHABLE,
    Outcome.POWERED_OFF,
    Outcome.NETWORK_BUSY,
    Outcome.TRUNK_ERROR,
)
"""What `retryCount` tries again: calls that did not reach the person and may the next time. Whoever rejected a call was
reached and has answered; a number that does not exist, is barred or suspended will be so in an hour, too.
"""

FIELDS = {
    "agent": "assistantId",
    "trunks": "option.numbers",
    "channels_max": "concurrency",
    "week": "option.startTime",
    "retries_max": "option.retryCount",
    "retry_delay": "option.retryInterval",
    "contacts": "items",
}
"""The names of our rules on the wire, where they are not the same."""

# PostgreSQL keeps every character but NUL.
Text = Annotated[str, Meta(max_length=5000, pattern=r"^[^\x00]*$")]
Column = Annotated[int, Meta(ge=0, le=_COLUMN_MAX)]


def _about(description: str | None = None, **json_schema: Any) -> Meta:
    """What the reference says of a field, and no more: the use case refuses in its own words."""
    return Meta(description=description, extra_json_schema=json_schema)


_DAY = r"^(19[7-9][0-9]|2[01][0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
TimeOfDay = Annotated[str, _about(pattern=r"^([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$|^24:00(:00)?$")]


class NewOption(Struct, kw_only=True, rename="camel"):
    numbers: Annotated[
        list[int],
        Meta(min_length=1, max_length=_LIST_MAX, description="外呼线路 id", extra_json_schema={"uniqueItems": True}),
    ]
    start_time: Annotated[
        list[Annotated[list[TimeOfDay], Meta(min_length=2, max_length=2)]],
        Meta(min_length=1, max_length=_LIST_MAX, description="任务执行时间段 [开始, 结束],HH:MM,每天相同"),
    ]
    start_date: Annotated[str, _about("开始日期,YYYY-MM-DD;不传则立即", pattern=_DAY)] | None = None
    retry_count: Annotated[int, _about("重试次数", minimum=0, maximum=RETRIES_MAX)] = 0
    retry_interval: Annotated[
        int, Meta(ge=1, description="重试间隔时间,分钟", extra_json_schema={"maximum": RETRY_DELAY_MAX_S // 60})
    ] = 30
    number_file_meta: Annotated[
        Annotated[dict[Text, Column], Meta(max_length=_LIST_MAX)] | None,
        Meta(description="号码文件的列名和列序号,原样返回"),
    ] = None


class Item(Struct):
    phone: Annotated[str, _about(pattern=r"^(\+[1-9][0-9]{2,14}|0?[1-9][0-9]{2,13})$")]
    name: Annotated[Text, _about(maxLength=NAME_MAX)] | None = None
    extra: Annotated[dict[Text, Text], Meta(description="该号码的变量")] = {}


class NewTask(Struct, kw_only=True, rename="camel"):
    """Names an agent by `assistantId`, meaning its newest version, or one version by `assistantVid`."""

    name: Annotated[Text, _about("任务名称", minLength=1, maxLength=255)]
    option: NewOption
    assistant_id: Annotated[int | None, Meta(description="助手 id,使用其最新版本")] = None
    assistant_vid: Annotated[int | None, Meta(description="助手版本 id")] = None
    concurrency: Annotated[int, _about("并发数,不得超过所选线路的剩余并发数", minimum=1, maximum=CHANNELS_MAX)] = 1
    items: Annotated[list[Item], Meta(max_length=ITEMS_MAX, description="号码")] = []


def rules_of(task: NewTask, agent: int, allocations: Sequence[Allocation]) -> CampaignRules:
    """Raises Invalid with every problem that can be seen here."""
    problems: dict[str, list[str]] = {}
    trunks = {each.id: TrunkShare(each.trunk) for each in allocations}
    for place, number in enumerate(task.option.numbers):
        if number not in trunks:
            problems[f"option.numbers[{place}]"] = ["线路不存在或未分配给该账户"]
    start_at = _start_at(task.option.start_date, problems)
    week = _week(task.option.start_time, problems)
    if problems:
        raise Invalid(problems)
    return CampaignRules(
        name=task.name,
        agent=agent,
        channels_max=task.concurrency,
        week=week,
        start_at=start_at,
        trunks=tuple(trunks[number] for number in task.option.numbers),
        retry=_retry(task.option),
        wire={} if task.option.number_file_meta is None else {NUMBER_FILE_META: task.option.number_file_meta},
    )


def contacts_of(items: Sequence[Item]) -> list[NewContact]:
    return [NewContact(phone=item.phone, name=item.name, variables=item.extra) for item in items]


def _start_at(date: str | None, problems: dict[str, list[str]]) -> Instant | None:
    if date is None:
        return None
    start_at = parse_date(date)
    if start_at is None:
        problems["option.startDate"] = ["不是 YYYY-MM-DD 格式的日期"]
    return start_at


def _week(times: Sequence[Sequence[str]], problems: dict[str, list[str]]) -> Week:
    windows: set[Window] = set()
    for place, (begin, end) in enumerate(times):
        begin_min, end_min = parse_minute(begin), parse_minute(end)
        if begin_min is None or end_min is None:
            problems[f"option.startTime[{place}]"] = ["时间格式应为 HH:MM"]
        elif begin_min >= end_min:
            problems[f"option.startTime[{place}]"] = ["结束时间必须晚于开始时间"]
        else:
            windows.add(Window(begin_min, end_min))
    return (tuple(sorted(windows, key=lambda window: (window.begin_min, window.end_min))),) * 7


def _retry(option: NewOption) -> OwnRetry:
    delay_s = dict.fromkeys(RETRIED, option.retry_interval * 60)
    return OwnRetry(option.retry_count != 0, RetryPolicy(delay_s, option.retry_count))
