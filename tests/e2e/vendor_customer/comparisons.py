"""What a customer holds against each other: his call records are the truth that callbacks, bills and reports tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from vendor_customer.client import Json
from vendor_customer.month import PRICE, Month, eventually
from vendor_customer.receivers import Receiver


@dataclass(frozen=True)
class Spent:
    """`bill` is talk time in milliseconds."""

    calls: int
    answered: int
    bill: int
    fee: Decimal


def fee_of(record: Json) -> Decimal:
    """What a call costs: the price for each started minute of talk."""
    return PRICE * max(1, -(-record["bill"] // 60_000)) if record["answerdate"] else Decimal(0)


def spent_by(records: Sequence[Json]) -> Spent:
    return Spent(
        len(records),
        sum(record["answerdate"] is not None for record in records),
        sum(record["bill"] for record in records),
        sum(map(fee_of, records), Decimal(0)),
    )


async def reported(month: Month, records: Sequence[Json], **query: Json) -> Spent:
    """What the line report says of the one line, over the days of the records."""
    (row,) = await month.api.get(month.of("call_line_fee"), date=span_of(records), **query)
    assert row["caller_line_id"] == month.stage.line
    return Spent(row["call_total"], row["answer_total"], row["bill"], Decimal(str(row["fee"])))


def days_of(records: Sequence[Json]) -> list[str]:
    """On which the calls ended: the walk may come over midnight."""
    return sorted({record["hangupdate"][:10] for record in records})


def span_of(records: Sequence[Json]) -> list[str]:
    days = days_of(records)
    return [days[0], days[-1]]


async def hears_of(month: Month, receiver: Receiver, records: Sequence[Json]) -> None:
    """Waits until the receiver was told of all these calls, and asserts that it was told the truth, and of no other."""
    expected = {record["callid"]: record for record in records}

    async def complete() -> bool:
        return receiver.calls.keys() >= expected.keys()

    await eventually(complete)
    told = receiver.calls
    assert told.keys() == expected.keys()
    for callid, record in expected.items():
        _assert_same(month, told[callid], record)


def _assert_same(month: Month, told: Json, record: Json) -> None:
    """A call as it is called back, in seconds, and as it stands in the list, in milliseconds."""
    assert told["bill"] == round(record["bill"] / 1000)
    assert told["duration"] == round(record["duration"] / 1000)
    for name in ("callid", "status", "calldate", "answerdate", "customer_id", "user_id", "group", "rounds", "score"):
        assert told[name] == record[name], name
    assert (told["master_user_id"], told["type"]) == (month.user, 8 if record["user_id"] == month.sub else 4)
    number = told["number_data"]
    assert (number["number"], number["hangupdate"]) == (record["callee"], record["hangupdate"])
    customer = told["customer_data"]
    for name in ("name", "extra", "components"):
        assert customer[name] == record[name], name
    assert told["task"]["id"] == record["task_id"]
    assert bool(told["voice_url"]) == bool(record["answerdate"])
