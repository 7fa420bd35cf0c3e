"""The dialing store on PostgreSQL: implements `ports/dialing_store.py` with the statements of `hot_path.sql`."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from asyncpg import Record as Row

from waihu.adapters.postgres.commit import SQL, close, commit_records, phase
from waihu.adapters.postgres.money import LockFirst, charge
from waihu.adapters.postgres.pool import Connection, Pool
from waihu.adapters.postgres.reach import reaching, transact
from waihu.adapters.postgres.repositories.agent_choice import choice_from_json
from waihu.adapters.postgres.repositories.values import (
    delays_from_json,
    instant,
    moment,
    retry_from_json,
    week_from_json,
)
from waihu.application.planning import compile_plan, plan_talk, public_holidays, talk_variables
from waihu.dialing.events import AttemptRefused, ContactsClaimed
from waihu.dialing.records import AttemptClosed, CampaignPhased, Record
from waihu.dialing.resources import Resource
from waihu.domain.campaign import CampaignPlan, EndAction, RetryPolicy, TrunkShare
from waihu.domain.contact import DueContact
from waihu.domain.hours import CallingHours
from waihu.domain.ids import AccountId, AttemptId, CampaignId, ContactId, Instant, NodeId, TrunkId
from waihu.domain.outcome import Ending, Outcome
from waihu.ports.carrier import Trunk
from waihu.ports.dialing_store import (
    CallSheet,
    Demand,
    Grant,
    NodeBuried,
    OpenAttempt,
    Speaker,
    StoreUnavailable,
    TrunkLimits,
    Turn,
    World,
)
from waihu.ports.rows import CampaignRules

log = structlog.get_logger()

T = TypeVar("T")

_RANK_MAX = 2**63 - 1


class PostgresDialingStore:
    """One for an engine process. `pool` needs a few connections only: an engine commits one batch at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._plans: dict[object, tuple[Row, int, CampaignPlan | None]] = {}
        # Claims that may have been committed although the answer was lost. Nobody knows of these contacts, so they
        # are given back with the next claim.
        self._unsure: dict[NodeId, set[ContactId]] = {}

    # Nodes

    async def join(self, name: str, now: Instant) -> NodeId:
        async with reaching(self._pool, StoreUnavailable) as connection:
            row = await SQL["join"].row(connection, name=name, now=moment(now))
        assert row is not None
        return NodeId(row["id"])

    async def beat(self, node: NodeId, now: Instant) -> None:
        async with reaching(self._pool, StoreUnavailable) as connection:
            row = await SQL["beat"].row(connection, node=node, now=moment(now))
        if row is None:
            raise NodeBuried

    async def leave(self, node: NodeId, now: Instant) -> None:
        async def leave(connection: Connection) -> None:
            await SQL["end_nodes"].run(connection, nodes=[node], now=moment(now))
            await SQL["give_up_leases"].run(connection, nodes=[node])
            await SQL["lock_claims"].run(connection, nodes=[node])
            await _settle(connection, [node], now)

        await transact(self._pool, StoreUnavailable, leave)

    async def orphans(self, node: NodeId, now: Instant, silent_ms: int) -> Sequence[OpenAttempt]:
        async with reaching(self._pool, StoreUnavailable) as connection:
            rows = await SQL["orphans"].rows(connection, node=node, silent_since=moment(now - silent_ms))
        return [
            OpenAttempt(AttemptId(str(row["id"])), NodeId(row["node_id"]), answered=row["answered"]) for row in rows
        ]

    async def bury(
        self, node: NodeId, attempts: Sequence[AttemptId], silent_ms: int, now: Instant, *, reserve_ms: int = 0
    ) -> None:
        async def bury(to_pause: frozenset[UUID], connection: Connection) -> None:
            rows = await SQL["dead_nodes"].rows(connection, node=node, silent_since=moment(now - silent_ms))
            if not rows:
                return
            dead = [NodeId(row["id"]) for row in rows]
            await SQL["end_nodes"].run(connection, nodes=dead, now=moment(now))
            await SQL["lock_campaigns_of"].run(connection, attempts=attempts, others=list(to_pause))
            await SQL["lock_claims"].run(connection, nodes=dead)
            orphans = await SQL["open_attempts"].rows(connection, nodes=dead, attempts=attempts)
            costs: defaultdict[UUID, Decimal] = defaultdict(Decimal)
            for owner in dead:
                endings = [_lost(row, now) for row in orphans if row["node_id"] == owner]
                if endings:
                    for main, cost in (await close(connection, owner, endings, now)).items():
                        costs[main] += cost
                    over = dict.fromkeys(ending.campaign for ending in endings)
                    await phase(connection, owner, [CampaignPhased(campaign, None, None) for campaign in over], now)
            await _settle(connection, dead, now, reserve_ms)
            await SQL["forget_leases"].run(connection)
            await charge(connection, costs, to_pause, now)

        await self._charging(bury)

    # What runs

    async def world(self) -> World:
        async with reaching(self._pool, StoreUnavailable) as connection:
            campaigns = await SQL["running_campaigns"].rows(connection)
            trunks = await SQL["trunks"].rows(connection)
        year = datetime.now(UTC).year
        self._plans = {row["id"]: self._compiled(row, year) for row in campaigns}
        return World(
            plans=[plan for _, _, plan in self._plans.values() if plan is not None],
            trunks=[_trunk(row) for row in trunks],
            arrivals={CampaignId(str(row["id"])): row["arrivals"] for row in campaigns},
        )

    def _compiled(self, row: Row, year: int) -> tuple[Row, int, CampaignPlan | None]:
        # The world is read twice a second and hardly ever changes: an equal row gives the same plan as before.
        known = self._plans.get(row["id"])
        if known is not None and known[:2] == (row, year):
            return known
        try:
            return row, year, _plan(row, year)
        except (ValueError, KeyError, TypeError):
            # One row that makes no sense must not stop the campaigns of everybody else.
            log.exception("campaign cannot be read and is not dialled", campaign=str(row["id"]))
            return row, year, None

    async def save_trunk_status(self, trunk: TrunkId, up: bool, detail: str) -> None:
        async with reaching(self._pool, StoreUnavailable) as connection:
            await SQL["save_trunk_status"].run(connection, trunk=trunk, up=up, detail=detail)

    # Contacts and calls

    async def claim(
        self, node: NodeId, campaign: CampaignId, count: int, new_first: bool, now: Instant
    ) -> ContactsClaimed:
        unsure = self._unsure.pop(node, set())
        taken: set[ContactId] = set()

        async def claim(connection: Connection) -> ContactsClaimed:
            if unsure:
                await SQL["release"].run(connection, node=node, contacts=list(unsure))
            rows = await SQL["claim"].rows(
                connection,
                node=node,
                campaign=campaign,
                count=count,
                now=moment(now),
                lane=0 if new_first else 1,
                rank_max=_RANK_MAX if new_first else now,
                later_rank_max=now if new_first else _RANK_MAX,
            )
            waiting = await SQL["waiting"].row(connection, campaign=campaign)
            assert waiting is not None
            contacts = tuple(DueContact(*row) for row in rows)
            taken.clear()
            taken.update(contact.id for contact in contacts)
            return ContactsClaimed(
                campaign=campaign,
                contacts=contacts,
                next_due_at=now if waiting["has_new"] else waiting["next_rank"],
                unfinished=waiting["has_new"] or waiting["next_rank"] is not None or waiting["has_claimed"],
            )

        try:
            return await transact(self._pool, StoreUnavailable, claim)
        except StoreUnavailable:
            self._unsure[node] = self._unsure.get(node, set()) | unsure | taken
            raise

    async def commit(self, node: NodeId, records: Sequence[Record], now: Instant) -> Sequence[AttemptRefused]:
        return await self._charging(
            lambda to_pause, connection: commit_records(connection, node, records, now, to_pause)
        )

    async def _charging(self, work: Callable[[frozenset[UUID], Connection], Awaitable[T]]) -> T:
        """Does `work` in a transaction of its own; again, when an account has run out of money by it, with the
        campaigns that it has to pause. That happens to an account once, and then not until it is recharged.
        """
        to_pause: frozenset[UUID] = frozenset()
        while True:
            try:
                return await transact(self._pool, StoreUnavailable, partial(work, to_pause))
            except LockFirst as late:
                to_pause |= late.campaigns

    async def sheet(self, attempt: AttemptId, now: Instant) -> CallSheet | None:
        async with reaching(self._pool, StoreUnavailable) as connection:
            row = await SQL["sheet"].row(connection, attempt=attempt)
        return None if row is None else _sheet(attempt, row, now)

    async def save_talk(
        self, attempt: AttemptId, turns: Sequence[Turn], recording: str | None, speaker: Speaker | None
    ) -> None:
        async def save(connection: Connection) -> None:
            await SQL["save_turns"].run(
                connection,
                attempt=attempt,
                speakers=[turn.speaker for turn in turns],
                texts=[turn.text for turn in turns],
                dtmfs=[turn.dtmf for turn in turns],
                times=[turn.at_ms for turn in turns],
            )
            if recording is not None or speaker is not None:
                await SQL["save_talk"].run(
                    connection,
                    attempt=attempt,
                    recording=recording,
                    agent=None if speaker is None else speaker.agent,
                    version=None if speaker is None else speaker.version,
                )

        await transact(self._pool, StoreUnavailable, save)

    # Capacity

    async def renew(
        self, node: NodeId, sequence: int, demands: Sequence[Demand], ttl_ms: int, drain_ms: int
    ) -> Sequence[Grant]:
        """See the port, and hot_path.sql for how it is shared out. No grant comes back for a node that is over.

        What keeps the sum below the limit is half the node's: `in_use` is a floor that it does not exceed from the
        moment it asks until it has the answer, and it starts no call later than `ttl_ms` after it asked.
        """

        async def renew(connection: Connection) -> list[Grant]:
            resources = [demand.resource for demand in demands]
            await SQL["lock_resources"].run(connection, resources=resources)
            named = [_campaign_and_trunk(resource) for resource in resources]
            rows = await SQL["renew"].rows(
                connection,
                node=node,
                sequence=sequence,
                resources=resources,
                campaigns=[campaign for campaign, _ in named],
                trunks=[trunk for _, trunk in named],
                in_use=[demand.in_use for demand in demands],
                want=[demand.want for demand in demands],
                ttl=timedelta(milliseconds=ttl_ms),
                drain=timedelta(milliseconds=drain_ms),
            )
            return [Grant(row["resource"], row["channels"], row["cps"]) for row in rows]

        return await transact(self._pool, StoreUnavailable, renew)


