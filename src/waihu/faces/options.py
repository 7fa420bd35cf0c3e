"""The answer to OPTIONS: the methods of a path. Litestar forgets in its own those of handlers that came later."""

from typing import Any

from litestar import Request, Response
from litestar.enums import HttpMethod
from litestar.routes import HTTPRoute


async def answer_options(request: Request[Any, Any, Any]) -> Response[None] | None:
    """For `before_request`. None: it is another method, and goes on to its handler."""
    if request.method != HttpMethod.OPTIONS:
        return None
    template = request.scope["path_template"]
    routes = [route for route in request.app.routes if isinstance(route, HTTPRoute) and route.path_format == template]
    methods = {str(method) for route in routes for method in route.methods}
    return Response(None, status_code=204, headers={"Allow": ", ".join(sorted(methods))})
