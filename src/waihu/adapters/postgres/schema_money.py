"""The tables of what calls cost: the ledger, the balances, and the sums by line and day and by engine. `migrations` has
the function `usable_trunk` and the trigger that keeps the ledger append-only.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from waihu.adapters.postgres.models import metadata

MONEY = Numeric(18, 4)

ledger = Table(
    # What ever changed a balance, and every answered call. Rows are never changed and never deleted.
    "ledger",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    # Who called, and the main account that pays. No foreign keys: they would lock the account's row for each call.
    Column("account_id", Uuid(as_uuid=False), nullable=False),
    Column("main_id", Uuid(as_uuid=False), nullable=False),
    Column("amount", MONEY, nullable=False),  # What the balance changes by: calls take away.
    Column("at", DateTime(timezone=True), nullable=False),  # Of a call: when it was closed.
    # Of calls
    Column("attempt_id", Uuid(as_uuid=False), unique=True),
    Column("campaign_id", Uuid(as_uuid=False)),
    Column("trunk_id", Uuid(as_uuid=False)),
    Column("answered_at", DateTime(timezone=True)),
    Column("talk_ms", BigInteger),
    Column("units", Integer),  # Started billing units, each of `price`.
    Column("billing_unit_s", Integer),
    Column("price", MONEY),
    # Of what people did
    Column("remark", Text),
    Column("done_by", Text),
    CheckConstraint("kind in ('call', 'recharge', 'deduction', 'zeroing')", name="kind"),
    CheckConstraint(
        "case kind when 'call' then attempt_id is not null and amount = -units * price and talk_ms >= 0 "
        "else attempt_id is null and done_by is not null end",
        name="complete",
    ),
    Index("ledger_main_idx", "main_id", "at"),
    Index("ledger_done_idx", "main_id", "at", postgresql_where=text("kind <> 'call'")),
)

balance = Table(
    # The sum of a main account's ledger, kept in the transactions that write it. No row: nothing was ever written.
    "balance",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("amount", MONEY, nullable=False),
    postgresql_with={"fillfactor": 20},
)

trunk_usage = Table(
    # Closed attempts of a campaign over a trunk, by the day in China on which they were closed. Eight slots, so that
    # many nodes closing calls of one campaign do not queue on a row.
    "trunk_usage",
    metadata,
    Column("campaign_id", Uuid(as_uuid=False), primary_key=True),
    Column("trunk_id", Uuid(as_uuid=False), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("slot", SmallInteger, primary_key=True),
    Column("account_id", Uuid(as_uuid=False), nullable=False),  # Who called.
    Column("attempts", BigInteger, nullable=False, server_default="0"),
    Column("answered", BigInteger, nullable=False, server_default="0"),
    Column("trunk_errors", BigInteger, nullable=False, server_default="0"),
    Column("talk_ms", BigInteger, nullable=False, server_default="0"),
    Column("units", BigInteger, nullable=False, server_default="0"),
    Column("cost", MONEY, nullable=False, server_default="0"),
    Index("trunk_usage_account_idx", "account_id", "day"),
    postgresql_with={"fillfactor": 50},
)

node_usage = Table(
    # The same by engine process, since its start: a row of its own for each, and few of them, so that the sum over
    # everything is read at once. Node 0: before there was this table.
    "node_usage",
    metadata,
    Column("node_id", Integer, primary_key=True, autoincrement=False),
    Column("attempts", BigInteger, nullable=False),
    Column("answered", BigInteger, nullable=False),
    Column("trunk_errors", BigInteger, nullable=False),
    Column("talk_ms", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 20},
)
