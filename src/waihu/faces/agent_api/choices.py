"""What a task can be made of, as the form's init call lists it. Fields with a default are constants: the vendor has
the concept and waihu has not, or the vendor itself has given it up.
"""

from hashlib import blake2b
from typing import Any

from msgspec import Struct, field

from waihu.application.campaigns import CampaignOptions
from waihu.domain.agent import AgentKind, Script, variables_of
from waihu.faces.agent_api.hours import Day, content_of
from waihu.faces.agent_api.number_status import NAMES, code_of
from waihu.faces.agent_api.times import written
from waihu.ports.choices import ReviewConfig, SeatGroup
from waihu.ports.rows import Agent, Allocation, HoursGroup, RetryRule

RETRIES_MAX = 50
NO_DEADLINE = "2099-12-31 23:59:59"
"""Clients expect a time; for an allocation without a deadline this one is as good as none."""

STRATEGY_NAMES = {1: "平均"}

_END_ACTIONS = {"1": "暂停任务释放并发", "0": "无操作"}


class TimeGroup(Struct, kw_only=True):
    id: int
    name: str
    user_id: str
    content: list[Day]
    is_default: bool
    remark: str | None
    created_at: str
    updated_at: str


class FullTimeGroup(Struct, kw_only=True):
    """As the 1.0 task and the time-group calls show it."""

    id: int
    name: str
    user_id: str
    content: list[Day]
    is_default: bool
    skip_holiday: bool
    remark: str | None
    created_at: str
    updated_at: str


class Node(Struct, frozen=True):
    name: str = "waihu"


class NewLine(Struct, kw_only=True):
    name: str
    type: int = 1
    bind_type_str: str = "IP"
    type_str: str = "外部线路"
    usage: int = 1
    node: Node = Node()


class Line(Struct, kw_only=True):
    name: str | None = None
    remark: str | None
    line_id: str
    belong_user: str
    line_concurrency: int
    residue: int
    available_at: str
    new_line: NewLine


class CallerLine(Struct, kw_only=True):
    """A line as 1.0 offers it: `value` is what `caller_line_id` takes."""

    name: str
    value: str
    remark: str | None
    concurrency: int
    residue: int
    available_at: str


class Group(Struct, kw_only=True):
    """A regular script."""

    id: int
    name: str
    user_id: str
    category_id: int | None = None
    debug: bool = False
    deleted_at: str | None = None
    created_at: str
    updated_at: str
    link_word_group_id: int | None = None
    tag_scene_id: str | None = None
    knowledge_id: str | None = None
    exclusive_asr: str = ""
    exclusive_tts: str = ""
    priority_matching: int = 0
    is_top: int = 0
    nlp_threshold: int = 0
    order_matching: int = 0
    sort: int = 0
    usable: int = 0
    inner: int = 0
    is_sync: int = 0
    speed: int = 50
    volume: int = 50
    is_lock: int = 0
    is_train: int = 0
    is_visible: int = 1
    is_edit: int = 1
    is_active: int = 1
    use_type: int = 3
    extension_number: str | None = None
    aim_content: str | None = None
    intention_group_id: int = 0
    tts_extension: str | None = None
    big_model_type: str = ""
    local_knowledge_base_id: str | None = None
    custom_prompt: str | None = None
    bridge_group_id: int | None = None
    llm_nlp_threshold: int = 80
    llm_scene_id: int | None = None
    default: bool


class Variable(Struct, kw_only=True):
    id: int
    name: str
    desc: str = ""
    type: int = 1
    is_save: bool = False
    is_builtin: bool = False
    is_fill: bool = True


class GroupV2(Struct, kw_only=True):
    id: str
    name: str
    created_at: str
    updated_at: str
    variable: list[Variable]


class BigModelGroup(Struct, kw_only=True):
    id: int
    name: str
    is_lock: int = 0
    is_active: int = 1
    is_call_in: int = 0
    llm_end_type: int = 0
    created_at: str
    default: bool


class BridgeGroup(Struct):
    id: int
    name: str
    strategy: int
    strategy_str: str


class RecycleDetail(Struct):
    """`time` is the delay in minutes."""

    rule_id: int
    number_status: int
    time: int
    number_status_str: str


class RecycleRule(Struct, kw_only=True):
    id: int
    user_id: str
    name: str
    remark: str | None
    status: bool
    created_at: str
    updated_at: str
    is_default: bool
    type: int = 1
    configs: list[Any] = []
    details: list[RecycleDetail]


class Background(Struct):
    id: int
    name: str
    created_at: str


class IntentionConfig(Struct, kw_only=True):
    id: int
    name: str
    user_id: str
    llm_type: int = 2
    is_default: int
    created_at: str


class Init(Struct, kw_only=True):
    task_dial_times: list[TimeGroup]
    caller_line_list: list[Line]
    call_in_line_list: list[Line] = []
    max_recycle_limit: int = RETRIES_MAX
    outbound_group: list[Group]
    outbound_group_v2: list[GroupV2]
    big_model_outbound_group: list[BigModelGroup]
    bridge_groups: list[BridgeGroup]
    auto_recycle_rules: list[RecycleRule]
    end_actions: dict[str, str] = field(default_factory=lambda: dict(_END_ACTIONS))
    background: list[Background]
    llm_intention_configs: list[IntentionConfig]


