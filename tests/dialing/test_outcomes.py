"""What the evidence of an ended call speaks for: the order of trust, and both tables of codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waihu.domain.outcome import Ending, HungUpBy, Outcome, outcome_of

ENDINGS = st.builds(
    Ending,
    answered_at=st.none() | st.integers(1, 10**13),
    sip_code=st.none() | st.integers(300, 699),
    q850=st.none() | st.integers(1, 127),
    announcement=st.none() | st.sampled_from(Outcome),
    timed_out=st.booleans(),
    hung_up_by=st.none() | st.sampled_from(HungUpBy),
    gone=st.booleans(),
)


@given(ENDINGS)
def test_an_answered_call_is_answered_whatever_ended_it(ending: Ending) -> None:
    assert outcome_of(ending, answered=True) is Outcome.ANSWERED


@given(ENDINGS)
def test_an_unanswered_call_is_never_answered_nor_do_not_call_by_itself(ending: Ending) -> None:
    if ending.announcement is None:
        assert outcome_of(ending, answered=False) not in (Outcome.ANSWERED, Outcome.DO_NOT_CALL)


@given(ENDINGS)
def test_only_a_call_that_is_gone_or_that_we_broke_off_is_unknown(ending: Ending) -> None:
    is_silent = ending.announcement is None and not ending.timed_out and ending.sip_code is None
    broken_off = is_silent and ending.hung_up_by is HungUpBy.AGENT
    if ending.announcement is not Outcome.UNKNOWN:
        assert (outcome_of(ending, answered=False) is Outcome.UNKNOWN) == (ending.gone or broken_off)


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        (Ending(announcement=Outcome.POWERED_OFF, timed_out=True, sip_code=487, q850=16), Outcome.POWERED_OFF),
        (Ending(timed_out=True, sip_code=486, q850=17), Outcome.NO_ANSWER),
        (Ending(sip_code=486, q850=1), Outcome.BUSY),
        (Ending(sip_code=500, q850=17), Outcome.TRUNK_ERROR),
        (Ending(q850=17), Outcome.BUSY),
        (Ending(), Outcome.TRUNK_ERROR),
    ],
)
def test_an_announcement_goes_before_our_timer_before_the_sip_code_before_the_cause(
    ending: Ending, outcome: Outcome
) -> None:
    assert outcome_of(ending, answered=False) is outcome


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (402, Outcome.IN_ARREARS),
        (403, Outcome.REJECTED),
        (404, Outcome.INVALID_NUMBER),
        (408, Outcome.TRUNK_ERROR),
        (410, Outcome.INVALID_NUMBER),
        (429, Outcome.NETWORK_BUSY),
        (480, Outcome.UNREACHABLE),
        (484, Outcome.INVALID_NUMBER),
        (486, Outcome.BUSY),
        (487, Outcome.NO_ANSWER),
        (500, Outcome.TRUNK_ERROR),
        (503, Outcome.NETWORK_BUSY),
        (600, Outcome.BUSY),
        (603, Outcome.REJECTED),
        (604, Outcome.INVALID_NUMBER),
        (607, Outcome.SCREENED),
        (608, Outcome.BLOCKED_BY_CARRIER),
    ],
)
def test_sip_codes(code: int, outcome: Outcome) -> None:
    assert outcome_of(Ending(sip_code=code), answered=False) is outcome


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (1, Outcome.INVALID_NUMBER),
        (16, Outcome.TRUNK_ERROR),
        (17, Outcome.BUSY),
        (18, Outcome.NO_ANSWER),
        (19, Outcome.NO_ANSWER),
        (20, Outcome.POWERED_OFF),
        (21, Outcome.REJECTED),
        (22, Outcome.INVALID_NUMBER),
        (27, Outcome.TRUNK_ERROR),
        (28, Outcome.INVALID_NUMBER),
        (34, Outcome.NETWORK_BUSY),
        (38, Outcome.TRUNK_ERROR),
        (42, Outcome.NETWORK_BUSY),
        (55, Outcome.INCOMING_BARRED),
    ],
)
def test_causes_when_there_is_no_sip_code(cause: int, outcome: Outcome) -> None:
    assert outcome_of(Ending(q850=cause), answered=False) is outcome
