"""How every mistake is answered. The HTTP status is the code where the code is one of HTTP, and 200 otherwise."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from waihu.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from waihu.faces.agent_api.envelope import Failure, Running, Stranger
from waihu.faces.agent_api.php import Malformed

_MISSING = {
    "account": "用户不存在",
    "campaign": "任务不存在",
    "contact": "号码不存在",
    "call": "通话记录不存在",
    "recording": "录音不存在",
    "callback": "回调不存在",
    "batch": "回调数据不存在",
    "calling_hours": "呼叫时间组不存在",
    "trunk": "线路不存在",
    "allocation": "线路分配不存在",
    "cloud_node": "云节点不存在",
    "component": "公海组件不存在",
    "customer": "客户不存在",
    "enrolment": "导入批次不存在",
    "token": "token 不存在",
    "agent": "话术不存在",
    "retry_rule": "重呼规则不存在",
    "seat_group": "转接组不存在",
    "review_config": "质检配置不存在",
    "background_sound": "背景音不存在",
    "talk": "对话不存在,请先以 notify=enter 开始",
}
_BY_STATUS = {
    400: "请求格式错误",
    404: "接口不存在",
    405: "请求方式不支持",
    413: "请求内容过大",
}

log = structlog.get_logger()


def answer_failure(request: Request[Any, Any, Any], failure: Exception) -> Response[Any]:
    """Total over all exceptions: what is nobody's mistake but ours gets a number that the log has, too."""
    match failure:
        case Unauthenticated():
            return Response(Stranger(), status_code=401)
        case Malformed():
            return _failed(400, "请求体不是有效的 JSON 对象")
        case DomainError():
            return answer_mistake(failure)
        case HTTPException() if failure.status_code < 500:
            return _failed(failure.status_code, _BY_STATUS.get(failure.status_code, "请求错误"), failure.headers)
    incident = uuid4().hex[:12]
    log.error("request failed", incident=incident, route=request.scope.get("path_template"), exc_info=failure)
    return _failed(500, f"服务器内部错误,事件编号 {incident}")


def answer_mistake(mistake: DomainError) -> Response[Any]:
    match mistake:
        case Invalid():
            return _failed(422, mistake.problems)
        case Forbidden():
            return _failed(403, "没有权限,该接口仅限合作伙伴 token 调用")
        case NotFound():
            return _failed(404, _MISSING.get(mistake.noun, "数据不存在"))
        case Conflict(code="running_2_0"):
            return Response(Running(message=str(mistake)), status_code=200)
        case Conflict():
            return _failed(409, str(mistake))
        case Unavailable():
            log.warning("request while something is down", what=str(mistake))
            return _failed(503, "服务暂不可用,请稍后重试")
        case _:
            return _failed(400, str(mistake))


@contextmanager
def naming(wire_names: Mapping[str, str]) -> Iterator[None]:
    """Problems that arise within are told under the names the client used."""
    try:
        yield
    except Invalid as mistake:
        raise Invalid({wire_names.get(field, field): said for field, said in mistake.problems.items()}) from mistake


def _failed(
    status: int, message: str | dict[str, list[str]], headers: Mapping[str, str] | None = None
) -> Response[Any]:
    """`headers` as HTTP wants them: a 405 names the methods that there are."""
    return Response(Failure(code=status, message=message), status_code=status, headers=headers)
