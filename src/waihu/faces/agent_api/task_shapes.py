"""A task as the wire shows it: in lists, and opened for editing. Fields with a default are constants: the vendor has
the concept and waihu has not, or the vendor itself has given it up.
"""

from typing import Any

from msgspec import Struct, field

from waihu.application.campaigns import CampaignView
from waihu.domain.agent import AgentKind
from waihu.domain.campaign import CampaignState, EndAction, Phase, TakingOrder, TrunkShare
from waihu.faces.agent_api.choices import FullTimeGroup, RecycleRule, full_time_group_of, recycle_rule_of
from waihu.faces.agent_api.hours import (
    EngineHour,
    WorkHour,
    engine_hours_of,
    work_days_of,
    work_hours_of,
)
from waihu.faces.agent_api.number_status import codes_of
from waihu.faces.agent_api.times import written
from waihu.ports.rows import Campaign, TrunkUse, Week

STOPPED, RUNNING, WAITING = 1, 2, 3
STATUS_NAMES = {STOPPED: "停止", RUNNING: "执行中", WAITING: "等待执行"}
EDIT_STATUS_NAMES = STATUS_NAMES | {STOPPED: "暂停中"}
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


class Period(Struct):
    begin: str
    end: str


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
    cps: int | float
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
    """A line of the 1.0 list. No page of its answer is at hand: the fields are those the 2.0 list shares with it."""

    uuid: str
    name: str
    create_datetime: str
    alter_datetime: str
    start: int
    maximumcall: int
    recycle_limit: int = 0
    dial_time_id: int | None
    destination_extension: int
    destination_extension_name: str
    remark: str | None
    sort: int
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


class EditV1(Struct, kw_only=True):
    start: int
    maximumcall: int
    recycle_limit: int = 0
    name: str
    remark: str | None
    destination_extension: int
    disable_dial_timegroup: str = GIVEN_UP_ID
    dial_time_group: FullTimeGroup | None
    status: int
    status_str: str
    call_pause_second: int
    random_assignment_number: int = 0
    originate_timeout: int = field(name="_originate_timeout")
    caller_line_id: str | None
    bridge_group_id: int | None
    auto_recycle_rule_id: int | None
    caller_line_name: str | None
    destination_extension_name: str
    end_action: int
    llm_intention_id: int | str | None
    time_range: list[Any] = []


class RedialConditions(Struct):
    hangup_cause: str | None
    da_status: list[int]


class EditExtra(Struct, kw_only=True):
    id: str
    name: str
    enable: bool
    line: list[LineLimit | str]
    limit: int
    cps: int = 1
    start_time: str | None
    stop_time: str | None
    holiday: list[Period]
    interval_time: int
    work_week: list[int]
    work_hour: list[EngineHour]
    destination_extension: str
    destination_extension_list: list[Any]
    destination_extension_with_variable_list: list[Any]
    redial_enabled: bool
    redial_new_number_policy: bool
    redial_interval: int
    redial_max_times: int
    redial_conditions: RedialConditions
    pop_mode: int
    plan_stop_code: int = 0
    account_id: str


class EditV2(Struct, kw_only=True):
    """A 2.0 task opened for editing, after public notes of the official page."""

    uuid: str
    task_type: int
    maximumcall: int
    recycle_limit: int = 0
    name: str
    remark: str | None
    destination_extension: str
    destination_extension_name: str
    random_assignment_number: int = 0
    originate_timeout: int = field(name="_originate_timeout")
    bridge_group_id: int | None
    auto_recycle_rule_id: int | None
    dial_time_id: int | None
    end_action: int
    llm_intention_id: int | str | None
    background_id: int | None
    enable_type: int
    group_type: str
    is_group_switch: int
    group_switch_rule: list[Any]
    score_scheme_id: int | None
    caller_line_name: str | None
    status: int
    call_status: bool
    status_str: str
    elasticity_task: bool
    new_task_extra: EditExtra


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
        call_notify_type=_kept(wire, "call_notify_type", NOTIFY_ALL),
        call_pause_second=rules.pause_s,
        bridge_group_id=_kept(wire, "bridge_group_id"),
        end_action=END_ACTIONS[rules.end_action],
        task_type=_kept(wire, "task_type", TASK_TYPE_V2),
        llm_intention_id=_kept(wire, "llm_intention_id", 0),
        enable_type=int(view.agent.kind is AgentKind.LLM),
        background_id=_kept(wire, "background_id"),
        is_group_switch=_kept(wire, "is_group_switch", 0),
        task_extras=TaskExtras(
            line=_lines(rules.trunks),
            stop_time=written(rules.stop_at),
            work_hour=work_hours_of(week),
            work_week=work_days_of(week),
            start_time=written(rules.start_at),
        ),
        status_str=STATUS_NAMES[status],
        new_task_extra=NewTaskExtra(
            name=rules.name,
            enable=int(status != STOPPED),
            line=_lines(rules.trunks),
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
        caller_line_name=_line_name(view),
        auto_recycle_rule_id=rules.retry_rule,
        call_pause_second=rules.pause_s,
        bridge_group_id=_kept(wire, "bridge_group_id"),
        end_action=END_ACTIONS[rules.end_action],
        task_type=_kept(wire, "task_type", 1),
        llm_intention_id=_kept(wire, "llm_intention_id"),
        status=status,
        status_str=STATUS_NAMES[status],
    )


