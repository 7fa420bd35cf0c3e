"""What a campaign's rules mean to the dialing core, and a contact's data to the agent who talks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from waihu.domain.agent_choice import AgentChoice, choose
from waihu.domain.campaign import CampaignPlan, ClosedPeriod, RetryPolicy, TrunkShare
from waihu.domain.hours import CallingHours, only_days
from waihu.domain.ids import AccountId, CampaignId, Instant
from waihu.ports.rows import CampaignRules

CHOOSING_VARIABLE = "control_select_robot"
"""The contact's variable by which a campaign may choose its agent."""

_SPOKEN_OF_AS = {"name": ("姓名", "name"), "phone": ("手机号", "phone"), "company": ("公司", "company")}
"""What a script may call the things that are known of every contact."""


def compile_plan(
    campaign: CampaignId,
    account: AccountId,
    rules: CampaignRules,
    *,
    group: CallingHours | None,
    policy: RetryPolicy | None,
    trunks: Sequence[TrunkShare],
    daily_cap: int | None,
    closed_days: frozenset[date] = frozenset(),
) -> CampaignPlan:
    """The rules put together with what they refer to.

    `group` and `policy` are the calling hours and the retry policy that the campaign names; its own windows and its
    own policy go before them. `trunks` are those that it may use now. `closed_days`: see `public_holidays`.
    """
    hours = group or CallingHours.always()
    return CampaignPlan(
        id=campaign,
        account=account,
        hours=CallingHours(rules.week or only_days(hours.week, rules.weekdays), hours.zone, closed_days),
        holidays=tuple(_closed_period(period, hours.zone) for period in rules.holidays),
        start_at=rules.start_at,
        stop_at=rules.stop_at,
        trunks=tuple(trunks),
        channels_max=rules.channels_max,
        pause_s=rules.pause_s,
        retry=_retry(rules, policy),
        daily_cap=daily_cap,
        in_contact_zone=rules.in_contact_zone,
        ring_timeout_s=rules.ring_timeout_s,
        end_action=rules.end_action,
    )


@lru_cache(maxsize=4)
def public_holidays(year: int) -> frozenset[date]:
    """Days on which nobody works in China, in `year` and the year after it, with the days moved for them.

    The government names a year's days late in the year before; until then those of the next year are the usual ones.
    """
    return frozenset(holidays.country_holidays("CN", years=(year, year + 1)))


@dataclass(frozen=True, slots=True)
class TalkPlan:
    """`agent` None: the campaign's own. It holds before `good_until`; None: at any time."""

    agent: int | None
    good_until: Instant | None


def plan_talk(choice: AgentChoice | None, variables: Mapping[str, object], now: Instant, zone: str) -> TalkPlan:
    """Who talks with a contact who answers `now`."""
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(zone))
    value = variables.get(CHOOSING_VARIABLE)
    minute = local.hour * 60 + local.minute
    chosen = choose(choice, None if value is None else str(value), minute)
    if chosen.until_min is None:
        return TalkPlan(chosen.agent, None)
    return TalkPlan(chosen.agent, now - now % 60_000 + (chosen.until_min - minute) * 60_000)


def talk_variables(name: str | None, phone: str, variables: Mapping[str, object]) -> dict[str, str]:
    """What a script may say of a contact: its variables, and what everybody has under the names scripts use."""
    found = {key: str(value) for key, value in variables.items() if value is not None}
    known = {"name": name, "phone": phone, "company": None}
    for noun, names in _SPOKEN_OF_AS.items():
        value = next((found[key] for key in names if found.get(key)), known[noun])
        if value:
            for key in names:
                found.setdefault(key, value)
    return found


def _retry(rules: CampaignRules, policy: RetryPolicy | None) -> RetryPolicy:
    if rules.retry is not None:
        return rules.retry.policy if rules.retry.enabled else RetryPolicy()
    return policy or RetryPolicy()


def _closed_period(period: tuple[str, str], zone: str) -> ClosedPeriod:
    begin, end = (_local_instant(written, zone) for written in period)
    return ClosedPeriod(begin, end)


def _local_instant(written: str, zone: str) -> Instant:
    return round(datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)
