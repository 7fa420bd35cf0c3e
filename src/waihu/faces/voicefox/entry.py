"""Who may enter: the bearer token, and the account it acts for. A VoiceFox token belongs to one workspace; one of ours
may reach several accounts, and then the request says which one.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.exceptions import ClientException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, QueryParameter

from waihu.application.access import Reach
from waihu.application.services import Application
from waihu.domain.errors import NotFound
from waihu.domain.ids import AccountId
from waihu.faces.reach import bearer, reach_of
from waihu.faces.voicefox.failures import naming

App = NamedDependency[Application]
Account = NamedDependency[AccountId]
Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]

HEADER = "X-Waihu-Account"
QUERY = "accountId"


def doorkeeper(app: Application) -> Guard:
    """A guard, so that it comes before anything of the request is read or refused."""

    async def enter(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        assert isinstance(connection, Request)
        if connection.method == HttpMethod.OPTIONS:
            # Litestar answers it for every path, with the methods that there are and nothing else.
            return
        assert reach_of(handler) is Reach.ACCOUNT, "every call of VoiceFox is one of a workspace"
        named = connection.headers.get(HEADER) or connection.query_params.get(QUERY) or None
        try:
            with naming({"account": QUERY}):
                admitted = await app.access.admit_to_own(bearer(connection.headers.get("authorization")), named)
        except NotFound as mistake:
            raise PermissionDeniedException from mistake
        connection.state.account = admitted.account

    return enter


async def account_meant(
    request: Request[Any, Any, Any],
    in_header: Annotated[
        str | None, HeaderParameter(name=HEADER, description="账户 id。token 可操作多个账户时必填")
    ] = None,
    in_query: Annotated[str | None, QueryParameter(name=QUERY, description=f"与 {HEADER} 相同")] = None,
) -> AccountId:
    """The account that the request acts for. The parameters are here for the reference; the guard has read them."""
    account: AccountId = request.state.account
    return account


class JsonRequest(Request[Any, Any, Any]):
    """A request whose body is refused as malformed also where msgspec has other words for it."""

    async def json(self) -> Any:
        try:
            return await super().json()
        except (UnicodeDecodeError, RecursionError) as failure:
            raise ClientException from failure
