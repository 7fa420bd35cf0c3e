"""`waihu trunk …`: SIP paths to carriers. The engine takes changes over within seconds, without a restart."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from rich.markup import escape

from waihu.cli.frame import Data, Json, application_of, command, group, listing, tell
from waihu.domain.errors import Invalid
from waihu.ports.rows import KeptTrunk
from waihu.settings import parse_address

trunks = group("trunk", "Trunks: SIP paths to carriers.")

# How the options are called for what the application calls otherwise.
_OPTIONS = {
    "host": "--sip",
    "port": "--sip",
    "username": "--user",
    "password": "--password",
    "register": "--register",
    "caller_id": "--caller-id",
    "channels_max": "--channels",
    "cps_max": "--cps",
    "price": "--price",
    "billing_unit_s": "--billing-unit",
}
_SIP_PORT = 5060

Line = Annotated[str, typer.Argument(metavar="LINE_ID", help="As `waihu trunk list` shows it.")]
Account = Annotated[str | None, typer.Option("--account", metavar="ID", help="Who may use it, with all channels.")]
Price = Annotated[
    str | None, typer.Option("--price", metavar="AMOUNT", help="What that account pays for each billing unit.")
]
BillingUnit = Annotated[
    int | None, typer.Option("--billing-unit", metavar="SECONDS", help="A billing unit. [default: 60]")
]
User = Annotated[str | None, typer.Option("--user", help="User name at the carrier.")]
Password = Annotated[str | None, typer.Option("--password", help="Password at the carrier.")]
CallerId = Annotated[str | None, typer.Option("--caller-id", metavar="NUMBER", help="The number that is shown.")]
Register = Annotated[
    bool | None,
    typer.Option(
        "--register/--no-register",
        help="Send REGISTER. Without it the carrier knows us by address. [default: if there is a user]",
        show_default=False,
    ),
]


@command(trunks, "add")
async def add(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    sip: Annotated[str, typer.Option("--sip", metavar="HOST:PORT", help="The carrier's SIP server.")],
    channels: Annotated[int, typer.Option("--channels", min=1, help="Calls at once.")],
    cps: Annotated[float, typer.Option("--cps", help="Calls that may begin per second.")],
    account: Account = None,
    price: Price = None,
    billing_unit: BillingUnit = None,
    partner: Annotated[
        str | None,
        typer.Option(
            "--partner",
            metavar="ID",
            help="Whose it is. [default: the account's partner, else the whole installation's]",
        ),
    ] = None,
    user: User = None,
    password: Password = None,
    register: Register = None,
    caller_id: CallerId = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a trunk."""
    address = parse_address("--sip", sip, port=_SIP_PORT)
    tariff = _tariff(account, price, billing_unit)
    async with application_of(data) as application:
        if account is not None:
            # Looked at first, so that a wrong id leaves no trunk behind.
            owner = await application.accounts.read(account)
            partner = partner or owner.partner
        with _options_named():
            kept = await application.trunks.add(
                name,
                address.host,
                port=address.port,
                username=user,
                password=password,
                register=user is not None if register is None else register,
                caller_id=caller_id,
                channels_max=channels,
                cps_max=cps,
                partner=partner,
            )
            if account is not None:
                await application.trunks.allocate(kept.trunk.id, account, channels, **tariff)
    used = "" if account else "\n[dim]No account may use it yet: waihu trunk set LINE_ID --account ID[/]"
    tell({"line_id": kept.trunk.id}, as_json, f"[bold]{escape(name)}[/]\nline_id  {kept.trunk.id}{used}")


@command(trunks, "list")
async def list_trunks(data: Data = None, as_json: Json = False) -> None:
    """List all trunks, and whether the carriers answer."""
    async with application_of(data) as application:
        found = await application.trunks.all()
    table = listing("line_id", "name", "SIP", "channels", "calls/s", "")
    for kept in found:
        state = "[green]up[/]" if kept.is_up else "[red]down[/]"
        table.add_row(
            kept.trunk.id,
            escape(kept.name),
            f"{kept.trunk.host}:{kept.trunk.port}",
            str(kept.channels_max),
            f"{kept.cps_max:g}",
            f"{state} {escape(kept.status_detail)}",
        )
    tell({"trunks": [_shown(kept) for kept in found]}, as_json, table)


@command(trunks, "set")
async def change(
    line: Line,
    name: Annotated[str | None, typer.Option("--name", help="What people call it.")] = None,
    sip: Annotated[str | None, typer.Option("--sip", metavar="HOST:PORT", help="The carrier's SIP server.")] = None,
    channels: Annotated[int | None, typer.Option("--channels", min=0, help="Calls at once; 0 stops it.")] = None,
    cps: Annotated[float | None, typer.Option("--cps", help="Calls that may begin per second.")] = None,
    account: Account = None,
    price: Price = None,
    billing_unit: BillingUnit = None,
    user: User = None,
    password: Password = None,
    register: Register = None,
    caller_id: CallerId = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change a trunk; what is not named stays as it is. A price holds for calls from now on."""
    tariff = _tariff(account, price, billing_unit)
    async with application_of(data) as application:
        before = await application.trunks.read(line)
        told: dict[str, Any] = {"username": user, "password": password, "register": register, "caller_id": caller_id}
        if sip is not None:
            address = parse_address("--sip", sip, port=_SIP_PORT)
            told |= {"host": address.host, "port": address.port}
        after = replace(
            before,
            trunk=replace(before.trunk, **{field: value for field, value in told.items() if value is not None}),
            name=before.name if name is None else name,
            channels_max=before.channels_max if channels is None else channels,
            cps_max=before.cps_max if cps is None else cps,
        )
        with _options_named():
            await application.trunks.change(after)
            if account is not None:
                await application.trunks.allocate(line, account, after.channels_max, **tariff)
    tell(_shown(after), as_json, f"{escape(after.name)} changed")


@command(trunks, "remove")
async def remove(line: Line, data: Data = None, as_json: Json = False) -> None:
    """Remove a trunk. Its calls go on; tasks go on with their other trunks."""
    async with application_of(data) as application:
        await application.trunks.remove(line)
    tell({"line_id": line, "removed": True}, as_json, "removed")


def _tariff(account: str | None, price: str | None, billing_unit: int | None) -> dict[str, Any]:
    if account is None and (price is not None or billing_unit is not None):
        raise Invalid.field("--price", "A price is an account's: name it with --account.")
    try:
        amount = None if price is None else Decimal(price)
    except InvalidOperation:
        raise Invalid.field("--price", "This is no amount.") from None
    return {"price": amount, "billing_unit_s": billing_unit}


def _shown(kept: KeptTrunk) -> dict[str, object]:
    trunk = kept.trunk
    return {
        "line_id": trunk.id,
        "partner": kept.partner,
        "name": kept.name,
        "sip": f"{trunk.host}:{trunk.port}",
        "user": trunk.username,
        "registers": trunk.register,
        "caller_id": trunk.caller_id,
        "channels": kept.channels_max,
        "cps": kept.cps_max,
        "up": kept.is_up,
        "detail": kept.status_detail,
    }


@contextmanager
def _options_named() -> Iterator[None]:
    """Problems are told under the names that the user typed."""
    try:
        yield
    except Invalid as mistake:
        raise Invalid({_OPTIONS.get(field, field): said for field, said in mistake.problems.items()}) from mistake
