"""The words that stories may use for rules and events, each as a pattern and what it stands for."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from paper_store import Place
from story import Untold, day_of

from waihu.dialing.events import (
    AttemptRefused,
    CallAnswered,
    CallEnded,
    CallNotPlaced,
    CallPlaced,
    CallRinging,
    CampaignStarted,
    CampaignStopped,
    CapacityGranted,
    ClaimFailed,
    ContactsArrived,
    ContactsClaimed,
    Event,
    Refusal,
    TimePassed,
    TrunkWentDown,
    TrunkWentUp,
)
from waihu.dialing.resources import of_campaign, of_trunk
from waihu.domain.campaign import CampaignPlan, ClosedPeriod, EndAction, TrunkShare
from waihu.domain.contact import DueContact
from waihu.domain.hours import CallingHours, Window
from waihu.domain.ids import CampaignId, TrunkId
from waihu.domain.outcome import Ending, HungUpBy, Outcome

if TYPE_CHECKING:
    from story_stage import Stage

ENDINGS = {
    "busy": Ending(sip_code=486),
    "no answer": Ending(timed_out=True),
    "rejected": Ending(sip_code=603),
    "invalid number": Ending(sip_code=404),
    "network busy": Ending(sip_code=503),
    "hung up by the callee": Ending(hung_up_by=HungUpBy.CALLEE),
    "hung up by the agent": Ending(hung_up_by=HungUpBy.AGENT),
    "the switch does not know it": Ending(gone=True),
}
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
DAYS_MEANT = {
    "every day": range(7),
    "on weekdays": range(1, 6),
    **{f"on {day}": (index,) for index, day in enumerate(DAYS)},
}
END_ACTIONS = {"pause and release": EndAction.PAUSE_AND_RELEASE, "pause and keep": EndAction.PAUSE_AND_KEEP}
SECONDS = {"second": 1, "minute": 60, "hour": 3600}

Meaning = TypeVar("Meaning")


def with_rule(stage: "Stage", plan: CampaignPlan, text: str) -> CampaignPlan:
    """The plan with one more rule."""
    return _understood(RULES, text, stage, plan)


def event_of(stage: "Stage", said: str) -> Event:
    """The event that is said to happen; what it says of the store happens there."""
    return _understood(EVENTS, said, stage)


def _understood(words: list[tuple[str, Callable[..., Meaning]]], text: str, *about: object) -> Meaning:
    for pattern, build in words:
        if found := re.fullmatch(pattern, text):
            try:
                return build(*about, *found.groups())
            except (KeyError, IndexError, ValueError) as problem:
                raise Untold(f"{text!r}: {problem}") from problem
    raise Untold(f"{text!r}")


def _name(words: str) -> str:
    return words.replace(" ", "_")


def _duration_s(count: str, unit: str) -> int:
    return int(count) * SECONDS[unit]


def _hours(stage: "Stage", plan: CampaignPlan, windows: str, days: str) -> CampaignPlan:
    # The first rule about hours replaces "always"; the next ones add to it.
    always = plan.hours.week == CallingHours.always().week
    week = [() if always else windows_before for windows_before in plan.hours.week]
    for day in DAYS_MEANT[days]:
        week[day] = (*week[day], *(_window(window) for window in windows.split(" and ")))
    return replace(plan, hours=replace(plan.hours, week=tuple(week)))


def _window(text: str) -> Window:
    found = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", text)
    if not found:
        raise ValueError(f"window {text!r}")
    begin_hour, begin_min, end_hour, end_min = map(int, found.groups())
    return Window(begin_hour * 60 + begin_min, end_hour * 60 + end_min)


def _zone(stage: "Stage", plan: CampaignPlan, zone: str) -> CampaignPlan:
    stage.zone = ZoneInfo(zone)
    return replace(plan, hours=replace(plan.hours, zone=zone))


def _trunk(stage: "Stage", plan: CampaignPlan, trunk: str, channels: str | None) -> CampaignPlan:
    kept = tuple(share for share in plan.trunks if share.trunk != trunk)
    return replace(plan, trunks=(*kept, TrunkShare(TrunkId(trunk), channels and int(channels))))


def _closed_day(stage: "Stage", plan: CampaignPlan, day: str) -> CampaignPlan:
    return replace(plan, hours=replace(plan.hours, closed_days=plan.hours.closed_days | {day_of(day)}))


def _closed_period(stage: "Stage", plan: CampaignPlan, begin: str, end: str) -> CampaignPlan:
    return replace(plan, holidays=(*plan.holidays, ClosedPeriod(stage.instant(begin), stage.instant(end))))


def _retry(stage: "Stage", plan: CampaignPlan, outcome: str, count: str, unit: str) -> CampaignPlan:
    delay_s = {**plan.retry.delay_s, Outcome(_name(outcome)): _duration_s(count, unit)}
    return replace(plan, retry=replace(plan.retry, delay_s=delay_s))


RULES: list[tuple[str, Callable[..., CampaignPlan]]] = [
    (r"(\d+) channels?", lambda s, p, n: replace(p, channels_max=int(n))),
    (r"on (T\d+)(?: with (\d+) channels?)?", _trunk),
    (r"in ([\w/]+)", _zone),
    (r"calls ([\d:\-]+(?: and [\d:\-]+)*) (.+)", _hours),
    (r"calls at any time", lambda s, p: replace(p, hours=CallingHours.always(p.hours.zone))),
    (r"public holiday (.+)", _closed_day),
    (r"holiday from (.+) to (.+)", _closed_period),
    (r"starts at (.+)", lambda s, p, at: replace(p, start_at=s.instant(at))),
    (r"stops at (.+)", lambda s, p, at: replace(p, stop_at=s.instant(at))),
    (r"in the contact's own time", lambda s, p: replace(p, in_contact_zone=True)),
    (r"([a-z ]+) again after (\d+) (second|minute|hour)s?", _retry),
    (r"(\d+) retr(?:y|ies)", lambda s, p, n: replace(p, retry=replace(p.retry, retries_max=int(n)))),
    (r"new numbers first", lambda s, p: replace(p, retry=replace(p.retry, new_first=True))),
    (r"a channel rests (\d+) (second|minute)s?", lambda s, p, n, unit: replace(p, pause_s=_duration_s(n, unit))),
    (r"(\d+) calls? a day per number", lambda s, p, n: replace(p, daily_cap=int(n))),
    (r"rings at most (\d+) (second)s?", lambda s, p, n, unit: replace(p, ring_timeout_s=_duration_s(n, unit))),
    (r"talks at most (\d+) (minute)s?", lambda s, p, n, unit: replace(p, call_max_s=_duration_s(n, unit))),
    (r"at its end (.+)", lambda s, p, action: replace(p, end_action=END_ACTIONS[action])),
]


def _starts(stage: "Stage", campaign: str) -> Event:
    return CampaignStarted(stage.store.plans[CampaignId(campaign)])


def _changes(stage: "Stage", campaign: str, rules: str) -> Event:
    plan = stage.store.plans[CampaignId(campaign)]
    for rule in rules.split(";"):
        plan = with_rule(stage, plan, rule.strip())
    stage.store.plans[plan.id] = plan
    return CampaignStarted(plan)


def _gets(stage: "Stage", campaign: str, who: str) -> Event:
    stage.add_contacts(CampaignId(campaign), who)
    return ContactsArrived(CampaignId(campaign))


def _granted(stage: "Stage", resource: str, channels: str, cps: str | None, until: str | None) -> Event:
    return CapacityGranted(resource, int(channels), cps and float(cps), until and stage.instant(until))


def _refused(stage: "Stage", number: str, refusal: str) -> Event:
    return stage.store.refuse(stage.calls[int(number) - 1], Refusal(_name(refusal)))


def _refused_again(stage: "Stage", number: str, refusal: str) -> Event:
    return AttemptRefused(stage.calls[int(number) - 1], Refusal(_name(refusal)))


def _given(stage: "Stage", campaign: str, who: str, next_due_at: str | None, rest: str | None) -> Event:
    contacts = []
    for name in () if who == "nobody" else who.split(", "):
        card = stage.store.cards[CampaignId(campaign), stage.names[name]]
        card.place, card.hold = Place.CLAIMED, None
        contacts.append(DueContact(card.id, card.phone, card.attempts, card.tries, card.zone))
    return ContactsClaimed(
        CampaignId(campaign),
        tuple(contacts),
        stage.instant(next_due_at) if next_due_at else None,
        unfinished=rest != "all are finished",
    )


def _call(kind: Callable[..., Event]) -> Callable[..., Event]:
    return lambda stage, number, *more: kind(stage.calls[int(number) - 1], *more)


EVENTS: list[tuple[str, Callable[..., Event]]] = [
    (r"time passes", lambda s: TimePassed()),
    (r"(\w+) starts", _starts),
    (r"(\w+) is resumed", _starts),
    (r"(\w+) changes: (.+)", _changes),
    (r"(\w+) is paused", lambda s, c: CampaignStopped(CampaignId(c))),
    (r"(\w+) gets (.+)", _gets),
    (r"(\w+) is given ([a-z, ]+?)(?:; next at ([^;]+))?(?:; (all are finished|others have the rest))?", _given),
    (r"the store fails for (\w+)", lambda s, c: ClaimFailed(CampaignId(c))),
    (
        r"trunk (T\d+) has (\d+) channels?(?: and (.+) calls? a second)?(?: until (.+))?",
        lambda s, t, *rest: _granted(s, of_trunk(TrunkId(t)), *rest),
    ),
    (
        r"campaign (\w+) has (\d+) channels?(?: until (.+))?",
        lambda s, c, n, until: _granted(s, of_campaign(CampaignId(c)), n, None, until),
    ),
    (r"trunk (T\d+) goes down", lambda s, t: TrunkWentDown(TrunkId(t))),
    (r"trunk (T\d+) comes up", lambda s, t: TrunkWentUp(TrunkId(t))),
    (r"the store refuses #(\d+): (.+)", _refused),
    (r"the store refuses #(\d+) once more: (.+)", _refused_again),
    (r"#(\d+) is placed", _call(CallPlaced)),
    (r"#(\d+) could not be placed", _call(CallNotPlaced)),
    (r"#(\d+) rings", _call(CallRinging)),
    (r"#(\d+) is answered", _call(CallAnswered)),
    (r"#(\d+) ends: (.+)", lambda s, number, how: CallEnded(s.calls[int(number) - 1], ENDINGS[how])),
]
