"""What clients send to make or change a task, and the rules it means. A key that is not sent leaves what was."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from waihu.application.campaign_checks import CHANNELS_MAX, PAUSE_MAX_S, RETRIES_MAX, RETRY_DELAY_MAX_S
from waihu.application.campaigns import Change
from waihu.domain.campaign import EndAction, RetryPolicy, TrunkShare
from waihu.domain.errors import Invalid
from waihu.domain.hours import only_days
from waihu.domain.ids import Instant, TrunkId
from waihu.faces.agent_api.agent_choices import HourBody, SwitchBody, VariableBody, choice_of, names_of, with_lists
from waihu.faces.agent_api.agent_choices import written as as_written
from waihu.faces.agent_api.fields import VISIBLE, Moment, TimeOfDay, Url, Weekday, about
from waihu.faces.agent_api.hours import EVERY_DAY, week_of
from waihu.faces.agent_api.number_status import RETRIED, retried_outcomes
from waihu.faces.agent_api.reading import given
from waihu.faces.agent_api.task_shapes import END_ACTIONS, POP_MODES
from waihu.faces.agent_api.times import parse_time, written
from waihu.ports.rows import CampaignRules, OwnRetry, Week

_INBOUND_TASK_TYPES = (2, 5)
_END_ACTIONS = {code: action for action, code in END_ACTIONS.items()}
_POP_MODES = {code: order for order, code in POP_MODES.items()}
_FIRST_REDIAL_INTERVAL_MIN = 10

Name = Annotated[str, Meta(max_length=255, description="任务名称", extra_json_schema={"pattern": VISIBLE})]
Script = Annotated[int, Meta(description="话术组 id,取自任务初始化接口")]
TimeGroupId = Annotated[int, Meta(description="呼叫时间组 id")]
Concurrency = Annotated[int, Meta(ge=1, le=CHANNELS_MAX, description="并发数,不得超过所选线路的 residue")]
Remark = Annotated[str | None, Meta(description="任务描述")]
Recycle = Annotated[int | None, Meta(description="重呼规则 id")]
EndActionCode = (
    Annotated[int, about("任务结束动作:0 无操作,1 暂停任务释放并发,2 暂停任务锁定并发", enum=list(_END_ACTIONS))] | None
)
_Digits = Annotated[str, about(pattern="^[0-9]{1,9}$")]
Intention = Annotated[int | _Digits | None, Meta(description="大模型质检配置 id")]
NotifyType = Annotated[int, Meta(ge=0, le=2, description="回调:0 不通知,1 呼叫失败,2 失败和成功")] | None
NotifyUrl = Annotated[Url | None, Meta(description="通话结束回调地址,代替账户的回调地址")]
StopNotifyUrl = Annotated[Url | None, Meta(description="任务停止回调地址,不填则不通知")]
TaskType = Annotated[int, about("任务类型,暂不支持呼入(2、5)", **{"not": {"enum": list(_INBOUND_TASK_TYPES)}})] | None
Pause = Annotated[int, about("每通电话的呼叫间隔,秒", minimum=0, maximum=PAUSE_MAX_S)]

FIELDS_V1 = {
    "channels_max": "maximumcall",
    "agent": "destination_extension",
    "calling_hours": "dial_time_id",
    "retry_rule": "auto_recycle_rule_id",
    "pause_s": "call_pause_second",
    "trunks": "caller_line_id",
}
FIELDS_V2 = FIELDS_V1 | {
    "pause_s": "task_extras.interval_time",
    "trunks": "task_extras.line",
    "week": "task_extras.work_week",
    "weekdays": "task_extras.work_week",
    "holidays": "task_extras.holiday",
    "stop_at": "task_extras.stop_time",
    "retries_max": "task_extras.redial_max_times",
    "retry_delay": "task_extras.redial_interval",
}


class TaskBodyV1(Struct, kw_only=True):
    """1.0, create and update alike. `bridge_group_id`: left out is none; null is refused."""

    caller_line_id: Annotated[str, Meta(description="任务初始化接口中 caller_line_list 的 value")]
    destination_extension: Script
    dial_time_id: TimeGroupId
    maximumcall: Concurrency
    name: Name
    sub_user_id: str | None = None
    bridge_group_id: Annotated[int, Meta(description="转接组 id,不传则为空")] | UnsetType = UNSET
    remark: Remark | UnsetType = UNSET
    call_pause_second: Pause | UnsetType | None = UNSET
    auto_recycle_rule_id: Recycle | UnsetType = UNSET
    elasticity_type: Annotated[bool | None, Meta(description="动态坐席,不能与任务结束动作同时开启")] | UnsetType = UNSET
    end_action: EndActionCode | UnsetType = UNSET
    llm_intention_id: Intention | UnsetType = UNSET
    task_type: TaskType | UnsetType = UNSET
    call_notify_type: NotifyType | UnsetType = UNSET
    call_notify_url: NotifyUrl | UnsetType = UNSET
    call_stop_notify_url: StopNotifyUrl | UnsetType = UNSET


class LineBody(Struct):
    id: str
    limit: Annotated[int, Meta(ge=1, description="该线路的并发数")] | None = None


class HolidayBody(Struct):
    """The older form says `start` for `begin`."""

    end: Moment
    begin: Moment | None = None
    start: Moment | None = None


class WorkHourBody(Struct):
    begin: TimeOfDay
    end: TimeOfDay
    wday: Annotated[int, about("0 为星期日,-1 为每天", enum=[EVERY_DAY, *range(7)])] = EVERY_DAY


class RedialBody(Struct):
    da_status: Annotated[list[Any], Meta(description="重呼的号码状态,2-10 和 12")] = []
    hangup_cause: Any = None


class ExtrasBody(Struct, kw_only=True):
    line: Annotated[list[LineBody | str], Meta(description="线路 id,或 {id, limit}")] | UnsetType = UNSET
    holiday: list[HolidayBody] | UnsetType = UNSET
    start_time: Annotated[Moment | None, Meta(description="YYYY-MM-DD HH:MM:SS")] | UnsetType = UNSET
    stop_time: Annotated[Moment | None, Meta(description="YYYY-MM-DD HH:MM:SS")] | UnsetType = UNSET
    interval_time: Pause | UnsetType | None = UNSET
    work_hour: Annotated[list[WorkHourBody], Meta(description="不传或为空则使用呼叫时间组")] | UnsetType = UNSET
    work_week: Annotated[list[Weekday], Meta(description="只在这些天呼叫,0 为星期日")] | UnsetType = UNSET
    pop_mode: Annotated[int, about("弹号顺序:0 随机,1 顺序,2 倒序", enum=list(_POP_MODES))] | UnsetType | None = UNSET
    redial_enabled: bool | UnsetType | None = UNSET
    redial_new_number_policy: Annotated[bool | None, Meta(description="首次外呼优先")] | UnsetType = UNSET
    redial_interval: Annotated[int, Meta(ge=0, le=RETRY_DELAY_MAX_S // 60, description="分钟")] | UnsetType | None = (
        UNSET
    )
    redial_max_times: Annotated[int, Meta(ge=0, le=RETRIES_MAX)] | UnsetType | None = UNSET
    redial_conditions: list[RedialBody] | UnsetType = UNSET
    destination_extension_list: (
        Annotated[list[HourBody], Meta(description="按时间切换话术,is_group_switch 为 1 时使用")] | UnsetType
    ) = UNSET
    destination_extension_with_variable_list: (
        Annotated[
            list[VariableBody],
            Meta(description="按变量切换话术,is_group_switch 为 2 时使用,与号码的 control_select_robot 比较"),
        ]
        | UnsetType
    ) = UNSET


class NewExtrasBody(ExtrasBody, kw_only=True):
    """Of a new task: these keys must be sent, though the lists may be empty."""

    line: list[LineBody | str]
    holiday: list[HolidayBody]
    start_time: Moment
    stop_time: Moment


class TaskBodyV2(Struct, kw_only=True):
    """An update of a 2.0 task."""

    destination_extension: Script
    dial_time_id: TimeGroupId
    maximumcall: Concurrency
    name: Name
    task_extras: ExtrasBody | UnsetType = UNSET
    sub_user_id: str | None = None
    bridge_group_id: int | UnsetType | None = UNSET
    enable_type: Annotated[int | None, Meta(description="0 外呼,1 大模型外呼;由话术决定")] | UnsetType = UNSET
    is_call_in: Annotated[int, about("暂不支持呼入", enum=[0])] | UnsetType | None = UNSET
    remark: Remark | UnsetType = UNSET
    auto_recycle_rule_id: Recycle | UnsetType = UNSET
    end_action: EndActionCode | UnsetType = UNSET
    background_id: int | UnsetType | None = UNSET
    llm_intention_id: Intention | UnsetType = UNSET
    task_type: TaskType | UnsetType = UNSET
    call_notify_type: NotifyType | UnsetType = UNSET
    call_notify_url: NotifyUrl | UnsetType = UNSET
    call_stop_notify_url: StopNotifyUrl | UnsetType = UNSET
    group_type: Annotated[str | None, Meta(description="group、robot 或 llm;由话术决定")] | UnsetType = UNSET
    is_group_switch: Annotated[int, about("切换话术:0 不切换,1 按时间,2 按变量", enum=[0, 1, 2])] | UnsetType | None = (
        UNSET
    )
    group_switch_rule: (
        Annotated[list[SwitchBody], Meta(description="按时间切换话术,同 destination_extension_list")] | UnsetType
    ) = UNSET
    score_scheme_id: int | UnsetType | None = UNSET


class NewTaskBodyV2(TaskBodyV2, kw_only=True):
    task_extras: NewExtrasBody


_NOTIFY = ("call_notify_type", "call_notify_url", "call_stop_notify_url")
_WIRE_V1 = ("elasticity_type", "llm_intention_id", "task_type", *_NOTIFY)
_WIRE_V2 = (
    "bridge_group_id",
    "background_id",
    "llm_intention_id",
    "task_type",
    *_NOTIFY,
    "is_group_switch",
    "score_scheme_id",
)


def change_v1(body: TaskBodyV1) -> Change:
    def change(rules: CampaignRules) -> CampaignRules:
        wire = _wire(rules.wire, body, _WIRE_V1)
        wire["bridge_group_id"] = given(body.bridge_group_id, None)
        end_action = _end_action(body.end_action, rules.end_action)
        problems: dict[str, list[str]] = {}
        if wire.get("elasticity_type") and end_action is not EndAction.NONE:
            problems["end_action"] = ["任务结束动作不能与动态坐席同时开启"]
        if wire.get("task_type") in _INBOUND_TASK_TYPES:
            problems["task_type"] = ["暂不支持呼入任务"]
        if problems:
            raise Invalid(problems)
        return replace(
            rules,
            name=body.name,
            agent=body.destination_extension,
            channels_max=body.maximumcall,
            remark=given(body.remark, rules.remark),
            calling_hours=body.dial_time_id,
            week=None,
            weekdays=None,
            trunks=(TrunkShare(TrunkId(body.caller_line_id)),),
            retry_rule=given(body.auto_recycle_rule_id, rules.retry_rule),
            pause_s=given(body.call_pause_second, rules.pause_s) or 0,
            end_action=end_action,
            wire=wire,
        )

    return change


def change_v2(body: TaskBodyV2) -> Change:
    extras = given(body.task_extras, ExtrasBody())

    def change(rules: CampaignRules) -> CampaignRules:
        wire = with_lists(_wire(rules.wire, body, _WIRE_V2), body.group_switch_rule, extras.destination_extension_list)
        by_variable = extras.destination_extension_with_variable_list
        if not isinstance(by_variable, UnsetType):
            wire["destination_extension_with_variable_list"] = as_written(by_variable)
        problems: dict[str, list[str]] = {}
        if wire.get("task_type") in _INBOUND_TASK_TYPES or given(body.is_call_in, 0):
            problems["task_type" if wire.get("task_type") in _INBOUND_TASK_TYPES else "is_call_in"] = [
                "暂不支持呼入任务"
            ]
        start_at = _time(extras.start_time, rules.start_at, "task_extras.start_time", problems)
        stop_at = _time(extras.stop_time, rules.stop_at, "task_extras.stop_time", problems)
        pop_mode = given(extras.pop_mode, None)
        if pop_mode is not None and pop_mode not in _POP_MODES:
            problems["task_extras.pop_mode"] = ["弹号顺序必须是 0、1 或 2"]
        retry_rule = given(body.auto_recycle_rule_id, rules.retry_rule)
        retry = _retry(extras, rules.retry, problems)
        if retry is not None and not retry.enabled and retry_rule is not None:
            # A redial policy that is switched off does not stand in the way of a rule.
            retry = None
        week, weekdays = _week(extras, rules)
        choice = choice_of(wire)
        if problems:
            raise Invalid(problems)
        return replace(
            rules,
            name=body.name,
            agent=body.destination_extension,
            choice=choice,
            channels_max=body.maximumcall,
            remark=given(body.remark, rules.remark),
            calling_hours=body.dial_time_id,
            week=week,
            weekdays=weekdays,
            holidays=_holidays(extras, rules.holidays),
            start_at=start_at,
            stop_at=stop_at,
            trunks=_trunks(extras, rules.trunks),
            retry_rule=retry_rule,
            retry=retry,
            pause_s=given(extras.interval_time, rules.pause_s) or 0,
            taking_order=rules.taking_order if pop_mode is None else _POP_MODES[pop_mode],
            end_action=_end_action(body.end_action, rules.end_action),
            wire=wire,
        )

    return change


def new_rules(body: TaskBodyV1 | TaskBodyV2) -> CampaignRules:
    """The rules of a task that is made with `body`."""
    blank = CampaignRules(name=body.name, agent=body.destination_extension, channels_max=body.maximumcall)
    return change_v1(body)(blank) if isinstance(body, TaskBodyV1) else change_v2(body)(blank)


def notify_urls(body: TaskBodyV1 | TaskBodyV2) -> dict[str, str | None]:
    """The callback addresses that were sent."""
    return {
        "call_notify_url": given(body.call_notify_url, None),
        "call_stop_notify_url": given(body.call_stop_notify_url, None),
    }


def fields_v2(body: TaskBodyV2) -> dict[str, str]:
    """What the client that sent `body` calls the parts of its rules."""
    extras = given(body.task_extras, ExtrasBody())
    return FIELDS_V2 | names_of(
        given(body.is_group_switch, None),
        has_switches=bool(given(body.group_switch_rule, [])),
        has_hours=bool(given(extras.destination_extension_list, [])),
        has_variables=bool(given(extras.destination_extension_with_variable_list, [])),
    )


def _wire(kept: Mapping[str, object], body: Struct, names: Sequence[str]) -> dict[str, object]:
    sent = {name: value for name in names if (value := getattr(body, name)) is not UNSET}
    return {**kept, **sent}


def _end_action(code: int | UnsetType | None, otherwise: EndAction) -> EndAction:
    if isinstance(code, UnsetType):
        return otherwise
    action = _END_ACTIONS.get(code or 0)
    if action is None:
        raise Invalid.field("end_action", "任务结束动作必须是 0、1 或 2")
    return action


def _time(
    text: str | UnsetType | None, otherwise: Instant | None, field: str, problems: dict[str, list[str]]
) -> Instant | None:
    if isinstance(text, UnsetType):
        return otherwise
    if text is None:
        return None
    at = parse_time(text)
    if at is None:
        problems[field] = [f"{field} 的格式必须是 YYYY-MM-DD HH:MM:SS"]
    return at


def _week(extras: ExtrasBody, rules: CampaignRules) -> tuple[Week | None, frozenset[int] | None]:
    """The task's own hours, None for those of its time group, and the days of the group on which it calls."""
    own = rules.week
    if not isinstance(extras.work_hour, UnsetType):
        hours = ((hour.wday, hour.begin, hour.end) for hour in extras.work_hour)
        own = week_of(hours, "task_extras.work_hour") if extras.work_hour else None
    if isinstance(extras.work_week, UnsetType):
        # Hours of its own say their days themselves.
        return own, (rules.weekdays if own is None else None)
    days = frozenset(extras.work_week) or None
    return (None, days) if own is None else (only_days(own, days), None)


