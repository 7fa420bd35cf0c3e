"""A task as the lists show it, and what its states are called. Fields with a default are constants: the vendor has
the concept and waihu has not, or the vendor itself has given it up.
"""

from typing import Any

from msgspec import Struct, field

from waihu.domain.agent import AgentKind
from waihu.domain.campaign import CampaignState, EndAction, Phase, TakingOrder, TrunkShare
from waihu.domain.hours import only_days
from waihu.faces.agent_api.choices import RecycleRule, recycle_rule_of
from waihu.faces.agent_api.hours import (
    EngineHour,
    WorkHour,
    engine_hours_of,
    work_days_of,
    work_hours_of,
)
from waihu.faces.agent_api.times import written
from waihu.ports.rows import Campaign, CampaignView, TrunkUse, Week

STOPPED, RUNNING, WAITING = 1, 2, 3
STATUS_NAMES = {STOPPED: "停止", RUNNING: "执行中", WAITING: "等待执行"}
DIALLING = (Phase.DIALING,)
NOT_DIALLING = (None, *(phase for phase in Phase if phase is not Phase.DIALING))

END_ACTIONS = {EndAction.NONE: 0, EndAction.PAUSE_AND_RELEASE: 1, EndAction.PAUSE_AND_KEEP: 2}
POP_MODES = {TakingOrder.RANDOM: 0, TakingOrder.SEQUENTIAL: 1, TakingOrder.REVERSE: 2}
GROUP_TYPES = {AgentKind.SCRIPT: "group", AgentKind.SCRIPT_V2: "robot", AgentKind.LLM: "llm"}
TASK_TYPE_V2 = 6
NOTIFY_ALL = 2
NODE_ID = "00000000-0000-0000-0000-000000000001"
"""waihu has no cloud nodes to choose from: all is one."""
GIVEN_UP_ID = "00000000-0000-0000-0000-000000000000"


STOPPED_STATES = tuple(state for state in CampaignState if state is not CampaignState.RUNNING)


class NewTask(Struct):
    """What making a task answers. No page of it is at hand."""

    uuid: str


class LineLimit(Struct):
    id: str
    limit: int


class TaskExtras(Struct, kw_only=True):
    line: list[LineLimit | str]
    stop_time: str | None
    work_hour: list[WorkHour]
    work_week: list[int]
    start_time: str | None


class CallInfo(Struct, kw_only=True):
    task_id: str
    task_name: str
    node_id: str = NODE_ID
    line_id: str
    line_name: str
    cps: float
    limit: int
    call_status: int = 1
    dialed_number_total: int
    answer_total: int
    gateway_error_hangup_total: int
    normal_hangup_total: int
    bill: int
    calling_count: int
    answering_count: int


class NewTaskExtra(Struct, kw_only=True):
    name: str
    enable: int
    line: list[LineLimit | str]
    limit: int
    cps: int = 1
    start_time: str | None
    stop_time: str | None
    work_week: list[int]
    work_hour: list[EngineHour]
    destination_extension: str
    blacklist: str = ""
    background: str = ""
    call_status: bool
    number_count: int
    call_info: dict[str, CallInfo]


class GroupName(Struct):
    id: int
    name: str
    default: bool


