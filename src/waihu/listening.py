"""Which ports waihu listens on: those that were set, else those it chose the first time, which stay the same."""

import socket
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from waihu.adapters.asterisk.configuration import control_address
from waihu.domain.errors import Invalid
from waihu.settings import Address, Settings

_TCP = socket.SOCK_STREAM
_UDP = socket.SOCK_DGRAM
_TRIES = 1000
_BACKLOG = 2048
# A predecessor that was killed leaves its API for some seconds, which finishes the requests it has.
_PREDECESSOR_S = 10.0


class ChosenPorts(msgspec.Struct, kw_only=True):
    """What was free when it was first needed; kept as JSON in the data directory."""

    http: int | None = None
    sip: int | None = None
    ari: int | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """`http` is bound already, so that nobody else gets the port and requests wait while the API restarts."""

    http: socket.socket
    http_address: Address
    sip_port: int
    ari_port: int


def listen(settings: Settings, remembered: Path) -> Listening:
    """Binds and chooses. Raises Invalid when a port that was set, or that others rely on, is taken."""
    chosen = msgspec.json.decode(remembered.read_bytes(), type=ChosenPorts) if remembered.exists() else ChosenPorts()

    control = control_address(settings.sip_address)

    if settings.http is not None:
        http, address = _bound(settings.http), settings.http
    else:
        host = "127.0.0.1"
        chosen.http = chosen.http or _first_free(8080, (host, _TCP))
        address = Address(host, chosen.http)
        http = _bound(address)

    if settings.sip_port is None:
        # Carriers know us by this port; once chosen it does not move by itself. The switch's manager interface
        # takes the TCP port of the same number.
        chosen.sip = chosen.sip or _first_free(5060, (settings.sip_address, _UDP), (control, _TCP))
    # Nobody but waihu uses the ARI port: it may move.
    if chosen.ari is None or not _is_free(control, chosen.ari, _TCP):
        chosen.ari = _first_free(8088, (control, _TCP))

    remembered.write_bytes(msgspec.json.encode(chosen))
    sip_port = settings.sip_port or chosen.sip
    assert sip_port is not None
    return Listening(http, address, sip_port, chosen.ari)


def _bound(address: Address) -> socket.socket:
    deadline = time.monotonic() + _PREDECESSOR_S
    while True:
        try:
            family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
            return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
        except OSError as failure:
            if time.monotonic() > deadline:
                raise Invalid.field(
                    "--http",
                    f"{address} cannot be listened on: {failure.strerror}. "
                    "End the program that has it, or choose another address with --http or WAIHU_HTTP.",
                ) from failure
        time.sleep(0.2)


def _first_free(first: int, *places: tuple[str, socket.SocketKind]) -> int:
    """The first port from `first` up that is free at all `places`, each a host and a kind."""
    for port in range(first, first + _TRIES):
        if all(_is_free(host, port, kind) for host, kind in places):
            return port
    hosts = " and ".join(host for host, _ in places)
    raise Invalid.field("WAIHU_SIP_ADDRESS", f"No port from {first} up is free on {hosts}. Is it this machine's?")


def _is_free(host: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        if kind == _TCP:
            # The remains of closed connections are no obstacle to a server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
