"""The vendor's agent-api as waihu speaks it: a partner's users and tokens, tasks 1.0 and 2.0, numbers, call records,
call-time groups.
"""

from functools import partial

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from waihu.application.callback_news import Render
from waihu.application.services import Application
from waihu.domain.errors import DomainError
from waihu.faces.agent_api import (
    background_sounds,
    bills,
    callbacks,
    calls,
    cloud_nodes,
    customers,
    do_not_call,
    lines,
    numbers,
    quality_configs,
    redial_rules,
    script_groups,
    scripts,
    security,
    sub_accounts,
    tasks_v1,
    tasks_v2,
    text_dialogue,
    time_groups,
    tokens,
    transfer_groups,
    users,
    vos,
)
from waihu.faces.agent_api.callback_events import callback_body
from waihu.faces.agent_api.entry import doorkeeper
from waihu.faces.agent_api.failures import answer_failure
from waihu.faces.agent_api.mistakes import with_mistakes

PREFIX = "/agent-api"
WITHOUT_PREFIX = ("/users", "/user/", "/saas/")
"""Where paths begin that the vendor documents without the prefix."""


ROUTES = (
    *tasks_v2.ROUTES,
    *tasks_v1.ROUTES,
    *numbers.ROUTES,
    *calls.ROUTES,
    *customers.ROUTES,
    *security.ROUTES,
    *callbacks.ROUTES,
    *time_groups.ROUTES,
    *tokens.ROUTES,
    *users.ROUTES,
    *lines.ROUTES,
    *script_groups.ROUTES,
    *scripts.ROUTES,
    *redial_rules.ROUTES,
    *transfer_groups.ROUTES,
    *quality_configs.ROUTES,
    *background_sounds.ROUTES,
    *do_not_call.ROUTES,
    *bills.ROUTES,
    *vos.ROUTES,
    *sub_accounts.ROUTES,
    *cloud_nodes.ROUTES,
)


def router(app: Application) -> Router:
    """All routes below `/agent-api`, and those that the vendor documents without it also so. Mistakes are answered in
    the vendor's envelope.
    """
    return Router(
        "/",
        route_handlers=[
            Router(PREFIX, route_handlers=with_mistakes(ROUTES)),
            Router("/", route_handlers=users.ROUTES, include_in_schema=False),
            Router("/", route_handlers=with_mistakes(text_dialogue.ROUTES)),
        ],
        guards=[doorkeeper(app)],
        security=[{"BearerToken": []}],
        dependencies={"app": Provide(lambda: app, sync_to_thread=False)},
        exception_handlers={
            DomainError: answer_failure,
            HTTPException: answer_failure,
            Exception: answer_failure,
        },
    )


def callback_words(app: Application) -> Render:
    """How a receiver is told what happens."""
    return partial(callback_body, public_url=app.public_url)
