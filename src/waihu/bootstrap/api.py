"""The API process: every face over one application, and what administrators ask."""

import socket as sockets
from pathlib import Path

import structlog
import uvicorn
from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.plugins.prometheus import PrometheusConfig
from litestar.types import Scope

from waihu import __version__
from waihu.application.services import Application
from waihu.bootstrap.application import open_application
from waihu.bootstrap.watch import Watch, open_watch
from waihu.data_directory import Running
from waihu.domain.errors import DomainError
from waihu.faces import agent_api, voicefox
from waihu.faces.operations.health import TrunkHealth, health_route
from waihu.faces.operations.metrics import Sample, metrics_route
from waihu.faces.operations.reference import Api, reference_routes

log = structlog.get_logger()

_APIS = (
    Api("agent-api", "agent-api", ("/agent-api",)),
    Api("voicefox", "VoiceFox", ("/openapi",)),
    Api("operations", "Operations", ("/health",)),
)
_API_GRACE_S = 5


async def serve_api(running: Running, listening: sockets.socket) -> None:
    """Serves until SIGTERM, then finishes the requests it has."""
    recordings = Path(running.recordings)
    async with (
        open_watch(running) as watch,
        open_application(running.database_url, recordings, public_url=running.public_url) as application,
    ):
        server = uvicorn.Server(
            uvicorn.Config(
                _api(application, watch),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_API_GRACE_S,
            )
        )
        await server.serve(sockets=[listening])


def _api(application: Application, watch: Watch) -> Litestar:
    return Litestar(
        route_handlers=[
            agent_api.router(application),
            voicefox.router(application),
            health_route(watch.checks(), lambda: _trunks(watch)),
            metrics_route(lambda: _samples(watch)),
            *reference_routes(_APIS),
        ],
        middleware=[PrometheusConfig(app_name="waihu", prefix="waihu", group_path=True).middleware],
        openapi_config=OpenAPIConfig(title="waihu", version=__version__),
        after_exception=[_log_unforeseen],
        logging_config=None,
    )


async def _log_unforeseen(failure: Exception, scope: Scope) -> None:
    """What a caller did wrong, the caller is told; the rest is ours and goes to the log."""
    if not isinstance(failure, HTTPException | DomainError):
        log.error("request failed", method=scope.get("method"), path=scope["path"], exc_info=failure)


async def _trunks(watch: Watch) -> list[TrunkHealth]:
    return [TrunkHealth(trunk.id, trunk.is_up) for trunk in await watch.trunks()]


async def _samples(watch: Watch) -> list[Sample]:
    """The figures of `/metrics`."""
    found = []
    for trunk in await watch.trunks():
        label = (("trunk", trunk.name),)
        found += [
            Sample("waihu_trunk_up", "1 when the carrier answers", trunk.is_up, label),
            Sample("waihu_trunk_channels_max", "Calls the trunk may carry at once", trunk.channels_max, label),
            Sample("waihu_trunk_calls", "Calls on the trunk now", trunk.in_use, label),
        ]
    work = await watch.work()
    return [
        *found,
        Sample("waihu_campaigns_running", "Campaigns that run", work.running),
        Sample("waihu_contacts_waiting", "Contacts without a final outcome", work.waiting),
        Sample("waihu_callbacks_due", "Callbacks not yet delivered", work.callbacks_due),
        Sample("waihu_attempts_total", "Attempts closed", work.attempts),
        Sample("waihu_answered_total", "Attempts answered", work.answered),
        Sample("waihu_trunk_errors_total", "Attempts that the trunk failed", work.trunk_errors),
        Sample("waihu_talk_seconds_total", "Seconds talked", work.talk_s),
    ]
