"""Who may enter: the bearer token, and the account it acts for. A VoiceFox token belongs to one workspace; one of ours
may reach several accounts, and then the request says which one.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, QueryParameter

from waihu.application.services import Application
from waihu.domain.errors import NotFound
from waihu.domain.ids import AccountId
from waihu.faces.voicefox.failures import naming

App = NamedDependency[Application]
Account = NamedDependency[AccountId]
Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]

HEADER = "X-Waihu-Account"
QUERY = "accountId"


def doorkeeper(app: Application) -> Guard:
    """A guard, so that it comes before anything of the request is read or refused."""

    async def enter(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        connection.state.caller = await app.access.authenticate(_bearer(connection.headers.get("authorization", "")))

    return enter


async def account_meant(
    request: Request[Any, Any, Any],
    app: App,
    in_header: Annotated[
        str | None, HeaderParameter(name=HEADER, description="账户 id。token 可操作多个账户时必填")
    ] = None,
    in_query: Annotated[str | None, QueryParameter(name=QUERY, description=f"与 {HEADER} 相同")] = None,
) -> AccountId:
    """Raises PermissionDeniedException, and Invalid when an account has to be named."""
    try:
        with naming({"account": QUERY}):
            return await app.access.authorise_own(request.state.caller, in_header or in_query or None)
    except NotFound as mistake:
        raise PermissionDeniedException from mistake


class JsonRequest(Request[Any, Any, Any]):
    """A request whose body is refused as malformed also where msgspec has other words for it."""

    async def json(self) -> Any:
        try:
            return await super().json()
        except (UnicodeDecodeError, RecursionError) as failure:
            raise ClientException from failure


def _bearer(header: str) -> str | None:
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None
