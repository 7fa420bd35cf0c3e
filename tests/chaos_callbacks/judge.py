"""Judges what receivers heard against what was committed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from tests.chaos_callbacks.receivers import Heard, Manner, Place


@dataclass(frozen=True, slots=True)
class Verdict:
    """`delays_s` of sound receivers, from commit to their first hearing, in ascending order."""

    faults: list[str]
    callbacks: int
    pushes: int
    repeated: int
    repeated_after_200: int
    delays_s: list[float]

    def delay_s(self, share: float) -> float:
        return self.delays_s[min(len(self.delays_s) - 1, int(len(self.delays_s) * share))]


def read_log(path: Path) -> list[Heard]:
    """A process that was killed may have left half a line behind."""
    heard = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            heard.append(msgspec.json.decode(line, type=Heard))
        except msgspec.DecodeError:
            continue
    return heard


def judge(written: Mapping[str, tuple[str, float]], heard: Sequence[Heard], places: Sequence[Place]) -> Verdict:
    """`written`: whose each callback is, and when it was committed."""
    by_host = {place.host: place for place in places}
    faults = []
    events: defaultdict[str, set[str]] = defaultdict(set)
    contents: dict[str, list[str]] = {}
    accepted: defaultdict[str, list[Heard]] = defaultdict(list)
    for one in heard:
        place = by_host[one.place]
        if not one.is_signed:
            faults.append(f"push {one.event} bears no signature of its account")
        if contents.setdefault(one.event, one.things) != one.things:
            faults.append(f"push {one.event} was repeated with other contents")
        for thing in one.things:
            events[thing].add(one.event)
            if written.get(thing, ("", 0.0))[0] != place.account:
                faults.append(f"{thing} was told to somebody else")
            if one.answer == 200:
                accepted[thing].append(one)
    faults += [f"{thing} was lost" for thing in written if thing not in accepted]
    faults += [f"{thing} was told under {len(ids)} events" for thing, ids in events.items() if len(ids) > 1]
    sound = {place.account for place in places if place.manner is Manner.SOUND}
    delays_s = sorted(
        accepted[thing][0].at - committed
        for thing, (account, committed) in written.items()
        if account in sound and thing in accepted
    )
    return Verdict(
        faults=faults,
        callbacks=len(written),
        pushes=len(contents),
        repeated=sum(len({one.at for one in ones}) > 1 for ones in _by_event(heard).values()),
        repeated_after_200=sum(sum(one.answer == 200 for one in ones) > 1 for ones in _by_event(heard).values()),
        delays_s=delays_s,
    )


def _by_event(heard: Sequence[Heard]) -> dict[str, list[Heard]]:
    found: defaultdict[str, list[Heard]] = defaultdict(list)
    for one in heard:
        found[one.event].append(one)
    return found
