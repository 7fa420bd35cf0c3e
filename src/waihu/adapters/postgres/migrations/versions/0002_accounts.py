"""Users sign in, tokens are JWTs, and there is a cloud node."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cloud_node",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("cloud_node_pkey")),
    )
    op.execute("insert into cloud_node (name) values ('waihu')")

    op.create_table(
        "login_ticket",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("login_ticket_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("login_ticket_pkey")),
    )
    op.create_index(op.f("login_ticket_expires_at_idx"), "login_ticket", ["expires_at"])

    op.add_column("account", sa.Column("password_hash", sa.Text(), nullable=True))
    op.add_column(
        "account",
        sa.Column("profile", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )

    # The tokens so far were random words known by their hashes; no request can show one any more.
    op.execute("update token set revoked_at = now() where revoked_at is null")
    op.drop_constraint("token_sha256_key", "token", type_="unique")
    op.drop_column("token", "sha256")
    op.create_index(op.f("token_partner_id_idx"), "token", ["partner_id"])
    op.create_index(op.f("token_account_id_idx"), "token", ["account_id"])
