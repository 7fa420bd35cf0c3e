"""What calls cost: prices, the ledger, balances, and sums by line and day.

The counters of `campaign_stat` that knew no trunks make way for `trunk_usage`. Calls of before are entered at no price.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_USABLE_TRUNK = """
    -- By which allocation an account may use a trunk now: its own, else its main account's. None: it may not. What
    -- asks for it is folded into the statement that asks, as if it were written there.
    create function usable_trunk(caller uuid, wanted uuid)
    returns table (allocation_id integer, price numeric, billing_unit_s integer, agent_ids integer[])
    language sql stable
    as $$
        select l.id, l.price, l.billing_unit_s, l.agent_ids
        from account a join trunk_allocation l on l.trunk_id = wanted and l.account_id in (a.id, a.parent_id)
        where a.id = caller and (l.deadline_at is null or l.deadline_at > now())
        order by l.account_id <> a.id limit 1
    $$
"""

_APPEND_ONLY = """
    create function refuse_change() returns trigger
    language plpgsql
    as $$
    begin
        raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
    end
    $$
"""

_APPEND_ONLY_TRIGGER = """
    create trigger ledger_append_only before update or delete or truncate on ledger
    for each statement execute function refuse_change()
"""

_CALLS_OF_BEFORE = """
    insert into ledger (kind, account_id, main_id, amount, at, attempt_id, campaign_id, trunk_id, answered_at, talk_ms,
        units, billing_unit_s, price)
    select 'call', a.account_id, coalesce(m.parent_id, m.id), 0, a.closed_at, a.id, a.campaign_id, a.trunk_id,
        a.answered_at, t.talk_ms, greatest(1, ceil(t.talk_ms / 60000.0)), 60, 0
    from attempt a join account m on m.id = a.account_id
    cross join lateral (
        select greatest(0, extract(epoch from a.closed_at - a.answered_at) * 1000)::bigint as talk_ms
    ) t
    where a.state = 'closed' and a.answered_at is not null
    order by a.closed_at
"""

_USAGE_OF_BEFORE = """
    insert into trunk_usage (campaign_id, trunk_id, day, slot, account_id, attempts, answered, trunk_errors, talk_ms,
        units)
    select a.campaign_id, a.trunk_id, (a.closed_at at time zone 'Asia/Shanghai')::date, 0, a.account_id, count(*),
        count(l.id), count(*) filter (where a.outcome = 'trunk_error'), coalesce(sum(l.talk_ms), 0),
        coalesce(sum(l.units), 0)
    from attempt a left join ledger l on l.attempt_id = a.id
    where a.state = 'closed'
    group by 1, 2, 3, 5
"""


def upgrade() -> None:
    op.add_column("trunk", sa.Column("partner_id", sa.Uuid(as_uuid=False), nullable=True))
    op.create_foreign_key(op.f("trunk_partner_id_fkey"), "trunk", "partner", ["partner_id"], ["id"])
    op.add_column("trunk_allocation", sa.Column("price", sa.Numeric(18, 4), server_default="0", nullable=False))
    op.add_column("trunk_allocation", sa.Column("billing_unit_s", sa.Integer(), server_default="60", nullable=False))
    op.add_column("trunk_allocation", sa.Column("agent_ids", postgresql.ARRAY(sa.Integer()), nullable=True))
    op.create_check_constraint(
        op.f("trunk_allocation_price_check"), "trunk_allocation", "price >= 0 and billing_unit_s > 0"
    )
    op.add_column("attempt", sa.Column("price", sa.Numeric(18, 4), server_default="0", nullable=False))
    op.add_column("attempt", sa.Column("billing_unit_s", sa.Integer(), server_default="60", nullable=False))
    op.execute(_USABLE_TRUNK)

    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("main_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("amount", sa.Numeric(18, 4), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("trunk_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("talk_ms", sa.BigInteger(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("billing_unit_s", sa.Integer(), nullable=True),
        sa.Column("price", sa.Numeric(18, 4), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('call', 'recharge', 'deduction', 'zeroing')", name=op.f("ledger_kind_check")),
        sa.CheckConstraint(
            "case kind when 'call' then attempt_id is not null and amount = -units * price and talk_ms >= 0 "
            "else attempt_id is null and done_by is not null end",
            name=op.f("ledger_complete_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("ledger_pkey")),
        sa.UniqueConstraint("attempt_id", name=op.f("ledger_attempt_id_key")),
    )
    op.create_index("ledger_main_idx", "ledger", ["main_id", "at"], unique=False)
    op.create_index(
        "ledger_done_idx", "ledger", ["main_id", "at"], unique=False, postgresql_where=sa.text("kind <> 'call'")
    )
    op.create_table(
        "balance",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("amount", sa.Numeric(18, 4), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("balance_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("balance_pkey")),
        postgresql_with={"fillfactor": 20},
    )
    op.create_table(
        "trunk_usage",
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("trunk_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("answered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("trunk_errors", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("talk_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("units", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost", sa.Numeric(18, 4), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "trunk_id", "day", "slot", name=op.f("trunk_usage_pkey")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("trunk_usage_account_idx", "trunk_usage", ["account_id", "day"], unique=False)

    op.execute(_CALLS_OF_BEFORE)
    op.execute(_USAGE_OF_BEFORE)
    op.execute(_APPEND_ONLY)
    op.execute(_APPEND_ONLY_TRIGGER)
    for counted in ("attempts", "answered", "trunk_errors", "talk_ms"):
        op.drop_column("campaign_stat", counted)
