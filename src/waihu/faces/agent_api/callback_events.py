"""What a receiver is told, in the vendor's words: `callback_body` writes a push. Finished calls are in
`callback_shapes.py`, tasks and numbers here. Fields with a default are constants: the vendor has the concept and waihu
has not.
"""

from typing import assert_never

import msgspec
from msgspec import Struct

from waihu.application.callback_news import CallsNews, CampaignNews, News, NumbersNews
from waihu.domain.agent import AgentKind
from waihu.domain.campaign import CampaignState
from waihu.faces.agent_api.callback_shapes import MAIN_ACCOUNT, SUB_ACCOUNT, calls_body
from waihu.faces.agent_api.hours import Day, content_of
from waihu.faces.agent_api.masks import shown
from waihu.faces.agent_api.task_shapes import (
    GIVEN_UP_ID,
    STATUS_NAMES,
    STOPPED,
    TASK_TYPE_V2,
    kept,
    line_name,
)
from waihu.faces.agent_api.times import written
from waihu.ports.callbacks import Kind, NumbersChange
from waihu.ports.privacy import MaskStyle
from waihu.ports.rows import Origin

TASK_TYPES = {Kind.CAMPAIGN_CREATED: 1, Kind.CAMPAIGN_DELETED: 2, Kind.CAMPAIGN_STOPPED: 3}
"""Only that of a created one is documented."""
NUMBERS_TYPES = {
    NumbersChange.ADDED: "import_number",
    NumbersChange.REMOVED: "del_number",
    NumbersChange.FROM_CUSTOMERS: "api_customer_to_task",
}


class TimeRange(Struct):
    """A time group; days count from 0 = Sunday, as everywhere."""

    id: int
    name: str
    content: list[Day]


class TaskData(Struct, kw_only=True):
    """A task that has not been started yet, has stopped, or is no more: it never runs. What it is now may be another
    matter. From `status` on the keys are waihu's own.
    """

    auto_recycle_rule_id: int | None
    call_pause_second: int
    caller_line_id: str | None
    customer_service_id: int | None = None
    destination_extension: int
    disable_dial_timegroup: str = GIVEN_UP_ID
    maximumcall: int
    name: str
    recycle_limit: int = 0
    remark: str | None
    uuid: str
    user_id: str
    start: int = 0
    start_str: str = "暂停"
    task_type: int
    enable_type: int
    create_datetime: str
    caller_line_name: str | None
    destination_extension_name: str
    username: str
    user_type: int
    outbound_group_time: str | None = None
    caller_line_time: str | None = None
    time_range: list[TimeRange]
    status: int = STOPPED
    status_str: str = STATUS_NAMES[STOPPED]
    stop_reason: str | None


class TaskBody(Struct):
    type: int
    mode: str
    task_data: TaskData


class NumbersData(Struct, omit_defaults=True):
    """A single number itself, or where several are to be had."""

    number: str | None = None
    url: str | None = None


class NumbersBody(Struct, kw_only=True):
    type: str
    mode: str
    unique_id: str
    user_id: str
    task_id: str
    data: NumbersData


class Numbers(Struct):
    """What is behind the `url`."""

    numbers: list[str]


def callback_body(news: News, public_url: str) -> bytes:
    match news:
        case CallsNews():
            return calls_body(news.calls, public_url)
        case CampaignNews():
            return msgspec.json.encode(task_body_of(news))
        case NumbersNews():
            return msgspec.json.encode(numbers_body_of(news, public_url))
        case _:
            assert_never(news)


def task_body_of(news: CampaignNews) -> TaskBody:
    campaign, rules, account = news.view.campaign, news.view.campaign.rules, news.account
    group = news.view.hours_group
    return TaskBody(
        type=TASK_TYPES[news.kind],
        mode="saas_web",
        task_data=TaskData(
            auto_recycle_rule_id=rules.retry_rule,
            call_pause_second=rules.pause_s,
            caller_line_id=rules.trunks[0].trunk if rules.trunks else None,
            destination_extension=rules.agent,
            maximumcall=rules.channels_max,
            name=rules.name,
            remark=rules.remark,
            uuid=campaign.id,
            user_id=campaign.account,
            task_type=kept(rules.wire, "task_type", 1 if campaign.origin is Origin.AGENT_API_V1 else TASK_TYPE_V2),
            enable_type=int(news.view.agent.kind is AgentKind.LLM),
            create_datetime=written(campaign.created_at),
            caller_line_name=line_name(news.view),
            destination_extension_name=news.view.agent.name,
            username=account.name,
            user_type=MAIN_ACCOUNT if account.parent is None else SUB_ACCOUNT,
            time_range=[] if group is None else [TimeRange(group.id, group.name, content_of(group.hours.week))],
            stop_reason=_stop_reason(news),
        ),
    )


def numbers_body_of(news: NumbersNews, public_url: str, style: MaskStyle | None = None) -> NumbersBody:
    """`style`: how phones are shown to somebody who asks. What is pushed has them in full."""
    batch = news.batch
    # What came from the pool is documented as a batch only.
    is_single = len(batch.numbers) == 1 and batch.change is not NumbersChange.FROM_CUSTOMERS
    return NumbersBody(
        type=NUMBERS_TYPES[batch.change],
        mode="single" if is_single else "batch",
        unique_id=batch.id,
        user_id=batch.account,
        task_id=batch.campaign,
        data=NumbersData(number=shown(batch.numbers[0], style))
        if is_single
        else NumbersData(url=f"{public_url}/agent-api/download-number?key={news.key}"),
    )


def _stop_reason(news: CampaignNews) -> str | None:
    """Why it stopped: `completed`, or the reason of the pause."""
    if news.kind is not Kind.CAMPAIGN_STOPPED:
        return None
    return news.stopped_for or CampaignState.COMPLETED.value
