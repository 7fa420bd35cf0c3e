"""The same small world in every dialing store: one account, its trunk, campaigns and contacts, and a look at the rows.

A house offers what users do and what can be seen afterwards; `store` is the dialing store under test.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol
from uuid import uuid4

from waihu.adapters.postgres.contact_import import PostgresContactBook
from waihu.adapters.postgres.dialing_store import PostgresDialingStore
from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories.values import instant
from waihu.domain.campaign import CampaignPlan, CampaignState, Phase, TrunkShare
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, TrunkId
from waihu.domain.outcome import Outcome
from waihu.ports.carrier import Trunk
from waihu.ports.contact_book import ContactEntry
from waihu.ports.dialing_store import DialingStore, TrunkLimits
from waihu.simulator.store import AttemptState, MemoryStore


@dataclass(frozen=True, slots=True)
class ContactLook:
    attempts: int
    tries: int
    finished: bool
    outcome: Outcome | None
    hold: Hold | None


@dataclass(frozen=True, slots=True)
class CampaignLook:
    state: CampaignState
    pause_reason: str | None
    phase: Phase | None
    hold: Hold | None


class House(Protocol):
    store: DialingStore
    account: AccountId
    trunk: TrunkId

    async def campaign(self, *, channels_max: int = 10, daily_cap: int | None = None) -> CampaignPlan:
        """A running campaign over the house's trunk."""
        ...

    async def contacts(self, campaign: CampaignId, phones: Sequence[str]) -> list[ContactId]: ...

    async def set_state(self, campaign: CampaignId, state: CampaignState) -> None: ...

    async def forbid(self, phone: str) -> None: ...

    async def limit_trunk(self, channels_max: int, cps_max: float) -> None: ...

    async def contact(self, contact: ContactId) -> ContactLook: ...

    async def attempt(self, attempt: AttemptId) -> str | None:
        """planned, answered, closed, withdrawn; None when there is no such attempt."""
        ...

    async def look(self, campaign: CampaignId) -> CampaignLook: ...

    async def calls_counted(self, phone: str, day: date) -> int: ...


class PostgresHouse:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.store = PostgresDialingStore(pool)
        self.book = PostgresContactBook(pool)
        self.account = AccountId("")
        self.trunk = TrunkId("")

    async def furnish(self) -> "PostgresHouse":
        partner = await self.pool.fetchval("insert into partner (name) values ('Riverside') returning id")
        self.account = AccountId(
            str(
                await self.pool.fetchval(
                    "insert into account (partner_id, name) values ($1, 'Main') returning id", partner
                )
            )
        )
        self.trunk = TrunkId(
            str(
                await self.pool.fetchval(
                    "insert into trunk (name, host, channels_max, cps_max) "
                    "values ('T', '127.0.0.1', 10, 10) returning id"
                )
            )
        )
        await self.allocate(self.account)
        return self

    async def allocate(self, account: AccountId) -> None:
        await self.pool.execute(
            "insert into trunk_allocation (trunk_id, account_id, channels_max) values ($1, $2, 10)", self.trunk, account
        )

    async def sub_account(self) -> AccountId:
        return AccountId(
            str(
                await self.pool.fetchval(
                    "insert into account (partner_id, parent_id, name) "
                    "select partner_id, id, 'Sub' from account where id = $1 returning id",
                    self.account,
                )
            )
        )

    async def campaign(
        self,
        *,
        channels_max: int = 10,
        daily_cap: int | None = None,
        account: AccountId | None = None,
        **columns: Any,
    ) -> CampaignPlan:
        account = account or self.account
        await self.pool.execute("update account set daily_cap = $2 where id = $1", account, daily_cap)
        columns = {
            "account_id": account,
            "name": "C",
            "origin": "console",
            "state": "running",
            "channels_max": channels_max,
            **columns,
        }
        places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
        id = CampaignId(
            str(
                await self.pool.fetchval(
                    f"insert into campaign ({', '.join(columns)}) values ({places}) returning id", *columns.values()
                )
            )
        )
        await self.pool.execute(
            "insert into campaign_trunk (campaign_id, trunk_id, position) values ($1, $2, 1)", id, self.trunk
        )
        return next(plan for plan in (await self.store.world()).plans if plan.id == id)

    async def contacts(self, campaign: CampaignId, phones: Sequence[str]) -> list[ContactId]:
        entries = [ContactEntry(line, phone, None, None, None, {}) for line, phone in enumerate(phones, start=1)]
        assert not await self.book.add(campaign, entries)
        rows = await self.pool.fetch(
            "select id from contact where campaign_id = $1 and key = any($2) order by position", campaign, list(phones)
        )
        return [ContactId(row["id"]) for row in rows]

    async def set_state(self, campaign: CampaignId, state: CampaignState) -> None:
        await self.pool.execute(
            "update campaign set state = $2, pause_reason = case when $2 = 'paused' then 'user' end where id = $1",
            campaign,
            state,
        )

    async def forbid(self, phone: str) -> None:
        await self.pool.execute("insert into do_not_call (account_id, phone) values ($1, $2)", self.account, phone)

    async def limit_trunk(self, channels_max: int, cps_max: float) -> None:
        await self.pool.execute(
            "update trunk set channels_max = $2, cps_max = $3 where id = $1", self.trunk, channels_max, cps_max
        )

    async def contact(self, contact: ContactId) -> ContactLook:
        row = await self.pool.fetchrow("select * from contact where id = $1", contact)
        assert row is not None
        return ContactLook(
            row["attempts"],
            row["tries"],
            row["finished"],
            None if row["outcome"] is None else Outcome(row["outcome"]),
            _hold(row),
        )

    async def attempt(self, attempt: AttemptId) -> str | None:
        return await self.pool.fetchval("select state from attempt where id = $1", attempt)

    async def look(self, campaign: CampaignId) -> CampaignLook:
        row = await self.pool.fetchrow("select * from campaign where id = $1", campaign)
        assert row is not None
        phase = None if row["phase"] is None else Phase(row["phase"])
        return CampaignLook(CampaignState(row["state"]), row["pause_reason"], phase, _hold(row))

    async def calls_counted(self, phone: str, day: date) -> int:
        counted = await self.pool.fetchval(
            "select calls from phone_day where account_id = $1 and phone = $2 and day = $3", self.account, phone, day
        )
        return counted or 0