def _holidays(extras: ExtrasBody, otherwise: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if isinstance(extras.holiday, UnsetType):
        return otherwise
    return tuple((_minute(each.begin or each.start or ""), _minute(each.end)) for each in extras.holiday)


def _minute(text: str) -> str:
    """The time in the one form that rules keep; what is no time is left to be refused there."""
    at = parse_time(text)
    return text if at is None else written(at)[: len("YYYY-MM-DD HH:MM")]


def _trunks(extras: ExtrasBody, otherwise: tuple[TrunkShare, ...]) -> tuple[TrunkShare, ...]:
    if isinstance(extras.line, UnsetType):
        return otherwise
    return tuple(
        TrunkShare(TrunkId(line)) if isinstance(line, str) else TrunkShare(TrunkId(line.id), line.limit)
        for line in extras.line
    )


def _retry(extras: ExtrasBody, kept: OwnRetry | None, problems: dict[str, list[str]]) -> OwnRetry | None:
    """The redial policy that the `redial_*` keys make of the one that was; None when there never was one."""
    sent = (
        extras.redial_enabled,
        extras.redial_new_number_policy,
        extras.redial_interval,
        extras.redial_max_times,
        extras.redial_conditions,
    )
    if all(isinstance(value, UnsetType) for value in sent):
        return kept
    was = kept if kept is not None else OwnRetry(False, RetryPolicy(retries_max=1))
    enabled = bool(given(extras.redial_enabled, was.enabled))
    outcomes = list(was.policy.delay_s)
    if not isinstance(extras.redial_conditions, UnsetType):
        outcomes = list(retried_outcomes(_redial_codes(extras.redial_conditions, problems)))
    if enabled and not outcomes and not problems:
        problems["task_extras.redial_conditions"] = ["开启重呼时,da_status 不能为空"]
    delay_s = min(was.policy.delay_s.values(), default=_FIRST_REDIAL_INTERVAL_MIN * 60)
    minutes = given(extras.redial_interval, None)
    if minutes is not None:
        delay_s = minutes * 60
    times = given(extras.redial_max_times, None)
    new_first = given(extras.redial_new_number_policy, None)
    policy = RetryPolicy(
        delay_s=dict.fromkeys(outcomes, delay_s),
        retries_max=was.policy.retries_max if times is None else times,
        new_first=was.policy.new_first if new_first is None else new_first,
    )
    return OwnRetry(enabled, policy)


def _redial_codes(conditions: Sequence[RedialBody], problems: dict[str, list[str]]) -> set[int]:
    """The codes of all conditions. Engine words, which `da_status` may also hold, have no outcome of ours."""
    codes: set[int] = set()
    for condition in conditions:
        for said in condition.da_status:
            if isinstance(said, str) and not said.isdecimal():
                continue
            if isinstance(said, str):
                # Nine digits are no code either; of thousands int() would make a fault.
                said = said[:9]
            code = int(said) if isinstance(said, (int, str)) or (isinstance(said, float) and said.is_integer()) else -1
            if code in RETRIED:
                codes.add(code)
            else:
                problems["task_extras.redial_conditions"] = ["da_status 只能包含 2-10 和 12"]
    return codes
