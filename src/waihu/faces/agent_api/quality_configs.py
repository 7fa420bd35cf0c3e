"""Quality-check configurations, `/agent-api/user/{user_id}/quality-config`: waihu's own calls, in the vendor's grammar.
Tasks name one as `llm_intention_id`; calls are not judged yet.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from litestar import delete, get, post, put
from msgspec import UNSET, Struct, UnsetType

from waihu.application.choices import PROMPT_MAX
from waihu.faces.agent_api.choices import IntentionConfig, intention_config_of
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of, number_in_path
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.fields import VISIBLE, Name, about
from waihu.faces.agent_api.openapi import OURS, Paged, accepts
from waihu.faces.agent_api.reading import asked_page, given, read_body
from waihu.faces.agent_api.times import written
from waihu.ports.choices import ReviewConfig
from waihu.ports.rows import Paging

TAGS = ["质检配置"]
_NOT_YET = f"{OURS}任务以 llm_intention_id 选择质检配置;质检尚未支持,目前仅保存和返回。"

Prompt = Annotated[str, about("质检要求", pattern=VISIBLE, maxLength=PROMPT_MAX)]


class QualityConfigBody(Struct, kw_only=True):
    """An update; what is not sent stays as it is."""

    name: Name | UnsetType = UNSET
    prompt: Prompt | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    sub_user_id: str | None = None


class NewQualityConfig(QualityConfigBody, kw_only=True):
    name: Name
    prompt: Prompt


class QualityConfig(IntentionConfig, kw_only=True):
    """As the task form shows it, with what it asks for."""

    prompt: str
    updated_at: str


@get(
    "/user/{user_id:str}/quality-config",
    opt=ACCOUNT,
    operation_class=accepts(Paged),
    tags=TAGS,
    summary="质检配置列表",
    description=_NOT_YET,
)
async def configs(request: AnyRequest, app: App) -> Listing[QualityConfig]:
    asked = asked_page(request)
    page = await app.choices.review_configs(account_of(request), Paging(asked.page, asked.per_page))
    return listing("返回质检配置列表成功", page, asked, _row_of)


@get(
    "/user/{user_id:str}/quality-config/{config_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="查看质检配置",
    description=_NOT_YET,
)
async def config(request: AnyRequest, app: App, config_id: Id) -> Answer[QualityConfig]:
    found = await app.choices.review_config(account_of(request), number_in_path(config_id, "review_config"))
    return Answer(message="查看质检配置成功", data=_row_of(found))


@post(
    "/user/{user_id:str}/quality-config",
    opt=ACCOUNT,
    operation_class=accepts(body=NewQualityConfig),
    status_code=200,
    tags=TAGS,
    summary="质检配置保存",
    description=_NOT_YET,
)
async def create(request: AnyRequest, app: App) -> Answer[QualityConfig]:
    body = await read_body(request, NewQualityConfig)
    made = await app.choices.add_review_config(
        account_of(request), body.name, body.prompt, is_default=given(body.is_default, False)
    )
    return Answer(message="保存成功", data=_row_of(made))


@put(
    "/user/{user_id:str}/quality-config/{config_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=QualityConfigBody),
    tags=TAGS,
    summary="质检配置更新",
    description=_NOT_YET,
)
async def update(request: AnyRequest, app: App, config_id: Id) -> Answer[QualityConfig]:
    body = await read_body(request, QualityConfigBody)
    changed = await app.choices.change_review_config(
        account_of(request), number_in_path(config_id, "review_config"), _change(body)
    )
    return Answer(message="修改成功", data=_row_of(changed))


@delete(
    "/user/{user_id:str}/quality-config/{config_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(refuses=(409,)),
    status_code=200,
    tags=TAGS,
    summary="质检配置删除",
    description=f"{OURS}正被任务使用的配置不能删除。",
)
async def remove(request: AnyRequest, app: App, config_id: Id) -> Done:
    await app.choices.remove_review_config(account_of(request), number_in_path(config_id, "review_config"))
    return Done(message="删除成功")


def _change(body: QualityConfigBody) -> Callable[[ReviewConfig], ReviewConfig]:
    def change(kept: ReviewConfig) -> ReviewConfig:
        return replace(
            kept,
            name=given(body.name, kept.name),
            prompt=given(body.prompt, kept.prompt),
            is_default=given(body.is_default, kept.is_default),
        )

    return change


def _row_of(kept: ReviewConfig) -> QualityConfig:
    shown = intention_config_of(kept)
    return QualityConfig(
        **{name: getattr(shown, name) for name in shown.__struct_fields__},
        prompt=kept.prompt,
        updated_at=written(kept.updated_at),
    )


ROUTES = [configs, config, create, update, remove]
