"""Posts callbacks (`ports/receiver.py`) to the addresses that are permitted, and nowhere else."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp

from waihu.adapters.webhooks.addresses import Addresses, Forbidden, PermittedOnly
from waihu.ports.receiver import Answer

# Receivers may work for minutes before they answer. `LEASE_MS` of application/callback_sending.py is longer.
_TIMEOUT = aiohttp.ClientTimeout(total=300, sock_connect=10, sock_read=290)


class WebhookSender:
    """A Receiver. `timeout` is that of a whole push."""

    def __init__(self, addresses: Addresses, timeout: aiohttp.ClientTimeout = _TIMEOUT) -> None:
        self._addresses = addresses
        self._timeout = timeout

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=PermittedOnly(self._addresses),
                limit=0,
                # A kept connection may be closed by the receiver just when a push is on its way, and nobody knows then
                # whether it has been heard.
                force_close=True,
            ),
            timeout=self._timeout,
            headers={"user-agent": "waihu", "content-type": "application/json"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        problem = self._addresses.evident_problem(url)
        if problem:
            return Answer(False, problem)
        try:
            # A redirect could lead anywhere, and turns a POST into a GET.
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                return Answer(200 <= response.status < 300, f"HTTP {response.status}")
        except TimeoutError:
            return Answer(False, "no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            # aiohttp wraps what its resolver raises.
            cause = getattr(failure, "os_error", failure)
            return Answer(False, str(cause) if isinstance(cause, Forbidden) else type(failure).__name__)
