"""The stage on which stories are played: the core, with a store and a switch that do what the story says."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from paper_store import Card, PaperStore
from story import Line, Story, Untold, day_of
from story_words import event_of, with_rule

from waihu.dialing.commands import CheckCall, ClaimContacts, Command, HangUp, PlaceCall
from waihu.dialing.dialer import Dialer
from waihu.dialing.events import (
    CapacityGranted,
    Event,
    TimePassed,
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
from waihu.domain.campaign import CampaignPlan, EndAction, Phase
from waihu.domain.hold import Hold
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, TrunkId

PHASES = {
    Phase.DIALING: "is dialing",
    Phase.WAITING_HOURS: "waits for its hours",
    Phase.WAITING_RETRY: "waits for the next contact due",
    Phase.WAITING_CAPACITY: "waits for capacity",
    Phase.DRAINING: "lets its calls end",
    None: "is quiet",
}

Renew = Callable[[Dialer], Dialer]


def play(story: Story, renew: Renew = lambda dialer: dialer) -> list[Line]:
    """What happens. `renew` may put another core in the place of the one that has lived so far, before each event."""
    stage = Stage(renew)
    for given in story.given:
        text = " ".join(part.strip() for part in given.splitlines())
        if text.startswith("on "):
            stage.day = day_of(text.removeprefix("on "))
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
        if text == "claims are told":
            self.claims_are_told = True
        elif text == "deadlines are told":
            self.deadlines_are_told = True
        elif found := re.fullmatch(r"trunk (T\d+): (\d+) channels?(?:; (.+) calls? a second)?", text):
            trunk, channels, cps = found.groups()
            self.before.append(CapacityGranted(of_trunk(TrunkId(trunk)), int(channels), cps and float(cps)))
        elif found := re.fullmatch(r"campaign (\w+): (.+)", text):
            campaign = CampaignId(found[1])
            plan = CampaignPlan(id=campaign, account=AccountId("account"), channels_max=0)
            for rule in found[2].split(";"):
                plan = with_rule(self, plan, rule.strip())
            self.store.plans[campaign] = plan
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
        decided = self.tell(event_of(self, said))
        if said == "time passes" and decided and not woken:
            raise Untold(f"{clock}  the core did not ask to be woken, yet decides {decided}")
        self.note(said, decided, always=True)

    def note(self, said: str, decided: list[str], always: bool = False) -> None:
        if decided or always:
            local = datetime.fromtimestamp(self.now / 1000, self.zone)
            self.lines.append(Line(local.date(), self.clock(local, seconds=True), said, tuple(decided)))

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
        local = self.day if not day else self.day + timedelta(days=1) if day == "tomorrow" else day_of(day)
        found = re.fullmatch(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{3}))?)?", clock)
        if not found:
            raise Untold(f"time {text!r}")
        hour, minute, second, ms = (int(part or 0) for part in found.groups())
        whole = datetime(local.year, local.month, local.day, hour, minute, second, tzinfo=self.zone)
        return int(whole.timestamp()) * 1000 + ms


def _words(name: str) -> str:
    return name.replace("_", " ")
