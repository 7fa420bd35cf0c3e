"""How much processor time each part of waihu used, from /proc."""

import os
from collections import defaultdict
from pathlib import Path

from waihu.demo.stage import children_of

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s_by_part(supervisor: int) -> defaultdict[str, float]:
    """Seconds of each part of a waihu since its start: engine, api, database, switch, supervisor."""
    used: defaultdict[str, float] = defaultdict(float)
    for pid, command in {**children_of(supervisor), supervisor: "supervisor"}.items():
        used[_part(command)] += cpu_s(pid, with_ended_children="postgres" in command)
    return used


def _part(command: str) -> str:
    for mark, part in (("postgres", "database"), ("asterisk", "switch"), (" _api ", "api"), (" _engine ", "engine")):
        if mark in command:
            return part
    return "supervisor"


def cpu_s(pid: int, *, with_ended_children: bool = False) -> float:
    """Seconds of one process; none for one that has just ended."""
    try:
        fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime and stime, then those of children that were waited for.
    return sum(int(field) for field in fields[11 : 15 if with_ended_children else 13]) / _TICKS_PER_S
