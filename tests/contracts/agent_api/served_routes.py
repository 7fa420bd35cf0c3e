"""Every route of the two wire APIs, read from the application itself, with what the reference says of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from waihu.application.services import Application
from waihu.faces import agent_api, voicefox

PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


@dataclass(frozen=True)
class ServedRoute:
    """`path` as the application has it: a parameter is `{name:str}`."""

    method: str
    path: str
    handler: HTTPRouteHandler
    described: dict[str, Any]


def wire_apis(application: Application) -> Litestar:
    return Litestar([agent_api.router(application), voicefox.router(application)], logging_config=None)


def routes_of(served: Litestar) -> Iterator[ServedRoute]:
    documented = served.openapi_schema.to_schema()["paths"]
    for route in served.routes:
        assert isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items():
            if method == "OPTIONS" or route.path.startswith("/schema"):
                continue
            # What answers without the prefix, too, is described with it only.
            path = PARAMETER.sub(r"{\1}", route.path)
            described = documented.get(path) or documented[agent_api.PREFIX + path]
            yield ServedRoute(method, route.path, handler, described[method.lower()])
