"""Call records, `/agent-api/user/{user_id}/task/{task_id}/record…`, and their recordings."""

import math
from typing import Annotated, Any

from litestar import Response, get
from msgspec import Meta, Struct

from waihu.domain.errors import Invalid, NotFound
from waihu.faces.agent_api.call_shapes import Detail, RecordRow, detail_of, record_row_of
from waihu.faces.agent_api.callback_shapes import voice_url
from waihu.faces.agent_api.entry import ACCOUNT, OPEN, AnyRequest, App, Id, account_of
from waihu.faces.agent_api.envelope import Answer, Failure, Listing, listing
from waihu.faces.agent_api.fields import Moment, about
from waihu.faces.agent_api.files import PARTS, RANGE, wav_answer
from waihu.faces.agent_api.openapi import KeyQuery, Paged, accepts
from waihu.faces.agent_api.reading import INTEGER_MAX, asked_page, read_query
from waihu.faces.agent_api.times import span
from waihu.ports.rows import CallFilter, Paging

TAGS = ["通话记录"]
RECORDINGS_MAX = 30
_RANGE = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_LEVELS = "levels 必须是评分区间,如 [[0,100],[100,500]]"


class RecordQuery(Struct, kw_only=True):
    keyword: Annotated[str | None, Meta(description="被叫号码")] = None
    start_at: Annotated[Moment | None, Meta(description="呼叫时间起,YYYY-MM-DD HH:MM:SS")] = None
    end_at: Annotated[Moment | None, Meta(description="呼叫时间止")] = None
    hangup_date: Annotated[list[Moment], about("挂断时间起止", maxItems=2)] = []
    levels: Annotated[list[Any], about("评分区间,如 [[0,100]]", items=_RANGE)] = []
    intention_tags: Annotated[list[int], Meta(description="意向等级:1 A 至 6 F")] = []


class VoiceQuery(Struct, kw_only=True):
    recordIds: Annotated[list[str], about("通话记录 id,最多 30 个", minItems=1, maxItems=RECORDINGS_MAX)]


class IntentionTag(Struct, kw_only=True):
    """A judgement of a call by a quality check. No answer of this call is at hand; calls are not judged yet."""

    id: str
    record_id: str
    llm_intention_id: int
    name: str
    content: str
    created_at: str


class Voice(Struct):
    """No answer of the batch call is at hand."""

    record_id: str
    url: str


@get(
    "/user/{user_id:str}/task/{task_id:str}/record",
    opt=ACCOUNT,
    operation_class=accepts(Paged, RecordQuery),
    tags=TAGS,
    summary="通话列表",
)
async def records(request: AnyRequest, app: App, task_id: Id) -> Listing[RecordRow]:
    asked = asked_page(request)
    chosen = _filter(read_query(request, RecordQuery))
    account = account_of(request)
    page = await app.calls.page(account, task_id, chosen, Paging(asked.page, asked.per_page))
    places = await app.places.of(call.phone for call in page.items)
    style = (await app.privacy.masks(account)).contacts
    return listing("查看通话记录列表成功", page, asked, lambda call: record_row_of(call, places[call.phone], style))


@get(
    "/user/{user_id:str}/task/{task_id:str}/detail/{record_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="通话详情",
)
async def detail(request: AnyRequest, app: App, task_id: Id, record_id: Id) -> Answer[Detail]:
    account = account_of(request)
    found = await app.calls.read(account, task_id, record_id)
    phone = found.call.phone
    place = (await app.places.of([phone]))[phone]
    style = (await app.privacy.masks(account)).contacts
    return Answer(message="查看通话记录详情成功", data=detail_of(found, place, style))


@get(
    "/user/{user_id:str}/task/{task_id:str}/record/{record_id:str}/download-full-voice",
    opt=ACCOUNT,
    operation_class=accepts(parameters=(RANGE,)),
    responses=PARTS,
    tags=TAGS,
    summary="下载通话录音",
    media_type="audio/wav",
)
async def download(request: AnyRequest, app: App, task_id: Id, record_id: Id) -> Response[Any]:
    path = await app.calls.recording(account_of(request), task_id, record_id)
    return wav_answer(path, request.headers.get("range"))


