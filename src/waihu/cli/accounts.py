"""`waihu account …`: the tenants."""

from typing import Annotated

import typer
from rich.markup import escape

from waihu.cli.frame import Data, Json, application_of, command, group, listing, tell

accounts = group("account", "Accounts: who campaigns belong to.")


@command(accounts, "create")
async def create(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    parent: Annotated[
        str | None, typer.Option("--parent", metavar="ID", help="Makes a sub-account of this one.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create an account with all that a first task needs, and a token for it."""
    async with application_of(data) as application:
        account = await application.accounts.create(name, parent=parent)
        # A main account's token also opens the accounts that it will create; a sub-account's only itself.
        issued = await application.access.issue(
            account.partner, account=account.id if parent else None, name=f"{name}, by waihu account create"
        )
    tell(
        {"user_id": account.id, "token": issued.secret},
        as_json,
        f"[bold]{escape(name)}[/]\nuser_id  {account.id}\ntoken    {issued.secret}\n"
        "[dim]The token is shown this once.[/]",
    )


@command(accounts, "list")
async def list_accounts(data: Data = None, as_json: Json = False) -> None:
    """List all accounts."""
    async with application_of(data) as application:
        found = await application.accounts.all()
    table = listing("user_id", "name", "sub-account of")
    for account in found:
        table.add_row(account.id, escape(account.name), account.parent or "")
    tell(
        {"accounts": [{"user_id": a.id, "name": a.name, "parent": a.parent} for a in found]},
        as_json,
        table,
    )
