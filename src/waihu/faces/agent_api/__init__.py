"""The vendor's agent-api as waihu speaks it: tasks 1.0 and 2.0, numbers, call records, call-time groups."""

from functools import partial

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from waihu.application.callbacks import Render
from waihu.application.services import Application
from waihu.domain.errors import DomainError
from waihu.faces.agent_api import calls, numbers, tasks_v1, tasks_v2, time_groups
from waihu.faces.agent_api.callback_shapes import callback_body
from waihu.faces.agent_api.entry import doorkeeper
from waihu.faces.agent_api.failures import answer_failure

PREFIX = "/agent-api"


def router(app: Application) -> Router:
    """Everything below `/agent-api`. Its mistakes are answered in its own envelope, also by these handlers."""
    for_accounts = Router(
        "/",
        route_handlers=[
            *tasks_v2.ROUTES,
            *tasks_v1.ROUTES,
            *numbers.ROUTES,
            *calls.ROUTES,
            *time_groups.ROUTES,
        ],
        guards=[doorkeeper(app)],
        security=[{"BearerToken": []}],
    )
    return Router(
        PREFIX,
        route_handlers=[for_accounts, calls.download_by_key],
        dependencies={"app": Provide(lambda: app, sync_to_thread=False)},
        exception_handlers={
            DomainError: answer_failure,
            HTTPException: answer_failure,
            Exception: answer_failure,
        },
    )


def call_finished(app: Application) -> Render:
    """How a receiver is told of finished calls."""
    return partial(callback_body, public_url=app.public_url)
