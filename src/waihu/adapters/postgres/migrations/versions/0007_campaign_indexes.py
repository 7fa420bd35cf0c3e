"""The indexes of task lists, in databases that were made before the first migration had them in this form."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LIVING = sa.text("deleted_at is null")


def upgrade() -> None:
    op.drop_index("campaign_page_idx", table_name="campaign")
    op.create_index(
        "campaign_page_idx",
        "campaign",
        ["account_id", sa.text("created_at desc"), sa.text("id desc")],
        postgresql_include=["origin", "state"],
        postgresql_where=_LIVING,
    )
    op.create_index(
        "campaign_total_idx",
        "campaign",
        ["account_id", "origin", "state"],
        postgresql_where=_LIVING,
        if_not_exists=True,
    )
    op.create_index(
        "campaign_holding_idx",
        "campaign",
        ["account_id"],
        postgresql_where=sa.text("(state = 'running' or keeps_channels) and deleted_at is null"),
        if_not_exists=True,
    )