class TaskRow(Struct, kw_only=True):
    """A line of the 2.0 list."""

    uuid: str
    name: str
    create_datetime: str
    alter_datetime: str
    start: int
    enable: bool
    maximumcall: int
    call_per_second: int = 10
    recycle_limit: int = 0
    random_assignment_number: int = 0
    disable_dial_timegroup: str | None = None
    dial_time_id: int | None
    destination_extension: str
    destination_dialplan: str = "XML"
    destination_context: str = "default"
    scheduling_policy_ratio: float | None = None
    scheduling_queue: str | None = None
    dial_format: str = ""
    domain: str | None = None
    remark: str | None
    sort: int
    originate_variables: str = "{execute_on_media=start_da}"
    originate_timeout: int = field(name="_originate_timeout")
    caller_id_number: str = field(name="_origination_caller_id_number", default="20000")
    user_id: str
    auto_recycle_rule_id: int | None
    clue_configuration_id: str | None = None
    deleted_at: str | None = None
    call_notify_type: int
    call_pause_second: int
    call_notify_fail_stop: int = 0
    bridge_group_id: int | None
    is_test: bool = False
    is_top: int = 0
    empty_seat_stop: int = 0
    background_file_id: str | None = None
    background_file_name: str | None = None
    end_action: int
    task_type: int
    line_callee: str = ""
    cache_number_count: int = 0
    mode_id: int | None = None
    bridge_maximumcall: int = 0
    bridge_proportion: int = 0
    direct_bridge: int = 0
    direct_bridge_echo: int = 0
    llm_intention_id: int | str
    restart_at: str | None = None
    enable_type: int
    background_id: int | None
    background: str = ""
    is_group_switch: int
    task_extras: TaskExtras
    status_str: str
    new_task_extra: NewTaskExtra
    caller_line: dict[str, Any] | None = None
    auto_recycle_rule: RecycleRule | None
    group: GroupName
    llm_intention_config: dict[str, Any] | None = None
    status: int


class TaskRowV1(Struct, kw_only=True):
    """A line of the 1.0 list. The copy of its page is cut after `_originate_timeout`: from `user_id` on the fields are
    those that the 2.0 list and the edit page have.
    """

    uuid: str
    name: str
    create_datetime: str
    alter_datetime: str
    start: int
    maximumcall: int
    call_per_second: int = 0
    recycle_limit: int = 0
    random_assignment_number: int = 0
    disable_dial_timegroup: str = GIVEN_UP_ID
    dial_time_id: int | None
    destination_extension: int
    destination_extension_name: str
    destination_dialplan: str = "XML"
    destination_context: str = "default"
    scheduling_policy_ratio: float | None = None
    scheduling_queue: str | None = None
    dial_format: str = ""
    domain: str | None = None
    remark: str | None
    sort: int
    originate_variables: str = "{execute_on_media=start_da}"
    originate_timeout: int = field(name="_originate_timeout")
    user_id: str
    caller_line_id: str | None
    caller_line_name: str | None
    auto_recycle_rule_id: int | None
    call_pause_second: int
    bridge_group_id: int | None
    end_action: int
    task_type: int
    llm_intention_id: int | str | None
    status: int
    status_str: str


def status_of(campaign: Campaign) -> int:
    if campaign.state is not CampaignState.RUNNING:
        return STOPPED
    return RUNNING if campaign.phase in DIALLING else WAITING


def task_row_of(view: CampaignView) -> TaskRow:
    campaign, rules, wire = view.campaign, view.campaign.rules, view.campaign.rules.wire
    status = status_of(campaign)
    week = week_of_task(view)
    return TaskRow(
        uuid=campaign.id,
        name=rules.name,
        create_datetime=written(campaign.created_at),
        alter_datetime=written(campaign.updated_at),
        start=int(status != STOPPED),
        enable=status != STOPPED,
        maximumcall=rules.channels_max,
        dial_time_id=rules.calling_hours,
        destination_extension=str(rules.agent),
        remark=rules.remark,
        sort=campaign.number,
        originate_timeout=rules.ring_timeout_s,
        user_id=campaign.account,
        auto_recycle_rule_id=rules.retry_rule,
        call_notify_type=kept(wire, "call_notify_type", NOTIFY_ALL),
        call_pause_second=rules.pause_s,
        bridge_group_id=kept(wire, "bridge_group_id"),
        end_action=END_ACTIONS[rules.end_action],
        task_type=kept(wire, "task_type", TASK_TYPE_V2),
        llm_intention_id=kept(wire, "llm_intention_id", 0),
        enable_type=int(view.agent.kind is AgentKind.LLM),
        background_id=kept(wire, "background_id"),
        is_group_switch=kept(wire, "is_group_switch", 0),
        task_extras=TaskExtras(
            line=lines_of(rules.trunks),
            stop_time=written(rules.stop_at),
            work_hour=work_hours_of(week),
            work_week=work_days_of(week),
            start_time=written(rules.start_at),
        ),
        status_str=STATUS_NAMES[status],
        new_task_extra=NewTaskExtra(
            name=rules.name,
            enable=int(status != STOPPED),
            line=lines_of(rules.trunks),
            limit=rules.channels_max,
            start_time=written(rules.start_at),
            stop_time=written(rules.stop_at),
            work_week=work_days_of(week),
            work_hour=engine_hours_of(week),
            destination_extension=str(rules.agent),
            call_status=status == RUNNING,
            number_count=view.progress.contacts,
            call_info={use.trunk: _call_info(campaign, use) for use in view.progress.trunks},
        ),
        auto_recycle_rule=None if view.retry_rule is None else recycle_rule_of(view.retry_rule),
        group=GroupName(view.agent.id, view.agent.name, view.agent.is_default),
        status=status,
    )


