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
from waihu.faces.agent_api.number_status import NAMES, code_of
from waihu.faces.agent_api.task_shapes import GROUP_TYPES, TaskRow, task_row_of
from waihu.faces.agent_api.times import written
from waihu.ports.dialing_store import Turn
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


class RecordRow(Struct, kw_only=True):
    """A line of the call list. The copy of its page is cut: the first ten fields are documented, the others are
    those of the vendor's table.
    """

    tags: list[Any] = []
    tag_groups: list[Any] = []
    operator_name: str = ""
    extra: str | None
    name: str
    company: str | None
    send_wechat_data: list[Any] = []
    components: list[Any] = []
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
    score: int = 0
    hangup_disposition: int | None
    level_id: str | None = None
    level_name: str = ""
    intention_results: int = 0
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
    sort: int = 0
    sex: int = 0
    expect_transaction_fee: str = "0.00"
    components: list[Any] = []


class Record(Struct, kw_only=True):
    id: str
    task_id: str
    group_id: int
    callid: str
    score: int = 0
    callee: str
    caller_number: str | None = None
    duration: int
    bill: int
    error_code: int = 0
    gender: int = 0
    level_id: str | None = None
    level_name: str = ""
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
    province_id: int | None = None
    city_id: int | None = None
    operator: int | None = None
    customer_id: str
    user_id: str
    processed_at: str | None
    number_created_at: str
    intention_results: int = 0
    group_type: str
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


class MobileInfo(Struct, frozen=True):
    mobile_type: str = ""
    province: str = ""
    city: str = ""


class Detail(Struct, kw_only=True):
    records: list[Utterance]
    is_crm_exists: bool = False
    user_id: str
    info: Info
    callee: str | None = None
    mobile_info: MobileInfo = MobileInfo()
    utterances: list[Any] = []


def record_row_of(call: Call) -> RecordRow:
    status = code_of(call.outcome)
    return RecordRow(
        extra=call.contact_extra,
        name=name_of(call),
        company=call.contact_variables.get("公司"),
        id=call.attempt,
        task_id=call.campaign,
        callid=call.attempt,
        user_id=call.account,
        customer_id=customer_id(call),
        callee=call.phone,
        calldate=written(call.began_at),
        answerdate=written(call.answered_at),
        hangupdate=written(call.closed_at),
        bill=call.talk_ms,
        duration=call.closed_at - call.began_at,
        rounds=call.turns,
        hangup_disposition=_hung_up_by(call),
        status=status,
        status_str=NAMES[status],
    )


def detail_of(detail: CallDetail) -> Detail:
    call = detail.call
    return Detail(
        records=_utterances(call, detail.turns),
        user_id=call.account,
        info=Info(_record(detail), _task(detail)),
    )


def customer_id(call: Call) -> str:
    """A uuid for the contact: waihu counts contacts, the wire wants uuids."""
    return str(uuid5(UUID(call.campaign), str(call.contact)))


def _record(detail: CallDetail) -> Record:
    call, view = detail.call, detail.campaign
    hung_up_by = _hung_up_by(call)
    return Record(
        id=call.attempt,
        task_id=call.campaign,
        group_id=view.agent.id,
        callid=call.attempt,
        callee=call.phone,
        duration=call.closed_at - call.began_at,
        bill=call.talk_ms,
        calldate=written(call.began_at),
        answerdate=written(call.answered_at),
        hangupdate=written(call.closed_at),
        hangupcause=_hangup_cause(call),
        hangup_disposition=hung_up_by,
        hangup_disposition_str=HANGUP_NAMES.get(hung_up_by or 0, ""),
        rounds=call.turns,
        customer_id=customer_id(call),
        user_id=call.account,
        processed_at=written(call.closed_at),
        number_created_at=written(call.contact_created_at),
        group_type=GROUP_TYPES[view.agent.kind],
        dynamic_variables=dict(call.contact_variables),
        crm_customer=Customer(
            id=customer_id(call),
            phone=call.phone,
            name=name_of(call),
            email=call.contact_variables.get("邮箱"),
            company=call.contact_variables.get("公司"),
            extra=call.contact_extra,
        ),
        created_at=written(call.began_at),
        updated_at=written(call.closed_at),
        status=code_of(call.outcome),
    )


def _task(detail: CallDetail) -> DetailTask:
    row = task_row_of(detail.campaign)
    kept = {name: getattr(row, name) for name in row.__struct_fields__}
    return DetailTask(group_type=GROUP_TYPES[detail.campaign.agent.kind], **kept)


def _utterances(call: Call, turns: Sequence[Turn]) -> list[Utterance]:
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
            rows.append(_utterance(call, next(sequence), notify, index, None, answer))
            continue
        index += 1
        rows.append(_utterance(call, next(sequence), "asrprogress_notify", index, question, None))
        rows.append(_utterance(call, next(sequence), "asrmessage_notify", index, question, answer))
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
    call: Call, sequence: int, notify: str, index: int, question: Turn | None, answer: Turn | None
) -> Utterance:
    at = question or answer
    assert at is not None and call.answered_at is not None
    said = "" if question is None else question.text or question.dtmf or ""
    id = str(uuid5(UUID(call.attempt), str(sequence)))
    return Utterance(
        id=id,
        record_id=call.attempt,
        task_id=call.campaign,
        notify=notify,
        callid=call.attempt,
        asrtype=None if notify == "enter" else "stream",
        callee=f"{COUNTRY}{call.phone}" if notify == "asrmessage_notify" else call.phone,
        record_ms=None if question is None else at.at_ms,
        question=said,
        question_index=index,
        speak_ms=0,
        play_ms=0,
        keyword=None if question is None else question.dtmf,
        answer_id=None if answer is None else id,
        answer_text=None if answer is None else ("开场白" if notify == "enter" else "回复"),
        answer_content=None if answer is None else answer.text,
        answer_action=None if answer is None else 0,
        created_at=written(call.answered_at + at.at_ms),
        user_id=call.account,
        extra=[] if notify == "enter" else None,
        contents=[Content(id=id, sort=1, translate_text=answer.text)] if answer is not None else [],
        sequence=sequence,
    )


def name_of(call: Call) -> str:
    """The vendor makes up `<phone>_<suffix>` for a contact without a name; ours is the same at every look."""
    return call.contact_name or f"{call.phone}_{customer_id(call)[:8]}"


def _hung_up_by(call: Call) -> int | None:
    return None if call.hung_up_by is None else HANGUP_BY[call.hung_up_by]


def _hangup_cause(call: Call) -> str:
    if call.outcome is Outcome.ANSWERED:
        return "NORMAL_CLEARING"
    return _Q850_NAMES.get(call.q850 or 0, "NORMAL_UNSPECIFIED")
