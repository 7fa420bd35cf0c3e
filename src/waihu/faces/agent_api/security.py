"""Privacy settings, `/agent-api/user/{user_id}/settings/save_security`. The answer of the call is not at hand."""

from typing import Annotated

from litestar import post
from msgspec import Meta, Struct

from waihu.domain.errors import Invalid
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, account_of
from waihu.faces.agent_api.envelope import Answer
from waihu.faces.agent_api.fields import about
from waihu.faces.agent_api.openapi import accepts
from waihu.faces.agent_api.reading import read_body
from waihu.ports.privacy import MaskStyle, PhoneMasks

TAGS = ["隐私与安全"]
CUSTOMERS, CONTACTS = "disable_crm_phone", "disable_task_phone"


class StyleBody(Struct, kw_only=True):
    style: Annotated[int, about("1 显示前三后四位,2 只显示后四位", enum=list(MaskStyle))] = MaskStyle.ENDS


class SettingBody(Struct, kw_only=True):
    slug: Annotated[
        str, about("disable_crm_phone 隐藏公海号码,disable_task_phone 隐藏任务号码", enum=[CUSTOMERS, CONTACTS])
    ]
    extra: StyleBody | None = None


class SecurityBody(Struct, kw_only=True):
    data: Annotated[list[SettingBody], Meta(description="要开启的设置,未列出的即关闭")]
    code: Annotated[str, Meta(description="安全码")]
    sub_user_id: str | None = None


@post(
    "/user/{user_id:str}/settings/save_security",
    opt=ACCOUNT,
    operation_class=accepts(body=SecurityBody),
    status_code=200,
    tags=TAGS,
    summary="设置隐私与安全",
)
async def save(request: AnyRequest, app: App) -> Answer[str]:
    body = await read_body(request, SecurityBody)
    await app.privacy.save(account_of(request), _masks(body), body.code)
    return Answer(message="设置成功", data="")


def _masks(body: SecurityBody) -> PhoneMasks:
    """Every call says all of it: a setting that is not named is off."""
    styles: dict[str, MaskStyle] = {}
    problems: dict[str, list[str]] = {}
    for index, setting in enumerate(body.data):
        style = (setting.extra or StyleBody()).style
        if setting.slug not in (CUSTOMERS, CONTACTS):
            problems[f"data.{index}.slug"] = [f"slug 只能是 {CUSTOMERS} 或 {CONTACTS}"]
        elif style not in tuple(MaskStyle):
            problems[f"data.{index}.extra.style"] = ["style 只能是 1 或 2"]
        else:
            styles[setting.slug] = MaskStyle(style)
    if problems:
        raise Invalid(problems)
    return PhoneMasks(styles.get(CUSTOMERS), styles.get(CONTACTS))


ROUTES = [save]
