"""Scripts by hour and by variable, hours that are followed, what forms offer, call lists from one index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# 2.0 campaigns used to copy the hours of their group. Those whose copy is still the same follow the group from now on.
_FOLLOW = """
    update campaign c set week = null
    from calling_hours h
    where h.id = c.calling_hours_id and c.week = h.week and c.origin in ('agent_api_v2', 'console')
"""


def upgrade() -> None:
    op.add_column("campaign", sa.Column("agent_choice", postgresql.JSONB(), nullable=True))
    op.add_column("campaign", sa.Column("agent_versions", postgresql.JSONB(), server_default="{}", nullable=False))
    op.add_column("campaign", sa.Column("weekdays", postgresql.JSONB(), nullable=True))
    op.execute(_FOLLOW)

    op.add_column("attempt", sa.Column("agent_id", sa.Integer(), nullable=True))
    op.add_column("attempt", sa.Column("agent_version", sa.Integer(), nullable=True))
    op.add_column("attempt", sa.Column("score", sa.Integer(), server_default="0", nullable=False))
    op.add_column("attempt", sa.Column("intention", sa.SmallInteger(), server_default="0", nullable=False))
    op.drop_index("attempt_campaign_idx", table_name="attempt")
    # Nobody asks for attempts by their account, and every call wrote into it three times.
    op.drop_index("attempt_account_idx", table_name="attempt")
    op.create_index(
        "attempt_page_idx",
        "attempt",
        ["campaign_id", sa.text("planned_at desc"), sa.text("id desc")],
        postgresql_include=["placed_at", "closed_at", "score", "intention"],
        postgresql_where=sa.text("state = 'closed'"),
    )

    op.add_column("seat_group", sa.Column("members", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("background_sound", sa.Column("file", sa.Text(), server_default="", nullable=False))
    op.add_column("background_sound", sa.Column("duration_ms", sa.Integer(), server_default="0", nullable=False))
    op.add_column("review_config", sa.Column("prompt", sa.Text(), server_default="", nullable=False))
    for table in ("seat_group", "review_config"):
        op.add_column(
            table,
            sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        )
    for table in ("seat_group", "background_sound", "review_config"):
        op.create_index(op.f(f"{table}_account_id_idx"), table, ["account_id"])
    op.create_index("do_not_call_page_idx", "do_not_call", ["account_id", sa.text("created_at desc"), "phone"])

    op.create_table(
        "text_talk",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("talk_id", sa.Text(collation="C"), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("agent_version", sa.Integer(), nullable=False),
        sa.Column("listens", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("text_talk_account_id_fkey")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("text_talk_agent_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "talk_id", name=op.f("text_talk_pkey")),
    )
    op.create_index(op.f("text_talk_updated_at_idx"), "text_talk", ["updated_at"])
