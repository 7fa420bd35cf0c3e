"""Posts callbacks (`ports/receiver.py`), to public addresses only: a URL that a tenant chose must not reach our own
networks. Names are looked up by the resolver below, so that the address that was judged is the one connected to.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from waihu.ports.receiver import Answer

# Receivers may work for minutes before they answer.
_TIMEOUT = aiohttp.ClientTimeout(total=180, sock_connect=10, sock_read=120)
_NAT64 = ip_network("64:ff9b::/96")


class _Forbidden(OSError):
    pass


class WebhookSender:
    """A Receiver. `allow`: networks of our own that may be posted to all the same, as in `10.0.0.0/8`."""

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._allow = [ip_network(network) for network in allow]

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=_Resolver(self), limit=0),
            timeout=_TIMEOUT,
            headers={"user-agent": "waihu"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def post(self, url: str, body: bytes, *, event: str) -> Answer:
        problem = self._url_problem(url)
        if problem:
            return Answer(False, problem)
        headers = {"content-type": "application/json", "x-waihu-event": event}
        try:
            # A redirect could lead anywhere, and turns a POST into a GET.
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                return Answer(200 <= response.status < 300, f"HTTP {response.status}")
        except TimeoutError:
            return Answer(False, "no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            # aiohttp wraps what its resolver raises.
            cause = getattr(failure, "os_error", failure)
            return Answer(False, str(cause) if isinstance(cause, _Forbidden) else type(failure).__name__)

    def permits(self, address: str) -> bool:
        """Whether this address may be posted to."""
        found = _unwrapped(ip_address(address))
        if found.is_global and not found.is_multicast:
            return True
        return any(found.version == network.version and found in network for network in self._allow)

    def _url_problem(self, url: str) -> str | None:
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            return "not a URL"
        if parts.scheme not in ("http", "https") or not host:
            return "not an http or https URL"
        try:
            # An address needs no resolver, so it would not be judged there.
            permitted = self.permits(host)
        except ValueError:
            return None
        return None if permitted else "an internal address"


class _Resolver(AbstractResolver):
    def __init__(self, sender: WebhookSender) -> None:
        self._sender = sender
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        permitted = [each for each in found if self._sender.permits(each["host"])]
        if not permitted:
            raise _Forbidden("an internal address")
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
