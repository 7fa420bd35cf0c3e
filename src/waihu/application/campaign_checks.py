"""What a campaign's rules must fulfil before they are kept, and before they are dialled by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from waihu.domain.agent_choice import ByHour, ByVariable, agents_of, overlapping
from waihu.domain.campaign import TrunkShare
from waihu.domain.errors import Conflict, Invalid
from waihu.domain.hours import only_days
from waihu.domain.ids import AccountId, CampaignId, Instant, TrunkId
from waihu.ports.rows import Allocation, Campaign, CampaignRules
from waihu.ports.store import Session

CHANNELS_MAX = 100_000
PAUSE_MAX_S = 3600
RETRIES_MAX = 50
RETRY_DELAY_MAX_S = 30 * 86_400
RING_TIMEOUTS_S = range(5, 181)
CHOICE_RULES_MAX = 50
CHOICE_VALUES_MAX = 100

_MINUTE = "%Y-%m-%d %H:%M"
_YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True)
class Speakers:
    """The newest versions of the agents that rules name: of the campaign's own, and of those it chooses from by id."""

    version: int
    chosen: Mapping[int, int]


async def check(
    session: Session, account: AccountId, rules: CampaignRules, campaign: CampaignId | None, now: Instant
) -> Speakers:
    """Who is to talk by the rules, when all of them can be kept. `campaign` None: it is to be a new one.

    Until the session ends nothing that they name is taken away. Raises Invalid with every problem.
    """
    problems = _problems_alone(rules)
    agent = await session.agents.get(account, rules.agent)
    if agent is None:
        problems["agent"] = ["话术不存在"]
    chosen = {}
    for each in sorted(agents_of(rules.choice)):
        found = await session.agents.get(account, each)
        if found is None:
            problems |= {field: ["话术不存在"] for field in _naming(rules, each)}
        else:
            chosen[each] = found.version
    if rules.calling_hours is not None:
        group = await session.hours_groups.get(account, rules.calling_hours, keep=True)
        if group is None:
            problems["calling_hours"] = ["呼叫时间组不存在"]
        elif rules.week is None and not any(only_days(group.hours.week, rules.weekdays)):
            problems["weekdays"] = ["呼叫时间组在所选的星期没有呼叫时段"]
    if rules.retry_rule is not None and await session.retry_rules.get(account, rules.retry_rule, keep=True) is None:
        problems["retry_rule"] = ["重呼规则不存在"]
    if rules.trunks and "channels_max" not in problems:
        allocations = await session.trunks.allocations(account, leaving_out=campaign, lock=True)
        problems |= _trunk_problems(rules, _usable(allocations, now))
    if problems or agent is None:
        raise Invalid(problems)
    return Speakers(agent.version, chosen)


async def check_payable(session: Session, account: AccountId, rules: CampaignRules, now: Instant) -> None:
    """Raises Conflict `no_balance` when a campaign with these rules could not pay for its calls.

    If it could, it can until the session ends.
    """
    usable = _usable(await session.trunks.allocations(account, lock=True), now)
    if not await _can_pay(session, account, [usable[share.trunk] for share in rules.trunks if share.trunk in usable]):
        raise Conflict("no_balance", "账户余额不足,请充值后再启动任务")


async def check_startable(session: Session, campaign: Campaign, now: Instant) -> None:
    """Raises Conflict when the campaign, started now, could not make one call.

    Running campaigns may want more channels than there are: they share them, call by call.
    """
    rules = campaign.rules
    if not rules.trunks:
        raise Conflict("no_trunk", "任务未配置外呼线路,请先为任务选择线路")
    if rules.stop_at is not None and rules.stop_at <= now:
        raise Conflict("schedule_over", "任务停止时间已过,请先修改任务的停止时间")
    # Locked, so that no price is put on them before the campaign is seen to run.
    usable = _usable(await session.trunks.allocations(campaign.account, lock=True), now)
    chosen = [usable[share.trunk] for share in rules.trunks if share.trunk in usable]
    if not chosen:
        raise Conflict("trunk_unavailable", "任务的线路不存在、未分配给该用户或已到期,请重新选择线路")
    if not any(_may_use(rules, allocation) for allocation in chosen):
        raise Conflict("agent_not_allowed", "任务的线路未绑定该任务的话术,请重新选择线路或话术")
    if not await _can_pay(session, campaign.account, chosen):
        raise Conflict("no_balance", "账户余额不足,请充值后再启动任务")


async def _can_pay(session: Session, account: AccountId, chosen: Sequence[Allocation]) -> bool:
    """Whether calls over these trunks cost nothing, or something is left; that stays so until the session ends."""
    return not any(each.tariff.price for each in chosen) or await session.ledger.balance(account, hold=True) > 0


def _may_use(rules: CampaignRules, allocation: Allocation) -> bool:
    return allocation.agents is None or {rules.agent, *agents_of(rules.choice)} <= allocation.agents


