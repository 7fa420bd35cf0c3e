"""The agent-api over HTTP, on a real PostgreSQL, for two tenants that must never see each other."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from agent_world import StandingClock, Tenant
from litestar import Litestar

from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.application.services import Application
from waihu.faces import agent_api


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    directory = tmp_path / "recordings"
    directory.mkdir()
    return directory


@pytest.fixture
def application(pool: Pool, clock: StandingClock, recordings: Path) -> Application:
    return Application(
        PostgresStore(pool), PostgresContactBook(pool), clock, recordings, public_url="https://calls.example.com"
    )


@pytest.fixture
async def http(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    served = Litestar([agent_api.router(application)], logging_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://testserver") as client:
        yield client


@pytest.fixture
async def tenant(application: Application, http: httpx.AsyncClient) -> Tenant:
    return await _tenant(application, http, "甲公司")


@pytest.fixture
async def stranger(application: Application, http: httpx.AsyncClient) -> Tenant:
    return await _tenant(application, http, "乙公司")


async def _tenant(application: Application, http: httpx.AsyncClient, name: str) -> Tenant:
    account = await application.accounts.create(name)
    issued = await application.access.issue(account.partner)
    return Tenant(http, application, account.partner, account.id, issued.secret)


@pytest.fixture
async def line(tenant: Tenant) -> str:
    """A line with ten channels for the tenant."""
    return await tenant.add_line(10)
