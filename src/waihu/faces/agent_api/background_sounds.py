"""Background sounds, `/agent-api/user/{user_id}/background-sound`: waihu's own calls, in the vendor's grammar. Tasks
name one as `background_id`; calls do not mix it in yet.
"""

from pathlib import PurePath
from typing import Annotated, Any

from litestar import Response, delete, get, post
from litestar.datastructures import UploadFile
from msgspec import Meta, Struct

from waihu.application.choices import SOUND_MAX_BYTES
from waihu.domain.errors import Invalid
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of, number_in_path
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.fields import Name
from waihu.faces.agent_api.files import PARTS, RANGE, wav_answer
from waihu.faces.agent_api.openapi import FORM, OURS, Paged, accepts
from waihu.faces.agent_api.reading import asked_page, read
from waihu.faces.agent_api.times import written
from waihu.ports.choices import BackgroundSound
from waihu.ports.rows import Paging

TAGS = ["背景音"]
_NOT_YET = f"{OURS}任务以 background_id 选择背景音;通话中播放背景音尚未支持,目前仅保存和返回。"
_REQUEST_MAX_BYTES = SOUND_MAX_BYTES + 2**16
"""The file, and the words of the form around it."""


class SoundForm(Struct, kw_only=True):
    file: Annotated[
        str, Meta(description="WAV 文件(PCM),不超过 10 MB、10 分钟", extra_json_schema={"format": "binary"})
    ]
    name: Annotated[Name, Meta(description="背景音名称,默认为文件名")] | None = None


class _Named(Struct):
    name: str


class Sound(Struct, kw_only=True):
    """`duration` in ms, like all lengths of calls."""

    id: int
    user_id: str
    name: str
    duration: int
    created_at: str


@get(
    "/user/{user_id:str}/background-sound",
    opt=ACCOUNT,
    operation_class=accepts(Paged),
    tags=TAGS,
    summary="背景音列表",
    description=_NOT_YET,
)
async def sounds(request: AnyRequest, app: App) -> Listing[Sound]:
    asked = asked_page(request)
    page = await app.choices.background_sounds(account_of(request), Paging(asked.page, asked.per_page))
    return listing("返回背景音列表成功", page, asked, _row_of)


@post(
    "/user/{user_id:str}/background-sound",
    opt=ACCOUNT,
    operation_class=accepts(body=SoundForm, media_type=FORM),
    status_code=200,
    tags=TAGS,
    summary="上传背景音",
    description=f"{_NOT_YET}以 multipart/form-data 上传;子账户 id 请放在查询参数中。",
    request_max_body_size=_REQUEST_MAX_BYTES,
)
async def upload(request: AnyRequest, app: App) -> Answer[Sound]:
    name, source = await _form(request)
    return Answer(
        message="上传成功", data=_row_of(await app.choices.add_background_sound(account_of(request), name, source))
    )


@get(
    "/user/{user_id:str}/background-sound/{sound_id:str}/download",
    opt=ACCOUNT,
    operation_class=accepts(parameters=(RANGE,)),
    responses=PARTS,
    tags=TAGS,
    summary="下载背景音",
    description=f"{OURS}返回通话使用的格式:8 kHz、16 位、单声道 WAV。",
    media_type="audio/wav",
)
async def download(request: AnyRequest, app: App, sound_id: Id) -> Response[Any]:
    path = await app.choices.background_sound_file(account_of(request), number_in_path(sound_id, "background_sound"))
    return wav_answer(path, request.headers.get("range"))


@delete(
    "/user/{user_id:str}/background-sound/{sound_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(refuses=(409,)),
    status_code=200,
    tags=TAGS,
    summary="背景音删除",
    description=f"{OURS}正被任务使用的背景音不能删除。",
)
async def remove(request: AnyRequest, app: App, sound_id: Id) -> Done:
    await app.choices.remove_background_sound(account_of(request), number_in_path(sound_id, "background_sound"))
    return Done(message="删除成功")


async def _form(request: AnyRequest) -> tuple[str, bytes]:
    """The name and the file of an upload. Raises Invalid."""
    form = await request.form()
    file, name = form.get("file"), form.get("name")
    if "sub_user_id" in form:
        # Who is meant is decided before a form is read.
        raise Invalid.field("sub_user_id", "sub_user_id 请放在查询参数中")
    if not isinstance(file, UploadFile):
        raise Invalid.field("file", "file 不能为空,请以 multipart/form-data 上传 WAV 文件")
    named = name.strip() if isinstance(name, str) else ""
    chosen = read(_Named, {"name": named or PurePath(file.filename).stem})
    return chosen.name, await file.read()


def _row_of(kept: BackgroundSound) -> Sound:
    return Sound(
        id=kept.id,
        user_id=kept.account,
        name=kept.name,
        duration=kept.duration_ms,
        created_at=written(kept.created_at),
    )


ROUTES = [sounds, upload, download, remove]
