"""Campaigns: their rules, their state, and how far they are."""

from collections.abc import Mapping, Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories import hours_groups, retry_rules
from waihu.adapters.postgres.repositories.agent_choice import choice_from_json, choice_to_json
from waihu.adapters.postgres.repositories.statements import Values, page, shown
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
from waihu.domain.agent import AgentKind
from waihu.domain.campaign import CampaignState, EndAction, PauseReason, Phase, TakingOrder, TrunkShare
from waihu.domain.ids import AccountId, CampaignId, Instant, TrunkId
from waihu.ports.rows import (
    AgentBrief,
    CallCounts,
    Campaign,
    CampaignFilter,
    CampaignNames,
    CampaignProgress,
    CampaignRules,
    CampaignView,
    Origin,
    Page,
    Paging,
    TrunkUse,
)

_COLUMNS = """
    c.id, c.number, c.account_id, c.origin, c.state, c.pause_reason, c.phase, c.hold_reason, c.hold_until,
    c.agent_version, c.agent_versions, c.keeps_channels, c.started_at, c.created_at, c.updated_at, c.name, c.remark,
    c.agent_id, c.agent_choice, c.calling_hours_id, c.weekdays, c.week, c.holidays, c.start_at, c.stop_at,
    c.retry_rule_id, c.retry, c.channels_max, c.pause_s, c.taking_order, c.in_contact_zone, c.ring_timeout_s,
    c.end_action, c.wire
"""

_READ = f"""
    select {_COLUMNS},
        (select coalesce(jsonb_agg(jsonb_build_array(s.trunk_id, s.channels_max) order by s.position), '[]')
         from campaign_trunk s where s.campaign_id = c.id) as trunks
    from campaign c
"""

# With all that a campaign names, and how far it is. Open attempts are few: they are gone through once for all rows.
_VIEW = f"""
    with live as materialized (
        select campaign_id, trunk_id, count(*) filter (where state = 'planned') as ringing,
            count(*) filter (where state = 'answered') as talking
        from open_attempt group by campaign_id, trunk_id
    )
    select {_COLUMNS}, used.trunks, counted.contacts, counted.finished,
        a.kind as agent_kind, a.name as agent_name, a.is_default as agent_is_default,
        a.created_at as agent_created_at, a.updated_at as agent_updated_at,
        {shown("h", "hours_", hours_groups.COLUMNS)},
        {shown("r", "rule_", retry_rules.COLUMNS)}
    from campaign c
    join agent a on a.id = c.agent_id
    left join calling_hours h on h.id = c.calling_hours_id
    left join retry_rule r on r.id = c.retry_rule_id
    cross join lateral (
        select coalesce(sum(contacts), 0)::bigint as contacts, coalesce(sum(finished), 0)::bigint as finished
        from campaign_stat where campaign_id = c.id
    ) counted
    cross join lateral (
        select coalesce(jsonb_agg(jsonb_build_array(
            s.trunk_id, s.channels_max, t.name, t.cps_max,
            least(s.channels_max, c.channels_max), coalesce(live.ringing, 0), coalesce(live.talking, 0), done.counts
        ) order by s.position), '[]') as trunks
        from campaign_trunk s
        join trunk t on t.id = s.trunk_id
        left join live on live.campaign_id = s.campaign_id and live.trunk_id = s.trunk_id
        cross join lateral (
            select jsonb_build_array(
                coalesce(sum(attempts), 0), coalesce(sum(answered), 0), coalesce(sum(trunk_errors), 0),
                coalesce(sum(talk_ms), 0)
            ) as counts
            from trunk_usage where campaign_id = s.campaign_id and trunk_id = s.trunk_id
        ) done
        where s.campaign_id = c.id
    ) used
"""

