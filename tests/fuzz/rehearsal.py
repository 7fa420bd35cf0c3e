"""The API as a rehearsal: what a request has done is taken back when it is answered, so that every request meets the
same world. A user who was deleted is there again for the next one, a failure can be repeated and made smaller, and the
ten-thousandth request is not slower than the first. The requests of a scene are taken back together.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from asyncpg.transaction import Transaction

from waihu.adapters.postgres.pool import Connection

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
Opened = AbstractAsyncContextManager[tuple[Asgi, Connection]]


class OneConnection:
    """Stands for a pool: everybody gets the one connection, and transactions on it are savepoints."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["OneConnection"]:
        yield self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @asynccontextmanager
    async def transaction(self, *, readonly: bool = False, **_: Any) -> AsyncIterator[None]:
        """How isolated it is cannot be said of a savepoint."""
        async with self._connection.transaction():
            yield
        if not readonly:
            # Imports have tables that empty themselves when a transaction ends, and this was none.
            await self._connection.execute("discard temp")


class Rehearsal:
    """An ASGI application. `opened` makes the API, and the connection that it is on, in the loop of the requests."""

    def __init__(self, opened: Callable[[], Opened]) -> None:
        self._opened = opened
        self._api: Asgi | None = None
        self._connection: Connection | None = None
        self._ongoing: Transaction | None = None
        self._is_scene = False
        self._is_next = False

    def begin_scene(self) -> None:
        """From now on requests see what those before them did, up to the next scene."""
        self._is_scene = self._is_next = True

    def end_scenes(self) -> None:
        """From now on every request is one for itself."""
        self._is_scene, self._is_next = False, True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self._api is not None
        if self._is_next:
            await self._take_back()
        if self._ongoing is None:
            await self._begin()
        await self._api(scope, receive, send)
        if not self._is_scene:
            await self._take_back()

    async def _live(self, receive: Any, send: Any) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            self._api, self._connection = await stack.enter_async_context(self._opened())
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._take_back()
        await send({"type": "lifespan.shutdown.complete"})

    async def _begin(self) -> None:
        assert self._connection is not None
        self._ongoing = self._connection.transaction()
        await self._ongoing.start()

    async def _take_back(self) -> None:
        self._is_next = False
        if self._ongoing is not None:
            await self._ongoing.rollback()
            self._ongoing = None
