"""Writing down what the core decided: records become rows, many at a time, inside the caller's transaction."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from waihu.adapters.postgres.money import charge
from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.queries import load
from waihu.adapters.postgres.repositories.values import moment
from waihu.dialing.events import AttemptRefused, Refusal
from waihu.dialing.records import (
    AttemptAnswered,
    AttemptClosed,
    AttemptPlanned,
    AttemptWithdrawn,
    CampaignCompleted,
    CampaignPaused,
    CampaignPhased,
    ContactFinished,
    ContactHeld,
    ContactReleased,
    Record,
)
from waihu.domain.campaign import EndAction
from waihu.domain.hold import Hold
from waihu.domain.ids import AttemptId, ContactId, Instant, NodeId

SQL = load("hot_path.sql")

_TALK_STORED_MS = 3_000
"""What was said, and the recording, are stored a moment after a call has ended; whoever is told of it wants both."""

_OPEN_HOLD_MS = 5 * 60_000
"""How soon a contact whose hold names no end is looked at again: somebody may have acted, and asking costs a claim."""


async def commit_records(
    connection: Connection, node: NodeId, records: Sequence[Record], now: Instant, to_pause: Collection[UUID] = ()
) -> list[AttemptRefused]:
    """Writes the records and answers the plans that may not be; those leave no trace.

    Calls are charged last. `to_pause` are campaigns that will have to be paused by it; raises LockFirst when there
    turn out to be others.

    Records of contacts are written kind by kind: a decision about a contact follows from the commit of the one
    before it, so one batch never holds two that depend on each other. Records of campaigns keep their order.
    """
    plans: list[AttemptPlanned] = []
    of_campaigns: list[CampaignPhased | CampaignPaused | CampaignCompleted] = []
    endings: list[AttemptClosed] = []
    others = defaultdict(list)
    for record in records:
        match record:
            case AttemptPlanned():
                plans.append(record)
            case AttemptClosed():
                endings.append(record)
            case CampaignPhased() | CampaignPaused() | CampaignCompleted():
                of_campaigns.append(record)
            case _:
                others[type(record)].append(record)
    if of_campaigns or to_pause:
        # Before any contact is locked: a plan locks its campaign too, but not as firmly.
        named = {*to_pause, *(record.campaign for record in (*of_campaigns, *plans))}
        await SQL["lock_campaigns"].run(connection, campaigns=list(named))
    refused = await _plan(connection, node, plans)
    for kind, write in _WRITERS:
        if others[kind]:
            await write(connection, node, others[kind], now)
    costs = await close(connection, node, endings, now)
    for kind, group in groupby(of_campaigns, type):
        await _CAMPAIGN_WRITERS[kind](connection, node, list(group), now)
    await charge(connection, costs, to_pause, now)
    return refused


async def close(
    connection: Connection, node: NodeId, endings: Sequence[AttemptClosed], now: Instant
) -> dict[UUID, Decimal]:
    """Closes those attempts that are open and the node's own; the others are closed already.

    Answers what main accounts have to be charged for them, in the same transaction.
    """
    if not endings:
        return {}
    rows = await SQL["close"].rows(
        connection,
        node=node,
        now=moment(now),
        talk_stored=moment(now + _TALK_STORED_MS),
        attempts=[e.attempt for e in endings],
        outcomes=[e.outcome for e in endings],
        placed=[moment(e.placed_at) for e in endings],
        ringing=[moment(e.ringing_at) for e in endings],
        answered=[moment(e.answered_at) for e in endings],
        closed=[moment(e.at) for e in endings],
        sip_codes=[e.ending.sip_code for e in endings],
        q850s=[e.ending.q850 for e in endings],
        announcements=[e.ending.announcement for e in endings],
        timed_out=[e.ending.timed_out for e in endings],
        hung_up_by=[e.ending.hung_up_by for e in endings],
        **_holds([e.retry for e in endings], now),
    )
    return {row["main_id"]: row["cost"] for row in rows}


async def phase(connection: Connection, node: NodeId, phases: Sequence[CampaignPhased], now: Instant) -> None:
    """Writes down what campaigns are doing, the last word of each."""
    last = {told.campaign: told for told in phases}.values()
    await SQL["phase"].run(
        connection,
        node=node,
        campaigns=[p.campaign for p in last],
        phases=[p.phase for p in last],
        reasons=[p.hold.reason if p.hold else None for p in last],
        untils=[moment(p.hold.until) if p.hold else None for p in last],
    )


async def _plan(connection: Connection, node: NodeId, plans: Sequence[AttemptPlanned]) -> list[AttemptRefused]:
    if not plans:
        return []
    owned = await SQL["lock_planned"].rows(
        connection,
        node=node,
        campaigns=list({p.campaign for p in plans}),
        contacts=[p.contact for p in plans],
    )
    runs: dict[ContactId, bool] = {row["contact_id"]: row["runs"] for row in owned}
    refused = []
    for plans_of_turn in _turns(plans):
        rows = await SQL["plan"].rows(
            connection,
            node=node,
            attempts=[p.attempt for p in plans_of_turn],
            contacts=[p.contact for p in plans_of_turn],
            campaigns=[p.campaign for p in plans_of_turn],
            accounts=[p.account for p in plans_of_turn],
            trunks=[p.trunk for p in plans_of_turn],
            numbers=[p.number for p in plans_of_turn],
            phones=[p.phone for p in plans_of_turn],
            planned=[moment(p.at) for p in plans_of_turn],
            days=[p.day for p in plans_of_turn],
            caps=[p.daily_cap for p in plans_of_turn],
            owned=[p.contact in runs for p in plans_of_turn],
            running=[runs.get(p.contact, False) for p in plans_of_turn],
        )
        refused += [AttemptRefused(AttemptId(str(row["attempt_id"])), Refusal(row["refusal"])) for row in rows]
    return refused


def _turns(plans: Iterable[AttemptPlanned]) -> list[list[AttemptPlanned]]:
    """The plans so parted that no phone comes twice in one part: nearly always a single one."""
    seen: Counter[str] = Counter()
    turns: list[list[AttemptPlanned]] = []
    for plan in plans:
        if seen[plan.phone] == len(turns):
            turns.append([])
        turns[seen[plan.phone]].append(plan)
        seen[plan.phone] += 1
    return turns


async def _answer(connection: Connection, node: NodeId, answers: Sequence[AttemptAnswered], now: Instant) -> None:
    await SQL["answer"].run(
        connection, node=node, attempts=[a.attempt for a in answers], answered=[moment(a.at) for a in answers]
    )


async def _withdraw(
    connection: Connection, node: NodeId, withdrawals: Sequence[AttemptWithdrawn], now: Instant
) -> None:
    await SQL["withdraw"].run(
        connection,
        node=node,
        attempts=[w.attempt for w in withdrawals],
        withdrawn=[moment(w.at) for w in withdrawals],
        **_holds([w.hold for w in withdrawals], now),
    )


async def _hold(connection: Connection, node: NodeId, held: Sequence[ContactHeld], now: Instant) -> None:
    await SQL["hold"].run(
        connection, node=node, contacts=[h.contact for h in held], **_holds([h.hold for h in held], now)
    )


async def _release(connection: Connection, node: NodeId, released: Sequence[ContactReleased], now: Instant) -> None:
    await SQL["release"].run(connection, node=node, contacts=[r.contact for r in released])


async def _finish(connection: Connection, node: NodeId, finished: Sequence[ContactFinished], now: Instant) -> None:
    await SQL["finish"].run(
        connection, node=node, contacts=[f.contact for f in finished], outcomes=[f.outcome for f in finished]
    )


async def _pause(connection: Connection, node: NodeId, pauses: Sequence[CampaignPaused], now: Instant) -> None:
    await SQL["pause"].run(
        connection, now=moment(now), campaigns=[p.campaign for p in pauses], reasons=[p.reason for p in pauses]
    )


async def _complete(connection: Connection, node: NodeId, completed: Sequence[CampaignCompleted], now: Instant) -> None:
    await SQL["complete"].run(
        connection,
        now=moment(now),
        campaigns=[c.campaign for c in completed],
        keeps=[c.end_action is EndAction.PAUSE_AND_KEEP for c in completed],
    )


def _holds(holds: Sequence[Hold | None], now: Instant) -> dict[str, list[Any]]:
    """The columns of holds: why, until when, and the place in lane 1."""
    return {
        "reasons": [hold.reason if hold else None for hold in holds],
        "untils": [moment(hold.until) if hold else None for hold in holds],
        "ranks": [_due(hold, now) if hold else None for hold in holds],
    }


def _due(hold: Hold, now: Instant) -> Instant:
    return now + _OPEN_HOLD_MS if hold.until is None else hold.until


_WRITERS: tuple[tuple[type, Any], ...] = (
    (AttemptAnswered, _answer),
    (AttemptWithdrawn, _withdraw),
    (ContactHeld, _hold),
    (ContactReleased, _release),
    (ContactFinished, _finish),
)

_CAMPAIGN_WRITERS: dict[type, Any] = {
    CampaignPhased: phase,
    CampaignPaused: _pause,
    CampaignCompleted: _complete,
}
