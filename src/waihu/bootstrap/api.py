"""The API process: every face over one application, and what administrators ask."""

import asyncio
import gc
import signal
import socket as sockets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.prometheus import PrometheusConfig

from waihu import __version__
from waihu.adapters.postgres.sender_presence import SenderPresence
from waihu.adapters.webhooks.addresses import Addresses
from waihu.adapters.webhooks.sender import WebhookSender
from waihu.application.services import Application
from waihu.bootstrap.application import open_application
from waihu.bootstrap.watch import Watch, disk_check, open_watch
from waihu.data_directory import Running
from waihu.domain.errors import Unavailable
from waihu.faces import agent_api, voicefox
from waihu.faces.agent_api import failures as agent_api_failures
from waihu.faces.agent_api.examples import EXAMPLES as AGENT_API_EXAMPLES
from waihu.faces.operations.health import TrunkHealth, health_route
from waihu.faces.operations.metrics import Sample, metrics_route
from waihu.faces.operations.reference import Api, reference_routes
from waihu.faces.options import answer_options
from waihu.faces.voicefox import failures as voicefox_failures
from waihu.faces.voicefox.examples import EXAMPLES as VOICEFOX_EXAMPLES

log = structlog.get_logger()

_AGENT_API = Api("agent-api", "agent-api", (f"{agent_api.PREFIX}/", "/saas/"))
_VOICEFOX = Api("voicefox", "VoiceFox", ("/openapi/",))
_APIS = (_AGENT_API, _VOICEFOX, Api("operations", "Operations", ("/health",)))
_API_GRACE_S = 5


async def serve_api(running: Running, listening: sockets.socket) -> None:
    """Serves until SIGTERM, then finishes the requests it has. Beside that it tells receivers what happens."""
    recordings = Path(running.recordings)
    async with (
        open_watch(running) as watch,
        open_application(
            running.database_url,
            recordings,
            token_key=Path(running.token_key),
            callback_allow=running.callback_allow,
            public_url=running.public_url,
        ) as application,
        WebhookSender(Addresses(running.callback_allow)) as receiver,
        asyncio.TaskGroup() as beside,
    ):
        # The next process of this machine and directory takes over from this one.
        presence = SenderPresence(running.database_url, f"{sockets.gethostname()}:{recordings}")
        over = asyncio.Event()
        seen = beside.create_task(presence.run())
        telling = beside.create_task(
            application.callback_sending.run(presence, receiver, agent_api.callback_words(application), over)
        )
        enrolling = beside.create_task(application.enrolments.run())
        beside.create_task(_prepare(application))
        server = _Server(api_over(application, watch, recordings))
        # What is there now stays as long as the process. Looking through it for garbage would stop all requests for
        # some 60 ms, every few hundred of them.
        gc.collect()
        gc.freeze()
        await server.serve(sockets=[listening])
        enrolling.cancel()
        over.set()
        await telling
        seen.cancel()


async def _prepare(application: Application) -> None:
    """The first who needs a phone's place would wait for seconds. Who comes before it is loaded, does."""
    with suppress(Unavailable):
        await application.places.of(())


class _Server(uvicorn.Server):
    def __init__(self, api: Litestar) -> None:
        super().__init__(
            uvicorn.Config(
                api, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_API_GRACE_S
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends the serving and no more: uvicorn would then kill the process before connections are closed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def api_over(application: Application, watch: Watch, recordings: Path) -> Litestar:
    """All that is served over HTTP."""
    return Litestar(
        route_handlers=[
            agent_api.router(application),
            voicefox.router(application),
            health_route((*watch.checks(), disk_check(recordings)), lambda: _trunks(watch)),
            metrics_route(lambda: _samples(watch)),
            *reference_routes(_APIS, {**AGENT_API_EXAMPLES, **VOICEFOX_EXAMPLES}),
        ],
        middleware=[PrometheusConfig(app_name="waihu", prefix="waihu", group_path=True).middleware],
        openapi_config=OpenAPIConfig(
            title="waihu",
            version=__version__,
            # Litestar's own pages of it load scripts from elsewhere; ours is /docs.
            render_plugins=[JsonRenderPlugin()],
            components=Components(security_schemes={"BearerToken": SecurityScheme(type="http", scheme="bearer")}),
        ),
        before_request=answer_options,
        exception_handlers={Exception: _answer_failure},
        logging_config=None,
    )


def _answer_failure(request: Request[Any, Any, Any], failure: Exception) -> Response[Any]:
    """What no route has answered, such as a path that does not exist: in the words of the API that was meant."""
    path = request.scope["path"]
    if path.startswith((*_AGENT_API.prefixes, *agent_api.WITHOUT_PREFIX)):
        return agent_api_failures.answer_failure(request, failure)
    if path.startswith(_VOICEFOX.prefixes):
        return voicefox_failures.answer_failure(request, failure)
    if isinstance(failure, HTTPException):
        return Response({"detail": failure.detail}, status_code=failure.status_code, headers=failure.headers)
    log.error("request failed", path=path, exc_info=failure)
    return Response({"detail": "This failed here; the log says why."}, status_code=500)


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
        Sample("waihu_contacts_waiting", "Contacts of running campaigns without a final outcome", work.waiting),
        Sample("waihu_callbacks_due", "Callbacks not yet delivered", work.callbacks_due),
        Sample("waihu_attempts_total", "Attempts closed", work.attempts),
        Sample("waihu_answered_total", "Attempts answered", work.answered),
        Sample("waihu_trunk_errors_total", "Attempts that the trunk failed", work.trunk_errors),
        Sample("waihu_talk_seconds_total", "Seconds talked", work.talk_s),
    ]
