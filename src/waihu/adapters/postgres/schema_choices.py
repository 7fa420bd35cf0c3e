"""The table of dialogues by text. What else campaigns choose from is in models.py."""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Index, Integer, Table, Text

from waihu.adapters.postgres.models import metadata

text_talk = Table(
    # A dialogue that has been begun and not been left. Its script is pinned.
    "text_talk",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("talk_id", Text(collation="C"), primary_key=True),  # Chosen by the client.
    Column("agent_id", ForeignKey("agent.id"), nullable=False),
    Column("agent_version", Integer, nullable=False),
    Column("listens", Boolean, nullable=False),  # Whether the agent waits for an answer; else it has said goodbye.
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index(None, "updated_at"),
)
