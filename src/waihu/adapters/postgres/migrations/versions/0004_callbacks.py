"""Queues by receiver, receivers that rest, batches of numbers, signatures, and more kinds of callbacks."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CALLBACK_ADDRESS = """
    -- Where something of an account is told, and whose address that is: the one named for this alone, else the
    -- account's, else its main account's. None: nobody listens.
    create function callback_address(teller uuid, own_url text)
    returns table (owner_id uuid, url text)
    language sql stable
    as $$
        select case when own_url <> '' or a.callback_url <> '' then a.id else m.id end,
               coalesce(nullif(own_url, ''), nullif(a.callback_url, ''), m.callback_url)
        from account a left join account m on m.id = a.parent_id
        where a.id = teller and coalesce(nullif(own_url, ''), nullif(a.callback_url, ''), m.callback_url) <> ''
    $$
"""

_OWN_CALLBACK_URL = """
    -- The address that a campaign names for what a callback tells of.
    create function own_callback_url(kind text, body jsonb)
    returns text
    language sql stable
    as $$
        select case kind
            when 'call_finished' then (
                select c.wire ->> 'call_notify_url' from attempt a join campaign c on c.id = a.campaign_id
                where a.id = (body ->> 'attempt')::uuid
            )
            when 'campaign_stopped' then (
                select c.wire ->> 'call_stop_notify_url' from campaign c where c.id = (body ->> 'campaign')::uuid
            )
        end
    $$
"""

# Engines stop campaigns, users do, and empty balances: whoever it was, nobody can forget to tell.
_TELL_OF_STOP = """
    create function tell_of_stop() returns trigger
    language plpgsql
    as $$
    begin
        insert into callback (account_id, owner_id, url, kind, body, due_at, created_at)
        values (new.account_id, new.account_id, new.wire ->> 'call_stop_notify_url', 'campaign_stopped',
                jsonb_build_object('campaign', new.id, 'state', new.state, 'reason', new.pause_reason),
                new.updated_at, new.updated_at);
        return null;
    end
    $$
"""

_TELL_OF_STOP_TRIGGER = """
    create trigger campaign_stop_told after update of state on campaign for each row
    when (old.state = 'running' and new.state <> 'running' and new.wire ->> 'call_stop_notify_url' <> '')
    execute function tell_of_stop()
"""

_OWNERS_OF_BEFORE = """
    update callback c
    set owner_id = case when m.callback_url = c.url and a.callback_url is distinct from c.url then m.id else a.id end,
        event_id = case when c.tries > 0 then c.event_id end
    from account a left join account m on m.id = a.parent_id
    where a.id = c.account_id
"""


def upgrade() -> None:
    op.add_column("account", sa.Column("callback_secret", sa.Text(), nullable=True))

    op.drop_index("callback_due_idx", "callback")
    op.alter_column("callback", "event_id", nullable=True, server_default=None)
    op.add_column("callback", sa.Column("owner_id", sa.Uuid(as_uuid=False), nullable=True))
    op.add_column("callback", sa.Column("redelivered_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_OWNERS_OF_BEFORE)
    op.alter_column("callback", "owner_id", nullable=False)
    op.add_column(
        "callback",
        sa.Column(
            "receiver",
            sa.Uuid(as_uuid=False),
            sa.Computed("md5(owner_id::text || ' ' || url)::uuid", persisted=True),
            nullable=True,
        ),
    )
    op.create_index(
        "callback_due_idx",
        "callback",
        ["receiver", "due_at", "id"],
        postgresql_where=sa.text("delivered_at is null and given_up_at is null"),
    )
    op.create_index("callback_event_idx", "callback", ["event_id"], postgresql_where=sa.text("event_id is not null"))
    op.create_index("callback_page_idx", "callback", ["account_id", sa.text("id desc")])
    op.execute("alter table callback set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000)")
    op.execute(_CALLBACK_ADDRESS)
    op.execute(_OWN_CALLBACK_URL)
    op.execute(_TELL_OF_STOP)
    op.execute(_TELL_OF_STOP_TRIGGER)

    op.create_table(
        "callback_sender",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("server_life", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("callback_sender_pkey")),
    )
    op.create_table(
        "server_life",
        sa.Column("is_one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.CheckConstraint("is_one", name=op.f("server_life_is_one_check")),
        sa.PrimaryKeyConstraint("is_one", name=op.f("server_life_pkey")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "callback_receiver",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("sender_id", sa.Integer(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("callbacks", sa.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("failures", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("callback_receiver_pkey")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "callback_blacklist",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("blackout_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("release_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("callback_blacklist_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("callback_blacklist_pkey")),
    )
    op.create_index("callback_blacklist_page_idx", "callback_blacklist", ["account_id", sa.text("blackout_at desc")])
    op.create_table(
        "number_batch",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("part", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("numbers", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("number_batch_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", "part", name=op.f("number_batch_pkey")),
    )
    op.create_index(op.f("number_batch_created_at_idx"), "number_batch", ["created_at"])