async def _settle(connection: Connection, nodes: Sequence[NodeId], now: Instant, reserve_ms: int = 0) -> None:
    """Gives back what ended nodes had, as far as it is known to be free. Their claims are locked."""
    await SQL["free_claims"].run(connection, nodes=nodes)
    await SQL["settle_nodes"].run(connection, nodes=nodes, now=moment(now), reserve=timedelta(milliseconds=reserve_ms))


def _lost(row: Row, now: Instant) -> AttemptClosed:
    """How an attempt ends whose node is gone. Whether a person was reached is unknown unless somebody answered."""
    answered_at = instant(row["answered_at"])
    return AttemptClosed(
        attempt=AttemptId(str(row["id"])),
        contact=ContactId(row["contact_id"]),
        campaign=CampaignId(str(row["campaign_id"])),
        outcome=Outcome.UNKNOWN if answered_at is None else Outcome.ANSWERED,
        ending=Ending(gone=True),
        placed_at=None,
        ringing_at=None,
        answered_at=answered_at,
        at=now,
        retry=None,
    )


def _plan(row: Row, year: int) -> CampaignPlan:
    group = None if row["group_week"] is None else CallingHours(week_from_json(row["group_week"]), row["zone"])
    policy = None
    if row["rule_delay_s"] is not None:
        policy = RetryPolicy(delays_from_json(row["rule_delay_s"]), row["rule_retries_max"])
    return compile_plan(
        CampaignId(str(row["id"])),
        AccountId(str(row["account_id"])),
        CampaignRules(
            name=row["name"],
            agent=row["agent_id"],
            channels_max=row["channels_max"],
            week=None if row["week"] is None else week_from_json(row["week"]),
            weekdays=None if row["weekdays"] is None else frozenset(row["weekdays"]),
            holidays=tuple((begin, end) for begin, end in row["holidays"]),
            start_at=instant(row["start_at"]),
            stop_at=instant(row["stop_at"]),
            retry=retry_from_json(row["retry"]),
            pause_s=row["pause_s"],
            in_contact_zone=row["in_contact_zone"],
            ring_timeout_s=row["ring_timeout_s"],
            end_action=EndAction(row["end_action"]),
        ),
        group=group,
        policy=policy,
        trunks=[TrunkShare(TrunkId(trunk), channels_max) for trunk, channels_max in row["trunks"]],
        daily_cap=row["daily_cap"],
        closed_days=public_holidays(year) if row["skip_holiday"] else frozenset(),
    )