def _problems_alone(rules: CampaignRules) -> dict[str, list[str]]:
    """Problems that can be seen without looking anything up."""
    problems: dict[str, list[str]] = {}
    if not rules.name.strip() or len(rules.name) > 255:
        problems["name"] = ["任务名称不能为空,且不能超过 255 个字符"]
    if not 0 < rules.channels_max <= CHANNELS_MAX:
        problems["channels_max"] = [f"并发数必须在 1 到 {CHANNELS_MAX} 之间"]
    if not 0 <= rules.pause_s <= PAUSE_MAX_S:
        problems["pause_s"] = [f"呼叫间隔必须在 0 到 {PAUSE_MAX_S} 秒之间"]
    if rules.ring_timeout_s not in RING_TIMEOUTS_S:
        problems["ring_timeout_s"] = [
            f"呼叫超时时间必须在 {RING_TIMEOUTS_S.start} 到 {RING_TIMEOUTS_S.stop - 1} 秒之间"
        ]
    if rules.start_at is not None and rules.stop_at is not None and rules.stop_at <= rules.start_at:
        problems["stop_at"] = ["停止时间必须晚于开始时间"]
    if rules.week is not None and not any(rules.week):
        problems["week"] = ["至少需要一个呼叫时段"]
    if rules.weekdays is not None and not rules.weekdays <= set(range(7)):
        problems["weekdays"] = ["星期必须是 0 到 6 的整数,0 为星期日"]
    problems |= _choice_problems(rules)
    if any(not _is_period(begin, end) for begin, end in rules.holidays):
        problems["holidays"] = ["节假日的结束时间必须晚于开始时间,格式为 YYYY-MM-DD HH:MM"]
    if rules.retry is not None:
        if not 0 <= rules.retry.policy.retries_max <= RETRIES_MAX:
            problems["retries_max"] = [f"重呼次数必须在 0 到 {RETRIES_MAX} 之间"]
        if any(not 0 <= delay_s <= RETRY_DELAY_MAX_S for delay_s in rules.retry.policy.delay_s.values()):
            problems["retry_delay"] = [f"重呼间隔必须在 0 到 {RETRY_DELAY_MAX_S // 60} 分钟之间"]
    return problems


def _choice_problems(rules: CampaignRules) -> dict[str, list[str]]:
    match rules.choice:
        case ByHour(hour_rules):
            clash = overlapping(hour_rules)
            if clash is not None:
                return {f"choice.{hour_rules.index(clash[1])}": ["时段与其他时段重叠"]}
        case ByVariable(variable_rules):
            empty = [n for n, rule in enumerate(variable_rules) if not rule.values or not all(rule.values)]
            if empty:
                return {f"choice.{n}.values": ["变量值不能为空"] for n in empty}
            if any(len(rule.values) > CHOICE_VALUES_MAX for rule in variable_rules):
                return {"choice": [f"每条规则的变量值不能超过 {CHOICE_VALUES_MAX} 个"]}
    if rules.choice is not None and not 0 < len(rules.choice.rules) <= CHOICE_RULES_MAX:
        return {"choice": [f"话术切换规则必须有 1 到 {CHOICE_RULES_MAX} 条"]}
    return {}


def _naming(rules: CampaignRules, agent: int) -> list[str]:
    """Which of the choice's rules name the agent."""
    if rules.choice is None:
        return []
    agents = [rule.agent for rule in rules.choice.rules]
    named = [f"choice.{n}.agent" for n, each in enumerate(agents) if each == agent]
    otherwise = isinstance(rules.choice, ByHour) and rules.choice.otherwise == agent
    return [*named, "choice.otherwise"] if otherwise else named


def _is_period(begin: str, end: str) -> bool:
    try:
        first, last = datetime.strptime(begin, _MINUTE), datetime.strptime(end, _MINUTE)
    except ValueError:
        return False
    # strptime also takes 2026-1-2, which those who read it later do not.
    is_plain = (first.strftime(_MINUTE), last.strftime(_MINUTE)) == (begin, end)
    return is_plain and first < last and first.year in _YEARS and last.year in _YEARS


def _usable(allocations: Sequence[Allocation], now: Instant) -> dict[TrunkId, Allocation]:
    return {each.trunk: each for each in allocations if each.deadline_at is None or each.deadline_at > now}


def _trunk_problems(rules: CampaignRules, usable: Mapping[TrunkId, Allocation]) -> dict[str, list[str]]:
    said = [problem for share in rules.trunks if (problem := _share_problem(rules, share, usable))]
    if len({share.trunk for share in rules.trunks}) < len(rules.trunks):
        said.append("同一条线路只能选择一次")
    if said:
        return {"trunks": said}
    residue = _residue(rules.trunks, usable)
    if rules.channels_max > residue:
        return {"channels_max": [f"并发数 {rules.channels_max} 超过所选线路的剩余并发数 {residue}"]}
    return {}


def _share_problem(rules: CampaignRules, share: TrunkShare, usable: Mapping[TrunkId, Allocation]) -> str | None:
    allocation = usable.get(share.trunk)
    if allocation is None:
        return "线路不存在、未分配给该用户或已到期"
    if not _may_use(rules, allocation):
        return f"线路“{allocation.trunk_name}”未绑定该话术"
    if share.channels_max is not None and not 0 < share.channels_max <= allocation.residue:
        return f"线路“{allocation.trunk_name}”的并发数必须在 1 到剩余并发数 {allocation.residue} 之间"
    return None


def _residue(trunks: Sequence[TrunkShare], usable: Mapping[TrunkId, Allocation]) -> int:
    return sum(usable[share.trunk].residue for share in trunks)