def _hold(row: Any) -> Hold | None:
    return None if row["hold_reason"] is None else Hold(HoldReason(row["hold_reason"]), instant(row["hold_until"]))


class Awaited:
    """A store that answers at once, for callers who wait."""

    def __init__(self, store: object) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*arguments: Any) -> Any:
            return method(*arguments)

        return call


class MemoryHouse:
    def __init__(self) -> None:
        self._memory = MemoryStore(lambda: 0)
        self.store: Any = Awaited(self._memory)
        self.account = AccountId(str(uuid4()))
        self.trunk = TrunkId(str(uuid4()))
        self._memory.add_trunk(TrunkLimits(Trunk(self.trunk, "127.0.0.1"), 10, 10))

    async def campaign(self, *, channels_max: int = 10, daily_cap: int | None = None) -> CampaignPlan:
        plan = CampaignPlan(
            id=CampaignId(str(uuid4())),
            account=self.account,
            trunks=(TrunkShare(self.trunk),),
            channels_max=channels_max,
            daily_cap=daily_cap,
        )
        self._memory.add_campaign(plan)
        return plan

    async def contacts(self, campaign: CampaignId, phones: Sequence[str]) -> list[ContactId]:
        first = len(self._memory.contacts) + 1
        ids = [ContactId(first + place) for place in range(len(phones))]
        self._memory.add_contacts(campaign, [DueContact(id, phone) for id, phone in zip(ids, phones, strict=True)])
        return ids

    async def set_state(self, campaign: CampaignId, state: CampaignState) -> None:
        self._memory.set_state(campaign, state)

    async def forbid(self, phone: str) -> None:
        self._memory.forbid(self.account, phone, 0)

    async def limit_trunk(self, channels_max: int, cps_max: float) -> None:
        known = self._memory.trunks[self.trunk]
        self._memory.add_trunk(replace(known, channels_max=channels_max, cps_max=cps_max))

    async def contact(self, contact: ContactId) -> ContactLook:
        row = self._memory.contacts[contact]
        return ContactLook(row.attempts, row.tries, row.finished, row.outcome, row.hold)

    async def attempt(self, attempt: AttemptId) -> str | None:
        row = self._memory.attempts.get(attempt)
        return None if row is None else AttemptState(row.state).name.lower()

    async def look(self, campaign: CampaignId) -> CampaignLook:
        row = self._memory.campaigns[campaign]
        return CampaignLook(row.state, row.pause_reason, row.phase, row.hold)

    async def calls_counted(self, phone: str, day: date) -> int:
        return self._memory._calls[self.account, day][phone]
