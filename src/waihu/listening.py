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
# What was killed takes some seconds to go: an API finishes the requests it has, a switch hangs up its calls.
_PREDECESSOR_S = 10.0

Place = tuple[str, socket.SocketKind]


class ChosenPorts(msgspec.Struct, kw_only=True):
    """What was free when it was first needed; kept as JSON in the data directory."""

    http: int | None = None
    sip: int | None = None
    ari: int | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """`http` is bound already, so that nobody else gets the port and requests wait while the API restarts.

    The switch binds its ports itself: `reserved` keeps them from others until it does. Without a switch of our own
    its ports are 0.
    """

    http: socket.socket
    http_address: Address
    sip_port: int
    ari_port: int
    reserved: tuple[socket.socket, ...]

    def release(self) -> None:
        """Gives the reserved ports up, for the switch to take them."""
        for one in self.reserved:
            one.close()


def listen(settings: Settings, remembered: Path) -> Listening:
    """Binds and chooses. Raises Invalid when a port that was set, or that others rely on, is taken, and when it cannot
    be known which ports these are.
    """
    chosen = _chosen_before(remembered)
    address, http = _listen_http(settings, chosen)
    sip_port, ari_port, reserved = 0, 0, list[socket.socket]()
    if settings.has_switch and settings.ari_url is None:
        control = control_address(settings.sip_address)
        # The switch's manager interface takes the TCP port of SIP's number.
        sip_places = ((settings.sip_address, _UDP), (control, _TCP))
        sip_port, reserved = _reserve_sip(settings.sip_port or chosen.sip, sip_places)
        if settings.sip_port is None:
            chosen.sip = sip_port
        # Nobody but waihu uses the ARI port: it may move.
        ari_port, more = _first_free(8088, ((control, _TCP),), preferred=chosen.ari)
        chosen.ari, reserved = ari_port, [*reserved, *more]
    _remember(chosen, remembered)
    return Listening(http, address, sip_port, ari_port, tuple(reserved))


def _chosen_before(remembered: Path) -> ChosenPorts:
    try:
        return msgspec.json.decode(remembered.read_bytes(), type=ChosenPorts)
    except FileNotFoundError:
        return ChosenPorts()
    except msgspec.DecodeError as failure:
        raise Invalid.field(
            "--data",
            f"{remembered} is damaged. Delete it, and waihu chooses its ports anew; set WAIHU_SIP_PORT to the one that "
            "carriers know.",
        ) from failure


def _remember(chosen: ChosenPorts, remembered: Path) -> None:
    # Written aside: a disk that is full must not cost the ports that carriers and clients know.
    fresh = remembered.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(chosen))
    fresh.replace(remembered)


def _listen_http(settings: Settings, chosen: ChosenPorts) -> tuple[Address, socket.socket]:
    host = "127.0.0.1"
    if settings.http is not None:
        address = settings.http
    elif chosen.http is not None:
        address = Address(host, chosen.http)
    else:
        chosen.http, (bound,) = _first_free(8080, ((host, _TCP),))
        return Address(host, chosen.http), bound
    (bound,) = _patiently("--http", "--http or WAIHU_HTTP", address.port, ((address.host, _TCP),))
    return address, bound


def _reserve_sip(port: int | None, places: tuple[Place, ...]) -> tuple[int, list[socket.socket]]:
    if port is None:
        return _first_free(5060, places)
    # Carriers know us by this port; it does not move by itself.
    return port, _patiently("WAIHU_SIP_PORT", "WAIHU_SIP_PORT", port, places)


def _first_free(
    first: int, places: tuple[Place, ...], *, preferred: int | None = None
) -> tuple[int, list[socket.socket]]:
    """The preferred port or else the first one from `first` up that can be bound at all places, bound there."""
    for port in (*(() if preferred is None else (preferred,)), *range(first, first + _TRIES)):
        bound = _bind(port, places)
        if isinstance(bound, list):
            return port, bound
    hosts = " and ".join(host for host, _ in places)
    raise Invalid.field("WAIHU_SIP_ADDRESS", f"No port from {first} up is free on {hosts}. Is it this machine's?")


def _patiently(name: str, setting: str, port: int, places: tuple[Place, ...]) -> list[socket.socket]:
    """Binds just this port, waiting for a predecessor to go. Raises Invalid about `name`."""
    deadline = time.monotonic() + _PREDECESSOR_S
    while True:
        bound = _bind(port, places)
        if isinstance(bound, list):
            return bound
        if time.monotonic() > deadline:
            raise Invalid.field(
                name,
                f"{Address(places[0][0], port)} cannot be listened on: {bound.strerror}. "
                f"End the program that has it, or choose another with {setting}.",
            )
        time.sleep(0.2)


def _bind(port: int, places: tuple[Place, ...]) -> list[socket.socket] | OSError:
    bound: list[socket.socket] = []
    try:
        for host, kind in places:
            one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
            bound.append(one)
            if kind == _TCP:
                # The remains of closed connections are no obstacle to a server.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((host, port))
            if kind == _TCP:
                # Only a port that is listened on is refused to the next who asks.
                one.listen(_BACKLOG)
    except OSError as failure:
        for one in bound:
            one.close()
        return failure
    return bound
