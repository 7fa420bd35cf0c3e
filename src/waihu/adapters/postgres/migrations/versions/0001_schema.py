"""The whole schema, as of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("trunk_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("phone", sa.Text(collation="C"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ringing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("sip_code", sa.SmallInteger(), nullable=True),
        sa.Column("q850", sa.SmallInteger(), nullable=True),
        sa.Column("announcement", sa.Text(), nullable=True),
        sa.Column("timed_out", sa.Boolean(), nullable=True),
        sa.Column("hung_up_by", sa.Text(), nullable=True),
        sa.Column("recording", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('planned', 'answered', 'closed', 'withdrawn')", name=op.f("attempt_state_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("attempt_pkey")),
        sa.UniqueConstraint("contact_id", "number", name=op.f("attempt_contact_id_number_key")),
    )
    op.create_index(
        "attempt_account_idx",
        "attempt",
        ["account_id", sa.literal_column("planned_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_index(
        "attempt_campaign_idx",
        "attempt",
        ["campaign_id", sa.literal_column("planned_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_index(
        "attempt_open_idx",
        "attempt",
        ["node_id"],
        unique=False,
        postgresql_where=sa.text("state in ('planned', 'answered')"),
    )
    op.create_table(
        "node",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("node_pkey")),
        postgresql_with={"fillfactor": 20},
    )
    op.create_table(
        "partner",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("partner_pkey")),
    )
    op.create_table(
        "phone_day",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("phone", sa.Text(collation="C"), nullable=False),
        sa.Column("calls", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", "phone", name=op.f("phone_day_pkey")),
    )
    op.create_table(
        "queue",
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("queue_pkey")),
        postgresql_with={"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 1000},
    )
    op.create_index(
        "queue_claimed_idx",
        "queue",
        ["campaign_id", "node_id"],
        unique=False,
        postgresql_where=sa.text("node_id is not null"),
    )
    op.create_index(
        "queue_due_idx",
        "queue",
        ["campaign_id", "lane", "rank"],
        unique=False,
        postgresql_where=sa.text("node_id is null"),
    )
    op.create_table(
        "trunk",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), server_default="5060", nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("register", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=True),
        sa.Column("channels_max", sa.Integer(), nullable=False),
        sa.Column("cps_max", sa.Double(), nullable=False),
        sa.Column("is_up", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("status_detail", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channels_max >= 0 and cps_max > 0", name=op.f("trunk_limits_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("trunk_pkey")),
    )
    op.create_table(
        "turn",
        sa.Column("attempt_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sequence", sa.SmallInteger(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("dtmf", sa.Text(), nullable=True),
        sa.Column("at_ms", sa.Integer(), nullable=False),
        sa.CheckConstraint("speaker in ('agent', 'callee')", name=op.f("turn_speaker_check")),
        sa.PrimaryKeyConstraint("attempt_id", "sequence", name=op.f("turn_pkey")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("partner_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("parent_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("callback_url", sa.Text(), nullable=True),
        sa.Column("daily_cap", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["account.id"], name=op.f("account_parent_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("account_partner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("account_pkey")),
    )
    op.create_index(op.f("account_parent_id_idx"), "account", ["parent_id"], unique=False)
    op.create_index(op.f("account_partner_id_idx"), "account", ["partner_id"], unique=False)
    op.create_table(
        "capacity_lease",
        sa.Column("resource", sa.Text(collation="C"), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("cps", sa.Double(), nullable=False),
        sa.Column("cps_before", sa.Double(), server_default="0", nullable=False),
        sa.Column("cps_before_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_use", sa.Integer(), nullable=False),
        sa.Column("want", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reclaim_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channels >= 0 and cps >= 0", name=op.f("capacity_lease_sizes_check")),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("capacity_lease_node_id_fkey")),
        sa.PrimaryKeyConstraint("resource", "node_id", name=op.f("capacity_lease_pkey")),
        postgresql_with={"fillfactor": 40},
    )
    op.create_index(op.f("capacity_lease_node_id_idx"), "capacity_lease", ["node_id"], unique=False)
    op.create_table(
        "agent",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('script', 'script_v2', 'llm')", name=op.f("agent_kind_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("agent_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("agent_pkey")),
    )
    op.create_index(op.f("agent_account_id_idx"), "agent", ["account_id"], unique=False)
    op.create_table(
        "background_sound",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("background_sound_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("background_sound_pkey")),
    )
    op.create_table(
        "callback",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("callback_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("callback_pkey")),
    )
    op.create_index(
        "callback_due_idx",
        "callback",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("delivered_at is null and given_up_at is null"),
    )
    op.create_table(
        "calling_hours",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("week", postgresql.JSONB(), nullable=False),
        sa.Column("zone", sa.Text(), server_default="Asia/Shanghai", nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("skip_holiday", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("calling_hours_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("calling_hours_pkey")),
    )
    op.create_index(op.f("calling_hours_account_id_idx"), "calling_hours", ["account_id"], unique=False)
    op.create_table(
        "do_not_call",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("phone", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("do_not_call_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "phone", name=op.f("do_not_call_pkey")),
    )
    op.create_table(
        "retry_rule",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("retries_max", sa.Integer(), server_default="1", nullable=False),
        sa.Column("delay_s", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("retry_rule_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("retry_rule_pkey")),
    )
    op.create_index(op.f("retry_rule_account_id_idx"), "retry_rule", ["account_id"], unique=False)
    op.create_table(
        "review_config",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("review_config_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("review_config_pkey")),
    )
    op.create_table(
        "seat_group",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("strategy", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("seat_group_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("seat_group_pkey")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("partner_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("token_account_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("token_partner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("token_pkey")),
        sa.UniqueConstraint("sha256", name=op.f("token_sha256_key")),
    )
    op.create_table(
        "trunk_allocation",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("trunk_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("channels_max", sa.Integer(), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("trunk_allocation_account_id_fkey")),
        sa.ForeignKeyConstraint(["trunk_id"], ["trunk.id"], name=op.f("trunk_allocation_trunk_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("trunk_allocation_pkey")),
        sa.UniqueConstraint("trunk_id", "account_id", name=op.f("trunk_allocation_trunk_id_account_id_key")),
    )
    op.create_index(op.f("trunk_allocation_account_id_idx"), "trunk_allocation", ["account_id"], unique=False)
    op.create_table(
        "agent_version",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("agent_version_agent_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("agent_version_pkey")),
        sa.UniqueConstraint("agent_id", "version", name=op.f("agent_version_agent_id_version_key")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("number", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.Text(), server_default="ready", nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("hold_reason", sa.Text(), nullable=True),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("agent_version", sa.Integer(), nullable=True),
        sa.Column("calling_hours_id", sa.Integer(), nullable=True),
        sa.Column("week", postgresql.JSONB(), nullable=True),
        sa.Column("holidays", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_rule_id", sa.Integer(), nullable=True),
        sa.Column("retry", postgresql.JSONB(), nullable=True),
        sa.Column("channels_max", sa.Integer(), nullable=False),
        sa.Column("pause_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taking_order", sa.Text(), server_default="sequential", nullable=False),
        sa.Column("order_seed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("in_contact_zone", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("ring_timeout_s", sa.Integer(), server_default="60", nullable=False),
        sa.Column("end_action", sa.Text(), server_default="none", nullable=False),
        sa.Column("keeps_channels", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("wire", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('draft', 'ready', 'running', 'paused', 'completed')", name=op.f("campaign_state_check")
        ),
        sa.CheckConstraint(
            "taking_order in ('sequential', 'reverse', 'random')", name=op.f("campaign_taking_order_check")
        ),
        sa.CheckConstraint("channels_max > 0", name=op.f("campaign_channels_max_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("campaign_account_id_fkey")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("campaign_agent_id_fkey")),
        sa.ForeignKeyConstraint(
            ["calling_hours_id"], ["calling_hours.id"], name=op.f("campaign_calling_hours_id_fkey")
        ),
        sa.ForeignKeyConstraint(["retry_rule_id"], ["retry_rule.id"], name=op.f("campaign_retry_rule_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("campaign_pkey")),
        sa.UniqueConstraint("number", name=op.f("campaign_number_key")),
    )
    op.create_index(
        "campaign_page_idx",
        "campaign",
        ["account_id", sa.literal_column("created_at desc"), sa.literal_column("id desc")],
        unique=False,
        postgresql_include=["origin", "state"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "campaign_total_idx",
        "campaign",
        ["account_id", "origin", "state"],
        unique=False,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "campaign_holding_idx",
        "campaign",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("(state = 'running' or keeps_channels) and deleted_at is null"),
    )
    op.create_index(
        "campaign_running_idx", "campaign", ["state"], unique=False, postgresql_where=sa.text("state = 'running'")
    )
    op.create_table(
        "campaign_stat",
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("contacts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("finished", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("answered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("trunk_errors", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("talk_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("campaign_stat_campaign_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "slot", name=op.f("campaign_stat_pkey")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "campaign_trunk",
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("trunk_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("channels_max", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("campaign_trunk_campaign_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["trunk_id"], ["trunk.id"], name=op.f("campaign_trunk_trunk_id_fkey")),
        sa.PrimaryKeyConstraint("campaign_id", "trunk_id", name=op.f("campaign_trunk_pkey")),
    )
    op.create_index(op.f("campaign_trunk_trunk_id_idx"), "campaign_trunk", ["trunk_id"], unique=False)
    op.create_table(
        "contact",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "phone", sa.Text(collation="C"), sa.Computed("split_part(key, '_', 1)", persisted=True), nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("extra", sa.Text(), nullable=True),
        sa.Column("variables", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("finished", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("hold_reason", sa.Text(), nullable=True),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("contact_campaign_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("contact_pkey")),
        sa.UniqueConstraint("campaign_id", "key", name=op.f("contact_campaign_id_key_key")),
        postgresql_with={"fillfactor": 85},
    )
    op.create_index("contact_page_idx", "contact", ["campaign_id", "id"], unique=False)
