"""A task as the wire shows it. Fields with a default are constants: the vendor has the concept and waihu has not.

Names are the vendor's to the letter, `idOldVersion` among them.
"""

from math import ceil
from typing import Annotated, Any, Literal, assert_never

from msgspec import Meta, Struct

from waihu.application.numbered_campaigns import NumberedCampaign
from waihu.domain.campaign import CampaignState, PauseReason
from waihu.domain.hours import DAY_MIN, Window
from waihu.faces.voicefox.times import written, written_date, written_minute
from waihu.ports.rows import Campaign, CampaignView

Status = Literal["pending", "running", "stop.operate", "stop.timeout", "stop.abnormal", "done"]

NUMBER_FILE_META = "number_file_meta"
"""Under this name `wire` of a campaign keeps the map as it came."""

# What a sheet of the documented columns has. A task whose numbers came otherwise has no sheet, but clients expect one.
_NO_FILE = {"号码": 0, "备注": 1, "姓名": 2}

_WHOLE_DAY = Window(0, DAY_MIN)


class Option(Struct, kw_only=True, rename="camel"):
    number_file_meta: Annotated[dict[str, int], Meta(description="号码文件的列名和列序号")]
    numbers: Annotated[list[int], Meta(description="外呼线路 id")]
    start_date: Annotated[str, Meta(description="开始日期,YYYY-MM-DD")]
    start_time: Annotated[list[list[str]], Meta(description="任务执行时间段 [开始, 结束],HH:MM")]
    retry_count: Annotated[int, Meta(description="重试次数")]
    retry_interval: Annotated[int, Meta(description="重试间隔时间,分钟")]


class Question(Struct):
    question: str
    answers: list[str]


class Creator(Struct):
    email: str


class Assistant(Struct, kw_only=True, rename="camel"):
    """The agent in the version that talks in the task."""

    id: int
    project_id: int = 0
    name: str
    version_id: int
    scene: str = "outbound_collect"
    speaker_id: int = 0
    websocket_url: str = ""
    websocket_token: str = ""
    listener_id: int = 0
    welcome: Annotated[str, Meta(description="接通后的第一句话")]
    prompt: str = ""
    collect: list[Question] = []
    knowledge: str = ""
    created_at: str
    updated_at: str
    creator: Creator
    deleted_at: None = None
    id_old_version: bool = False
    usage_count: Annotated[int, Meta(description="使用该助手的呼叫总数")]
    creator_id: int = 0


class Task(Struct, kw_only=True, rename="camel"):
    """An outbound task. waihu collects no answers to questions and writes no summaries yet."""

    id: int
    created_at: Annotated[str, Meta(description="任务创建时间")]
    updated_at: Annotated[str, Meta(description="任务更新时间")]
    name: Annotated[str, Meta(description="任务名称")]
    status: Annotated[Status, Meta(description="任务状态")]
    total: Annotated[int, Meta(description="任务号码总数")]
    progress: Annotated[int, Meta(description="百分比")]
    collection_rate: Annotated[int, Meta(description="百分比")] = 0
    option: Option
    summary: Annotated[str, Meta(description="任务总结")] = ""
    suggestion: Annotated[str, Meta(description="任务建议")] = ""
    assistant_vid: Annotated[int, Meta(description="使用的助手版本ID")]
    assistant: Assistant


class Tasks(Struct, kw_only=True, rename="camel"):
    """A page of tasks, newest first."""

    items: list[Task]
    total: int
    page_index: int
    page_size: int


def task_of(numbered: NumberedCampaign) -> Task:
    campaign, progress = numbered.view.campaign, numbered.view.progress
    return Task(
        id=campaign.number,
        created_at=written(campaign.created_at),
        updated_at=written(campaign.updated_at),
        name=campaign.rules.name,
        status=status_of(campaign),
        total=progress.contacts,
        progress=progress.finished * 100 // progress.contacts if progress.contacts else 0,
        option=_option(numbered),
        assistant_vid=numbered.speaking.id,
        assistant=_assistant(numbered),
    )


def status_of(campaign: Campaign) -> Status:
    match campaign.state:
        case CampaignState.DRAFT | CampaignState.READY:
            return "pending"
        case CampaignState.RUNNING:
            return "running"
        case CampaignState.COMPLETED:
            return "done"
        case CampaignState.PAUSED:
            return why_stopped(campaign.pause_reason)
        case _:
            assert_never(campaign.state)


def why_stopped(reason: PauseReason | None) -> Status:
    match reason:
        case PauseReason.USER:
            return "stop.operate"
        case PauseReason.SCHEDULE_END:
            return "stop.timeout"
        case PauseReason.NO_TRUNK | PauseReason.NO_BALANCE | PauseReason.ACCOUNT_DELETED | PauseReason.FAULT | None:
            return "stop.abnormal"
        case _:
            assert_never(reason)


def _option(numbered: NumberedCampaign) -> Option:
    campaign = numbered.view.campaign
    kept: Any = campaign.rules.wire.get(NUMBER_FILE_META)
    retry = campaign.rules.retry or numbered.view.retry_rule
    delay_s = retry.policy.delay_s if retry is not None else {}
    return Option(
        number_file_meta=_NO_FILE if kept is None else kept,
        numbers=list(numbered.allocations),
        # A task without a first day may call from the day on which it was made.
        start_date=written_date(campaign.rules.start_at or campaign.created_at),
        start_time=[[written_minute(w.begin_min), written_minute(w.end_min)] for w in _windows(numbered.view)],
        retry_count=retry.policy.retries_max if retry is not None and retry.enabled and delay_s else 0,
        # Outcomes may wait differently; the wire has one number, and nobody is called again before the shortest.
        retry_interval=ceil(min(delay_s.values(), default=0) / 60),
    )


def _windows(view: CampaignView) -> list[Window]:
    """The wire knows no weekdays: a window of any day is shown."""
    if view.campaign.rules.week is not None:
        week = view.campaign.rules.week
    elif view.hours_group is not None:
        week = view.hours_group.hours.week
    else:
        return [_WHOLE_DAY]
    windows = {window for day in week for window in day}
    return sorted(windows, key=lambda window: (window.begin_min, window.end_min))


def _assistant(numbered: NumberedCampaign) -> Assistant:
    agent = numbered.view.agent
    return Assistant(
        id=agent.id,
        name=agent.name,
        version_id=numbered.speaking.id,
        welcome=str(numbered.speaking.definition.get("greeting", "")),
        created_at=written(agent.created_at),
        updated_at=written(agent.updated_at),
        creator=Creator(numbered.owner.email or ""),
        usage_count=numbered.agent_calls,
    )
