"""Accounts choose what their address is told of."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_CALLBACK_ADDRESS = """
    -- Where something of an account is told, and whose address that is: the one named for this alone, else the
    -- account's, else its main account's, and these only when they want to be told of this kind. None: nobody listens.
    create function callback_address(teller uuid, own_url text, kind text)
    returns table (owner_id uuid, url text)
    language sql stable
    as $$
        select case when own_url <> '' or a.callback_url <> '' then a.id else m.id end,
               coalesce(nullif(own_url, ''), nullif(a.callback_url, ''), m.callback_url)
        from account a left join account m on m.id = a.parent_id
        where a.id = teller and coalesce(nullif(own_url, ''), nullif(a.callback_url, ''), m.callback_url) <> ''
          and (
              own_url <> ''
              or (kind = any(case when a.callback_url <> '' then a.callback_kinds else m.callback_kinds end))
                  is not false
          )
    $$
"""


def upgrade() -> None:
    op.add_column("account", sa.Column("callback_kinds", sa.ARRAY(sa.Text()), nullable=True))
    op.execute(_CALLBACK_ADDRESS)
    op.execute("drop function callback_address(uuid, text)")
