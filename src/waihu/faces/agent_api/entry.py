"""Who may enter: the bearer token, the user (or only a task) in the path and the sub-account, checked once for every
route.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from waihu.application.access import Admitted, Caller, Reach
from waihu.application.services import Application
from waihu.domain.errors import NotFound
from waihu.domain.ids import AccountId
from waihu.faces.agent_api.php import Malformed, body_values, query_values
from waihu.faces.reach import ACCOUNT, OPEN, PARTNER, TOKEN, bearer, reach_of

__all__ = [
    "ACCOUNT",
    "OPEN",
    "PARTNER",
    "TOKEN",
    "AnyRequest",
    "App",
    "Id",
    "account_of",
    "caller_of",
    "doorkeeper",
    "number_in_path",
]

AnyRequest = Request[Any, Any, Any]
App = NamedDependency[Application]
Id = FromPath[str]
_NUMBER = re.compile(r"[0-9]{1,10}")
Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]


def doorkeeper(app: Application) -> Guard:
    """A guard, so that it comes before anything of the request is read or refused."""

    async def enter(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        assert isinstance(connection, Request)
        if connection.method == HttpMethod.OPTIONS:
            # Litestar answers it for every path, with the methods that there are and nothing else.
            return
        reach = reach_of(handler)
        if reach is Reach.OPEN:
            return
        secret, path = bearer(connection.headers.get("authorization")), connection.path_params
        if reach is Reach.ACCOUNT and "user_id" not in path:
            connection.state.admitted = await app.access.admit_to_campaign(secret, path["task_id"])
            return
        user_id = path.get("user_id")
        connection.state.admitted = await app.access.admit(
            secret, reach, user_id, None if user_id is None else await _sub_user_id(connection)
        )

    return enter


def account_of(request: AnyRequest) -> AccountId:
    """The account that the request acts for: the sub-account if it names one, else the user in the path, and where
    there is none, the one whose task it is.
    """
    admitted: Admitted = request.state.admitted
    assert admitted.account is not None, "the path of this route names neither a user nor a task"
    return admitted.account


def caller_of(request: AnyRequest) -> Caller:
    """Whose token it is. A route that has no user in its path decides by this what it shows."""
    admitted: Admitted = request.state.admitted
    return admitted.caller


def number_in_path(written: str, noun: str) -> int:
    """The id that a path names. Raises NotFound for text that is none: it names nothing."""
    if not _NUMBER.fullmatch(written):
        raise NotFound(noun)
    return int(written)


async def _sub_user_id(request: AnyRequest) -> str | None:
    """From the path, the query string or the body, whatever the method."""
    if in_path := request.path_params.get("sub_user_id"):
        return str(in_path)
    named = query_values(request.scope["query_string"]).get("sub_user_id")
    if named in (None, ""):
        try:
            named = body_values(await request.body(), request.headers.get("content-type", "")).get("sub_user_id")
        except Malformed:
            # Whoever reads the body will say so.
            return None
    return None if named in (None, "") else str(named)
