"""The campaign file: what `waihu simulate FILE` forecasts, in TOML. `examples/campaign.toml` explains every key."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from waihu.domain.campaign import CampaignPlan, RetryPolicy, TrunkShare
from waihu.domain.errors import Invalid
from waihu.domain.hours import CallingHours, Window
from waihu.domain.ids import AccountId, CampaignId, Instant, TrunkId
from waihu.domain.outcome import Outcome
from waihu.simulator.people import Population

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
CONTACTS_MAX = 1_000_000

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SimulatedTrunk:
    id: TrunkId
    channels: int
    cps: float


@dataclass(frozen=True, slots=True)
class SimulatedCampaign:
    """A campaign, how many people it calls from `begin` on, over which trunks, and who these people are."""

    plan: CampaignPlan
    contacts: int
    begin: Instant
    trunks: tuple[SimulatedTrunk, ...]
    people: Population


def read_campaign_file(path: Path) -> SimulatedCampaign:
    """Raises Invalid, naming the key and what it should be."""
    try:
        document = tomllib.loads(path.read_text())
    except OSError as failure:
        raise Invalid.field("FILE", f"{path} cannot be read: {failure.strerror}") from failure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
        raise Invalid.field("FILE", f"{path} is not TOML: {failure}") from failure
    return _campaign(_Reader(document, ""))


class _Reader:
    """Takes values out of a table by key and type, and complains about what is left over."""

    def __init__(self, table: Table, name: str) -> None:
        self._table = dict(table)
        self._name = name

    def number(self, key: str, default: float | None = None, *, least: float = 0) -> float:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < inf:
            raise self.wrong(key, f"must be a number of at least {least:g}")
        return value

    def whole(self, key: str, default: int | None = None, *, least: int = 0, most: int | None = None) -> int:
        value = self.number(key, default, least=least)
        if not isinstance(value, int) or (most is not None and value > most):
            raise self.wrong(key, f"must be a whole number of at least {least}" + (f", at most {most}" if most else ""))
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "must be a text")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def table(self, key: str, default: Table | None = None) -> "_Reader":
        value = self._take(key, default)
        if not isinstance(value, Mapping):
            raise self.wrong(key, "must be a table")
        return _Reader(value, f"{self._name}{key}.")

    def tables(self, key: str) -> list["_Reader"]:
        value = self._take(key, None)
        if not isinstance(value, list) or not value or not all(isinstance(each, Mapping) for each in value):
            raise self.wrong(key, f"must be given once or more, as [[{key}]]")
        return [_Reader(each, f"{self._name}{key}[{place}].") for place, each in enumerate(value)]

    def texts(self, key: str) -> list[str]:
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, "must be a list of texts")
        return value

    def by_outcome(self, key: str, default: Mapping[Outcome, float]) -> dict[Outcome, float]:
        """A table of numbers whose keys are outcomes."""
        if key not in self._table:
            return dict(default)
        reader = self.table(key)
        found = {}
        for name in list(reader._table):
            try:
                outcome = Outcome(name)
            except ValueError:
                known = ", ".join(Outcome)
                raise reader.wrong(name, f"is no outcome; known are {known}") from None
            found[outcome] = reader.number(name)
        return found

    def range(self, key: str, default: tuple[float, float]) -> tuple[float, float]:
        value = self._take(key, list(default))
        if not isinstance(value, list) or len(value) != 2 or not 0 <= value[0] <= value[1] < inf:
            raise self.wrong(key, "must be [least, most] in seconds")
        return float(value[0]), float(value[1])

    def has(self, key: str) -> bool:
        return key in self._table

    def wrong(self, key: str, problem: str) -> Invalid:
        return Invalid.field(f"{self._name}{key}", problem)

    def done(self) -> None:
        for key in self._table:
            raise self.wrong(key, "is not known here; is it misspelt?")

    def _take(self, key: str, default: Any) -> Any:
        if key not in self._table and default is None:
            raise self.wrong(key, "is missing")
        return self._table.pop(key, default)


def _campaign(document: _Reader) -> SimulatedCampaign:
    given = document.table("campaign")
    trunks = tuple(_trunk(each) for each in document.tables("trunk"))
    people = _people(document.table("people", {}))
    document.done()
    zone = given.text("zone", "Asia/Shanghai")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise given.wrong("zone", f"{zone} is no time zone; for example Asia/Shanghai") from None
    begin = _instant(given, "start", zone)
    plan = CampaignPlan(
        id=CampaignId("forecast"),
        account=AccountId("forecast"),
        hours=_hours(given, zone),
        start_at=begin,
        stop_at=_instant(given, "stop", zone) if given.has("stop") else None,
        trunks=tuple(TrunkShare(trunk.id) for trunk in trunks),
        channels_max=given.whole("channels", least=1),
        pause_s=given.whole("pause_s", 0),
        retry=_retry(given.table("retry", {})),
        daily_cap=given.whole("daily_cap", least=1) if given.has("daily_cap") else None,
        ring_timeout_s=given.whole("ring_timeout_s", 60, least=5),
    )
    if plan.stop_at is not None and plan.stop_at <= begin:
        raise given.wrong("stop", "must be later than start")
    contacts = given.whole("contacts", least=1, most=CONTACTS_MAX)
    given.done()
    return SimulatedCampaign(plan, contacts, begin, trunks, people)


def _trunk(given: _Reader) -> SimulatedTrunk:
    trunk = SimulatedTrunk(
        TrunkId(given.text("name")), given.whole("channels", least=1), given.number("cps", least=0.01)
    )
    given.done()
    return trunk


def _hours(given: _Reader, zone: str) -> CallingHours:
    if not given.has("hours"):
        return CallingHours.always(zone)
    days = given.table("hours")
    week = tuple(tuple(_window(days, day, each) for each in days.texts(day)) for day in WEEKDAYS)
    days.done()
    if not any(week):
        raise given.wrong("hours", "has no window on any day")
    return CallingHours(week, zone)


def _window(days: _Reader, day: str, text: str) -> Window:
    try:
        begin, end = (_minutes(part) for part in text.split("-"))
        return Window(begin, end)
    except ValueError:
        raise days.wrong(day, f"{text} is no window; write HH:MM-HH:MM, the end after the begin") from None


def _minutes(text: str) -> int:
    hours, minutes = text.strip().split(":")
    if not 0 <= int(minutes) < 60:
        raise ValueError(text)
    return int(hours) * 60 + int(minutes)


def _retry(given: _Reader) -> RetryPolicy:
    policy = RetryPolicy(
        delay_s={outcome: round(minutes * 60) for outcome, minutes in given.by_outcome("delay_min", {}).items()},
        retries_max=given.whole("max", 0),
        new_first=given.flag("new_first", False),
    )
    given.done()
    return policy


def _people(given: _Reader) -> Population:
    usual = Population()
    try:
        people = Population(
            answer=given.number("answer", usual.answer),
            spread=given.number("spread", usual.spread),
            dead=given.by_outcome("dead", usual.dead),
            otherwise=given.by_outcome("otherwise", usual.otherwise),
            ring_s=given.range("ring_s", usual.ring_s),
            talk_mean_s=given.number("talk_mean_s", usual.talk_mean_s),
        )
    except ValueError as wrong:
        raise Invalid.field("people", str(wrong)) from wrong
    given.done()
    return people


def _instant(given: _Reader, key: str, zone: str) -> Instant:
    text = given.text(key)
    try:
        local = datetime.strptime(text, "%Y-%m-%d %H:%M")
    except ValueError:
        raise given.wrong(key, f"{text} is no time; write YYYY-MM-DD HH:MM") from None
    return int(local.replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000
