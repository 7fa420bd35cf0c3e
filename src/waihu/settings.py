"""What the operator decides, read once: from the environment, and from the command line, which wins.

Only two further variables exist, beside the adapters they belong to: WAIHU_ASTERISK_PREFIX and WAIHU_POSTGRES_BIN say
where programs are.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from waihu.domain.errors import Invalid

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a TCP server listens; an IPv6 `host` is kept without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can set. None stands for: waihu chooses, and remembers it in the data directory."""

    data: Path
    """Where everything lives that has to outlast a restart."""
    http: Address | None = None
    """WAIHU_HTTP or --http: where the API listens."""
    database_url: str | None = None
    """WAIHU_DATABASE_URL: a PostgreSQL of your own; None is the embedded one."""
    engines: int = 1
    """--engines: dialing processes on the one database; each takes its share of every trunk."""
    has_switch: bool = True
    """False by --no-switch: nothing can be called."""
    ari_url: str | None = None
    """WAIHU_ARI_URL: an Asterisk of your own, user and password in the URL; None is the one that waihu runs."""
    sip_address: str = _LOOPBACK
    """WAIHU_SIP_ADDRESS: the address of this machine that carriers talk to."""
    sip_port: int | None = None
    """WAIHU_SIP_PORT."""
    rtp_ports: range = range(20000, 30000)
    """WAIHU_RTP_PORTS, as in 20000-29999: UDP ports for audio, two per call."""
    token_key: Path | None = None
    """WAIHU_TOKEN_KEY: the PEM file with the private key that signs tokens; None is one in the data directory."""
    public_url: str | None = None
    """WAIHU_PUBLIC_URL: how others reach the API, for links in callbacks; None is the address it listens on."""
    callback_allow: tuple[str, ...] = ()
    """WAIHU_CALLBACK_ALLOW: networks inside your own that callbacks may be sent to; public ones always may."""


def read_settings(
    environment: Mapping[str, str],
    *,
    data: Path | None = None,
    http: str | None = None,
    no_switch: bool = False,
    engines: int = 1,
) -> Settings:
    """The settings, options over `environment`. Raises Invalid, naming the variable or option and the fix."""
    given = {name: value for name, value in environment.items() if name.startswith("WAIHU_") and value}
    chosen = Settings(
        data=(data or Path(given.get("WAIHU_DATA", "~/.local/share/waihu"))).expanduser().absolute(),
        http=_http(given, http),
        database_url=_url(
            given, "WAIHU_DATABASE_URL", ("postgresql", "postgres"), "postgresql://user:password@host:5432/waihu"
        ),
        has_switch=not no_switch,
        engines=engines,
        ari_url=_url(given, "WAIHU_ARI_URL", ("http",), "http://user:password@host:8088"),
        sip_address=_sip_address(given),
        sip_port=_port("WAIHU_SIP_PORT", given["WAIHU_SIP_PORT"]) if "WAIHU_SIP_PORT" in given else None,
        rtp_ports=_rtp_ports(given),
        token_key=Path(given["WAIHU_TOKEN_KEY"]).expanduser().absolute() if "WAIHU_TOKEN_KEY" in given else None,
        public_url=_url(given, "WAIHU_PUBLIC_URL", ("http", "https"), "https://calls.example.com"),
        callback_allow=_networks(given, "WAIHU_CALLBACK_ALLOW"),
    )
    if no_switch and chosen.ari_url:
        raise Invalid.field("--no-switch", "WAIHU_ARI_URL names a switch. Unset it, or leave the option out.")
    return chosen


def parse_address(name: str, text: str, *, port: int | None = None) -> Address:
    """`host:port`, `[v6]:port`, and with a default `port` also the host alone. Raises Invalid about `name`."""
    parts = urlsplit(f"//{text}")
    try:
        found = parts.port or port
    except ValueError:
        found = None
    if not parts.hostname or found is None or parts.path or parts.username:
        raise Invalid.field(name, f"“{text}” is no address. Write HOST:PORT, as in 127.0.0.1:8080.")
    return Address(parts.hostname, found)


def _http(given: Mapping[str, str], option: str | None) -> Address | None:
    if option is not None:
        return parse_address("--http", option)
    return parse_address("WAIHU_HTTP", given["WAIHU_HTTP"]) if "WAIHU_HTTP" in given else None


def _url(given: Mapping[str, str], name: str, schemes: tuple[str, ...], example: str) -> str | None:
    url = given.get(name)
    if url is None:
        return None
    parts = urlsplit(url)
    # The value may hold a password: the message shows the form and not what was given.
    if parts.scheme not in schemes or not parts.hostname:
        raise Invalid.field(name, f"This is no {schemes[0]} URL. Write it as in {example}.")
    return url


def _sip_address(given: Mapping[str, str]) -> str:
    text = given.get("WAIHU_SIP_ADDRESS", _LOOPBACK)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise Invalid.field(
            "WAIHU_SIP_ADDRESS", f"“{text}” is no IP address. Write one that this machine has."
        ) from None


def _port(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Invalid.field(name, f"“{text}” is no port. Write a number from 1 to 65535.")
    return int(text)


def _rtp_ports(given: Mapping[str, str]) -> range:
    name = "WAIHU_RTP_PORTS"
    if name not in given:
        return range(20000, 30000)
    first, _, last = given[name].partition("-")
    ports = range(_port(name, first.strip()), _port(name, last.strip()) + 1)
    if len(ports) < 2:
        raise Invalid.field(name, "A call needs two ports. Write a span, as in 20000-29999.")
    return ports


def _networks(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = []
    for text in filter(None, (part.strip() for part in given.get(name, "").split(","))):
        try:
            found.append(str(ipaddress.ip_network(text)))
        except ValueError:
            raise Invalid.field(name, f"“{text}” is no network. Write it as in 10.0.0.0/8,192.168.1.7.") from None
    return tuple(found)
