"""A thin client of Asterisk's REST interface: requests over HTTP, events over one WebSocket that comes back by itself.

It knows nothing of calls; `carrier.py` gives the messages their meaning. Requests never go over the WebSocket:
Asterisk 22 crashes when such an answer exceeds half a megabyte.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import msgspec

_REQUEST_TIMEOUT_S = 10.0
_PING_INTERVAL_S = 10.0
_BACK_OFF_FIRST_S = 0.2
_BACK_OFF_LAST_S = 5.0


class AriRefused(Exception):
    """The switch answered, and the answer is no. `status` is the HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status


class AriUnreachable(Exception):
    """There was no answer. `sent`: the request may have reached the switch all the same."""

    def __init__(self, reason: str, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Connected:
    """Events flow from here on."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """No events until the next Connected."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: a moment to look at what Asterisk sends no events about."""


class Ari:
    """One switch. Used as an async context manager, because the connections belong to the running event loop."""

    def __init__(self, address: str, port: int, user: str, password: str) -> None:
        self._base = f"http://{address}:{port}"
        self._user = user
        self._password = password
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(self._user, self._password)},
            timeout=aiohttp.ClientTimeout(total=_REQUEST_TIMEOUT_S),
            # The manager interface is visited with a cookie, and cookies of bare addresses are refused by default.
            cookie_jar=aiohttp.CookieJar(unsafe=True),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()
        self._session = None

    async def request(self, method: str, *path: str, query: Mapping[str, str] | None = None, body: Any = None) -> bytes:
        """The JSON text of the answer to `/ari/<path>`, whose parts are quoted here.

        Raises AriRefused and AriUnreachable.
        """
        url = f"{self._base}/ari/" + "/".join(quote(part, safe="") for part in path)
        return await self._exchange(method, url, query, body)

    async def manager(self, action: str) -> str:
        """What the manager interface prints for an action, for the little that ARI does not tell.

        Raises AriRefused and AriUnreachable.
        """
        url = f"{self._base}/rawman"
        login = {"action": "Login", "username": self._user, "secret": self._password, "events": "off"}
        if "Success" not in (answer := (await self._exchange("GET", url, login, None)).decode()):
            raise AriRefused(401, answer.strip())
        return (await self._exchange("GET", url, {"action": action}, None)).decode()

    async def listen(
        self, application: str, event_types: Sequence[str], tick_s: float
    ) -> AsyncGenerator[Connected | Disconnected | Tick | str]:
        """The JSON texts of all events of the switch of the given types, for ever, with a Tick every `tick_s`.

        Starts with Connected or Disconnected. Another listener of the same application ends this connection.
        """
        back_off_s = _BACK_OFF_FIRST_S
        told_down = False
        while True:
            try:
                async with self._open_socket(application) as socket:
                    await self._choose_events(application, event_types)
                    yield Connected()
                    back_off_s, told_down = _BACK_OFF_FIRST_S, False
                    async for message in _messages(socket, tick_s):
                        yield message
                reason = "the switch closed the connection"
            except (aiohttp.ClientError, AriRefused, AriUnreachable, TimeoutError, OSError) as failure:
                reason = str(failure) or type(failure).__name__
            if not told_down:
                yield Disconnected(reason)
                told_down = True
            await asyncio.sleep(back_off_s)
            back_off_s = min(2 * back_off_s, _BACK_OFF_LAST_S)

    def _open_socket(self, application: str) -> "aiohttp.client._WSRequestContextManager":
        # All events: a call gets its application only when it is answered, and its ringing would be lost.
        query = {"app": application, "subscribeAll": "true"}
        return self._open_session.ws_connect(f"{self._base}/ari/events", params=query, heartbeat=_PING_INTERVAL_S)

    async def _choose_events(self, application: str, event_types: Sequence[str]) -> None:
        """Asterisk filters on its side: a call causes some forty events, of which a handful matter."""
        allowed = {"allowed": [{"type": event_type} for event_type in event_types]}
        await self.request("PUT", "applications", application, "eventFilter", body=allowed)

    async def _exchange(self, method: str, url: str, query: Mapping[str, str] | None, body: Any) -> bytes:
        data = None if body is None else msgspec.json.encode(body)
        headers = None if body is None else {"Content-Type": "application/json"}
        try:
            async with self._open_session.request(method, url, params=query, data=data, headers=headers) as response:
                content = await response.read()
        except aiohttp.ClientConnectorError as failure:
            raise AriUnreachable(str(failure), sent=False) from failure
        except (aiohttp.ClientError, TimeoutError) as failure:
            raise AriUnreachable(str(failure) or "no answer in time", sent=True) from failure
        if response.status >= 400:
            raise AriRefused(response.status, content.decode(errors="replace"))
        return content

    @property
    def _open_session(self) -> aiohttp.ClientSession:
        assert self._session is not None, "used outside of its context"
        return self._session


async def _messages(socket: aiohttp.ClientWebSocketResponse[bool], tick_s: float) -> AsyncGenerator[Tick | str]:
    """Texts and ticks until the connection ends."""
    loop = asyncio.get_running_loop()
    next_tick = loop.time() + tick_s
    while True:
        try:
            message = await socket.receive(timeout=max(0.001, next_tick - loop.time()))
        except TimeoutError:
            next_tick = loop.time() + tick_s
            yield Tick()
            continue
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                yield message.data
            case aiohttp.WSMsgType.ERROR:
                raise aiohttp.ClientError(str(message.data))
            case aiohttp.WSMsgType.CLOSE | aiohttp.WSMsgType.CLOSING | aiohttp.WSMsgType.CLOSED:
                return
