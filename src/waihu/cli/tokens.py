"""`waihu token …`: what clients show to be let in."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from waihu.application.services import Application
from waihu.cli.frame import Data, Json, application_of, command, group, listing, tell
from waihu.domain.errors import Invalid
from waihu.domain.ids import Instant
from waihu.ports.rows import Account, Partner

tokens = group("token", "Tokens: what clients show to be let in.")


@command(tokens, "create")
async def create(
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="Whose. Needed when there are several main accounts.")
    ] = None,
    partner: Annotated[
        str | None, typer.Option("--partner", metavar="ID", help="For all accounts of this partner, and to make more.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="To know it again by.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="How long it is valid.")] = 365,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a token. That of a main account also opens its sub-accounts, that of a partner everything of theirs."""
    if account is not None and partner is not None:
        raise Invalid.field("--partner", "A token is for a partner or for an account. Leave one of them out.")
    async with application_of(data) as application:
        owner = await application.accounts.read_partner(partner) if partner else await _account(application, account)
        issued = await application.access.issue(
            owner.id if isinstance(owner, Partner) else owner.partner,
            account=owner.id if isinstance(owner, Account) else None,
            name=name,
            days=days,
        )
    tell(
        {"token": issued.secret, "token_id": issued.token.id, "user_id": issued.token.account},
        as_json,
        f"{issued.secret}\n[dim]For {escape(owner.name)}, until {_day(issued.token.expires_at)}. "
        "It is shown this once.[/]",
    )


@command(tokens, "list")
async def list_tokens(data: Data = None, as_json: Json = False) -> None:
    """List all tokens; the secrets themselves are not kept."""
    async with application_of(data) as application:
        found = await application.access.tokens()
    table = listing("token_id", "name", "account", "until", "")
    for token in found:
        revoked = "revoked" if token.revoked_at else ""
        table.add_row(token.id, escape(token.name), token.account or "all", _day(token.expires_at), revoked)
    rows = [
        {
            "token_id": token.id,
            "name": token.name,
            "user_id": token.account,
            "partner_id": token.partner,
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


async def _account(application: Application, named: str | None) -> Account:
    """The account that is named, or the only main account. Raises NotFound and Invalid."""
    if named is not None:
        return await application.accounts.read(named)
    mains = [found for found in await application.accounts.all() if found.parent is None]
    if len(mains) != 1:
        raise Invalid.field("--account", f"There are {len(mains)} main accounts. Name one: waihu account list.")
    return mains[0]


def _day(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
