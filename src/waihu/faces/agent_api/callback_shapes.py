"""Finished calls as a receiver is told of them, and the links to their recordings.

Fields with a default are constants: the vendor has the concept and waihu has not.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from waihu.application.callback_news import FinishedCall
from waihu.faces.agent_api.call_shapes import INTENTIONS, company_of, customer_id_of, email_of, name_of
from waihu.faces.agent_api.customer_shapes import ComponentInRecord, components_in_record
from waihu.faces.agent_api.number_status import code_of
from waihu.faces.agent_api.places import operator_name
from waihu.faces.agent_api.times import written

MAIN_ACCOUNT, SUB_ACCOUNT = 4, 8


class NumberData(Struct, kw_only=True):
    number: str
    hangupdate: str
    province: str
    city: str
    operator: str


class Named(Struct):
    id: str
    name: str


class NamedGroup(Struct):
    id: int
    name: str


class Level(Struct, frozen=True):
    level_id: str = ""
    level_name: str = ""


class CustomerData(Struct, kw_only=True):
    name: str
    email: str
    company: str
    extra: str
    components: list[ComponentInRecord]


class CallbackRow(Struct, kw_only=True):
    """`bill` and `duration` are seconds here."""

    calldate: str
    status: int
    answerdate: str | None
    bill: int
    duration: int
    callid: str
    customer_id: str
    master_user_id: str
    user_id: str
    type: int
    intention_results: int
    rounds: int
    score: int
    number_data: NumberData
    group: NamedGroup
    task: Named
    user: Named
    level: Level
    tags: list[Any] = []
    customer_data: CustomerData
    outbound_collection_records: list[Any] = []
    voice_url: str


class CallbackBody(Struct):
    count: int
    data: list[CallbackRow]


def calls_body(calls: Sequence[FinishedCall], public_url: str) -> bytes:
    """What a receiver of finished calls is told."""
    rows = [_callback_row(each, public_url) for each in calls]
    return msgspec.json.encode(CallbackBody(len(rows), rows))


def voice_url(public_url: str, key: str) -> str:
    return f"{public_url}/agent-api/download-voice?key={key}"


def _callback_row(told: FinishedCall, public_url: str) -> CallbackRow:
    call, account = told.call, told.account
    return CallbackRow(
        calldate=written(call.began_at),
        status=code_of(call.outcome),
        answerdate=written(call.answered_at),
        bill=_seconds(call.talk_ms),
        duration=_seconds(call.closed_at - call.began_at),
        callid=call.attempt,
        customer_id=customer_id_of(call),
        master_user_id=account.parent or account.id,
        user_id=account.id,
        type=MAIN_ACCOUNT if account.parent is None else SUB_ACCOUNT,
        intention_results=call.intention,
        rounds=call.turns,
        score=call.score,
        # In full, whatever the account hides from those who look at it: its own receiver has to know whom it was.
        number_data=NumberData(
            number=call.phone,
            hangupdate=written(call.closed_at),
            province=told.place.province,
            city=told.place.city,
            operator=operator_name(told.place),
        ),
        group=NamedGroup(told.agent, told.agent_name),
        level=Level(level_name=INTENTIONS.get(call.intention, "")),
        task=Named(call.campaign, told.campaign_name),
        user=Named(account.id, account.name),
        customer_data=CustomerData(
            name=name_of(call, None),
            email=email_of(call) or "",
            company=company_of(call) or "",
            extra=call.contact_extra or "",
            components=components_in_record(call.customer),
        ),
        voice_url=voice_url(public_url, told.voice_key) if told.voice_key and public_url else "",
    )


def _seconds(ms: int) -> int:
    return round(ms / 1000)
