"""How every mistake is answered: `{message, errors}`, with the status that the documentation names (401, 403, 429) or
that HTTP has for it. The body is ours; no page shows one.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct

from waihu.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from waihu.faces.mistakes import Told, told

_MISSING = {"campaign": "任务不存在"}
_BY_STATUS = {
    400: "请求体不是有效的 JSON",
    403: "没有权限,请检查 token 所属的账户",
    404: "接口不存在",
    405: "请求方式不支持",
    413: "请求内容过大",
    429: "请求过于频繁,请稍后重试",
}
_REQUIRED = re.compile(r"missing required field `(\w+)`")
_TYPES = {"int": "整数", "str": "字符串", "array": "数组", "object": "对象", "bool": "布尔值"}
_OUT_OF_BOUNDS = re.compile(r"Expected `(\w+)`( of length)? (>=|<=) (\d+)")
_WRONG_TYPE = re.compile(r"Expected `(\w+)(?: \| null)?`, got")
# How Litestar says that there is no body for the parameter of this name.
_NO_BODY = "'data'"
_NOT_STORABLE = re.compile("Expected `str` matching regex")

log = structlog.get_logger()


class Failure(Struct):
    """`errors`: field → what is wrong with it; empty where no field is to blame."""

    message: str
    errors: dict[str, list[str]] = {}


def answer_failure(request: Request[Any, Any, Any], failure: Exception) -> Response[Failure]:
    """Total over all exceptions: what is nobody's mistake but ours gets a number that the log has, too."""
    match failure:
        case DomainError():
            return _answer_mistake(failure)
        case ValidationException():
            return _failed(422, "参数错误", _problems(failure.extra))
        case HTTPException() if failure.status_code < 500:
            said = _BY_STATUS.get(failure.status_code, "请求错误")
            return _failed(failure.status_code, said, headers=failure.headers)
    incident = uuid4().hex[:12]
    log.error("request failed", incident=incident, route=request.scope.get("path_template"), exc_info=failure)
    return _failed(500, f"服务器内部错误,事件编号 {incident}")


def _answer_mistake(mistake: DomainError) -> Response[Failure]:
    match mistake:
        case Unauthenticated():
            return _failed(401, "token 缺失或无效")
        case Forbidden():
            return _failed(403, _BY_STATUS[403])
        case Invalid():
            return _failed(422, "参数错误", mistake.problems)
        case NotFound():
            return _failed(404, _MISSING.get(mistake.noun, "数据不存在"))
        case Conflict():
            return _failed(409, str(mistake))
        case Unavailable():
            log.warning("request while something is down", what=str(mistake))
            return _failed(503, "服务暂不可用,请稍后重试")
        case _:
            return _failed(400, str(mistake))


def refusals(*statuses: int) -> Told:
    """What the reference shows of a route that answers mistakes with these statuses, and with those that all have."""
    return told(dict.fromkeys((*statuses, 401, 403, 422), Failure))


@contextmanager
def naming(wire_names: Mapping[str, str]) -> Iterator[None]:
    """Problems that arise within are told under the names the client used; `field[0]` is named as its `field` is."""
    try:
        yield
    except Invalid as mistake:
        raise Invalid({_renamed(field, wire_names): said for field, said in mistake.problems.items()}) from mistake


def _renamed(field: str, wire_names: Mapping[str, str]) -> str:
    name, bracket, place = field.partition("[")
    return wire_names.get(name, name) + bracket + place


def _problems(found: Any) -> dict[str, list[str]]:
    """What was wrong with parameters and body; `body` is the body as a whole."""
    problems: dict[str, list[str]] = {}
    for each in found or []:
        path, said = each.get("key", "data"), each["message"]
        place = "" if path == "data" else path
        if lacking := _REQUIRED.search(said):
            place, said = f"{place}.{lacking[1]}".lstrip("."), "不能为空"
        problems.setdefault(place or "body", []).append(_in_chinese(said))
    return problems


def _in_chinese(said: str) -> str:
    """What msgspec says of a value, in the language of all other messages; words of others stay as they are."""
    if wrong := _WRONG_TYPE.match(said):
        return f"必须是{_TYPES.get(wrong[1], wrong[1])}"
    if bounds := _OUT_OF_BOUNDS.match(said):
        what = {"array": "个数", "object": "个数", "str": "字符数"}[bounds[1]] if bounds[2] else ""
        return f"{what}不能{'小于' if bounds[3] == '>=' else '大于'} {bounds[4]}"
    if said == _NO_BODY:
        return "不能为空"
    return "含有非法字符" if _NOT_STORABLE.match(said) else said


def _failed(
    status: int,
    message: str,
    errors: dict[str, list[str]] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> Response[Failure]:
    """`headers` as HTTP wants them: a 405 names the methods that there are."""
    return Response(Failure(message, errors or {}), status_code=status, headers=headers)
