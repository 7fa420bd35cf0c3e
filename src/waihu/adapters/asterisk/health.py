"""How the switch is, for `/health` and `waihu doctor`."""

import re

import msgspec

from waihu.adapters.asterisk.ari import Ari, AriRefused, AriUnreachable
from waihu.application.health import Finding

_DOWN = "`waihu up` starts it again by itself; its log is switch/log/messages. With WAIHU_ARI_URL it is yours to start."


class _System(msgspec.Struct):
    version: str


class _Info(msgspec.Struct):
    system: _System


async def look_at_switch(ari: Ari) -> Finding:
    """Whether the switch answers. `ari` is an open connection."""
    try:
        info = msgspec.json.decode(await ari.request("GET", "asterisk", "info"), type=_Info)
    except AriRefused as refusal:
        return Finding(
            "switch", False, f"It refuses us ({refusal.status}).", "Check user and password in WAIHU_ARI_URL."
        )
    except AriUnreachable as failure:
        return Finding("switch", False, f"It does not answer: {failure}", _DOWN)
    # Debian appends what it packed.
    version = re.split("[+~]", info.system.version)[0]
    return Finding("switch", True, f"Asterisk {version}")
