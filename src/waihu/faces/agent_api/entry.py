"""Who may enter: the bearer token, the user in the path and the sub-account, checked once for every route."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from waihu.application.services import Application
from waihu.domain.ids import AccountId
from waihu.faces.agent_api.php import Malformed, body_values, query_values

AnyRequest = Request[Any, Any, Any]
App = NamedDependency[Application]
Id = FromPath[str]
Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]


def doorkeeper(app: Application) -> Guard:
    """A guard, so that it comes before anything of the request is read or refused."""

    async def enter(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        assert isinstance(connection, Request)
        connection.state.account = await app.access.admit(
            _bearer(connection.headers.get("authorization", "")),
            connection.path_params["user_id"],
            await _sub_user_id(connection),
        )

    return enter


def account_of(request: AnyRequest) -> AccountId:
    """The account that the request acts for."""
    account: AccountId = request.state.account
    return account


def _bearer(header: str) -> str | None:
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


async def _sub_user_id(request: AnyRequest) -> str | None:
    """From the query string or the body, whatever the method."""
    named = query_values(request.scope["query_string"]).get("sub_user_id")
    if not named:
        try:
            named = body_values(await request.body(), request.headers.get("content-type", "")).get("sub_user_id")
        except Malformed:
            # Whoever reads the body will say so.
            return None
    return str(named) if named else None
