"""The schema: the one place that says which tables and columns exist. `alembic check` holds the migrations to it.

Times are timestamptz. Keys that are compared byte by byte (numbers, phones) are COLLATE "C". Vendor settings
that waihu only has to give back as they came live in `campaign.wire` and `account.wire`.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def _key() -> Column[str]:
    """An id that clients may see and choose the form of: a random UUID."""
    return Column("id", Uuid(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()"))


def _number() -> Column[int]:
    return Column("id", Integer, Identity(always=True), primary_key=True)


def _when(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required)


def _created() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()"))


def _updated() -> Column[object]:
    return Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()"))


def _account() -> Column[str]:
    return Column("account_id", ForeignKey("account.id"), nullable=False)


_C = Text(collation="C")

# Tenants

partner = Table("partner", metadata, _key(), Column("name", Text, nullable=False), _created())

account = Table(
    "account",
    metadata,
    _key(),
    Column("partner_id", ForeignKey("partner.id"), nullable=False),
    Column("parent_id", ForeignKey("account.id")),  # Set for a sub-account.
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("phone", Text),
    Column("callback_url", Text),  # Where it is told what happens; null: where its main account is told.
    Column("callback_secret", Text),  # What is told there is signed with it: whsec_…
    Column("callback_kinds", ARRAY(Text)),  # All that is told there; null: every kind.
    Column("daily_cap", Integer),  # Calls per phone and day over all campaigns of the main account.
    Column("password_hash", Text),  # Argon2id; null: nobody has given one yet.
    Column("profile", JSONB, nullable=False, server_default="{}"),  # ports/users.py says its shape.
    _created(),
    _updated(),
    _when("deleted_at"),
    Index(None, "partner_id"),
    Index(None, "parent_id"),
)

token = Table(
    # The id is the `jti` of a signed token. What a token may still do is said here and not in it.
    "token",
    metadata,
    _key(),
    Column("partner_id", ForeignKey("partner.id"), nullable=False),
    Column("account_id", ForeignKey("account.id")),  # Set when the token reaches one account only.
    Column("name", Text, nullable=False, server_default=""),
    _when("expires_at", required=True),
    _when("revoked_at"),
    _created(),
    Index(None, "partner_id"),
    Index(None, "account_id"),
)

# Trunks

trunk = Table(
    "trunk",
    metadata,
    _key(),
    Column("partner_id", ForeignKey("partner.id")),  # Whose it is; none: the whole installation's.
    Column("name", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False, server_default="5060"),
    Column("username", Text),
    Column("password", Text),
    Column("register", Boolean, nullable=False, server_default="false"),
    Column("caller_id", Text),
    Column("channels_max", Integer, nullable=False),
    Column("cps_max", Double, nullable=False),
    Column("is_up", Boolean, nullable=False, server_default="false"),
    Column("status_detail", Text, nullable=False, server_default=""),
    _created(),
    _updated(),
    _when("deleted_at"),
    CheckConstraint("channels_max >= 0 and cps_max > 0", name="limits"),
)

trunk_allocation = Table(
    "trunk_allocation",
    metadata,
    _number(),
    Column("trunk_id", ForeignKey("trunk.id"), nullable=False),
    _account(),
    Column("channels_max", Integer, nullable=False),
    _when("deadline_at"),
    Column("price", Numeric(18, 4), nullable=False, server_default="0"),  # Of each started billing unit.
    Column("billing_unit_s", Integer, nullable=False, server_default="60"),
    Column("agent_ids", ARRAY(Integer)),  # Only campaigns of these agents may use it; null: all.
    Column("remark", Text),
    _created(),
    CheckConstraint("price >= 0 and billing_unit_s > 0", name="price"),
    UniqueConstraint("trunk_id", "account_id"),
    Index(None, "account_id"),
)

# What a campaign chooses from

calling_hours = Table(
    "calling_hours",
    metadata,
    _number(),
    _account(),
    Column("name", Text, nullable=False),
    # [[[begin_min, end_min], ...] for Sunday .. Saturday]
    Column("week", JSONB, nullable=False),
    Column("zone", Text, nullable=False, server_default="Asia/Shanghai"),
    Column("is_default", Boolean, nullable=False, server_default="false"),
    Column("skip_holiday", Boolean, nullable=False, server_default="false"),
    Column("remark", Text),
    _created(),
    _updated(),
    Index(None, "account_id"),
)

retry_rule = Table(
    "retry_rule",
    metadata,
    _number(),
    _account(),
    Column("name", Text, nullable=False),
    Column("remark", Text),
    Column("enabled", Boolean, nullable=False, server_default="true"),
    Column("is_default", Boolean, nullable=False, server_default="false"),
    Column("retries_max", Integer, nullable=False, server_default="1"),
    Column("delay_s", JSONB, nullable=False),  # {outcome: seconds after the call ended}
    _created(),
    _updated(),
    Index(None, "account_id"),
)

agent = Table(
    "agent",
    metadata,
    _number(),
    _account(),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),  # The newest version.
    Column("is_default", Boolean, nullable=False, server_default="false"),
    _created(),
    _updated(),
    _when("deleted_at"),
    CheckConstraint("kind in ('script', 'script_v2', 'llm')", name="kind"),
    Index(None, "account_id"),
)

agent_version = Table(
    "agent_version",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("agent_id", ForeignKey("agent.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("definition", JSONB, nullable=False),  # domain/agent.py says its shape.
    _created(),
    UniqueConstraint("agent_id", "version"),
)

seat_group = Table(
    "seat_group",
    metadata,
    _number(),
    _account(),
    Column("name", Text, nullable=False),
    Column("strategy", SmallInteger, nullable=False, server_default="1"),
    Column("members", ARRAY(Text), nullable=False, server_default="{}"),  # Extensions and phones, in order.
    _created(),
    _updated(),
    Index(None, "account_id"),
)

background_sound = Table(
    "background_sound",
    metadata,
    _number(),
    _account(),
    Column("name", Text, nullable=False),
    Column("file", Text, nullable=False, server_default=""),  # Its name in the directory of sounds.
    Column("duration_ms", Integer, nullable=False, server_default="0"),
    _created(),
    Index(None, "account_id"),
)

review_config = Table(
    "review_config",
    metadata,
    _number(),
    _account(),
    Column("name", Text, nullable=False),
    Column("prompt", Text, nullable=False, server_default=""),  # What a call is judged by.
    Column("is_default", Boolean, nullable=False, server_default="false"),
    _created(),
    _updated(),
    Index(None, "account_id"),
)

do_not_call = Table(
    "do_not_call",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("phone", _C, primary_key=True),
    Column("source", Text, nullable=False, server_default=""),
    _created(),
    Index("do_not_call_page_idx", "account_id", text("created_at desc"), "phone"),
)

# Campaigns

campaign = Table(
    "campaign",
    metadata,
    _key(),
    Column("number", Integer, Identity(always=True), nullable=False, unique=True),  # VoiceFox's integer id.
    _account(),
    Column("name", Text, nullable=False),
    Column("remark", Text),
    Column("origin", Text, nullable=False),  # Which API it was created by, it is listed there.
    Column("arrivals", Integer, nullable=False, server_default="0"),  # Rises when contacts come, or come back.
    Column("state", Text, nullable=False, server_default="ready"),
    Column("pause_reason", Text),
    Column("phase", Text),
    Column("hold_reason", Text),
    _when("hold_until"),
    Column("agent_id", ForeignKey("agent.id")),
    Column("agent_version", Integer),
    # When another agent talks, as repositories/agent_choice.py writes it; null: never.
    Column("agent_choice", JSONB),
    Column("agent_versions", JSONB, nullable=False, server_default="{}"),  # Of those it names: {agent id: version}.
    Column("calling_hours_id", ForeignKey("calling_hours.id")),
    # Own windows, in the form of calling_hours.week; null follows calling_hours_id.
    Column("week", JSONB),
    Column("weekdays", JSONB),  # Of the hours it follows only these days, 0 is Sunday; null: all.
    Column("holidays", JSONB, nullable=False, server_default="[]"),  # [[begin, end] "YYYY-MM-DD HH:MM"]
    _when("start_at"),
    _when("stop_at"),
    Column("retry_rule_id", ForeignKey("retry_rule.id")),
    # Own policy {"enabled", "delay_s", "retries_max", "new_first"}; null follows retry_rule_id.
    Column("retry", JSONB),
    Column("channels_max", Integer, nullable=False),
    Column("pause_s", Integer, nullable=False, server_default="0"),
    Column("taking_order", Text, nullable=False, server_default="sequential"),
    Column("order_seed", BigInteger, nullable=False, server_default="0"),
    Column("last_position", Integer, nullable=False, server_default="0"),  # Of the contact that came last.
    Column("in_contact_zone", Boolean, nullable=False, server_default="false"),
    Column("ring_timeout_s", Integer, nullable=False, server_default="60"),
    Column("end_action", Text, nullable=False, server_default="none"),
    Column("keeps_channels", Boolean, nullable=False, server_default="false"),  # Reserves its residue now.
    Column("wire", JSONB, nullable=False, server_default="{}"),
    Column("started_at", DateTime(timezone=True)),
    _created(),
    _updated(),
    _when("deleted_at"),
    CheckConstraint("state in ('draft', 'ready', 'running', 'paused', 'completed')", name="state"),
    CheckConstraint("taking_order in ('sequential', 'reverse', 'random')", name="taking_order"),
    CheckConstraint("channels_max > 0", name="channels_max"),
    Index(
        # A page is found on the index alone.
        "campaign_page_idx",
        "account_id",
        text("created_at desc"),
        text("id desc"),
        postgresql_include=["origin", "state"],
        postgresql_where=text("deleted_at is null"),
    ),
    # The exact total of a list: equal keys share their entry, so that a hundred thousand campaigns are ninety pages.
    Index("campaign_total_idx", "account_id", "origin", "state", postgresql_where=text("deleted_at is null")),
    Index(
        # The few that hold channels, for the residue.
        "campaign_holding_idx",
        "account_id",
        postgresql_where=text("(state = 'running' or keeps_channels) and deleted_at is null"),
    ),
    Index("campaign_running_idx", "state", postgresql_where=text("state = 'running'")),
)

campaign_trunk = Table(
    "campaign_trunk",
    metadata,
    Column("campaign_id", ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True),
    Column("trunk_id", ForeignKey("trunk.id"), primary_key=True),
    Column("position", SmallInteger, nullable=False),
    Column("channels_max", Integer),
    Index(None, "trunk_id"),
)

campaign_stat = Table(
    # Counters in eight slots, so that many nodes closing calls of one campaign do not queue on a row. What the calls
    # came to is counted by trunk and day, in `trunk_usage`.
    "campaign_stat",
    metadata,
    Column("campaign_id", ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True),
    Column("slot", SmallInteger, primary_key=True),
    Column("contacts", BigInteger, nullable=False, server_default="0"),
    Column("finished", BigInteger, nullable=False, server_default="0"),
    postgresql_with={"fillfactor": 50},
)

contact = Table(
    "contact",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("campaign_id", ForeignKey("campaign.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),  # In order of arrival, from 1.
    Column("key", _C, nullable=False),  # The phone, or phone_suffix where one phone comes twice.
    Column("phone", _C, Computed("split_part(key, '_', 1)", persisted=True), nullable=False),
    Column("name", Text),
    Column("extra", Text),  # The client's own reference, given back byte for byte.
    Column("variables", JSONB, nullable=False, server_default="{}"),
    Column("zone", Text),
    Column("customer_id", Uuid(as_uuid=False)),  # In the CRM pool, where it may have been deleted since.
    Column("attempts", SmallInteger, nullable=False, server_default="0"),  # Attempts planned, ever.
    Column("tries", SmallInteger, nullable=False, server_default="0"),  # Those the retry policy counts.
    Column("finished", Boolean, nullable=False, server_default="false"),
    Column("outcome", Text),  # Of the last closed attempt, or do_not_call.
    Column("hold_reason", Text),
    _when("hold_until"),
    _when("last_attempt_at"),
    _created(),
    UniqueConstraint("campaign_id", "key"),
    Index("contact_page_idx", "campaign_id", "id"),
    postgresql_with={"fillfactor": 85},
)

queue = Table(
    # One narrow row per unfinished contact. Lane 0: never held, taken in `rank` order. Lane 1: `rank` is
    # the instant (ms) at which it is due. `node_id`: the engine that has claimed it.
    "queue",
    metadata,
    Column("contact_id", BigInteger, primary_key=True, autoincrement=False),
    Column("campaign_id", Uuid(as_uuid=False), nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("rank", BigInteger, nullable=False),
    Column("node_id", Integer),
    Index("queue_due_idx", "campaign_id", "lane", "rank", postgresql_where=text("node_id is null")),
    # Also answers whether a campaign has any unfinished contact; nodes ask for their own rows once in a life.
    Index("queue_claimed_idx", "campaign_id", "node_id", postgresql_where=text("node_id is not null")),
    postgresql_with={
        "fillfactor": 70,
        "autovacuum_vacuum_scale_factor": 0.01,
        "autovacuum_vacuum_threshold": 1000,
    },
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("account_id", Uuid(as_uuid=False), nullable=False),
    Column("campaign_id", Uuid(as_uuid=False), nullable=False),
    Column("contact_id", BigInteger, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("trunk_id", Uuid(as_uuid=False), nullable=False),
    Column("node_id", Integer, nullable=False),
    Column("phone", _C, nullable=False),
    Column("day", Date, nullable=False),  # The local day it counts in for the daily cap.
    # What it will cost if it is answered, as the trunk's allocation said when it was planned.
    Column("price", Numeric(18, 4), nullable=False, server_default="0"),
    Column("billing_unit_s", Integer, nullable=False, server_default="60"),
    # planned → answered → closed; withdrawn when the call never left.
    Column("state", Text, nullable=False, server_default="planned"),
    _when("planned_at", required=True),
    _when("placed_at"),
    _when("ringing_at"),
    _when("answered_at"),
    _when("closed_at"),
    Column("outcome", Text),
    Column("sip_code", SmallInteger),
    Column("q850", SmallInteger),
    Column("announcement", Text),
    Column("timed_out", Boolean),
    Column("hung_up_by", Text),
    Column("recording", Text),  # Path below the recordings directory, set when the file exists.
    # Who talked, known once the talk is stored; null: nobody, or nobody stored it.
    Column("agent_id", Integer),
    Column("agent_version", Integer),
    # What the conversation came to: points, and 1 (A) to 6 (F); 0: not graded.
    Column("score", Integer, nullable=False, server_default="0"),
    Column("intention", SmallInteger, nullable=False, server_default="0"),
    UniqueConstraint("contact_id", "number"),
    CheckConstraint("state in ('planned', 'answered', 'closed', 'withdrawn')", name="state"),
    Index(
        # Lists of calls and their exact totals are read from the index alone. Open attempts are not in it.
        "attempt_page_idx",
        "campaign_id",
        text("planned_at desc"),
        text("id desc"),
        postgresql_include=["placed_at", "closed_at", "score", "intention"],
        postgresql_where=text("state = 'closed'"),
    ),
    # Few entries, and each is looked for by its contact, or with the others of its campaign: the view `open_attempt`.
    Index("attempt_open_idx", "campaign_id", "contact_id", postgresql_where=text("state in ('planned', 'answered')")),
)

turn = Table(
    "turn",
    metadata,
    Column("attempt_id", Uuid(as_uuid=False), primary_key=True),
    Column("sequence", SmallInteger, primary_key=True),
    Column("speaker", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("dtmf", Text),
    Column("at_ms", Integer, nullable=False),  # Since the answer.
    CheckConstraint("speaker in ('agent', 'callee')", name="speaker"),
)

phone_day = Table(
    # Calls one phone got on one day, over all campaigns of a main account.
    "phone_day",
    metadata,
    Column("account_id", Uuid(as_uuid=False), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("phone", _C, primary_key=True),
    Column("calls", SmallInteger, nullable=False),
)

# Engines

node = Table(
    "node",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),  # A new one at every start: the epoch.
    Column("name", Text, nullable=False),
    _when("beat_at", required=True),
    _when("ended_at"),  # It left, was replaced, or was taken for dead.
    _when("settled_at"),  # Since then nothing of it is left: no open attempt, no claimed contact, no lease.
    postgresql_with={"fillfactor": 20},
)

capacity_lease = Table(
    "capacity_lease",
    metadata,
    Column("resource", _C, primary_key=True),
    Column("node_id", ForeignKey("node.id"), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("cps", Double, nullable=False),  # Whole calls per second, or all of a rate below one.
    # A rate that was given up counts for one more window after its node can no longer start calls under it.
    Column("cps_before", Double, nullable=False, server_default="0"),
    _when("cps_before_until", required=True),
    Column("in_use", Integer, nullable=False),
    Column("want", Integer, nullable=False),
    _when("expires_at", required=True),
    _when("reclaim_at", required=True),
    CheckConstraint("channels >= 0 and cps >= 0", name="sizes"),
    Index(None, "node_id"),
    postgresql_with={"fillfactor": 40},
)

# Telling others

callback = Table(
    # One row per thing to be told. Those that were told together carry one `event_id`, from the first try on.
    "callback",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid(as_uuid=False)),
    _account(),  # Whose things it tells of.
    Column("owner_id", Uuid(as_uuid=False), nullable=False),  # Whose address it goes to: the account or its main one.
    Column("url", Text, nullable=False),
    # The queue it stands in. Computed, so that whoever writes a callback has to look up nothing.
    Column("receiver", Uuid(as_uuid=False), Computed("md5(owner_id::text || ' ' || url)::uuid", persisted=True)),
    Column("kind", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    _when("due_at", required=True),
    _when("delivered_at"),
    _when("given_up_at"),
    _when("redelivered_at"),  # When it was asked for again by hand; its time runs anew.
    Column("last_answer", Text),
    _created(),
    Index(
        "callback_due_idx",
        "receiver",
        "due_at",
        "id",
        postgresql_where=text("delivered_at is null and given_up_at is null"),
    ),
    Index("callback_event_idx", "event_id", postgresql_where=text("event_id is not null")),
    Index("callback_page_idx", "account_id", text("id desc")),
    postgresql_with={"autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 1000},
)
