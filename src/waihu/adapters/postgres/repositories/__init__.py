"""The store of the use cases on PostgreSQL (`ports/store.py`): one repository per noun, one connection per session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from waihu.adapters.postgres.pool import Connection, Pool
from waihu.adapters.postgres.reach import reaching
from waihu.adapters.postgres.repositories.accounts import AccountRepository
from waihu.adapters.postgres.repositories.agents import AgentRepository
from waihu.adapters.postgres.repositories.callbacks import CallbackRepository
from waihu.adapters.postgres.repositories.calls import CallRepository
from waihu.adapters.postgres.repositories.campaigns import CampaignRepository
from waihu.adapters.postgres.repositories.choices import ChoiceRepository
from waihu.adapters.postgres.repositories.contacts import ContactRepository
from waihu.adapters.postgres.repositories.hours_groups import HoursGroupRepository
from waihu.adapters.postgres.repositories.retry_rules import RetryRuleRepository
from waihu.adapters.postgres.repositories.tokens import TokenRepository
from waihu.adapters.postgres.repositories.trunks import TrunkRepository
from waihu.domain.errors import Unavailable


class PostgresSession:
    """Every repository works on its connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.accounts = AccountRepository(connection)
        self.tokens = TokenRepository(connection)
        self.trunks = TrunkRepository(connection)
        self.hours_groups = HoursGroupRepository(connection)
        self.retry_rules = RetryRuleRepository(connection)
        self.agents = AgentRepository(connection)
        self.choices = ChoiceRepository(connection)
        self.campaigns = CampaignRepository(connection)
        self.contacts = ContactRepository(connection)
        self.calls = CallRepository(connection)
        self.callbacks = CallbackRepository(connection)


class PostgresStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[PostgresSession]:
        # A single statement is a view of its own, without the round trips that begin and end a transaction.
        async with reaching(self._pool, Unavailable) as connection:
            yield PostgresSession(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[PostgresSession]:
        # One snapshot, so that the rows of a page and their total agree.
        async with self._session("repeatable_read", readonly=True) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[PostgresSession]:
        async with self._session("read_committed", readonly=False) as session:
            yield session

    @asynccontextmanager
    async def _session(
        self, isolation: Literal["repeatable_read", "read_committed"], *, readonly: bool
    ) -> AsyncIterator[PostgresSession]:
        async with (
            reaching(self._pool, Unavailable) as connection,
            connection.transaction(isolation=isolation, readonly=readonly),
        ):
            yield PostgresSession(connection)
