"""`waihu callback …`: where an account is told what happens, and what became of it."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from waihu.cli.frame import Data, Json, application_of, command, group, listing, tell
from waihu.domain.errors import Invalid
from waihu.domain.ids import Instant
from waihu.ports.callbacks import CallbackState
from waihu.ports.rows import Paging

callbacks = group("callback", "Callbacks: who is told what happens, and what became of it.")

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="As `waihu account list` shows it.")]


@command(callbacks, "set")
async def set_address(
    account: Account,
    url: Annotated[str, typer.Argument(help="Where it is told from now on; an empty one is its main account's.")],
    new_secret: Annotated[bool, typer.Option("--new-secret", help="Replaces the secret that signs pushes.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Set an account's address. What waits for the address of before goes to the new one."""
    async with application_of(data) as application:
        owner = await application.accounts.read(account)
        new = await application.callbacks.set_address(owner.id, url or None, wants_secret=new_secret)
    told = new.address.own or new.address.inherited
    lines = [f"told at {escape(told)}" if told else "told nowhere"]
    if new.secret:
        lines += [f"secret  {new.secret}", "[dim]The secret is shown this once.[/]"]
    tell({"callback_url": told, "secret": new.secret}, as_json, "\n".join(lines))


@command(callbacks, "list")
async def list_callbacks(
    account: Account,
    state: Annotated[CallbackState | None, typer.Option("--state", help="Only those.")] = None,
    page: Annotated[int, typer.Option("--page", min=1)] = 1,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List an account's callbacks of the last 30 days, newest first."""
    async with application_of(data) as application:
        owner = await application.accounts.read(account)
        found = await application.callbacks.page(owner.id, state, Paging(page, 50))
    table = listing("id", "kind", "state", "tries", "last answer", "written", "url")
    for each in found.items:
        table.add_row(
            str(each.id),
            each.kind.value,
            each.state.value,
            str(each.tries),
            escape(each.last_answer or ""),
            _time(each.created_at),
            escape(each.url),
        )
    rows = [
        {
            "id": each.id,
            "event": each.event,
            "kind": each.kind.value,
            "state": each.state.value,
            "tries": each.tries,
            "last_answer": each.last_answer,
            "url": each.url,
            "written": _time(each.created_at),
        }
        for each in found.items
    ]
    tell({"total": found.total, "callbacks": rows}, as_json, table)


@command(callbacks, "redeliver")
async def redeliver(
    account: Account,
    callback: Annotated[int | None, typer.Argument(metavar="[ID]", help="As `waihu callback list` shows it.")] = None,
    given_up: Annotated[bool, typer.Option("--given-up", help="Everything that was given up.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell again what was told together with one callback, or everything that was given up."""
    if (callback is None) is not given_up:
        raise Invalid.field("ID", "Name one callback, or --given-up.")
    async with application_of(data) as application:
        owner = await application.accounts.read(account)
        if callback is None:
            count = await application.callbacks.redeliver_given_up(owner.id)
        else:
            count = await application.callbacks.redeliver(owner.id, callback)
    tell({"callbacks": count}, as_json, f"{count} to be told again")


def _time(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
