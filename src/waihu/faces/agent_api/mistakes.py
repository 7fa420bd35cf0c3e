"""The mistakes that the reference shows of each route. `failures.py` is how they are answered."""

from collections.abc import Iterator, Sequence

from litestar.handlers import HTTPRouteHandler

from waihu.application.access import Reach
from waihu.faces.agent_api.envelope import Failure, Stranger
from waihu.faces.mistakes import Documented, told
from waihu.faces.reach import reach_of

_SAID = told({401: Stranger} | dict.fromkeys((400, 403, 404, 409, 413, 422), Failure))


def with_mistakes(handlers: Sequence[HTTPRouteHandler]) -> Sequence[HTTPRouteHandler]:
    """The same handlers, which then tell the reference what they refuse, besides what they say of it themselves."""
    for handler in handlers:
        handler.responses = {status: _SAID[status] for status in _refusals(handler)} | dict(handler.responses or {})
    return handlers


def _refusals(handler: HTTPRouteHandler) -> Iterator[int]:
    reach = reach_of(handler)
    if reach is not Reach.OPEN:
        yield 401
    if reach is Reach.PARTNER:
        yield 403
    if any("{" in path for path in handler.paths):
        yield 404
    if issubclass(handler.operation_class, Documented):
        yield from handler.operation_class.refused_with
