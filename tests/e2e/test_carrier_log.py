"""The judge must be right: how the carrier's log is read and counted."""

from pathlib import Path

from waihu.adapters.asterisk.carrier_behaviour import Behaviour, behaviour_of, number_answering_after
from waihu.adapters.asterisk.carrier_log import CarrierCall, max_concurrent, max_invites_in_window, read_carrier_log
from waihu.domain.ids import AttemptId


def test_the_lines_of_a_call_are_put_together(tmp_path: Path) -> None:
    log = tmp_path / "calls.log"
    log.write_text(
        "1000 invite box.1 -a1 -10000000001 -02155550100\n"
        "1010 invite box.2 - -12345 -\n"
        "1020 ended box.2 1\n"
        "1030 answered box.1\n"
        "1040 invite box.3 -a3 -10030000000 -\n"
        "1041 refused box.3\n"
        "1042 ended box.3 34\n"
        "9000 ended box.1 16\n"
        "9001 invite box.4 -a4 -1000"
    )
    assert read_carrier_log(log) == [
        CarrierCall(AttemptId("a1"), "10000000001", "02155550100", Behaviour.TALKS, 1000, False, 1030, 9000, 16),
        CarrierCall(None, "12345", "", None, 1010, False, None, 1020, 1),
        CarrierCall(AttemptId("a3"), "10030000000", "", Behaviour.BUSY, 1040, True, None, 1042, 34),
    ]


def test_a_log_not_written_yet_has_no_calls(tmp_path: Path) -> None:
    assert read_carrier_log(tmp_path / "calls.log") == []


def test_concurrent_calls_are_counted_from_invite_to_end() -> None:
    # Two at once, then an end and a beginning in the same millisecond, and one that has not ended.
    calls = [_call(0, 100), _call(50, 150), _call(100, 200), _call(300, None)]
    assert max_concurrent(calls) == 2
    assert max_concurrent([]) == 0
    assert max_concurrent([*calls, _call(301, 302), _call(301, 302)]) == 3
    # Refused within the millisecond it came in.
    assert max_concurrent([_call(0, 100), _call(50, 50)]) == 2


def test_invites_are_counted_in_every_window_of_a_second() -> None:
    assert max_invites_in_window([_call(at_ms, None) for at_ms in (0, 999, 1000, 1998, 1999)], 1000) == 3
    assert max_invites_in_window([_call(0, None), _call(1000, None)], 1000) == 1
    assert max_invites_in_window([], 1000) == 0


def test_a_number_tells_how_it_behaves() -> None:
    for behaviour in Behaviour:
        assert len(behaviour.number(12)) == 11
        assert behaviour_of(behaviour.number(12)) is behaviour
    assert number_answering_after(7) == "10010700000"
    assert behaviour_of("10990000000") is None
    assert behaviour_of("1000000000") is None


def _call(invited_at_ms: int, ended_at_ms: int | None) -> CarrierCall:
    return CarrierCall(None, "", "", None, invited_at_ms, ended_at_ms=ended_at_ms)
