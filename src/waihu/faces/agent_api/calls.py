"""Call records, `/agent-api/user/{user_id}/task/{task_id}/record…`, and their recordings."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromQuery
from msgspec import Meta, Struct

from waihu.domain.errors import Invalid, NotFound
from waihu.faces.agent_api.call_shapes import Detail, RecordRow, detail_of, record_row_of
from waihu.faces.agent_api.callback_shapes import voice_url
from waihu.faces.agent_api.entry import AnyRequest, App, Id, account_of
from waihu.faces.agent_api.envelope import Answer, Failure, Listing, listing
from waihu.faces.agent_api.files import wav_answer
from waihu.faces.agent_api.openapi import Paged, accepts
from waihu.faces.agent_api.reading import asked_page, read_query
from waihu.faces.agent_api.times import span
from waihu.ports.rows import CallFilter, Page, Paging

TAGS = ["通话记录"]
RECORDINGS_MAX = 30


class RecordQuery(Struct, kw_only=True):
    keyword: Annotated[str | None, Meta(description="被叫号码")] = None
    start_at: Annotated[str | None, Meta(description="呼叫时间起,YYYY-MM-DD HH:MM:SS")] = None
    end_at: Annotated[str | None, Meta(description="呼叫时间止")] = None
    hangup_date: Annotated[list[str], Meta(description="挂断时间起止")] = []
    levels: Annotated[list[Any], Meta(description="评分区间,如 [[0,100]]")] = []
    intention_tags: Annotated[list[int], Meta(description="意向等级:1 A 至 6 F")] = []


class VoiceQuery(Struct, kw_only=True):
    recordIds: Annotated[list[str], Meta(description="通话记录 id,最多 30 个")]


class Voice(Struct):
    """No answer of the batch call is at hand."""

    record_id: str
    url: str


@get(
    "/user/{user_id:str}/task/{task_id:str}/record",
    operation_class=accepts(Paged, RecordQuery),
    tags=TAGS,
    summary="通话列表",
)
async def records(request: AnyRequest, app: App, task_id: Id) -> Listing[RecordRow]:
    asked = asked_page(request)
    query = read_query(request, RecordQuery)
    chosen = _filter(query)
    page = await app.calls.page(account_of(request), task_id, chosen, Paging(asked.page, asked.per_page))
    if not _has_ungraded(query):
        page = Page((), 0)
    return listing("查看通话记录列表成功", page, asked, record_row_of)


@get(
    "/user/{user_id:str}/task/{task_id:str}/detail/{record_id:str}",
    operation_class=accepts(),
    tags=TAGS,
    summary="通话详情",
)
async def detail(request: AnyRequest, app: App, task_id: Id, record_id: Id) -> Answer[Detail]:
    found = await app.calls.read(account_of(request), task_id, record_id)
    return Answer(message="查看通话记录详情成功", data=detail_of(found))


@get(
    "/user/{user_id:str}/task/{task_id:str}/record/{record_id:str}/download-full-voice",
    operation_class=accepts(),
    tags=TAGS,
    summary="下载通话录音",
    media_type="audio/wav",
)
async def download(request: AnyRequest, app: App, task_id: Id, record_id: Id) -> Response[Any]:
    path = await app.calls.recording(account_of(request), task_id, record_id)
    return wav_answer(path, request.headers.get("range"))


@get(
    "/user/{user_id:str}/task/{task_id:str}/batch_record/download-full-voice",
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
    "/download-voice",
    tags=TAGS,
    summary="按链接下载录音",
    description="无需 token,链接中的 key 即凭证。",
    media_type="audio/wav",
    security=[],
)
async def download_by_key(request: AnyRequest, app: App, key: FromQuery[str] = "") -> Response[Any]:
    try:
        path = app.recordings.by_key(key)
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
    if problems:
        raise Invalid(problems)
    return CallFilter(query.keyword, began_from, began_to, closed_from, closed_to)


def _has_ungraded(query: RecordQuery) -> bool:
    """Whether calls of score 0 and without an intention level are among those asked for; waihu has no others yet."""
    if query.intention_tags:
        return False
    ranges = [[_number(score) for score in each] for each in query.levels if isinstance(each, list) and len(each) == 2]
    return not ranges or any(low <= 0 <= high for low, high in ranges)


def _number(score: object) -> float:
    try:
        return float(str(score))
    except ValueError:
        raise Invalid.field("levels", "levels 必须是评分区间,如 [[0,100],[100,500]]") from None


ROUTES = [records, detail, download, voice_links]
"""Those that act for an account; `download_by_key` stands alone."""
