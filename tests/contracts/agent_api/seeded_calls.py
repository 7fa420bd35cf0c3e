"""Calls as the engine leaves them behind, for tests of what is shown of them."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from agent_world import NOON

from waihu.adapters.postgres.pool import Pool
from waihu.adapters.postgres.repositories.values import moment
from waihu.domain.ids import Instant

GREETING = ("agent", "您好李雷,这里是外呼演示。", 0, None)
CHOICE = ("callee", "", 4_200, "1")
CONFIRMED = ("agent", "已为您确认。", 4_500, None)
GOODBYE = ("agent", "再见。", 6_000, None)


@dataclass
class SeededCall:
    id: str
    contact: int


async def add_call(
    pool: Pool,
    task: str,
    trunk: str,
    *,
    phone: str = "13012121211",
    began_at: Instant = NOON,
    talk_ms: int | None = 8_400,
    outcome: str = "answered",
    turns: tuple[tuple[Any, ...], ...] = (GREETING, CHOICE, CONFIRMED, GOODBYE),
    recording: str | None = None,
    score: int = 0,
    intention: int = 0,
    agent: int | None = None,
    is_over: bool = True,
    **contact: Any,
) -> SeededCall:
    """A call of 12 s to answer and `talk_ms` of talk; None: it was not answered, and rang for 20 s. One that is not
    over was planned, and no more.
    """
    account = await pool.fetchval("select account_id from campaign where id = $1", task)
    id = str(uuid4())
    contact_id = await pool.fetchval(
        """insert into contact (campaign_id, position, key, name, extra, variables, attempts, tries, finished, outcome)
           values ($1, 1, $2, $3, $4, $5, 1, 1, true, $6) returning id""",
        task,
        phone,
        contact.get("name", "李雷"),
        contact.get("extra", "0c51fc89-f6cf-405b-bb36-2c06900c3b5e"),
        contact.get("variables", {"公司": "甲公司"}),
        outcome,
    )
    answered_at = None if talk_ms is None else began_at + 12_000
    closed_at = began_at + 20_000 if answered_at is None or talk_ms is None else answered_at + talk_ms
    await pool.execute(
        """insert into attempt (id, account_id, campaign_id, contact_id, number, trunk_id, node_id, phone, day, state,
               planned_at, placed_at, answered_at, closed_at, outcome, q850, hung_up_by, recording, score, intention,
               agent_id)
           values ($1, $2, $3, $4, 1, $5, 1, $6, '2026-03-04', $17, $7, $7, $8, $9, $10, $11, $12, $13, $14, $15,
               $16)""",
        id,
        account,
        task,
        contact_id,
        trunk,
        phone,
        moment(began_at),
        moment(answered_at),
        moment(closed_at) if is_over else None,
        outcome,
        16 if talk_ms is not None else 17,
        "callee" if talk_ms is not None else None,
        recording,
        score,
        intention,
        agent,
        "closed" if is_over else "planned",
    )
    if is_over:
        await _count(pool, task, trunk, account, talk_ms)
    if talk_ms is not None:
        await pool.executemany(
            "insert into turn (attempt_id, sequence, speaker, text, at_ms, dtmf) values ($1, $2, $3, $4, $5, $6)",
            [(id, sequence, *turn) for sequence, turn in enumerate(turns, start=1)],
        )
    return SeededCall(id, contact_id)


async def _count(pool: Pool, task: str, trunk: str, account: str, talk_ms: int | None) -> None:
    await pool.execute(
        """insert into trunk_usage as u (campaign_id, trunk_id, day, slot, account_id, attempts, answered, talk_ms)
           values ($1, $2, '2026-03-04', 1, $3, 1, $4, $5)
           on conflict (campaign_id, trunk_id, day, slot) do update
           set attempts = u.attempts + 1, answered = u.answered + $4, talk_ms = u.talk_ms + $5""",
        task,
        trunk,
        account,
        int(talk_ms is not None),
        talk_ms or 0,
    )
