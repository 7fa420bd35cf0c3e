"""The tables of the CRM pool, and of what an account hides of its phones. `ports/customers.py` says what they mean."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from waihu.adapters.postgres.models import metadata

_C = Text(collation="C")


def _id() -> Column[str]:
    return Column("id", Uuid(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()"))


def _at(name: str, *, required: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required)


customer_component = Table(
    "customer_component",
    metadata,
    _id(),
    Column("account_id", ForeignKey("account.id"), nullable=False),  # The main account whose pool it is.
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rules", ARRAY(Text), nullable=False),
    Column("sort", Integer, nullable=False),
    Column("role", Text),  # Its values are in this column of the customer.
    _at("created_at"),
    _at("updated_at"),
    UniqueConstraint("account_id", "name"),
)

customer = Table(
    "customer",
    metadata,
    _id(),
    Column("pool_id", Uuid(as_uuid=False), nullable=False),  # The main account.
    Column("account_id", ForeignKey("account.id"), nullable=False),  # Who brought it in: it, or a sub-account of it.
    Column("phone", _C, nullable=False),
    Column("name", Text),
    Column("email", _C),
    Column("company", _C),
    Column("sex", SmallInteger),
    Column("sort", Integer),
    Column("source_id", Integer),
    Column("industry_id", Integer),
    Column("grade_id", Integer),
    Column("extra", Text),
    Column("operator", Text),
    Column("province", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("components", JSONB, nullable=False),  # {component id: value}
    _at("created_at"),
    _at("updated_at"),
    # Also answers what begins with some digits.
    UniqueConstraint("pool_id", "phone", "account_id"),
    # Pages and their exact totals are read from these two alone; the second serves sub-accounts.
    Index(
        "customer_page_idx",
        "pool_id",
        text("created_at desc"),
        text("id desc"),
        postgresql_include=["operator", "sex"],
    ),
    Index(
        "customer_own_page_idx",
        "account_id",
        text("created_at desc"),
        text("id desc"),
        postgresql_include=["pool_id", "operator", "sex"],
        postgresql_where=text("account_id <> pool_id"),
    ),
    Index("customer_name_idx", "pool_id", "name", postgresql_where=text("name is not null")),
    Index("customer_email_idx", "pool_id", "email", postgresql_where=text("email is not null")),
    Index("customer_company_idx", "pool_id", "company", postgresql_where=text("company is not null")),
    Index(
        "customer_components_idx",
        "components",
        postgresql_using="gin",
        postgresql_ops={"components": "jsonb_path_ops"},
        postgresql_where=text("components <> '{}'"),
    ),
)

customer_call = Table(
    # Who has been called by an agent. Engines only add to it, so that they never wait for whoever edits a customer.
    "customer_call",
    metadata,
    Column("customer_id", Uuid(as_uuid=False), primary_key=True),
    _at("called_at"),
)

enrolment = Table(
    # Customers on their way into a campaign, portion by portion; `after_at` and `after_id` say how far it has come.
    "enrolment",
    metadata,
    _id(),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("campaign_id", ForeignKey("campaign.id"), nullable=False),
    Column("chosen", JSONB, nullable=False),
    _at("after_at", required=False),
    Column("after_id", Uuid(as_uuid=False)),
    Column("accepted", BigInteger, nullable=False, server_default="0"),
    Column("duplicate", BigInteger, nullable=False, server_default="0"),
    Column("do_not_call", BigInteger, nullable=False, server_default="0"),
    _at("created_at"),
    _at("finished_at", required=False),
    Index("enrolment_open_idx", "created_at", postgresql_where=text("finished_at is null")),
)

privacy = Table(
    "privacy",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("code_hash", Text),  # Argon2, of the code without which nothing of this row is changed over the API.
    Column("customer_style", SmallInteger),  # How phones of the pool are shown; null: in full.
    Column("contact_style", SmallInteger),  # How those of campaigns and calls are shown.
    _at("updated_at"),
)
