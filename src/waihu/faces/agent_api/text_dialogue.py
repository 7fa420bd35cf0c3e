"""The text dialogue, `/saas/api/customer_service/tenant/{tenant_id}`: a script spoken to in writing. The page of its
answer is not at hand.
"""

from typing import Annotated

from litestar import post
from msgspec import Meta, Struct

from waihu.application.access import Reach
from waihu.application.services import Application
from waihu.application.text_dialogue import Reply
from waihu.domain.errors import Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.faces.agent_api.entry import TOKEN, AnyRequest, App, Id
from waihu.faces.agent_api.envelope import Answer
from waihu.faces.agent_api.fields import about
from waihu.faces.agent_api.openapi import accepts
from waihu.faces.agent_api.reading import read_body
from waihu.faces.reach import bearer

TAGS = ["对话接口"]


DIRECTIVES = ("", "invalid", "no_answer")
Directive = Annotated[str, about("空,invalid 噪音,no_answer 未应答", enum=list(DIRECTIVES))]


class TalkBody(Struct, kw_only=True):
    talk_id: Annotated[str, Meta(max_length=100, description="对话 id,同一对话中保持不变")]
    user_id: Annotated[str, Meta(description="主账户或子账户 id")]
    message: Annotated[str | None, Meta(description="客户说的话")] = None
    notify: Annotated[str, about("enter 开始,message 对话中,leave 结束", enum=["enter", "message", "leave"])]
    group_id: Annotated[int, Meta(description="话术组 id")]
    directive: Directive | None = None


class Said(Struct, kw_only=True):
    """What the agent says to a message. `is_end`: it has said goodbye, and says nothing more."""

    talk_id: str
    user_id: str
    group_id: int
    notify: str
    question: str
    answer_content: str
    answers: list[str]
    is_end: bool


@post(
    "/saas/api/customer_service/tenant/{tenant_id:str}",
    opt=TOKEN,
    operation_class=accepts(body=TalkBody, for_account=False),
    status_code=200,
    tags=TAGS,
    summary="对话接口",
)
async def talk(request: AnyRequest, app: App, tenant_id: Id) -> Answer[Said]:
    body = await read_body(request, TalkBody)
    # The path names no user, so nobody has judged yet whether the token reaches the one in the body.
    admitted = await app.access.admit(bearer(request.headers.get("authorization")), Reach.ACCOUNT, body.user_id)
    assert admitted.account is not None
    if tenant_id.lower() not in {node.id for node in await app.cloud_nodes.all()}:
        raise NotFound("cloud_node")
    reply = await _reply(app, admitted.account, body)
    return Answer(
        message="success",
        data=Said(
            talk_id=body.talk_id,
            user_id=admitted.account,
            group_id=reply.agent,
            notify=body.notify,
            question=body.message or "",
            answer_content="".join(reply.says),
            answers=list(reply.says),
            is_end=reply.is_over,
        ),
    )


async def _reply(app: Application, account: AccountId, body: TalkBody) -> Reply:
    dialogue = app.text_dialogue
    if (body.directive or "") not in DIRECTIVES:
        raise Invalid.field("directive", "directive 必须为空、invalid 或 no_answer")
    match body.notify, body.directive or "":
        case "enter", _:
            return await dialogue.enter(account, body.talk_id, body.group_id)
        case "leave", _:
            return await dialogue.leave(account, body.talk_id)
        case "message", "no_answer":
            return await dialogue.hear_nothing(account, body.talk_id)
        case "message", "invalid":
            return await dialogue.hear(account, body.talk_id, "")
        case "message", _:
            return await dialogue.hear(account, body.talk_id, body.message or "")
    raise Invalid.field("notify", "notify 必须是 enter、message 或 leave")


ROUTES = [talk]