_KEPT = "c.account_id = $2 and c.deleted_at is null"


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
        await self._connection.execute(f"update campaign set {assignments} where id = $1", campaign, *written.values())
        await self._connection.execute("delete from campaign_trunk where campaign_id = $1", campaign)
        await self._write_trunks(campaign, rules.trunks)

    async def get(self, account: AccountId, campaign: str, *, lock: bool = False) -> Campaign | None:
        id = as_uuid(campaign)
        if id is None:
            return None
        row = await self._connection.fetchrow(
            f"{_READ} where c.id = $1 and {_KEPT} {'for update of c' if lock else ''}", id, account
        )
        return None if row is None else _campaign(row)

    async def owner(self, campaign: str) -> AccountId | None:
        id = await self._connection.fetchval(
            "select account_id from campaign where id = $1 and deleted_at is null", as_uuid(campaign)
        )
        return None if id is None else AccountId(str(id))

    async def view(self, account: AccountId, campaign: str) -> CampaignView | None:
        row = await self._connection.fetchrow(f"{_VIEW} where c.id = $1 and {_KEPT}", as_uuid(campaign), account)
        return None if row is None else _view(row)

    async def view_even_deleted(self, campaign: CampaignId) -> CampaignView | None:
        row = await self._connection.fetchrow(f"{_VIEW} where c.id = $1", campaign)
        return None if row is None else _view(row)

    async def by_number(self, account: AccountId, number: int) -> CampaignView | None:
        if not fits_integer(number):
            return None
        row = await self._connection.fetchrow(f"{_VIEW} where c.number = $1 and {_KEPT}", number, account)
        return None if row is None else _view(row)

    async def page(self, chosen: CampaignFilter, paging: Paging) -> Page[CampaignView]:
        values = Values()
        found, total = await page(
            self._connection,
            _VIEW,
            table="campaign",
            key="c.id",
            conditions=_conditions(chosen, values),
            order="created_at desc, id desc",
            paging=paging,
            values=values,
        )
        return Page(tuple(map(_view, found)), total)

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

    async def _write_trunks(self, campaign: CampaignId, trunks: Sequence[TrunkShare]) -> None:
        await self._connection.executemany(
            "insert into campaign_trunk (campaign_id, trunk_id, position, channels_max) values ($1, $2, $3, $4)",
            [(campaign, used.trunk, position, used.channels_max) for position, used in enumerate(trunks)],
        )


def _conditions(chosen: CampaignFilter, values: Values) -> list[str]:
    conditions = [
        values.among("account_id", chosen.accounts),
        values.among("origin", chosen.origins),
        "deleted_at is null",
    ]
    if chosen.name_part:
        conditions.append(values.contains("name", chosen.name_part))
    if chosen.states is not None:
        conditions.append(values.among("state", chosen.states))
    if chosen.phases is not None:
        in_phase = values.among("phase", [phase for phase in chosen.phases if phase is not None])
        if None in chosen.phases:
            in_phase += " or phase is null"
        conditions.append(f"(state <> 'running' or {in_phase})")
    return conditions


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


def _view(row: Record) -> CampaignView:
    return CampaignView(
        campaign=_campaign(row),
        agent=AgentBrief(
            id=row["agent_id"],
            kind=AgentKind(row["agent_kind"]),
            name=row["agent_name"],
            is_default=row["agent_is_default"],
            created_at=instant(row["agent_created_at"]),
            updated_at=instant(row["agent_updated_at"]),
        ),
        hours_group=None if row["hours_id"] is None else hours_groups.read(row, "hours_"),
        retry_rule=None if row["rule_id"] is None else retry_rules.read(row, "rule_"),
        progress=CampaignProgress(
            contacts=row["contacts"],
            finished=row["finished"],
            trunks=tuple(
                TrunkUse(
                    trunk=TrunkId(trunk),
                    name=name,
                    cps_max=float(cps_max),
                    channels_max=channels_max,
                    done=CallCounts(*done),
                    ringing=ringing,
                    talking=talking,
                )
                for trunk, _, name, cps_max, channels_max, ringing, talking, done in row["trunks"]
            ),
        ),
    )


def _campaign(row: Record) -> Campaign:
    return Campaign(
        id=CampaignId(str(row["id"])),
        number=row["number"],
        account=AccountId(str(row["account_id"])),
        origin=Origin(row["origin"]),
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
            trunks=tuple(TrunkShare(TrunkId(trunk), channels) for trunk, channels, *_ in row["trunks"]),
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
