"""`GET /health`: 200 when everything that is needed works, else 503, naming what is missing. No token: load balancers
have none, so the answer says nothing of accounts, trunks' names or people.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from waihu.application.health import Check, examine
from waihu.faces.mistakes import told


class PartHealth(msgspec.Struct):
    ok: bool
    needed: bool
    detail: str


class TrunkHealth(msgspec.Struct):
    line_id: str
    up: bool


class Health(msgspec.Struct):
    """`status` is `ok` or `unready`; `missing` names the parts that are needed and do not work."""

    status: str
    missing: list[str]
    parts: dict[str, PartHealth]
    trunks: list[TrunkHealth]


Trunks = Callable[[], Awaitable[list[TrunkHealth]]]


def health_route(checks: Sequence[Check], trunks: Trunks) -> HTTPRouteHandler:
    """`trunks` is asked only when the database works."""

    @get(
        "/health",
        summary="Is waihu ready?",
        description="200 when everything needed works; 503 otherwise, with the missing parts in `missing`.",
        responses=told({503: Health}),
        tags=["operations"],
    )
    async def health() -> Response[Health]:
        findings = await examine(checks)
        missing = [finding.part for finding in findings if finding.needed and not finding.ok]
        answer = Health(
            status="unready" if missing else "ok",
            missing=missing,
            parts={f.part: PartHealth(f.ok, f.needed, f.detail) for f in findings},
            trunks=[] if "database" in missing else await trunks(),
        )
        return Response(answer, status_code=503 if missing else 200)

    return health
