"""A call as the wire shows it: in lists, and opened with its dialogue.

Fields with a default are constants: the vendor has the concept and waihu has not.
"""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from msgspec import Struct

from waihu.application.calls import CallDetail
from waihu.domain.outcome import HungUpBy, Outcome
from waihu.domain.place import Place
from waihu.faces.agent_api.customer_shapes import ComponentInRecord, components_in_record, name_of_customer
from waihu.faces.agent_api.masks import shown, shown_in
from waihu.faces.agent_api.number_status import NAMES, code_of
from waihu.faces.agent_api.places import city_id, operator_code, operator_name, province_id
from waihu.faces.agent_api.task_shapes import GROUP_TYPES, TaskRow, task_row_of
from waihu.faces.agent_api.times import written
from waihu.ports.customer_rows import CustomerId
from waihu.ports.dialing_store import Turn
from waihu.ports.privacy import MaskStyle
from waihu.ports.rows import Call

HANGUP_BY = {HungUpBy.AGENT: 1, HungUpBy.CALLEE: 2}
HANGUP_NAMES = {1: "机器人", 2: "客户"}
_Q850_NAMES = {
    1: "UNALLOCATED_NUMBER",
    16: "NORMAL_CLEARING",
    17: "USER_BUSY",
    18: "NO_USER_RESPONSE",
    19: "NO_ANSWER",
    20: "SUBSCRIBER_ABSENT",
    21: "CALL_REJECTED",
    22: "NUMBER_CHANGED",
    27: "DESTINATION_OUT_OF_ORDER",
    28: "INVALID_NUMBER_FORMAT",
    31: "NORMAL_UNSPECIFIED",
    34: "NORMAL_CIRCUIT_CONGESTION",
    38: "NETWORK_OUT_OF_ORDER",
    41: "NORMAL_TEMPORARY_FAILURE",
    42: "SWITCH_CONGESTION",
    55: "INCOMING_CALL_BARRED",
}
COUNTRY = "+86"
INTENTIONS = {
    1: "A-高意向",
    2: "B-意向客户",
    3: "C-潜在客户",
    4: "D-一般意向",
    5: "E-需再次跟进",
    6: "F-号码无效",
}


class Group(Struct):
    """The script that talked."""

    id: int
    name: str


class RecordRow(Struct, kw_only=True):
    """A line of the call list. The copy of its page is cut: the first ten fields are documented, the others are
    those of the vendor's table.
    """

    tags: list[Any] = []
    tag_groups: list[Any] = []
    operator_name: str
    extra: str | None
    name: str
    company: str | None
    send_wechat_data: list[Any] = []
    components: list[ComponentInRecord]
    id: str
    task_id: str
    callid: str
    user_id: str
    customer_id: str
    callee: str
    calldate: str
    answerdate: str | None
    hangupdate: str
    bill: int
    duration: int
    rounds: int
    score: int
    hangup_disposition: int | None
    level_id: str | None = None
    level_name: str
    intention_results: int
    group_id: int
    group: Group
    gender: int = 0
    bridge_answerdate: str | None = None
    status: int
    status_str: str


class Content(Struct, kw_only=True):
    id: str
    file_id: str | None = None
    sort: int
    status: bool = True
    translate_text: str


class Utterance(Struct, kw_only=True):
    """One row of a dialogue."""

    id: str
    record_id: str
    task_id: str
    notify: str
    callid: str
    error_code: int = 0
    asrtype: str | None
    callee: str
    gender: int | None = None
    asr_elapse: int | None = None
    record_ms: int | None
    volume_gain: float | None = None
    question: str
    split_question: str | None = None
    question_index: int
    speak_ms: int
    play_ms: int
    keyword: str | None
    answer_id: str | None
    answer_text: str | None
    answer_content: str | None
    word_class: str | None = None
    answer_action: int | None
    playback_after_action: int = 0
    upstream_answer_action: int | None = None
    upstream_answer_content: str | None = None
    upstream_answer_text: str | None = None
    upstream_answer_id: str | None = None
    score: int = 0
    created_at: str
    updated_at: str | None = None
    bridge_status: int | None = None
    user_id: str
    is_regular: bool = False
    expression: str | None = None
    extra: Any
    contents: list[Content]
    tags: list[Any] = []
    outbound_collection_record: Any = None
    voice: str = ""
    download_voice: str = ""
    sequence: int


class Customer(Struct, kw_only=True):
    id: str
    phone: str
    name: str
    email: str | None
    company: str | None
    extra: str | None
    sort: int
    sex: int
    expect_transaction_fee: str = "0.00"
    components: list[ComponentInRecord]


