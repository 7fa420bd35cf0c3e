"""Campaigns: their rules, their state, and how far they are."""

from collections.abc import Mapping, Sequence

from asyncpg import Record
from sqlalchemy import ColumnElement, func, or_, select

from waihu.adapters.postgres.models import campaign as c
from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.agent_choice import choice_from_json, choice_to_json
from waihu.adapters.postgres.repositories.statements import among, contains, rows, total
from waihu.adapters.postgres.repositories.values import (
    as_uuid,
    fits_integer,
    hold,
    instant,
    moment,
    retry_from_json,
    retry_to_json,
    week_from_json,
    week_to_json,
)
from waihu.domain.campaign import CampaignState, EndAction, PauseReason, Phase, TakingOrder, TrunkShare
from waihu.domain.ids import AccountId, CampaignId, Instant, TrunkId
from waihu.ports.rows import (
    CallCounts,
    Campaign,
    CampaignFilter,
    CampaignNames,
    CampaignProgress,
    CampaignRules,
    Origin,
    Page,
    Paging,
    TrunkUse,
)

_READ = """
    select c.id, c.number, c.account_id, c.origin, c.version, c.state, c.pause_reason, c.phase, c.hold_reason,
        c.hold_until, c.agent_version, c.keeps_channels, c.started_at, c.created_at, c.updated_at, c.name, c.remark,
        c.agent_id, c.calling_hours_id, c.week, c.holidays, c.start_at, c.stop_at, c.retry_rule_id, c.retry,
        c.channels_max, c.pause_s, c.taking_order, c.in_contact_zone, c.ring_timeout_s, c.end_action, c.wire,
        c.agent_choice, c.agent_versions, c.weekdays,
        (select coalesce(jsonb_agg(jsonb_build_array(s.trunk_id, s.channels_max) order by s.position), '[]')
         from campaign_trunk s where s.campaign_id = c.id) as trunks
    from campaign c
"""
_BY_ID = f"{_READ} where c.id = $1 and c.account_id = $2 and c.deleted_at is null"
_BY_NUMBER = f"{_READ} where c.number = $1 and c.account_id = $2 and c.deleted_at is null"
_NEWEST_FIRST = f"{_READ} where c.id = any($1) order by c.created_at desc, c.id desc"

_COUNTS = """
    select campaign_id, sum(contacts)::bigint as contacts, sum(finished)::bigint as finished
    from campaign_stat where campaign_id = any($1) group by campaign_id
"""

_SHARES = """
    select s.campaign_id, s.trunk_id, t.name, t.cps_max,
        least(coalesce(s.channels_max, c.channels_max), c.channels_max) as channels_max
    from campaign_trunk s join trunk t on t.id = s.trunk_id join campaign c on c.id = s.campaign_id
    where s.campaign_id = any($1) order by s.campaign_id, s.position
"""

_LIVE = """
    select campaign_id, trunk_id, count(*) filter (where state = 'planned') as ringing,
        count(*) filter (where state = 'answered') as talking
    from attempt where state in ('planned', 'answered') and campaign_id = any($1) group by campaign_id, trunk_id
"""

_USED = """
    select campaign_id, trunk_id, sum(attempts)::bigint as attempts, sum(answered)::bigint as answered,
        sum(trunk_errors)::bigint as trunk_errors, sum(talk_ms)::bigint as talk_ms
    from trunk_usage where campaign_id = any($1) group by campaign_id, trunk_id
"""


class CampaignRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self,
        account: AccountId,
        origin: Origin,
        rules: CampaignRules,
        *,
        agent_version: int,
        chosen_versions: Mapping[int, int],
        order_seed: int,
        now: Instant,
    ) -> CampaignId:
        written = _written(rules) | {
            "account_id": account,
            "origin": origin.value,
            "agent_version": agent_version,
            "agent_versions": chosen_versions,
            "order_seed": order_seed,
            "created_at": moment(now),
            "updated_at": moment(now),
        }
        places = ", ".join(f"${number}" for number in range(1, len(written) + 1))
        id = await self._connection.fetchval(
            f"insert into campaign ({', '.join(written)}) values ({places}) returning id", *written.values()
        )
        campaign = CampaignId(str(id))
        await self._write_trunks(campaign, rules.trunks)
        return campaign

    async def change(
        self,
        campaign: CampaignId,
        rules: CampaignRules,
        *,
        agent_version: int,
        chosen_versions: Mapping[int, int],
        now: Instant,
    ) -> None:
        written = _written(rules) | {
            "agent_version": agent_version,
            "agent_versions": chosen_versions,
            "updated_at": moment(now),
        }
        assignments = ", ".join(f"{column} = ${number}" for number, column in enumerate(written, start=2))
        await self._connection.execute(
            f"update campaign set version = version + 1, {assignments} where id = $1", campaign, *written.values()
        )
        await self._connection.execute("delete from campaign_trunk where campaign_id = $1", campaign)
        await self._write_trunks(campaign, rules.trunks)

    async def get(self, account: AccountId, campaign: str, *, lock: bool = False) -> Campaign | None:
        id = as_uuid(campaign)
        if id is None:
            return None
        row = await self._connection.fetchrow(f"{_BY_ID} for update of c" if lock else _BY_ID, id, account)
        return None if row is None else _campaign(row)

    async def even_deleted(self, campaign: CampaignId) -> Campaign | None:
        row = await self._connection.fetchrow(f"{_READ} where c.id = $1", campaign)
        return None if row is None else _campaign(row)

    async def by_number(self, account: AccountId, number: int) -> Campaign | None:
        if not fits_integer(number):
            return None
        row = await self._connection.fetchrow(_BY_NUMBER, number, account)
        return None if row is None else _campaign(row)

    async def page(self, chosen: CampaignFilter, paging: Paging) -> Page[Campaign]:
        conditions = _conditions(chosen)
        # The page is found on the index alone; wide rows are read for its few lines only.
        ids = (
            select(c.c.id)
            .where(*conditions)
            .order_by(c.c.created_at.desc(), c.c.id.desc())
            .limit(paging.size)
            .offset(paging.offset)
        )
        found = [row["id"] for row in await rows(self._connection, ids)]
        counted = await total(self._connection, select(func.count()).select_from(c).where(*conditions))
        read = await self._connection.fetch(_NEWEST_FIRST, found)
        return Page(tuple(_campaign(row) for row in read), counted)

    async def set_state(
        self,
        campaign: CampaignId,
        state: CampaignState,
        pause_reason: PauseReason | None,
        *,
        keeps_channels: bool,
        now: Instant,
    ) -> None:
        # What the engine said of an earlier run does not describe the new state.
        await self._connection.execute(
            """update campaign set state = $2, pause_reason = $3, keeps_channels = $4, phase = null,
                   hold_reason = null, hold_until = null, updated_at = $5,
                   started_at = case when $2 = 'running' then $5 else started_at end
               where id = $1""",
            campaign,
            state.value,
            None if pause_reason is None else pause_reason.value,
            keeps_channels,
            moment(now),
        )

    async def remove(self, campaign: CampaignId, now: Instant) -> None:
        await self._connection.execute(
            "update campaign set deleted_at = $2, keeps_channels = false where id = $1", campaign, moment(now)
        )

    async def remove_all(self, accounts: Sequence[AccountId], reason: PauseReason, now: Instant) -> None:
        # Whoever is just starting one of them is waited for, so that none is left running.
        await self._connection.execute(
            "select from campaign where account_id = any($1) and deleted_at is null order by id for update", accounts
        )
        await self._connection.execute(
            """update campaign set state = 'paused', pause_reason = $2, phase = null, hold_reason = null,
                   hold_until = null, updated_at = $3
               where account_id = any($1) and state = 'running' and deleted_at is null""",
            accounts,
            reason.value,
            moment(now),
        )
        await self._connection.execute(
            """update campaign set deleted_at = $2, keeps_channels = false
               where account_id = any($1) and deleted_at is null""",
            accounts,
            moment(now),
        )

    async def names(self, campaigns: Sequence[CampaignId]) -> Mapping[CampaignId, CampaignNames]:
        found = await self._connection.fetch(
            """select c.id, c.name, c.agent_id, a.name as agent_name
               from campaign c join agent a on a.id = c.agent_id where c.id = any($1)""",
            campaigns,
        )
        return {
            CampaignId(str(row["id"])): CampaignNames(row["name"], row["agent_id"], row["agent_name"]) for row in found
        }

    async def progress(self, campaigns: Sequence[CampaignId]) -> Mapping[CampaignId, CampaignProgress]:
        counts = {str(row["campaign_id"]): row for row in await self._connection.fetch(_COUNTS, campaigns)}
        shares: dict[str, list[Record]] = {id: [] for id in campaigns}
        for row in await self._connection.fetch(_SHARES, campaigns):
            shares[str(row["campaign_id"])].append(row)
        live = {_place(row): row for row in await self._connection.fetch(_LIVE, campaigns)}
        used = {_place(row): row for row in await self._connection.fetch(_USED, campaigns)}

        progress: dict[CampaignId, CampaignProgress] = {}
        for id in campaigns:
            own = counts.get(id)
            progress[id] = CampaignProgress(
                contacts=own["contacts"] if own else 0,
                finished=own["finished"] if own else 0,
                trunks=tuple(
                    _use(share, _done(used.get(_place(share))), live.get(_place(share))) for share in shares[id]
                ),
            )
        return progress

    async def _write_trunks(self, campaign: CampaignId, trunks: Sequence[TrunkShare]) -> None:
        await self._connection.executemany(
            "insert into campaign_trunk (campaign_id, trunk_id, position, channels_max) values ($1, $2, $3, $4)",
            [(campaign, used.trunk, position, used.channels_max) for position, used in enumerate(trunks)],
        )


