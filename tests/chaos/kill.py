"""Kills one part of the waihu on a stage with SIGKILL, by pid, and only processes that this waihu started."""

import os
import random
import signal

from waihu.demo.stage import Stage, children_of

PARTS = ("engine", "api", "database", "switch")


async def kill_part(stage: Stage, part: str) -> bool:
    """False when the part is not there at this moment: it is being restarted."""
    pids = [pid for pid, command in children_of(stage.pid).items() if _is(part, command)]
    if not pids:
        return False
    os.kill(random.choice(pids), signal.SIGKILL)
    return True


def _is(part: str, command: str) -> bool:
    match part:
        case "engine":
            return " _engine " in f" {command} "
        case "api":
            return " _api " in f" {command} "
        case "database":
            # The postmaster alone: its backends have other titles.
            return "/bin/postgres " in f"{command} " and " -D " in command
        case _:
            return "asterisk" in command and " -f" in command
