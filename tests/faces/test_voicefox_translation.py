"""What the VoiceFox face translates by itself: mistakes, dates, times of day, states."""

import json
from typing import Any, get_args

import msgspec
import pytest
from litestar.exceptions import PermissionDeniedException, TooManyRequestsException
from litestar.testing import RequestFactory

from waihu.domain.campaign import PauseReason
from waihu.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from waihu.faces.voicefox.failures import answer_failure, naming
from waihu.faces.voicefox.task import Status, why_stopped
from waihu.faces.voicefox.times import parse_date, parse_minute, written, written_date, written_minute

MISTAKES: dict[type[Exception], tuple[Exception, int]] = {
    Unauthenticated: (Unauthenticated(), 401),
    PermissionDeniedException: (PermissionDeniedException(), 403),
    Forbidden: (Forbidden(), 403),
    NotFound: (NotFound("campaign"), 404),
    Conflict: (Conflict("no_trunk", "任务未配置外呼线路"), 409),
    Invalid: (Invalid.field("name", "不能为空"), 422),
    TooManyRequestsException: (TooManyRequestsException(), 429),
    Unavailable: (Unavailable("The database is down."), 503),
}


def answered(failure: Exception) -> tuple[int, Any]:
    answer = answer_failure(RequestFactory().get("/openapi/tasks"), failure)
    return answer.status_code or 200, json.loads(msgspec.json.encode(answer.content))


@pytest.mark.ours
def test_every_mistake_of_the_domain_has_its_status() -> None:
    assert set(DomainError.__subclasses__()) <= MISTAKES.keys()
    assert {kind: answered(mistake)[0] for kind, (mistake, _) in MISTAKES.items()} == {
        kind: status for kind, (_, status) in MISTAKES.items()
    }


@pytest.mark.ours
@pytest.mark.parametrize("kind", MISTAKES, ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_message_and_says_which_fields_are_wrong(kind: type[Exception]) -> None:
    _, body = answered(MISTAKES[kind][0])
    assert body.keys() == {"message", "errors"}
    assert body["message"]
    assert body["errors"] == ({"name": ["不能为空"]} if kind is Invalid else {})


@pytest.mark.ours
def test_a_fault_of_ours_gets_a_number_and_tells_nothing_else() -> None:
    status, body = answered(KeyError("secret of the house"))
    assert status == 500
    assert "secret" not in json.dumps(body)


@pytest.mark.ours
def test_problems_are_told_under_the_names_of_the_wire() -> None:
    with pytest.raises(Invalid) as told, naming({"contacts": "items", "agent": "assistantId"}):
        raise Invalid({"contacts[3]": ["号码重复"], "agent": ["话术不存在"], "name": ["不能为空"]})
    assert told.value.problems == {"items[3]": ["号码重复"], "assistantId": ["话术不存在"], "name": ["不能为空"]}


@pytest.mark.assumed
def test_every_pause_is_one_of_the_documented_stops() -> None:
    stops = {why_stopped(reason) for reason in (*PauseReason, None)}
    assert stops == {status for status in get_args(Status) if status.startswith("stop.")}


@pytest.mark.assumed
def test_a_day_begins_at_chinas_midnight() -> None:
    midnight = parse_date("2026-11-23")
    assert midnight == 1_795_363_200_000
    assert (written(midnight), written_date(midnight)) == ("2026-11-23 00:00:00", "2026-11-23")
    assert (written(midnight - 1), written_date(midnight - 1)) == ("2026-11-22 23:59:59", "2026-11-22")


@pytest.mark.ours
@pytest.mark.parametrize("text", ["", "2026-11", "2026-02-30", "20261123", "2026-W47-6", "1969-12-31", "2200-01-01"])
def test_other_text_is_no_date(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.assumed
@pytest.mark.parametrize(("text", "minute"), [("00:00", 0), ("9:05", 545), ("09:05:59", 545), ("24:00", 1440)])
def test_a_time_of_day_is_read_to_the_minute(text: str, minute: int) -> None:
    assert parse_minute(text) == minute


@pytest.mark.ours
@pytest.mark.parametrize("text", ["", "9", "24:01", "25:00", "09:60", "09:5", "٠٩:٠٠", "-1:00"])
def test_other_text_is_no_time_of_day(text: str) -> None:
    assert parse_minute(text) is None


@pytest.mark.assumed
def test_times_of_day_are_written_as_they_are_read() -> None:
    for minute in (0, 545, 1439, 1440):
        assert parse_minute(written_minute(minute)) == minute