def _conditions(chosen: CampaignFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        among(c.c.account_id, chosen.accounts),
        among(c.c.origin, [origin.value for origin in chosen.origins]),
        c.c.deleted_at.is_(None),
    ]
    if chosen.name_part:
        conditions.append(contains(c.c.name, chosen.name_part))
    if chosen.states is not None:
        conditions.append(among(c.c.state, [state.value for state in chosen.states]))
    if chosen.phases is not None:
        named = [phase.value for phase in chosen.phases if phase is not None]
        in_phase = among(c.c.phase, named)
        if None in chosen.phases:
            in_phase = or_(in_phase, c.c.phase.is_(None))
        conditions.append(or_(c.c.state != CampaignState.RUNNING.value, in_phase))
    return conditions


def _done(counted: Record | None) -> CallCounts:
    if counted is None:
        return CallCounts()
    return CallCounts(counted["attempts"], counted["answered"], counted["trunk_errors"], counted["talk_ms"])


def _use(share: Record, done: CallCounts, live: Record | None) -> TrunkUse:
    return TrunkUse(
        trunk=TrunkId(str(share["trunk_id"])),
        name=share["name"],
        cps_max=share["cps_max"],
        channels_max=share["channels_max"],
        done=done,
        ringing=live["ringing"] if live else 0,
        talking=live["talking"] if live else 0,
    )


def _place(row: Record) -> tuple[object, object]:
    return row["campaign_id"], row["trunk_id"]


def _written(rules: CampaignRules) -> dict[str, object]:
    return {
        "name": rules.name,
        "remark": rules.remark,
        "agent_id": rules.agent,
        "agent_choice": choice_to_json(rules.choice),
        "calling_hours_id": rules.calling_hours,
        "weekdays": None if rules.weekdays is None else sorted(rules.weekdays),
        "week": None if rules.week is None else week_to_json(rules.week),
        "holidays": [list(period) for period in rules.holidays],
        "start_at": moment(rules.start_at),
        "stop_at": moment(rules.stop_at),
        "retry_rule_id": rules.retry_rule,
        "retry": retry_to_json(rules.retry),
        "channels_max": rules.channels_max,
        "pause_s": rules.pause_s,
        "taking_order": rules.taking_order.value,
        "in_contact_zone": rules.in_contact_zone,
        "ring_timeout_s": rules.ring_timeout_s,
        "end_action": rules.end_action.value,
        "wire": rules.wire,
    }


def _campaign(row: Record) -> Campaign:
    return Campaign(
        id=CampaignId(str(row["id"])),
        number=row["number"],
        account=AccountId(str(row["account_id"])),
        origin=Origin(row["origin"]),
        version=row["version"],
        state=CampaignState(row["state"]),
        pause_reason=None if row["pause_reason"] is None else PauseReason(row["pause_reason"]),
        phase=None if row["phase"] is None else Phase(row["phase"]),
        hold=hold(row["hold_reason"], row["hold_until"]),
        agent_version=row["agent_version"],
        chosen_versions={int(agent): version for agent, version in row["agent_versions"].items()},
        keeps_channels=row["keeps_channels"],
        rules=CampaignRules(
            name=row["name"],
            agent=row["agent_id"],
            channels_max=row["channels_max"],
            remark=row["remark"],
            choice=choice_from_json(row["agent_choice"]),
            calling_hours=row["calling_hours_id"],
            weekdays=None if row["weekdays"] is None else frozenset(row["weekdays"]),
            week=None if row["week"] is None else week_from_json(row["week"]),
            holidays=tuple((begin, end) for begin, end in row["holidays"]),
            start_at=instant(row["start_at"]),
            stop_at=instant(row["stop_at"]),
            trunks=tuple(TrunkShare(TrunkId(trunk), channels) for trunk, channels in row["trunks"]),
            retry_rule=row["retry_rule_id"],
            retry=retry_from_json(row["retry"]),
            pause_s=row["pause_s"],
            taking_order=TakingOrder(row["taking_order"]),
            in_contact_zone=row["in_contact_zone"],
            ring_timeout_s=row["ring_timeout_s"],
            end_action=EndAction(row["end_action"]),
            wire=row["wire"],
        ),
        started_at=instant(row["started_at"]),
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )
