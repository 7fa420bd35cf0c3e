"""Which addresses callbacks may go to (`ports/receiver.py`): public ones, and networks that the operator allows. A URL
that a tenant chose must not reach our own networks.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

_NAT64 = ip_network("64:ff9b::/96")
_INTERNAL = "an internal address"
_LOOKUP_S = 3


class Forbidden(OSError):
    """The name is that of an address which may not be posted to."""

    def __init__(self) -> None:
        super().__init__(_INTERNAL)


class Addresses:
    """`allow`: networks of our own that may be posted to all the same, as in `10.0.0.0/8`."""

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._allow = [ip_network(network) for network in allow]

    async def problem(self, url: str) -> str | None:
        if found := self.evident_problem(url):
            return found
        parts = urlsplit(url)
        try:
            port = parts.port or 0
        except ValueError:
            return "not a URL"
        try:
            async with asyncio.timeout(_LOOKUP_S):
                await PermittedOnly(self).resolve(parts.hostname or "", port)
        except Forbidden as forbidden:
            return str(forbidden)
        except (OSError, TimeoutError, UnicodeError):
            # Its name may come into being, or our name server answer, before anything is sent.
            return None
        return None

    def evident_problem(self, url: str) -> str | None:
        """What is wrong with the URL by itself. An address in it needs no resolver, so it is judged here."""
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            return "not a URL"
        if parts.scheme not in ("http", "https") or not host:
            return "not an http or https URL"
        try:
            permitted = self.permits(host)
        except ValueError:
            return None
        return None if permitted else _INTERNAL

    def permits(self, address: str) -> bool:
        """Whether this address may be posted to."""
        found = _unwrapped(ip_address(address))
        if found.is_global and not found.is_multicast:
            return True
        return any(found.version == network.version and found in network for network in self._allow)


class PermittedOnly(AbstractResolver):
    """Looks names up and answers permitted addresses only, so that what was judged is what is connected to."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        permitted = [each for each in found if self._addresses.permits(each["host"])]
        if not permitted:
            raise Forbidden
        return permitted

    async def close(self) -> None:
        await self._system.close()


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        return inner or address
    return address
