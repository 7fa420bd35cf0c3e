"""The CRM pool."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_C = sa.Text(collation="C")

# What every pool begins with: application/customers.py gives it to new accounts.
_FIRST_COMPONENTS = """
    insert into customer_component (account_id, name, kind, rules, sort, role, created_at, updated_at)
    select a.id, c.name, 'text', '{sometimes}', c.sort, c.role, now(), now()
    from account a
    cross join (values ('姓名', 0, 'name'), ('公司', 1, 'company'), ('邮箱', 2, 'email')) as c(name, sort, role)
    where a.parent_id is null
"""


def upgrade() -> None:
    op.create_table(
        "customer_component",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("customer_component_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("customer_component_pkey")),
        sa.UniqueConstraint("account_id", "name", name=op.f("customer_component_account_id_name_key")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("pool_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("phone", _C, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", _C, nullable=True),
        sa.Column("company", _C, nullable=True),
        sa.Column("sex", sa.SmallInteger(), nullable=True),
        sa.Column("sort", sa.Integer(), nullable=True),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("industry_id", sa.Integer(), nullable=True),
        sa.Column("grade_id", sa.Integer(), nullable=True),
        sa.Column("extra", sa.Text(), nullable=True),
        sa.Column("operator", sa.Text(), nullable=True),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("components", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("customer_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("customer_pkey")),
        sa.UniqueConstraint("pool_id", "phone", "account_id", name=op.f("customer_pool_id_phone_account_id_key")),
    )
    op.create_index(
        "customer_page_idx",
        "customer",
        ["pool_id", sa.text("created_at desc"), sa.text("id desc")],
        unique=False,
        postgresql_include=["operator", "sex"],
    )
    op.create_index(
        "customer_own_page_idx",
        "customer",
        ["account_id", sa.text("created_at desc"), sa.text("id desc")],
        unique=False,
        postgresql_include=["pool_id", "operator", "sex"],
        postgresql_where=sa.text("account_id <> pool_id"),
    )
    for column in ("name", "email", "company"):
        op.create_index(
            f"customer_{column}_idx",
            "customer",
            ["pool_id", column],
            unique=False,
            postgresql_where=sa.text(f"{column} is not null"),
        )
    op.create_index(
        "customer_components_idx",
        "customer",
        ["components"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"components": "jsonb_path_ops"},
        postgresql_where=sa.text("components <> '{}'"),
    )
    op.create_table(
        "customer_call",
        sa.Column("customer_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("customer_call_pkey")),
    )
    op.create_table(
        "enrolment",
        sa.Column("id", sa.Uuid(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("chosen", postgresql.JSONB(), nullable=False),
        sa.Column("after_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("after_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duplicate", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("do_not_call", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("enrolment_account_id_fkey")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("enrolment_campaign_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("enrolment_pkey")),
    )
    op.create_index(
        "enrolment_open_idx",
        "enrolment",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_table(
        "privacy",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=True),
        sa.Column("customer_style", sa.SmallInteger(), nullable=True),
        sa.Column("contact_style", sa.SmallInteger(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("privacy_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("privacy_pkey")),
    )
    op.add_column("contact", sa.Column("customer_id", sa.Uuid(as_uuid=False), nullable=True))
    op.execute(_FIRST_COMPONENTS)
