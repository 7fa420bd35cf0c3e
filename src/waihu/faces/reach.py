"""Who may call a route: each route of a wire API declares it in `opt`, and one without a declaration fails at start."""

from collections.abc import Mapping, Sequence

from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from waihu.application.access import Reach

Declared = Mapping[str, Reach]

OPEN: Declared = {"reach": Reach.OPEN}
TOKEN: Declared = {"reach": Reach.TOKEN}
ACCOUNT: Declared = {"reach": Reach.ACCOUNT}
PARTNER: Declared = {"reach": Reach.PARTNER}


def reach_of(handler: BaseRouteHandler) -> Reach:
    """What the route declares. Raises TypeError when it declares nothing."""
    try:
        return Reach(handler.opt["reach"])
    except (KeyError, ValueError):
        raise TypeError(
            f"{handler} does not say who may call it: give it opt=ACCOUNT, PARTNER, TOKEN or OPEN of faces/reach.py"
        ) from None


def all_declared(handlers: Sequence[HTTPRouteHandler]) -> Sequence[HTTPRouteHandler]:
    """The same handlers. Raises TypeError when one of them declares nothing."""
    for handler in handlers:
        reach_of(handler)
    return handlers


def bearer(authorization: str | None) -> str | None:
    """The token in an `Authorization` header; None when there is none, or another scheme."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
