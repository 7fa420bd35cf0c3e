"""A carrier in a box: a second Asterisk that plays the public telephone network towards our switch.

Whom a call meets is in the dialled number (`carrier_behaviour.py`); every call is logged (`carrier_log.py`).
Run it alone with `python -m waihu.adapters.asterisk.carrier_box --directory DIRECTORY`.
"""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from waihu.adapters.asterisk.carrier_log import CarrierCall, read_carrier_log
from waihu.adapters.asterisk.carrier_sounds import make_sounds
from waihu.adapters.asterisk.configuration import InstanceSettings
from waihu.adapters.asterisk.instance import AsteriskInstance
from waihu.adapters.asterisk.modules import CARRIER_BOX_MODULES
from waihu.adapters.asterisk.runtime import AsteriskPrefix, obtain_asterisk
from waihu.adapters.asterisk.serving import say, serve

_CONTEXT = "network"
_EXTENSIONS = Path(__file__).with_name("carrier_box.extensions.conf")


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierBoxSettings:
    """Above `channels_max` calls at once or `calls_per_s_max` in any second the box answers 503; 0 is no limit.

    `accounts` are user names with passwords: if there are any, calls and registrations need one of them;
    otherwise everybody may call.
    """

    directory: Path
    address: str = "127.0.0.1"
    sip_port: int = 5070
    rtp_ports: range = range(30000, 40000)
    channels_max: int = 0
    calls_per_s_max: int = 0
    accounts: Mapping[str, str] = field(default_factory=dict)


class CarrierBox:
    """The box as a running thing. The log of an earlier run in the same directory is continued."""

    def __init__(self, prefix: AsteriskPrefix, settings: CarrierBoxSettings) -> None:
        self.settings = settings
        self.instance = AsteriskInstance(prefix, _configuration(settings))

    async def start(self) -> None:
        """Raises PortTaken or AsteriskFailed."""
        make_sounds(_sounds(self.settings))
        await self.instance.start()

    async def stop(self) -> None:
        """Ends all calls, each with its line in the log."""
        await self.instance.stop()

    def calls(self) -> list[CarrierCall]:
        """Every call the box has seen."""
        return read_carrier_log(_log(self.settings))


def _configuration(settings: CarrierBoxSettings) -> InstanceSettings:
    return InstanceSettings(
        name="carrier-box",
        directory=settings.directory,
        address=settings.address,
        sip_port=settings.sip_port,
        rtp_ports=settings.rtp_ports,
        modules=CARRIER_BOX_MODULES,
        files={"pjsip.conf": _pjsip_conf(settings), "extensions.conf": _extensions_conf(settings)},
    )


def _pjsip_conf(settings: CarrierBoxSettings) -> str:
    names = ",".join(settings.accounts)
    parts = [
        "[system]\ntype = system\ndisable_tcp_switch = yes\n",
        "[global]\ntype = global\nuser_agent = carrier-box\n",
        f"[udp]\ntype = transport\nprotocol = udp\nbind = {settings.address}:{settings.sip_port}\n",
        # Everybody is the same to the box; a caller may have to prove that he has one of the accounts.
        f"[anonymous]\ntype = endpoint\ncontext = {_CONTEXT}\ntransport = udp\ndisallow = all\nallow = alaw,ulaw\n"
        # Like most carriers it ends a call whose audio has stopped: the other switch may be no more.
        "direct_media = no\ntimers = no\nsend_connected_line = no\ndtmf_mode = rfc4733\nrtp_timeout = 20\n",
        f"auth = {names}\naors = {names}\n" if names else "",
    ]
    for user, password in settings.accounts.items():
        parts += [
            f"[{user}]\ntype = auth\nauth_type = digest\nusername = {user}\npassword = {password}\n",
            f"[{user}]\ntype = aor\nmax_contacts = 10\n",
        ]
    return "".join(parts)


def _extensions_conf(settings: CarrierBoxSettings) -> str:
    return (
        f"[globals]\nLOG = {_log(settings)}\nSOUNDS = {_sounds(settings)}\n"
        f"CHANNELS_MAX = {settings.channels_max}\nCALLS_PER_S_MAX = {settings.calls_per_s_max}\n\n"
        + _EXTENSIONS.read_text()
    )


def _log(settings: CarrierBoxSettings) -> Path:
    return settings.directory / "calls.log"


def _sounds(settings: CarrierBoxSettings) -> Path:
    return settings.directory / "sounds"


async def _run(settings: CarrierBoxSettings, prefix: AsteriskPrefix) -> None:
    box = CarrierBox(prefix, settings)
    standing = f"The carrier box listens on {settings.address}:{settings.sip_port}, its log is {_log(settings)}"
    await serve(box.instance, box.start, standing)


def _parse_arguments() -> CarrierBoxSettings:
    defaults = CarrierBoxSettings(directory=Path())
    parser = argparse.ArgumentParser(description="A second Asterisk that plays the telephone network.")
    parser.add_argument("--directory", type=Path, required=True, help="where it keeps its files and its log")
    parser.add_argument("--address", default=defaults.address)
    parser.add_argument("--sip-port", type=int, default=defaults.sip_port)
    parser.add_argument("--channels-max", type=int, default=0, help="503 above this many calls at once")
    parser.add_argument("--calls-per-s-max", type=int, default=0, help="503 above this many calls in a second")
    given = vars(parser.parse_args())
    return CarrierBoxSettings(**{**given, "directory": given["directory"].absolute()})


if __name__ == "__main__":
    chosen = _parse_arguments()
    asyncio.run(_run(chosen, obtain_asterisk(say)))
