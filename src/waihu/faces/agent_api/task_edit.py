"""A task opened for editing. Fields with a default are constants: the vendor has the concept and waihu has not, or
the vendor itself has given it up.
"""

from typing import Any

from msgspec import Struct, field

from waihu.domain.agent import AgentKind
from waihu.domain.campaign import CampaignState
from waihu.faces.agent_api.choices import FullTimeGroup, full_time_group_of
from waihu.faces.agent_api.hours import EngineHour, engine_hours_of, work_days_of
from waihu.faces.agent_api.number_status import codes_of
from waihu.faces.agent_api.task_shapes import (
    END_ACTIONS,
    GIVEN_UP_ID,
    GROUP_TYPES,
    POP_MODES,
    RUNNING,
    STATUS_NAMES,
    STOPPED,
    TASK_TYPE_V2,
    LineLimit,
    kept,
    line_name,
    lines_of,
    status_of,
    week_of_task,
)
from waihu.faces.agent_api.times import written
from waihu.ports.rows import Campaign, CampaignView

EDIT_STATUS_NAMES = STATUS_NAMES | {STOPPED: "暂停中"}


class Period(Struct):
    begin: str
    end: str


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
    """A 2.0 task opened for editing, after public notes of the official page. `stop_reason` is waihu's own."""

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
    stop_reason: str | None
    elasticity_task: bool
    call_notify_url: str | None
    call_stop_notify_url: str | None
    new_task_extra: EditExtra


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
        bridge_group_id=kept(wire, "bridge_group_id"),
        auto_recycle_rule_id=rules.retry_rule,
        caller_line_name=line_name(view),
        destination_extension_name=view.agent.name,
        end_action=END_ACTIONS[rules.end_action],
        llm_intention_id=kept(wire, "llm_intention_id"),
    )


def edit_v2_of(view: CampaignView) -> EditV2:
    campaign, rules, wire = view.campaign, view.campaign.rules, view.campaign.rules.wire
    status = status_of(campaign)
    return EditV2(
        uuid=campaign.id,
        task_type=kept(wire, "task_type", TASK_TYPE_V2),
        maximumcall=rules.channels_max,
        name=rules.name,
        remark=rules.remark,
        destination_extension=str(rules.agent),
        destination_extension_name=view.agent.name,
        originate_timeout=rules.ring_timeout_s,
        bridge_group_id=kept(wire, "bridge_group_id"),
        auto_recycle_rule_id=rules.retry_rule,
        dial_time_id=rules.calling_hours,
        end_action=END_ACTIONS[rules.end_action],
        llm_intention_id=kept(wire, "llm_intention_id"),
        call_notify_url=kept(wire, "call_notify_url"),
        call_stop_notify_url=kept(wire, "call_stop_notify_url"),
        background_id=kept(wire, "background_id"),
        enable_type=int(view.agent.kind is AgentKind.LLM),
        group_type=GROUP_TYPES[view.agent.kind],
        is_group_switch=kept(wire, "is_group_switch", 0),
        group_switch_rule=kept(wire, "group_switch_rule", []),
        score_scheme_id=kept(wire, "score_scheme_id"),
        caller_line_name=line_name(view),
        status=status,
        call_status=status == RUNNING,
        status_str=EDIT_STATUS_NAMES[status],
        stop_reason=_stop_reason(campaign),
        elasticity_task=kept(wire, "elasticity_type", False),
        new_task_extra=_edit_extra(view),
    )


def _stop_reason(campaign: Campaign) -> str | None:
    """In the words of the callback: `completed`, or the reason of the pause. None while it runs, or never has."""
    if campaign.pause_reason is not None:
        return campaign.pause_reason.value
    return CampaignState.COMPLETED.value if campaign.state is CampaignState.COMPLETED else None


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
        line=lines_of(rules.trunks),
        limit=rules.channels_max,
        start_time=written(rules.start_at),
        stop_time=written(rules.stop_at),
        holiday=[Period(begin, end) for begin, end in rules.holidays],
        interval_time=rules.pause_s,
        work_week=work_days_of(week),
        work_hour=engine_hours_of(week),
        destination_extension=str(rules.agent),
        destination_extension_list=kept(wire, "destination_extension_list", []),
        destination_extension_with_variable_list=kept(wire, "destination_extension_with_variable_list", []),
        redial_enabled=retry is not None and retry.enabled,
        redial_new_number_policy=policy is not None and policy.new_first,
        redial_interval=min(delays_s) // 60 if delays_s else 0,
        redial_max_times=policy.retries_max if policy is not None else 0,
        redial_conditions=RedialConditions(None, codes_of(policy.delay_s) if policy is not None else []),
        pop_mode=POP_MODES[rules.taking_order],
        account_id=campaign.account,
    )