class Record(Struct, kw_only=True):
    id: str
    task_id: str
    group_id: int
    callid: str
    score: int
    callee: str
    caller_number: str | None = None
    duration: int
    bill: int
    error_code: int = 0
    gender: int = 0
    level_id: str | None = None
    level_name: str
    calldate: str
    answerdate: str | None
    hangupdate: str
    hangupcause: str
    bridge_callid: str | None = None
    bridge_number: str | None = None
    bridge_calldate: str | None = None
    bridge_answerdate: str | None = None
    hangup_disposition: int | None
    hangup_disposition_str: str
    rounds: int
    read_at: str | None = None
    province_id: int | None
    city_id: int | None
    operator: int | None
    customer_id: str
    user_id: str
    processed_at: str | None
    number_created_at: str
    intention_results: int
    group_type: str
    group: Group
    dynamic_variables: dict[str, str]
    custom_variables: dict[str, str] | None = None
    level: Any = None
    gender_str: str = "未知"
    crm_customer: Customer
    record_llm_intention_tag: list[Any] = []
    created_at: str
    updated_at: str
    status: int


class DetailTask(TaskRow, kw_only=True):
    """The list row of the task with the fields that only this answer carries."""

    group_type: str
    call_notify_url: str | None = None
    call_stop_notify_url: str | None = None
    is_call_in: int = 0
    recharge_restart: int = 0
    scene_type: str | None = None


class Info(Struct):
    record: Record
    task: DetailTask


class MobileInfo(Struct):
    mobile_type: str
    province: str
    city: str


class Detail(Struct, kw_only=True):
    records: list[Utterance]
    is_crm_exists: bool
    user_id: str
    info: Info
    callee: str | None = None
    mobile_info: MobileInfo
    utterances: list[Any] = []


def record_row_of(call: Call, place: Place, style: MaskStyle | None) -> RecordRow:
    status = code_of(call.outcome)
    return RecordRow(
        operator_name=operator_name(place),
        extra=call.contact_extra,
        name=name_of(call, style),
        company=company_of(call),
        components=components_in_record(call.customer),
        id=call.attempt,
        task_id=call.campaign,
        callid=call.attempt,
        user_id=call.account,
        customer_id=customer_id_of(call),
        callee=shown(call.phone, style),
        calldate=written(call.began_at),
        answerdate=written(call.answered_at),
        hangupdate=written(call.closed_at),
        bill=call.talk_ms,
        duration=call.closed_at - call.began_at,
        rounds=call.turns,
        score=call.score,
        hangup_disposition=_hung_up_by(call),
        level_name=INTENTIONS.get(call.intention, ""),
        intention_results=call.intention,
        group_id=call.agent.id,
        group=group_of(call),
        status=status,
        status_str=NAMES[status],
    )


def detail_of(detail: CallDetail, place: Place, style: MaskStyle | None) -> Detail:
    call = detail.call
    return Detail(
        records=_utterances(call, detail.turns, style),
        is_crm_exists=call.customer is not None,
        user_id=call.account,
        info=Info(_record(detail, place, style), _task(detail)),
        mobile_info=MobileInfo(operator_name(place), place.province, place.city),
    )


def customer_id(campaign: str, contact: int, customer: CustomerId | None) -> str:
    """Who of the CRM pool a contact is. For one that did not come in through the pool an id that is always the same:
    waihu counts contacts, the wire wants uuids.
    """
    return customer or str(uuid5(UUID(campaign), str(contact)))


def group_of(call: Call) -> Group:
    return Group(call.agent.id, call.agent.name)


def customer_id_of(call: Call) -> str:
    return customer_id(call.campaign, call.contact, call.customer_id)


def company_of(call: Call) -> str | None:
    known = None if call.customer is None else call.customer.company
    return call.contact_variables.get("公司") or known


def email_of(call: Call) -> str | None:
    known = None if call.customer is None else call.customer.email
    return call.contact_variables.get("邮箱") or known


def _record(detail: CallDetail, place: Place, style: MaskStyle | None) -> Record:
    call = detail.call
    hung_up_by = _hung_up_by(call)
    return Record(
        id=call.attempt,
        task_id=call.campaign,
        group_id=call.agent.id,
        callid=call.attempt,
        score=call.score,
        callee=shown(call.phone, style),
        duration=call.closed_at - call.began_at,
        bill=call.talk_ms,
        level_name=INTENTIONS.get(call.intention, ""),
        calldate=written(call.began_at),
        answerdate=written(call.answered_at),
        hangupdate=written(call.closed_at),
        hangupcause=_hangup_cause(call),
        hangup_disposition=hung_up_by,
        hangup_disposition_str=HANGUP_NAMES.get(hung_up_by or 0, ""),
        rounds=call.turns,
        province_id=province_id(place),
        city_id=city_id(place),
        operator=operator_code(place),
        customer_id=customer_id_of(call),
        user_id=call.account,
        processed_at=written(call.closed_at),
        number_created_at=written(call.contact_created_at),
        intention_results=call.intention,
        group_type=GROUP_TYPES[call.agent.kind],
        group=group_of(call),
        dynamic_variables={name: shown_in(value, call.phone, style) for name, value in call.contact_variables.items()},
        crm_customer=_crm_customer(call, style),
        created_at=written(call.began_at),
        updated_at=written(call.closed_at),
        status=code_of(call.outcome),
    )


