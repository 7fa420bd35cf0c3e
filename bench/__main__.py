"""Runs benchmarks: python -m bench [NAME…] [--wait-min 10] [--anyway]. Without a name, all of them."""

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import machine, report
from bench.figures import Result

NAMES = ("path", "fill", "refill", "core", "store", "import", "list", "records")

# `import` and `list` are words of Python.
_MODULES = {"import": "bench.imports", "list": "bench.lists"}
_DIRECTORY = Path("var/bench")
_LOOK_EVERY_S = 15


def main() -> int:
    given = _arguments()
    load_start = machine.load1() if given.anyway else _wait_for_quiet(given.wait_min)
    if load_start > machine.LOAD_MAX and not given.anyway:
        print(f"The load is {load_start:.2f}: others use this machine, and no figure would mean anything.")
        print(f"Wait until it is below {machine.LOAD_MAX:g} (--wait-min), or run all the same with --anyway.")
        return 1
    missed = 0
    for name in given.names or NAMES:
        missed += _run(name, given.keep)
    if given.keep:
        report.summarise(list(NAMES))
        print(f"\nwritten to {report.DIRECTORY}")
    return 1 if missed else 0


def _run(name: str, keep: bool) -> int:
    """Runs one benchmark and shows it; answers how many targets it missed."""
    run: Callable[[Path], Coroutine[Any, Any, Result]] = import_module(_MODULES.get(name, f"bench.{name}")).run
    began, load_start, others = time.monotonic(), machine.load1(), machine.CpuOfOthers()
    taken_at, commit = datetime.now(UTC), machine.commit()
    if load_start > machine.LOAD_MAX:
        print(f"!! load is {load_start:.2f} at the start of {name}, part of it may be the benchmark before")
    print(f"\n… {name}", flush=True)
    directory = _DIRECTORY / name
    shutil.rmtree(directory, ignore_errors=True)
    result = asyncio.run(run(directory))
    # After a failure it stays, with the logs of all parts.
    shutil.rmtree(directory, ignore_errors=True)
    conditions = {
        "taken_at": f"{taken_at:%Y-%m-%d %H:%M} UTC",
        "took_s": round(time.monotonic() - began),
        # Somebody may have worked on the files meanwhile: then it is not sure what was measured.
        "commit": commit if machine.commit() == commit else f"{commit} (changed during the run)",
        "machine": machine.describe(),
        "load": {"start": load_start, "end": machine.load1(), "cpu_of_others": round(others.share(), 4)},
    }
    document = report.document_of(name, result, conditions)
    if keep:
        report.write(document)
    print(report.render(document), flush=True)
    return sum(figure.is_met is False for figure in result.figures)


def _wait_for_quiet(minutes: float) -> float:
    deadline = time.monotonic() + minutes * 60
    while (load := machine.load1()) > machine.LOAD_MAX and time.monotonic() < deadline:
        print(f"load {load:.2f}, waiting for a quiet machine …", flush=True)
        time.sleep(_LOOK_EVERY_S)
    return load


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The published figures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all without any")
    parser.add_argument("--wait-min", type=float, default=5, help="how long to wait for a quiet machine")
    parser.add_argument("--anyway", action="store_true", help="run on a busy machine; the load is in the result")
    parser.add_argument("--no-keep", dest="keep", action="store_false", help="show the figures, write nothing")
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    return given


if __name__ == "__main__":
    sys.exit(main())
