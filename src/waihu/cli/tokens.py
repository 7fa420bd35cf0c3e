"""`waihu token …`: what clients show to be let in."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from waihu.cli.frame import Data, Json, application_of, command, group, listing, tell
from waihu.domain.errors import Invalid
from waihu.domain.ids import Instant

tokens = group("token", "Tokens: what clients show to be let in.")


@command(tokens, "create")
async def create(
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="Whose. Needed when there are several main accounts.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="To know it again by.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="How long it is valid.")] = 365,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a token. That of a main account also opens its sub-accounts."""
    async with application_of(data) as application:
        if account is None:
            mains = [found for found in await application.accounts.all() if found.parent is None]
            if len(mains) != 1:
                raise Invalid.field("--account", f"There are {len(mains)} main accounts. Name one: waihu account list.")
            owner = mains[0]
        else:
            owner = await application.accounts.read(account)
        issued = await application.access.issue(owner.partner, account=owner.id, name=name, days=days)
    tell(
        {"token": issued.secret, "token_id": issued.token.id, "user_id": owner.id},
        as_json,
        f"{issued.secret}\n[dim]For {escape(owner.name)}, until {_day(issued.token.expires_at)}. "
        "It is shown this once.[/]",
    )


@command(tokens, "list")
async def list_tokens(data: Data = None, as_json: Json = False) -> None:
    """List all tokens; the secrets themselves are not kept."""
    async with application_of(data) as application:
        partners = dict.fromkeys(account.partner for account in await application.accounts.all())
        found = [token for partner in partners for token in await application.access.tokens(partner)]
    table = listing("token_id", "name", "account", "until", "")
    for token in found:
        revoked = "revoked" if token.revoked_at else ""
        table.add_row(token.id, escape(token.name), token.account or "all", _day(token.expires_at), revoked)
    rows = [
        {
            "token_id": token.id,
            "name": token.name,
            "user_id": token.account,
            "expires": _day(token.expires_at),
            "revoked": token.revoked_at is not None,
        }
        for token in found
    ]
    tell({"tokens": rows}, as_json, table)


@command(tokens, "revoke")
async def revoke(
    token: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="As `waihu token list` shows it.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Revoke a token: from now on it opens nothing."""
    async with application_of(data) as application:
        await application.access.revoke(token)
    tell({"token_id": token, "revoked": True}, as_json, "revoked")


def _day(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
