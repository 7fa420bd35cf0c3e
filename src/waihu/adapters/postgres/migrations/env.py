"""What Alembic runs for every command: the steps, on the connection that it is given."""

from alembic import context
from sqlalchemy import Connection

from waihu.adapters.postgres.schema import metadata

_connection: Connection = context.config.attributes["connection"]

context.configure(connection=_connection, target_metadata=metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
