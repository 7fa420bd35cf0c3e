"""The tables around callbacks: who sends, how each receiver is doing, and the numbers that a callback only links to."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from waihu.adapters.postgres.models import metadata

callback_sender = Table(
    # A process that sends. It holds an advisory lock of its number for as long as it lives.
    "callback_sender",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("server_life", Text, nullable=False),  # In which life of the server it entered.
    Column("joined_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)

server_life = Table(
    # One row, and none again after the server has crashed: that is what unlogged tables are like.
    "server_life",
    metadata,
    Column("is_one", Boolean, primary_key=True, server_default=text("true")),
    Column("id", Uuid(as_uuid=False), nullable=False, server_default=text("gen_random_uuid()")),
    CheckConstraint("is_one", name="is_one"),
    prefixes=["UNLOGGED"],
)

callback_receiver = Table(
    # An address of an account, from the first try on: who is at it, with what, and how the last tries went.
    "callback_receiver",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),  # callback.receiver
    Column("account_id", Uuid(as_uuid=False), nullable=False),
    Column("url", Text, nullable=False),
    Column("turn", BigInteger, nullable=False),  # Rises with every push; a note about an older one changes nothing.
    Column("sender_id", Integer),
    Column("leased_until", DateTime(timezone=True)),
    Column("event_id", Uuid(as_uuid=False)),  # The push under way, and what is in it.
    Column("callbacks", ARRAY(BigInteger)),
    Column("failures", SmallInteger, nullable=False, server_default="0"),  # In a row.
    Column("rests_until", DateTime(timezone=True)),
    postgresql_with={"fillfactor": 50},
)

callback_blacklist = Table(
    "callback_blacklist",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()")),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("blackout_at", DateTime(timezone=True), nullable=False),
    Column("release_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("callback_blacklist_page_idx", "account_id", text("blackout_at desc")),
)

number_batch = Table(
    # Numbers that came into a campaign or went out of it together; a great many are several rows of one id.
    "number_batch",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("part", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("campaign_id", Uuid(as_uuid=False), nullable=False),
    Column("change", Text, nullable=False),
    Column("numbers", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index(None, "created_at"),
)
