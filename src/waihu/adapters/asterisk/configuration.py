"""What every Asterisk instance of ours is configured with, as text. The switch and the carrier box add their own
SIP objects and dialplan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from waihu.adapters.asterisk.runtime import AsteriskPrefix


@dataclass(frozen=True, slots=True)
class AriAccount:
    """The one user of the REST interface."""

    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSettings:
    """One instance. `files` are further configuration files by name, `pjsip.conf` and `extensions.conf` among them.

    `address` is where it talks SIP and RTP. `rtp_ports` needs two ports per call. Without `http_port` and
    `ari` there is no REST interface.
    """

    name: str
    directory: Path
    address: str
    sip_port: int
    rtp_ports: range
    modules: Sequence[str]
    files: Mapping[str, str]
    http_port: int | None = None
    ari: AriAccount | None = None

    @property
    def control_address(self) -> str:
        return control_address(self.address)

    @property
    def configuration_directory(self) -> Path:
        return self.directory / "etc"

    @property
    def run_directory(self) -> Path:
        return self.directory / "run"

    @property
    def log_directory(self) -> Path:
        return self.directory / "log"


def control_address(address: str) -> str:
    """Where an instance on `address` has its REST and manager interfaces: nobody from outside is to come there."""
    return address if address.startswith("127.") else "127.0.0.1"


# Asterisk complains about each of these when it is missing, though its defaults are what we want.
_LEFT_AT_DEFAULTS = (
    *("acl.conf", "ccss.conf", "chan_websocket.conf", "features.conf"),
    *("pjproject.conf", "stasis.conf", "udptl.conf", "websocket_client.conf"),
)


# The call progress tones of China, Hz/ms.
_INDICATIONS_CONF = """\
[general]
country = cn
[cn]
description = China
ringcadence = 1000,4000
dial = 450
busy = 450/350,0/350
ring = 450/1000,0/4000
congestion = 450/700,0/700
callwaiting = 450/400,0/4000
dialrecall = 450
record = 950/400,0/10000
info = 450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400
"""


def render(settings: InstanceSettings, prefix: AsteriskPrefix) -> dict[str, str]:
    """The contents of the configuration directory, by file name."""
    files = {
        **dict.fromkeys(_LEFT_AT_DEFAULTS, ""),
        "asterisk.conf": _asterisk_conf(settings, prefix),
        "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {m}.so\n" for m in settings.modules),
        # After a rotation by outside tools, `logger reload` opens the new file.
        "logger.conf": (
            "[general]\ndateformat = %F %T.%3q\nrotatestrategy = rotate\nqueue_log = no\n"
            "[logfiles]\nmessages = notice,warning,error\n"
        ),
        # Call records are the platform's own; Asterisk's would be written twice.
        "cdr.conf": "[general]\nenable = no\n",
        "cel.conf": "[general]\nenable = no\n",
        "manager.conf": _manager_conf(settings),
        "indications.conf": _INDICATIONS_CONF,
        "rtp.conf": (
            f"[general]\nrtpstart = {settings.rtp_ports.start}\nrtpend = {settings.rtp_ports.stop - 1}\n"
            "icesupport = no\nstrictrtp = yes\n"
        ),
        "http.conf": _http_conf(settings),
    }
    if settings.ari is not None:
        files["ari.conf"] = (
            # A client that is late by more than the default 100 ms would be cut off.
            "[general]\nenabled = yes\nwebsocket_write_timeout = 1000\n"
            f"[{settings.ari.user}]\ntype = user\nread_only = no\n"
            f"password = {settings.ari.password}\npassword_format = plain\n"
        )
    return {**files, **settings.files}


def _asterisk_conf(settings: InstanceSettings, prefix: AsteriskPrefix) -> str:
    own = settings.directory
    return (
        "[directories]\n"
        f"astetcdir = {settings.configuration_directory}\n"
        f"astmoddir = {prefix.modules_directory}\n"
        f"astdatadir = {prefix.data_directory}\n"
        f"astvarlibdir = {own}/lib\n"
        f"astdbdir = {own}/lib\n"
        f"astkeydir = {own}/lib\n"
        f"astagidir = {own}/lib\n"
        f"astspooldir = {own}/spool\n"
        f"astrundir = {settings.run_directory}\n"
        f"astlogdir = {settings.log_directory}\n"
        "[options]\n"
        f"systemname = {settings.name}\n"
        "transmit_silence = yes\n"
        "hideconnect = yes\n"
        "dontwarn = yes\n"
        "nocolor = yes\n"
        "maxfiles = 65536\n"
    )


def _manager_conf(settings: InstanceSettings) -> str:
    """The manager interface over HTTP only: registrations can be seen nowhere else."""
    if settings.ari is None:
        return "[general]\nenabled = no\n"
    # Its own listener cannot be switched off, so it is put where nobody from outside comes, on a TCP port
    # whose number is ours anyway: SIP uses the UDP one.
    return (
        "[general]\nenabled = yes\nwebenabled = yes\n"
        f"bindaddr = {settings.control_address}\nport = {settings.sip_port}\n"
        f"[{settings.ari.user}]\nsecret = {settings.ari.password}\nread = none\nwrite = system\n"
    )


def _http_conf(settings: InstanceSettings) -> str:
    if settings.http_port is None:
        return "[general]\nenabled = no\n"
    return (
        f"[general]\nenabled = yes\nbindaddr = {settings.control_address}\nbindport = {settings.http_port}\n"
        # Every keep-alive connection and every WebSocket counts as a session, and the default is 100.
        "sessionlimit = 2000\nsession_keep_alive = 60000\nsession_inactivity = 60000\n"
    )