def _sheet(attempt: AttemptId, row: Row, now: Instant) -> CallSheet:
    variables = row["variables"] or {}
    talk = plan_talk(choice_from_json(row["agent_choice"]), variables, now, row["zone"])
    speaker, definition = Speaker(row["agent_id"], row["version"]), row["definition"]
    if talk.agent is not None and (chosen := (row["definitions"] or {}).get(str(talk.agent))):
        version, definition = chosen
        speaker = Speaker(talk.agent, version)
    return CallSheet(
        attempt,
        speaker,
        definition,
        talk_variables(row["name"], row["phone"], variables),
        row["caller_id"],
        talk.good_until,
    )


def _trunk(row: Row) -> TrunkLimits:
    return TrunkLimits(
        trunk=Trunk(
            id=TrunkId(str(row["id"])),
            host=row["host"],
            port=row["port"],
            username=row["username"],
            password=row["password"],
            register=row["register"],
            caller_id=row["caller_id"],
        ),
        channels_max=row["channels_max"],
        cps_max=row["cps_max"],
    )


def _campaign_and_trunk(resource: Resource) -> tuple[str | None, str | None]:
    """The ids in a resource's name, in the forms of `dialing/resources.py`."""
    ids = dict(part.split(":", 1) for part in resource.split("/"))
    return ids.get("campaign"), ids.get("trunk")