class InitV1(Struct, kw_only=True):
    task_dial_times: list[TimeGroup]
    caller_line_list: list[CallerLine]
    max_recycle_limit: int = RETRIES_MAX
    outbound_group: list[Group]
    big_model_outbound_group: list[BigModelGroup]
    bridge_groups: list[BridgeGroup]
    auto_recycle_rules: list[RecycleRule]
    end_actions: dict[str, str] = field(default_factory=lambda: {"2": "暂停任务锁定并发", **_END_ACTIONS})
    llm_intention_configs: list[IntentionConfig]


def init_of(options: CampaignOptions) -> Init:
    return Init(
        task_dial_times=[time_group_of(group) for group in options.hours_groups],
        caller_line_list=[_line(allocation) for allocation in options.trunks],
        outbound_group=[_group(agent) for agent in options.agents if agent.kind is AgentKind.SCRIPT],
        outbound_group_v2=[_group_v2(agent) for agent in options.agents if agent.kind is AgentKind.SCRIPT_V2],
        big_model_outbound_group=[_big_model(agent) for agent in options.agents if agent.kind is AgentKind.LLM],
        bridge_groups=[_bridge_group(group) for group in options.seat_groups],
        auto_recycle_rules=[recycle_rule_of(rule) for rule in options.retry_rules],
        background=[Background(each.id, each.name, written(each.created_at)) for each in options.background_sounds],
        llm_intention_configs=[intention_config_of(config) for config in options.review_configs],
    )


def init_v1_of(options: CampaignOptions) -> InitV1:
    """No page of this call is at hand; its lists are those of 2.0, and `value` of a line is documented elsewhere."""
    init = init_of(options)
    return InitV1(
        task_dial_times=init.task_dial_times,
        caller_line_list=[
            CallerLine(
                name=each.trunk_name,
                value=each.trunk,
                remark=each.remark,
                concurrency=each.channels_max,
                residue=each.residue,
                available_at=written(each.deadline_at) or NO_DEADLINE,
            )
            for each in options.trunks
        ],
        outbound_group=init.outbound_group,
        big_model_outbound_group=init.big_model_outbound_group,
        bridge_groups=init.bridge_groups,
        auto_recycle_rules=init.auto_recycle_rules,
        llm_intention_configs=init.llm_intention_configs,
    )


def time_group_of(group: HoursGroup) -> TimeGroup:
    return TimeGroup(
        id=group.id,
        name=group.name,
        user_id=group.account,
        content=content_of(group.hours.week),
        is_default=group.is_default,
        remark=group.remark,
        created_at=written(group.created_at),
        updated_at=written(group.updated_at),
    )


def full_time_group_of(group: HoursGroup) -> FullTimeGroup:
    return FullTimeGroup(
        id=group.id,
        name=group.name,
        user_id=group.account,
        content=content_of(group.hours.week),
        is_default=group.is_default,
        skip_holiday=group.skip_holiday,
        remark=group.remark,
        created_at=written(group.created_at),
        updated_at=written(group.updated_at),
    )


def recycle_rule_of(rule: RetryRule) -> RecycleRule:
    # Outcomes that the wire does not tell apart share one line, with the shorter delay.
    minutes: dict[int, int] = {}
    for outcome, delay_s in sorted(rule.policy.delay_s.items(), key=lambda each: -each[1]):
        minutes[code_of(outcome)] = delay_s // 60
    return RecycleRule(
        id=rule.id,
        user_id=rule.account,
        name=rule.name,
        remark=rule.remark,
        status=rule.enabled,
        created_at=written(rule.created_at),
        updated_at=written(rule.updated_at),
        is_default=rule.is_default,
        details=[RecycleDetail(rule.id, code, minutes[code], NAMES[code]) for code in sorted(minutes)],
    )


def _line(allocation: Allocation) -> Line:
    return Line(
        remark=allocation.remark,
        line_id=allocation.trunk,
        belong_user=allocation.account,
        line_concurrency=allocation.channels_max,
        residue=allocation.residue,
        available_at=written(allocation.deadline_at) or NO_DEADLINE,
        new_line=NewLine(name=allocation.trunk_name),
    )


def _group(agent: Agent) -> Group:
    return Group(
        id=agent.id,
        name=agent.name,
        user_id=agent.account,
        created_at=written(agent.created_at),
        updated_at=written(agent.updated_at),
        default=agent.is_default,
    )


def _group_v2(agent: Agent) -> GroupV2:
    return GroupV2(
        id=str(agent.id),
        name=agent.name,
        created_at=written(agent.created_at),
        updated_at=written(agent.updated_at),
        variable=[
            Variable(id=_variable_id(agent.id, name), name=name) for name in variables_of(Script.of(agent.definition))
        ],
    )


def _big_model(agent: Agent) -> BigModelGroup:
    return BigModelGroup(id=agent.id, name=agent.name, created_at=written(agent.created_at), default=agent.is_default)


def _bridge_group(group: SeatGroup) -> BridgeGroup:
    return BridgeGroup(group.id, group.name, group.strategy, STRATEGY_NAMES.get(group.strategy, ""))


def intention_config_of(config: ReviewConfig) -> IntentionConfig:
    return IntentionConfig(
        id=config.id,
        name=config.name,
        user_id=config.account,
        is_default=int(config.is_default),
        created_at=written(config.created_at),
    )


def _variable_id(agent: int, name: str) -> int:
    """Always the same for a variable of a script, and as long as the vendor's."""
    digest = blake2b(f"{agent}/{name}".encode(), digest_size=8).digest()
    return 10**17 + int.from_bytes(digest) % (9 * 10**17)
