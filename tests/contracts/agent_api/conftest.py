"""The agent-api over HTTP, on a real PostgreSQL, for two tenants that must never see each other."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from agent_world import StandingClock, Tenant
from callback_ear import Ear, listening
from callback_sender import Sender, entered
from litestar import Litestar

from waihu.adapters.passwords.argon2id import Argon2Hasher
from waihu.adapters.phone_places import LibraryPhonePlaces
from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories import PostgresStore
from waihu.adapters.speech.shelf import DirectoryShelf
from waihu.adapters.tokens.rsa import RsaTokenSigner
from waihu.adapters.webhooks.addresses import Addresses
from waihu.adapters.webhooks.sender import WebhookSender
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
def application(pool: Pool, clock: StandingClock, recordings: Path, signer: RsaTokenSigner) -> Application:
    return Application(
        PostgresStore(pool),
        PostgresContactBook(pool),
        clock,
        recordings,
        signer=signer,
        passwords=Argon2Hasher(),
        places=LibraryPhonePlaces(),
        addresses=Addresses(("127.0.0.0/8",)),
        shelf=DirectoryShelf(recordings.parent / "sounds"),
        public_url="https://calls.example.com",
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


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    """A receiver of callbacks on this machine."""
    async with listening() as ear:
        yield ear


@pytest.fixture
async def other_ear() -> AsyncIterator[Ear]:
    async with listening() as ear:
        yield ear


@pytest.fixture
async def sender(application: Application, pool: Pool, database_url: str) -> AsyncIterator[Sender]:
    """Sends callbacks, to this machine too."""
    async with WebhookSender(Addresses(("127.0.0.0/8",))) as receiver:
        yield Sender(application, application.callback_sending, receiver, await entered(pool), database_url)
