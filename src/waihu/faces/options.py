"""The answer to OPTIONS: the methods of a path. Litestar forgets in its own those of handlers that came later."""

import re
from typing import Any

from litestar import Request, Response
from litestar.enums import HttpMethod
from litestar.routes import HTTPRoute

_PARAMETER = re.compile(r"{[^}]*}")


async def answer_options(request: Request[Any, Any, Any]) -> Response[None] | None:
    """For `before_request`. None: it is another method, and goes on to its handler."""
    if request.method != HttpMethod.OPTIONS:
        return None
    asked = _PARAMETER.sub("{}", request.scope["path_template"])
    methods = {
        str(method)
        for route in request.app.routes
        if isinstance(route, HTTPRoute) and _PARAMETER.sub("{}", route.path_format) == asked
        for method in route.methods
    }
    return Response(None, status_code=204, headers={"Allow": ", ".join(sorted(methods))})