@get(
    "/user/{user_id:str}/task/{task_id:str}/batch_record/download-full-voice",
    opt=ACCOUNT,
    operation_class=accepts(VoiceQuery),
    tags=TAGS,
    summary="批量播放通话录音地址",
)
async def voice_links(request: AnyRequest, app: App, task_id: Id) -> Answer[list[Voice]]:
    ids = read_query(request, VoiceQuery).recordIds
    if not 0 < len(ids) <= RECORDINGS_MAX:
        raise Invalid.field("recordIds", f"recordIds 必须有 1 到 {RECORDINGS_MAX} 个")
    found = await app.calls.recorded(account_of(request), task_id, ids)
    base = app.public_url or str(request.base_url).rstrip("/")
    return Answer(
        message="获取录音地址成功", data=[Voice(record, voice_url(base, key)) for record, key in found.items()]
    )


@get(
    "/user/{user_id:str}/task/{task_id:str}/record/{record_id:str}/llm_intention_tag",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="通话记录大模型质检记录",
    description="通话尚未质检时为空数组。",
)
async def intention_tags(request: AnyRequest, app: App, task_id: Id, record_id: Id) -> Answer[list[IntentionTag]]:
    await app.calls.exists(account_of(request), task_id, record_id)
    return Answer(message="查看通话记录大模型质检记录成功", data=[])


# The forms of before there were users in paths. A task is known by its id, whoever's it is.
_OLD = "旧版接口,路径中没有用户 id,返回与新版相同。"
old_records = get(
    "/task/{task_id:str}/record",
    opt=ACCOUNT,
    operation_class=accepts(Paged, RecordQuery, for_account=False),
    tags=TAGS,
    summary="通话列表(旧版)",
    description=_OLD,
    deprecated=True,
)(records.fn)
old_detail = get(
    "/task/{task_id:str}/detail/{record_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(for_account=False),
    tags=TAGS,
    summary="通话详情(旧版)",
    description=_OLD,
    deprecated=True,
)(detail.fn)
old_download = get(
    "/task/{task_id:str}/record/{record_id:str}/download-full-voice",
    opt=ACCOUNT,
    operation_class=accepts(for_account=False, parameters=(RANGE,)),
    responses=PARTS,
    tags=TAGS,
    summary="下载通话录音(旧版)",
    description=_OLD,
    media_type="audio/wav",
    deprecated=True,
)(download.fn)


@get(
    "/download-voice",
    opt=OPEN,
    operation_class=accepts(KeyQuery, for_account=False, parameters=(RANGE,)),
    responses=PARTS,
    tags=TAGS,
    summary="按链接下载录音",
    description="无需 token,链接中的 key 即凭证。",
    media_type="audio/wav",
    security=[{}],
)
async def download_by_key(request: AnyRequest, app: App) -> Response[Any]:
    try:
        path = app.recordings.by_key(request.query_params.get("key", ""))
    except NotFound:
        return Response(
            Failure(code=422, message="录音链接无效或已过期"), status_code=422, media_type="application/json"
        )
    return wav_answer(path, request.headers.get("range"))


def _filter(query: RecordQuery) -> CallFilter:
    problems: dict[str, list[str]] = {}
    first, last, *_ = *query.hangup_date, None, None
    began_from, began_to = span(("start_at", "end_at"), (query.start_at, query.end_at), problems)
    closed_from, closed_to = span(("hangup_date", "hangup_date"), (first, last), problems)
    if len(query.hangup_date) > 2:
        problems["hangup_date"] = ["hangup_date 必须是起止两个时间"]
    if problems:
        raise Invalid(problems)
    return CallFilter(
        phone_part=query.keyword,
        scores=_scores(query.levels),
        intentions=tuple(query.intention_tags) or None,
        began_from=began_from,
        began_to=began_to,
        closed_from=closed_from,
        closed_to=closed_to,
    )


def _scores(levels: list[Any]) -> tuple[tuple[int, int], ...] | None:
    """The ranges of score that `levels` asks for; None: it was not sent. A bare pair is one range."""
    if not levels:
        return None
    if len(levels) == 2 and not any(isinstance(each, list) for each in levels):
        levels = [levels]
    ranges = []
    for each in levels:
        if not isinstance(each, list) or len(each) != 2:
            raise Invalid.field("levels", _LEVELS)
        low, high = map(_number, each)
        ranges.append((_within(math.ceil(low)), _within(math.floor(high))))
    return tuple(ranges)


def _within(score: int) -> int:
    """Beyond what the database counts in there is no score anyway."""
    return max(-INTEGER_MAX, min(score, INTEGER_MAX))


def _number(score: object) -> float:
    try:
        number = float(str(score))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Invalid.field("levels", _LEVELS)
    return number


ROUTES = [
    records,
    detail,
    download,
    voice_links,
    intention_tags,
    download_by_key,
    old_records,
    old_detail,
    old_download,
]
