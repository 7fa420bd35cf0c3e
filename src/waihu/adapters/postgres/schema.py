"""Every table: those of models.py, and those of the modules beside it, one for each noun that came later."""

from waihu.adapters.postgres import schema_accounts as schema_accounts
from waihu.adapters.postgres import schema_callbacks as schema_callbacks
from waihu.adapters.postgres import schema_choices as schema_choices
from waihu.adapters.postgres import schema_customers as schema_customers
from waihu.adapters.postgres import schema_money as schema_money
from waihu.adapters.postgres.models import metadata as metadata
