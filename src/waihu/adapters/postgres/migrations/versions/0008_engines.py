"""What an open attempt is, how engines hear of new contacts, and what each of them has closed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OPEN_ATTEMPT = """
    -- Planned, and neither closed nor withdrawn yet: somebody may be on the phone.
    create view open_attempt as
    select id, campaign_id, contact_id, trunk_id, node_id, state, planned_at, answered_at
    from attempt where state in ('planned', 'answered')
"""

_USAGE_OF_BEFORE = """
    insert into node_usage (node_id, attempts, answered, trunk_errors, talk_ms)
    select 0, sum(attempts), sum(answered), sum(trunk_errors), sum(talk_ms) from trunk_usage having count(*) > 0
"""

_OPEN_ATTEMPTS = """
    -- Those of one campaign. In this form they are looked up for each row that asks for them: the planner, which never
    -- knows how many are open at the moment, cannot make a join of it.
    create function open_attempts(of_campaign uuid) returns setof open_attempt
    language sql stable
    as $$
        select * from open_attempt where campaign_id = of_campaign
    $$
"""


def upgrade() -> None:
    op.drop_index("attempt_open_idx", table_name="attempt")
    op.create_index(
        "attempt_open_idx",
        "attempt",
        ["campaign_id", "contact_id"],
        postgresql_where=sa.text("state in ('planned', 'answered')"),
    )
    op.execute(_OPEN_ATTEMPT)
    op.execute(_OPEN_ATTEMPTS)
    # Engines compare whole plans. What was left of the version was that it rose when contacts came.
    op.alter_column("campaign", "version", new_column_name="arrivals", server_default="0")
    op.create_table(
        "node_usage",
        sa.Column("node_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.BigInteger(), nullable=False),
        sa.Column("trunk_errors", sa.BigInteger(), nullable=False),
        sa.Column("talk_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("node_usage_pkey")),
        postgresql_with={"fillfactor": 20},
    )
    op.execute(_USAGE_OF_BEFORE)
