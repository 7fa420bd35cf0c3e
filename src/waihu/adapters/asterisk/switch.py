"""The platform's own Asterisk: trunks are given to it at run time, calls wait in its dialplan for the platform.

Counterparts: `carrier.py` talks to it, `carrier_box.py` is the network on the other side of a trunk.
"""

from dataclasses import dataclass
from pathlib import Path

from waihu.adapters.asterisk.configuration import AriAccount, InstanceSettings
from waihu.adapters.asterisk.instance import AsteriskInstance
from waihu.adapters.asterisk.modules import SWITCH_MODULES
from waihu.adapters.asterisk.runtime import AsteriskPrefix

DIALPLAN_CONTEXT = "waihu"
ANSWERED_EXTENSION = "answered"
RECORDING_VARIABLE = "WAIHU_RECORDING"
APPLICATION_VARIABLE = "WAIHU_APP"

CALL_LENGTH_MAX_S = 7200

TRANSPORT = "udp"
INBOUND_CONTEXT = "from-trunk"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSettings:
    """Where the switch lives and listens; everything else about it is ours to decide."""

    directory: Path
    address: str = "127.0.0.1"
    sip_port: int = 5060
    http_port: int = 8088
    rtp_ports: range = range(20000, 30000)
    ari: AriAccount


def switch_instance(prefix: AsteriskPrefix, settings: SwitchSettings) -> AsteriskInstance:
    """The switch, not started yet."""
    return AsteriskInstance(prefix, switch_configuration(settings))


def switch_configuration(settings: SwitchSettings) -> InstanceSettings:
    return InstanceSettings(
        name="waihu-switch",
        directory=settings.directory,
        address=settings.address,
        sip_port=settings.sip_port,
        rtp_ports=settings.rtp_ports,
        modules=SWITCH_MODULES,
        http_port=settings.http_port,
        ari=settings.ari,
        files={
            "pjsip.conf": _pjsip_conf(settings),
            "sorcery.conf": _SORCERY_CONF,
            "extensions.conf": _EXTENSIONS_CONF,
        },
    )


def _pjsip_conf(settings: SwitchSettings) -> str:
    return (
        # A far end that ignores us is given up after `timer_b` ms. TCP is not offered, so a large INVITE must
        # not switch to it. A new trunk is asked at once: by default the first OPTIONS waits up to a whole interval.
        "[system]\ntype = system\ndisable_tcp_switch = yes\ntimer_t1 = 500\ntimer_b = 32000\n"
        "[global]\ntype = global\nuser_agent = waihu\nmax_initial_qualify_time = 1\n"
        f"[{TRANSPORT}]\ntype = transport\nprotocol = udp\nbind = {settings.address}:{settings.sip_port}\n"
    )


# Trunks are pushed over ARI and live in memory: the platform's database is their only home.
_SORCERY_CONF = """\
[res_pjsip]
endpoint = memory
aor = memory
auth = memory
contact = memory
[res_pjsip_endpoint_identifier_ip]
identify = memory
[res_pjsip_outbound_registration]
registration = memory
"""

_EXTENSIONS_CONF = f"""\
[general]
static = yes
writeprotect = yes

; An answered call is recorded, both directions in one file, and handed to the platform. If nobody is left there to
; end it, the switch does.
[{DIALPLAN_CONTEXT}]
exten = {ANSWERED_EXTENSION},1,Set(TIMEOUT(absolute)={CALL_LENGTH_MAX_S})
 same = n,MixMonitor(${{{RECORDING_VARIABLE}}})
 same = n,Stasis(${{{APPLICATION_VARIABLE}}})
 same = n,Hangup()

; Calls that a trunk brings in are not taken.
[{INBOUND_CONTEXT}]
exten = _[+0-9].,1,Hangup(21)
"""