def _crm_customer(call: Call, style: MaskStyle | None) -> Customer:
    """What came with the contact, the caller's own reference above all, and for the rest what the pool knows now."""
    known = call.customer
    return Customer(
        id=customer_id_of(call),
        phone=shown(call.phone, style),
        name=name_of(call, style),
        email=email_of(call),
        company=company_of(call),
        extra=call.contact_extra,
        sort=0 if known is None else known.sort,
        sex=0 if known is None else known.sex,
        components=components_in_record(known),
    )


def _task(detail: CallDetail) -> DetailTask:
    row = task_row_of(detail.campaign)
    kept = {name: getattr(row, name) for name in row.__struct_fields__}
    return DetailTask(group_type=GROUP_TYPES[detail.campaign.agent.kind], **kept)


def _utterances(call: Call, turns: Sequence[Turn], style: MaskStyle | None) -> list[Utterance]:
    """The rows of a dialogue: the greeting, then for every customer turn an interim and a final one.

    What the agent says unasked after that, e.g. a goodbye, is the answer to having waited.
    """
    sequence = count(1)
    rows: list[Utterance] = []
    index = 0
    for said in _exchanges(turns):
        question, answer = said
        if question is None:
            notify = "enter" if not rows else "wait_result"
            rows.append(_utterance(call, next(sequence), notify, index, None, answer, style))
            continue
        index += 1
        rows.append(_utterance(call, next(sequence), "asrprogress_notify", index, question, None, style))
        rows.append(_utterance(call, next(sequence), "asrmessage_notify", index, question, answer, style))
    return rows


def _exchanges(turns: Iterable[Turn]) -> list[tuple[Turn | None, Turn | None]]:
    """Pairs of what the callee said and what the agent said to it; either may be missing."""
    pairs: list[tuple[Turn | None, Turn | None]] = []
    for turn in turns:
        if turn.speaker == "callee":
            pairs.append((turn, None))
        elif pairs and pairs[-1][0] is not None and pairs[-1][1] is None:
            pairs[-1] = (pairs[-1][0], turn)
        else:
            pairs.append((None, turn))
    return pairs


def _utterance(
    call: Call,
    sequence: int,
    notify: str,
    index: int,
    question: Turn | None,
    answer: Turn | None,
    style: MaskStyle | None,
) -> Utterance:
    at = question or answer
    assert at is not None and call.answered_at is not None
    said = "" if question is None else shown_in(question.text or question.dtmf or "", call.phone, style)
    answered = None if answer is None else shown_in(answer.text, call.phone, style)
    callee = shown(call.phone, style)
    id = str(uuid5(UUID(call.attempt), str(sequence)))
    return Utterance(
        id=id,
        record_id=call.attempt,
        task_id=call.campaign,
        notify=notify,
        callid=call.attempt,
        asrtype=None if notify == "enter" else "stream",
        callee=f"{COUNTRY}{callee}" if notify == "asrmessage_notify" else callee,
        record_ms=None if question is None else at.at_ms,
        question=said,
        question_index=index,
        speak_ms=0,
        play_ms=0,
        keyword=None if question is None else question.dtmf,
        answer_id=None if answer is None else id,
        answer_text=None if answer is None else ("开场白" if notify == "enter" else "回复"),
        answer_content=answered,
        answer_action=None if answer is None else 0,
        created_at=written(call.answered_at + at.at_ms),
        user_id=call.account,
        extra=[] if notify == "enter" else None,
        contents=[] if answered is None else [Content(id=id, sort=1, translate_text=answered)],
        sequence=sequence,
    )


def name_of(call: Call, style: MaskStyle | None) -> str:
    known = None if call.customer is None else call.customer.name
    return name_of_customer(call.contact_name or known, call.phone, customer_id_of(call), style)


def _hung_up_by(call: Call) -> int | None:
    return None if call.hung_up_by is None else HANGUP_BY[call.hung_up_by]


def _hangup_cause(call: Call) -> str:
    if call.outcome is Outcome.ANSWERED:
        return "NORMAL_CLEARING"
    return _Q850_NAMES.get(call.q850 or 0, "NORMAL_UNSPECIFIED")
