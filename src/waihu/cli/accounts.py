"""`waihu account …`: the tenants."""

import sys
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
    table = listing("user_id", "name", "sub-account of", "partner")
    for account in found:
        table.add_row(account.id, escape(account.name), account.parent or "", account.partner)
    tell(
        {"accounts": [{"user_id": a.id, "name": a.name, "parent": a.parent, "partner_id": a.partner} for a in found]},
        as_json,
        table,
    )


@command(accounts, "security-code")
async def security_code(
    account: Annotated[str, typer.Argument(metavar="USER_ID", help="As `waihu account list` shows it.")],
    remove: Annotated[bool, typer.Option("--remove", help="Nobody can change its privacy settings any more.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Set the code that an account's privacy settings ask for. It is typed in, or read from the input's first line."""
    code = None if remove else _typed_in()
    async with application_of(data) as application:
        await application.privacy.set_code(account, code)
    done = "removed" if remove else "set"
    tell({"user_id": account, "has_code": not remove}, as_json, f"The code is {done}.")


def _typed_in() -> str:
    # Not as an argument: those are seen by everybody on the machine, and kept in the shell's history.
    if sys.stdin.isatty():
        typed: str = typer.prompt("Security code", hide_input=True, confirmation_prompt=True)
        return typed
    return sys.stdin.readline().rstrip("\n")
