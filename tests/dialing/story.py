"""Stories: the rules of dialing, told so that an operator can read them and a test can check them.

A story begins with comment lines that name the behaviour, says what is given, and then what happens, one event a
line, with everything that is decided then. Nothing may be left out: each decision that is not told fails the story.

    # A busy number is tried again in ten minutes.
    on Wed 2026-03-04
    given trunk T1: 2 channels; 5 calls a second
    given campaign C: on T1; 1 channel; busy again after 10 minutes; 2 retries
    given C has anna

    19:52:00  C starts         -> C is dialing; plan anna #1 on T1, place call
    19:52:20  #1 ends: busy    -> close #1 busy; hold anna until 20:02 (retry delay); ...
    20:02:00  time passes      -> plan anna #2 on T1, place call

Times are read on the wall in the zone of the first campaign, Asia/Shanghai if none is named. `#2` is the second call
of the story. Between two lines the core is woken whenever it asks; what it decides then needs its own line, `time
passes`. The interpreter plays the store: it answers claims and keeps the contacts. With `given claims are told` the
story itself answers them; with `given deadlines are told` each call shows until when it may still be started.
Words that are not known fail. All of them are in the two tables below.

With WAIHU_STORIES=update in the environment the test writes what happens into the file, to be read with care.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from textwrap import indent
from typing import TypeVar
from zoneinfo import ZoneInfo

from paper_store import Card, PaperStore

from waihu.dialing.commands import CheckCall, ClaimContacts, Command, HangUp, PlaceCall
from waihu.dialing.dialer import Dialer
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
from waihu.dialing.records import (
    AttemptAnswered,
    AttemptClosed,
    AttemptPlanned,
    AttemptWithdrawn,
    CampaignCompleted,
    CampaignPaused,
    CampaignPhased,
    ContactFinished,
    ContactHeld,
    ContactReleased,
    Record,
)
from waihu.dialing.resources import of_campaign, of_share, of_trunk
from waihu.domain.campaign import CampaignPlan, ClosedPeriod, EndAction, Phase, TrunkShare
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold
from waihu.domain.hours import CallingHours, Window
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, TrunkId
from waihu.domain.outcome import Ending, HungUpBy, Outcome

WIDTH = 120

ENDINGS = {
    "busy": Ending(sip_code=486),
    "no answer": Ending(timed_out=True),
    "rejected": Ending(sip_code=603),
    "powered off": Ending(announcement=Outcome.POWERED_OFF),
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
    "at weekends": (0, 6),
    **{f"on {day}": (index,) for index, day in enumerate(DAYS)},
}
PHASES = {
    Phase.DIALING: "is dialing",
    Phase.WAITING_HOURS: "waits for its hours",
    Phase.WAITING_RETRY: "waits for the next contact due",
    Phase.WAITING_CAPACITY: "waits for capacity",
    Phase.DRAINING: "lets its calls end",
    None: "is quiet",
}
END_ACTIONS = {"pause and release": EndAction.PAUSE_AND_RELEASE, "pause and keep": EndAction.PAUSE_AND_KEEP}
SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class Untold(Exception):
    """The story says something that the interpreter has no word for, or that cannot be."""


@dataclass(frozen=True)
class Line:
    """What happened at an instant of the story, and everything that was decided then."""

    day: date
    clock: str
    said: str
    decided: tuple[str, ...]


@dataclass
class Story:
    title: str
    path: Path
    given: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


# Reading and writing ------------------------------------------------------------------------------------------


def read(path: Path) -> list[Story]:
    stories: list[Story] = []
    title: list[str] = []
    day = date.min
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            title.append(line.removeprefix("#").strip())
            continue
        if title:
            stories.append(Story(title=" ".join(title), path=path))
            title = []
        if not line.strip():
            continue
        story = stories[-1]
        if line.startswith("on "):
            day = _day(line.removeprefix("on ").strip())
            if not story.lines and not story.given:
                story.given.append(line)
        elif line.startswith("given "):
            story.given.append(line)
        elif line.startswith("    ") and story.lines:
            last = story.lines[-1]
            story.lines[-1] = replace(last, decided=last.decided + _decisions(line))
        elif line.startswith("    "):
            story.given[-1] += "\n" + line
        else:
            told, arrow, decided = line.partition("->")
            clock, _, said = told.strip().partition("  ")
            if not arrow:
                raise Untold(f"{path.name}: no -> in {line!r}")
            story.lines.append(Line(day, clock, said.strip(), _decisions(decided)))
    return stories


def _decisions(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip() and part.strip() != "nothing")


def write(story: Story, lines: list[Line]) -> str:
    """The text of a story in which `lines` happen."""
    text = [*_wrapped_title(story.title), *story.given, ""]
    width = max((len(line.said) for line in lines), default=0)
    clock_width = max((len(line.clock) for line in lines), default=0)
    day = lines[0].day if lines else date.min
    for line in lines:
        if line.day != day:
            day = line.day
            text.append(f"on {day:%a %Y-%m-%d}")
        head = f"{line.clock:<{clock_width}}  {line.said:<{width}}  -> "
        rows = [""]
        for phrase in line.decided or ("nothing",):
            joined = f"{rows[-1]}; {phrase}" if rows[-1] else phrase
            if not rows[-1] or len(head) + len(joined) < WIDTH:
                rows[-1] = joined
            else:
                rows[-1] += ";"
                rows.append(phrase)
        text += [head + rows[0], *(" " * len(head) + row for row in rows[1:])]
    return "\n".join(text) + "\n"


def _wrapped_title(title: str) -> Iterator[str]:
    row = "#"
    for word in title.split():
        if len(row) + len(word) >= WIDTH:
            yield row
            row = "#"
        row += " " + word
    yield row


def side_by_side(story: Story, lines: list[Line]) -> str:
    """The story as told and as it happens, with a mark where they differ."""
    mark = "    " if lines == story.lines else "≠   "
    told = indent(write(story, story.lines), "    ")
    happens = indent(write(replace(story, given=[]), lines), mark)
    return f"{story.path.name}: {story.title}\n\nTold:\n{told}\nHappens:\n{happens}"


def _day(text: str) -> date:
    day = date.fromisoformat(text[4:])
    if f"{day:%a}" != text[:3]:
        raise Untold(f"{text!r} is no {text[:3]}")
    return day


# Playing ------------------------------------------------------------------------------------------------------

Renew = Callable[[Dialer], Dialer]


def play(story: Story, renew: Renew = lambda dialer: dialer) -> list[Line]:
    """What happens. `renew` may put another core in the place of the one that has lived so far, before each event."""
    stage = Stage(renew)
    for given in story.given:
        text = " ".join(part.strip() for part in given.splitlines())
        if text.startswith("on "):
            stage.day = _day(text.removeprefix("on "))
        else:
            stage.give(text.removeprefix("given "))
    for line in story.lines:
        stage.day = line.day
        stage.happen(stage.instant(line.clock), line.clock, line.said)
    return stage.lines


class Stage:
    """The core with a store and a switch around it, which do what the story says."""

    def __init__(self, renew: Renew) -> None:
        self.renew = renew
        self.dialer = Dialer()
        self.store = PaperStore()
        self.day = date.min
        self.now: Instant = 0
        self.zone = ZoneInfo("Asia/Shanghai")
        self.wake_at: Instant | None = None
        self.calls: list[AttemptId] = []
        self.names: dict[str, ContactId] = {}
        self.before: list[Event] = []
        self.claims_are_told = False
        self.deadlines_are_told = False
        self.lines: list[Line] = []

    # What is given

    def give(self, text: str) -> None:
        if text in ("claims are told", "deadlines are told"):
            setattr(self, text.replace(" ", "_"), True)
        elif found := re.fullmatch(r"trunk (T\d+): (\d+) channels?(?:; (.+) calls? a second)?", text):
            trunk, channels, cps = found.groups()
            self.before.append(CapacityGranted(of_trunk(TrunkId(trunk)), int(channels), cps and float(cps)))
        elif found := re.fullmatch(r"campaign (\w+): (.+)", text):
            first = not self.store.plans
            campaign = CampaignId(found[1])
            plan = CampaignPlan(id=campaign, account=AccountId("account"), channels_max=0)
            for rule in found[2].split(";"):
                plan = self.with_rule(plan, rule.strip())
            self.store.plans[campaign] = plan
            if first:
                self.zone = ZoneInfo(plan.hours.zone)
            self.before.append(CapacityGranted(of_campaign(campaign), plan.channels_max))
            self.before += [
                CapacityGranted(of_share(campaign, share.trunk), share.channels_max)
                for share in plan.trunks
                if share.channels_max is not None
            ]
        elif found := re.fullmatch(r"(\w+) has (.+)", text):
            self.add_contacts(CampaignId(found[1]), found[2])
        else:
            raise Untold(f"given {text}")

    def add_contacts(self, campaign: CampaignId, text: str) -> None:
        for who in text.split(", "):
            found = re.fullmatch(r"([a-z]+)(?: in ([\w/]+))?", who)
            if not found:
                raise Untold(f"contact {who!r}")
            contact, phone = self.contact(found[1])
            self.store.add(Card(contact, campaign, phone, due_at=self.now, zone=found[2]))

    def contact(self, name: str) -> tuple[ContactId, str]:
        """The id and the phone of a person, the same in every campaign."""
        contact = self.names.setdefault(name, ContactId(len(self.names) + 1))
        return contact, f"555{contact:04}"

    def with_rule(self, plan: CampaignPlan, text: str) -> CampaignPlan:
        return _understood(RULES, text, self, plan)

    # What happens

    def happen(self, at: Instant, clock: str, said: str) -> None:
        if not self.lines:
            self.now = at
            for event in self.before:
                assert not self.tell(event), "nothing runs yet"
            for card in self.store.cards.values():
                card.due_at = at
        if at < self.now:
            raise Untold(f"{clock} is past")
        while self.wake_at is not None and self.wake_at < at:
            self.now = self.wake_at
            self.note("time passes", self.tell(TimePassed()))
        self.now = at
        woken = self.wake_at == at
        decided = self.tell(self.event(said))
        if said == "time passes" and decided and not woken:
            raise Untold(f"{clock}  the core did not ask to be woken, yet decides {decided}")
        self.note(said, decided, always=True)

    def note(self, said: str, decided: list[str], always: bool = False) -> None:
        if decided or always:
            local = datetime.fromtimestamp(self.now / 1000, self.zone)
            self.lines.append(Line(local.date(), self.clock(local, seconds=True), said, tuple(decided)))

    def event(self, said: str) -> Event:
        return _understood(EVENTS, said, self)

    def tell(self, event: Event) -> list[str]:
        """Steps the core, and itself answers the claims if the story does not."""
        self.dialer = self.renew(self.dialer)
        decision = self.dialer.step(event, self.now)
        assert decision.wake_at is None or decision.wake_at > self.now, "the core asks to be woken in the past"
        self.wake_at = decision.wake_at
        phrases = [self.phrase(record, decision.commands) for record in decision.records]
        for record in decision.records:
            self.store.write(record)
        planned = [record.attempt for record in decision.records if isinstance(record, AttemptPlanned)]
        assert planned == [command.attempt for command in decision.commands if isinstance(command, PlaceCall)]
        for command in decision.commands:
            if isinstance(command, ClaimContacts) and not self.claims_are_told:
                phrases += self.tell(self.store.claim(command, self.now))
            elif not isinstance(command, PlaceCall):
                phrases.append(self.ask(command))
        return phrases

    # Words for what is decided

    def phrase(self, record: Record, commands: list[Command]) -> str:
        match record:
            case AttemptPlanned():
                (call,) = [c for c in commands if isinstance(c, PlaceCall) and c.attempt == record.attempt]
                plan = self.store.plans[record.campaign]
                assert call == PlaceCall(
                    attempt=record.attempt,
                    contact=record.contact,
                    campaign=record.campaign,
                    trunk=record.trunk,
                    phone=record.phone,
                    ring_timeout_s=plan.ring_timeout_s,
                    not_after=call.not_after,
                )
                self.calls.append(record.attempt)
                before = f" before {self.moment(call.not_after)}" if self.deadlines_are_told else ""
                return f"plan {self.name(record.contact)} #{len(self.calls)} on {record.trunk}, place call{before}"
            case AttemptAnswered():
                return f"#{self.number(record.attempt)} is answered"
            case AttemptClosed():
                name, outcome = self.name(record.contact), _words(record.outcome)
                then = f"{name} is finished" if record.retry is None else f"hold {name} {self.until(record.retry)}"
                return f"close #{self.number(record.attempt)} {outcome}, {then}"
            case AttemptWithdrawn():
                number, name = self.number(record.attempt), self.name(record.contact)
                return f"withdraw #{number}, hold {name} {self.until(record.hold)}"
            case ContactHeld():
                return f"hold {self.name(record.contact)} {self.until(record.hold)}"
            case ContactReleased():
                return f"give back {self.name(record.contact)}"
            case ContactFinished():
                return f"{self.name(record.contact)} is finished ({_words(record.outcome)})"
            case CampaignPhased():
                hold = "" if record.hold is None else f" {self.until(record.hold)}"
                return f"{record.campaign} {PHASES[record.phase]}{hold}"
            case CampaignCompleted():
                action = "" if record.end_action is EndAction.NONE else f", {_words(record.end_action)}"
                return f"{record.campaign} is completed{action}"
            case CampaignPaused():
                return f"{record.campaign} is paused ({_words(record.reason)})"

    def ask(self, command: Command) -> str:
        match command:
            case ClaimContacts(campaign, 0):
                return f"ask how {campaign} stands"
            case ClaimContacts(campaign, count, new_first):
                return f"claim {count} of {campaign}" + (", new ones first" if new_first else "")
            case HangUp(attempt):
                return f"hang up #{self.number(attempt)}"
            case CheckCall(attempt):
                return f"ask the switch about #{self.number(attempt)}"
            case PlaceCall():
                raise AssertionError("told with its plan")

    def until(self, hold: Hold) -> str:
        until = "" if hold.until is None else f"until {self.moment(hold.until)} "
        return f"{until}({_words(hold.reason)})"

    def moment(self, at: Instant) -> str:
        local, today = (datetime.fromtimestamp(instant / 1000, self.zone) for instant in (at, self.now))
        clock = self.clock(local, seconds=local.second != 0 or local.microsecond != 0)
        days = (local.date() - today.date()).days
        if days == 0:
            return clock
        return f"tomorrow {clock}" if days == 1 else f"{local:%a %Y-%m-%d} {clock}"

    @staticmethod
    def clock(local: datetime, seconds: bool) -> str:
        if local.microsecond:
            return f"{local:%H:%M:%S}.{local.microsecond // 1000:03}"
        return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"

    def name(self, contact: ContactId) -> str:
        return next(name for name, known in self.names.items() if known == contact)

    def number(self, attempt: AttemptId) -> int:
        return len(self.calls) - self.calls[::-1].index(attempt)

    # Instants

    def instant(self, text: str) -> Instant:
        """`[Thu 2026-03-05 ]HH:MM[:SS[.mmm]]` or `tomorrow …`; today when no day is named."""
        day, _, clock = text.rpartition(" ")
        local = self.day if not day else self.day + timedelta(days=1) if day == "tomorrow" else _day(day)
        found = re.fullmatch(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{3}))?)?", clock)
        if not found:
            raise Untold(f"time {text!r}")
        hour, minute, second, ms = (int(part or 0) for part in found.groups())
        whole = datetime(local.year, local.month, local.day, hour, minute, second, tzinfo=self.zone)
        return int(whole.timestamp()) * 1000 + ms


# The words of rules and events --------------------------------------------------------------------------------

Meaning = TypeVar("Meaning")


def _understood(words: list[tuple[str, Callable[..., Meaning]]], text: str, *about: object) -> Meaning:
    for pattern, build in words:
        if found := re.fullmatch(pattern, text):
            try:
                return build(*about, *found.groups())
            except (KeyError, IndexError, ValueError) as problem:
                raise Untold(f"{text!r}: {problem}") from problem
    raise Untold(f"{text!r}")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _name(words: str) -> str:
    return words.replace(" ", "_")


def _duration_s(count: str, unit: str) -> int:
    return int(count) * SECONDS[unit]


def _hours(stage: Stage, plan: CampaignPlan, windows: str, days: str) -> CampaignPlan:
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


def _zone(stage: Stage, plan: CampaignPlan, zone: str) -> CampaignPlan:
    stage.zone = ZoneInfo(zone)
    return replace(plan, hours=replace(plan.hours, zone=zone))


def _trunk(stage: Stage, plan: CampaignPlan, trunk: str, channels: str | None) -> CampaignPlan:
    kept = tuple(share for share in plan.trunks if share.trunk != trunk)
    return replace(plan, trunks=(*kept, TrunkShare(TrunkId(trunk), channels and int(channels))))


def _closed_day(stage: Stage, plan: CampaignPlan, day: str) -> CampaignPlan:
    return replace(plan, hours=replace(plan.hours, closed_days=plan.hours.closed_days | {_day(day)}))


def _closed_period(stage: Stage, plan: CampaignPlan, begin: str, end: str) -> CampaignPlan:
    return replace(plan, holidays=(*plan.holidays, ClosedPeriod(stage.instant(begin), stage.instant(end))))


def _retry(stage: Stage, plan: CampaignPlan, outcome: str, count: str, unit: str) -> CampaignPlan:
    delay_s = {**plan.retry.delay_s, Outcome(_name(outcome)): _duration_s(count, unit)}
    return replace(plan, retry=replace(plan.retry, delay_s=delay_s))


RULES: list[tuple[str, Callable[..., CampaignPlan]]] = [
    (r"(\d+) channels?", lambda s, p, n: replace(p, channels_max=int(n))),
    (r"on (T\d+)(?: with (\d+) channels?)?", _trunk),
    (r"no trunk", lambda s, p: replace(p, trunks=())),
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


def _starts(stage: Stage, campaign: str) -> Event:
    return CampaignStarted(stage.store.plans[CampaignId(campaign)])


def _changes(stage: Stage, campaign: str, rules: str) -> Event:
    plan = stage.store.plans[CampaignId(campaign)]
    plan = replace(plan, version=plan.version + 1)
    for rule in rules.split(";"):
        plan = stage.with_rule(plan, rule.strip())
    stage.store.plans[plan.id] = plan
    return CampaignStarted(plan)


def _gets(stage: Stage, campaign: str, who: str) -> Event:
    stage.add_contacts(CampaignId(campaign), who)
    return ContactsArrived(CampaignId(campaign))


def _granted(stage: Stage, resource: str, channels: str, cps: str | None, until: str | None) -> Event:
    return CapacityGranted(resource, int(channels), cps and float(cps), until and stage.instant(until))


def _refused(stage: Stage, number: str, refusal: str) -> Event:
    return stage.store.refuse(stage.calls[int(number) - 1], Refusal(_name(refusal)))


def _refused_again(stage: Stage, number: str, refusal: str) -> Event:
    return AttemptRefused(stage.calls[int(number) - 1], Refusal(_name(refusal)))


def _given(stage: Stage, campaign: str, who: str, next_due_at: str | None, rest: str | None) -> Event:
    names = [] if who == "nobody" else who.split(", ")
    cards = [stage.store.cards[CampaignId(campaign), stage.names[name]] for name in names]
    claimed = stage.store.claim(ClaimContacts(CampaignId(campaign), 0, False), stage.now)
    contacts = []
    for card in cards:
        card.place, card.hold = type(card.place).CLAIMED, None
        contacts.append(DueContact(card.id, card.phone, card.attempts, card.tries, card.zone))
    return ContactsClaimed(
        claimed.campaign,
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
    (r"(\w+) may have contacts due", lambda s, c: ContactsArrived(CampaignId(c))),
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
    (
        r"campaign (\w+) has (\d+) channels? on (T\d+)(?: until (.+))?",
        lambda s, c, n, t, until: _granted(s, of_share(CampaignId(c), TrunkId(t)), n, None, until),
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
