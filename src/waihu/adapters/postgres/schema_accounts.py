"""The tables around accounts: where they live, and the links that log a person in."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, Table, Text, Uuid, text

from waihu.adapters.postgres.models import metadata

cloud_node = Table(
    # One row, made by the migration: waihu has one node and gives it the id that clients want to name.
    "cloud_node",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()")),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)

login_ticket = Table(
    "login_ticket",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
    Index(None, "expires_at"),
)
