"""Redial rules, `/agent-api/user/{user_id}/redial-rule`. The vendor shows rules in the task form and documents no way
to make them: these calls are waihu's own, in its grammar.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from litestar import delete, get, post, put
from msgspec import UNSET, Meta, Struct, UnsetType

from waihu.application.campaign_checks import RETRY_DELAY_MAX_S
from waihu.domain.campaign import RetryPolicy
from waihu.domain.errors import Invalid
from waihu.domain.outcome import Outcome
from waihu.faces.agent_api.choices import RecycleRule, recycle_rule_of
from waihu.faces.agent_api.entry import ACCOUNT, AnyRequest, App, Id, account_of, number_in_path
from waihu.faces.agent_api.envelope import Answer, Done, Listing, listing
from waihu.faces.agent_api.failures import naming
from waihu.faces.agent_api.fields import Name, about
from waihu.faces.agent_api.number_status import RETRIED, retried_outcomes
from waihu.faces.agent_api.openapi import OURS, Paged, accepts
from waihu.faces.agent_api.reading import asked_page, given, read_body
from waihu.ports.rows import Paging, RetryRule

TAGS = ["重呼规则"]
_FIELDS = {"delay_s": "details", "retries_max": "max_times"}


class DelayBody(Struct):
    number_status: Annotated[int, about("号码状态,2-10 和 12", enum=sorted(RETRIED))]
    time: Annotated[int, Meta(ge=0, le=RETRY_DELAY_MAX_S // 60, description="挂断后多少分钟重呼")]


Delays = Annotated[list[DelayBody], about("每种号码状态的重呼间隔", minItems=1, maxItems=len(RETRIED))]


class RedialRuleBody(Struct, kw_only=True):
    """An update; what is not sent stays as it is."""

    name: Annotated[Name, Meta(description="规则名称")] | UnsetType = UNSET
    details: Delays | UnsetType = UNSET
    max_times: Annotated[int, Meta(ge=1, le=50, description="最多重呼次数")] | UnsetType = UNSET
    status: Annotated[bool, Meta(description="是否启用")] | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    remark: str | UnsetType | None = UNSET
    sub_user_id: str | None = None


class NewRedialRule(RedialRuleBody, kw_only=True):
    name: Annotated[Name, Meta(description="规则名称")]
    details: Delays


class RedialRule(RecycleRule, kw_only=True):
    """As the task form shows it, with how often it redials."""

    max_times: int


@get(
    "/user/{user_id:str}/redial-rule",
    opt=ACCOUNT,
    operation_class=accepts(Paged),
    tags=TAGS,
    summary="重呼规则列表",
    description=OURS,
)
async def rules(request: AnyRequest, app: App) -> Listing[RedialRule]:
    asked = asked_page(request)
    page = await app.retry_rules.page(account_of(request), Paging(asked.page, asked.per_page))
    return listing("返回重呼规则列表成功", page, asked, _row_of)


@get(
    "/user/{user_id:str}/redial-rule/{rule_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(),
    tags=TAGS,
    summary="查看重呼规则",
    description=OURS,
)
async def rule(request: AnyRequest, app: App, rule_id: Id) -> Answer[RedialRule]:
    found = await app.retry_rules.read(account_of(request), number_in_path(rule_id, "retry_rule"))
    return Answer(message="查看重呼规则成功", data=_row_of(found))


@post(
    "/user/{user_id:str}/redial-rule",
    opt=ACCOUNT,
    operation_class=accepts(body=NewRedialRule),
    status_code=200,
    tags=TAGS,
    summary="重呼规则保存",
    description=OURS,
)
async def create(request: AnyRequest, app: App) -> Answer[RedialRule]:
    body = await read_body(request, NewRedialRule)
    with naming(_FIELDS):
        made = await app.retry_rules.create(
            account_of(request),
            body.name,
            RetryPolicy(_delays(body.details), given(body.max_times, 1)),
            enabled=given(body.status, True),
            is_default=given(body.is_default, False),
            remark=given(body.remark, None),
        )
    return Answer(message="保存成功", data=_row_of(made))


@put(
    "/user/{user_id:str}/redial-rule/{rule_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(body=RedialRuleBody),
    tags=TAGS,
    summary="重呼规则更新",
    description=f"{OURS}对使用该规则的任务立即生效。",
)
async def update(request: AnyRequest, app: App, rule_id: Id) -> Answer[RedialRule]:
    body = await read_body(request, RedialRuleBody)
    with naming(_FIELDS):
        changed = await app.retry_rules.update(
            account_of(request), number_in_path(rule_id, "retry_rule"), _change(body)
        )
    return Answer(message="修改成功", data=_row_of(changed))


@delete(
    "/user/{user_id:str}/redial-rule/{rule_id:str}",
    opt=ACCOUNT,
    operation_class=accepts(refuses=(409,)),
    status_code=200,
    tags=TAGS,
    summary="重呼规则删除",
    description=f"{OURS}正被任务使用的规则不能删除。",
)
async def remove(request: AnyRequest, app: App, rule_id: Id) -> Done:
    await app.retry_rules.delete(account_of(request), number_in_path(rule_id, "retry_rule"))
    return Done(message="删除成功")


def _change(body: RedialRuleBody) -> Callable[[RetryRule], RetryRule]:
    def change(kept: RetryRule) -> RetryRule:
        delay_s = kept.policy.delay_s if isinstance(body.details, UnsetType) else _delays(body.details)
        return replace(
            kept,
            name=given(body.name, kept.name),
            policy=replace(kept.policy, delay_s=delay_s, retries_max=given(body.max_times, kept.policy.retries_max)),
            enabled=given(body.status, kept.enabled),
            is_default=given(body.is_default, kept.is_default),
            remark=given(body.remark, kept.remark),
        )

    return change


def _delays(details: list[DelayBody]) -> dict[Outcome, int]:
    problems: dict[str, list[str]] = {}
    found: dict[Outcome, int] = {}
    for place, each in enumerate(details):
        outcomes = retried_outcomes([each.number_status]) if each.number_status in RETRIED else ()
        if not outcomes:
            problems[f"details.{place}.number_status"] = ["号码状态只能是 2-10 和 12"]
        elif outcomes[0] in found:
            problems[f"details.{place}.number_status"] = ["号码状态重复"]
        found |= dict.fromkeys(outcomes, each.time * 60)
    if problems:
        raise Invalid(problems)
    return found


def _row_of(kept: RetryRule) -> RedialRule:
    shown = recycle_rule_of(kept)
    return RedialRule(
        **{name: getattr(shown, name) for name in shown.__struct_fields__}, max_times=kept.policy.retries_max
    )


ROUTES = [rules, rule, create, update, remove]