def task_row_v1_of(view: CampaignView) -> TaskRowV1:
    campaign, rules, wire = view.campaign, view.campaign.rules, view.campaign.rules.wire
    status = status_of(campaign)
    return TaskRowV1(
        uuid=campaign.id,
        name=rules.name,
        create_datetime=written(campaign.created_at),
        alter_datetime=written(campaign.updated_at),
        start=int(status != STOPPED),
        maximumcall=rules.channels_max,
        dial_time_id=rules.calling_hours,
        destination_extension=rules.agent,
        destination_extension_name=view.agent.name,
        remark=rules.remark,
        sort=campaign.number,
        originate_timeout=rules.ring_timeout_s,
        user_id=campaign.account,
        caller_line_id=rules.trunks[0].trunk if rules.trunks else None,
        caller_line_name=line_name(view),
        auto_recycle_rule_id=rules.retry_rule,
        call_pause_second=rules.pause_s,
        bridge_group_id=kept(wire, "bridge_group_id"),
        end_action=END_ACTIONS[rules.end_action],
        task_type=kept(wire, "task_type", 1),
        llm_intention_id=kept(wire, "llm_intention_id"),
        status=status,
        status_str=STATUS_NAMES[status],
    )


def week_of_task(view: CampaignView) -> Week:
    if view.campaign.rules.week is not None:
        return view.campaign.rules.week
    if view.hours_group is None:
        return ((),) * 7
    return only_days(view.hours_group.hours.week, view.campaign.rules.weekdays)


def _call_info(campaign: Campaign, use: TrunkUse) -> CallInfo:
    cps = int(use.cps_max) if use.cps_max == int(use.cps_max) else use.cps_max
    return CallInfo(
        task_id=campaign.id,
        task_name=campaign.rules.name,
        line_id=use.trunk,
        line_name=use.name,
        cps=cps,
        limit=use.channels_max,
        dialed_number_total=use.done.attempts,
        answer_total=use.done.answered,
        gateway_error_hangup_total=use.done.trunk_errors,
        normal_hangup_total=use.done.attempts - use.done.trunk_errors,
        bill=use.done.talk_ms,
        calling_count=use.ringing,
        answering_count=use.talking,
    )


def lines_of(trunks: tuple[TrunkShare, ...]) -> list[LineLimit | str]:
    """In the form they came in: with a limit, or the bare id."""
    return [
        share.trunk if share.channels_max is None else LineLimit(share.trunk, share.channels_max) for share in trunks
    ]


def line_name(view: CampaignView) -> str | None:
    return view.progress.trunks[0].name if view.progress.trunks else None


def kept(wire: Any, name: str, otherwise: Any = None) -> Any:
    """A setting that only the wire knows."""
    value = wire.get(name)
    return otherwise if value is None else value