def edit_v1_of(view: CampaignView) -> EditV1:
    rules, wire = view.campaign.rules, view.campaign.rules.wire
    status = status_of(view.campaign)
    return EditV1(
        start=int(status != STOPPED),
        maximumcall=rules.channels_max,
        name=rules.name,
        remark=rules.remark,
        destination_extension=rules.agent,
        dial_time_group=None if view.hours_group is None else full_time_group_of(view.hours_group),
        status=status,
        status_str=STATUS_NAMES[status],
        call_pause_second=rules.pause_s,
        originate_timeout=rules.ring_timeout_s,
        caller_line_id=rules.trunks[0].trunk if rules.trunks else None,
        bridge_group_id=_kept(wire, "bridge_group_id"),
        auto_recycle_rule_id=rules.retry_rule,
        caller_line_name=_line_name(view),
        destination_extension_name=view.agent.name,
        end_action=END_ACTIONS[rules.end_action],
        llm_intention_id=_kept(wire, "llm_intention_id"),
    )


def edit_v2_of(view: CampaignView) -> EditV2:
    campaign, rules, wire = view.campaign, view.campaign.rules, view.campaign.rules.wire
    status = status_of(campaign)
    return EditV2(
        uuid=campaign.id,
        task_type=_kept(wire, "task_type", TASK_TYPE_V2),
        maximumcall=rules.channels_max,
        name=rules.name,
        remark=rules.remark,
        destination_extension=str(rules.agent),
        destination_extension_name=view.agent.name,
        originate_timeout=rules.ring_timeout_s,
        bridge_group_id=_kept(wire, "bridge_group_id"),
        auto_recycle_rule_id=rules.retry_rule,
        dial_time_id=rules.calling_hours,
        end_action=END_ACTIONS[rules.end_action],
        llm_intention_id=_kept(wire, "llm_intention_id"),
        background_id=_kept(wire, "background_id"),
        enable_type=int(view.agent.kind is AgentKind.LLM),
        group_type=GROUP_TYPES[view.agent.kind],
        is_group_switch=_kept(wire, "is_group_switch", 0),
        group_switch_rule=_kept(wire, "group_switch_rule", []),
        score_scheme_id=_kept(wire, "score_scheme_id"),
        caller_line_name=_line_name(view),
        status=status,
        call_status=status == RUNNING,
        status_str=EDIT_STATUS_NAMES[status],
        elasticity_task=_kept(wire, "elasticity_type", False),
        new_task_extra=_edit_extra(view),
    )


def week_of_task(view: CampaignView) -> Week:
    if view.campaign.rules.week is not None:
        return view.campaign.rules.week
    return view.hours_group.hours.week if view.hours_group is not None else ((),) * 7


def _edit_extra(view: CampaignView) -> EditExtra:
    campaign, rules, wire = view.campaign, view.campaign.rules, view.campaign.rules.wire
    week = week_of_task(view)
    retry = rules.retry
    policy = retry.policy if retry is not None else None
    delays_s = list(policy.delay_s.values()) if policy is not None else []
    return EditExtra(
        id=campaign.id,
        name=rules.name,
        enable=status_of(campaign) != STOPPED,
        line=_lines(rules.trunks),
        limit=rules.channels_max,
        start_time=written(rules.start_at),
        stop_time=written(rules.stop_at),
        holiday=[Period(begin, end) for begin, end in rules.holidays],
        interval_time=rules.pause_s,
        work_week=work_days_of(week),
        work_hour=engine_hours_of(week),
        destination_extension=str(rules.agent),
        destination_extension_list=_kept(wire, "destination_extension_list", []),
        destination_extension_with_variable_list=_kept(wire, "destination_extension_with_variable_list", []),
        redial_enabled=retry is not None and retry.enabled,
        redial_new_number_policy=policy is not None and policy.new_first,
        redial_interval=min(delays_s) // 60 if delays_s else 0,
        redial_max_times=policy.retries_max if policy is not None else 0,
        redial_conditions=RedialConditions(None, codes_of(policy.delay_s) if policy is not None else []),
        pop_mode=POP_MODES[rules.taking_order],
        account_id=campaign.account,
    )


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


def _lines(trunks: tuple[TrunkShare, ...]) -> list[LineLimit | str]:
    """In the form they came in: with a limit, or the bare id."""
    return [
        share.trunk if share.channels_max is None else LineLimit(share.trunk, share.channels_max) for share in trunks
    ]


def _line_name(view: CampaignView) -> str | None:
    return view.progress.trunks[0].name if view.progress.trunks else None


def _kept(wire: Any, name: str, otherwise: Any = None) -> Any:
    """A setting that only the wire knows."""
    value = wire.get(name)
    return otherwise if value is None else value
