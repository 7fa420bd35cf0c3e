"""Phone numbers as people write them: one form per person, and nothing that a switch could misread."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waihu.domain.phone import normalise, number_of


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("13800138000", "13800138000"),
        ("138 0013 8000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("0086-13800138000", "13800138000"),
        ("+86 (138) 0013.8000", "13800138000"),
        ("13800138000", "13800138000"),
        ("+861380013/8000", "13800138000"),
        ("010-5555 0100", "01055550100"),
        ("+44 20 7946 0018", "+442079460018"),
        ("0044 20 7946 0018", "+442079460018"),
        ("110", "110"),
        ("13800138000.0", "13800138000"),
        (" 13800138000.0 ", "13800138000"),
    ],
)
def test_one_person_has_one_form(written: str, dialled: str) -> None:
    assert normalise(written) == dialled


@pytest.mark.parametrize(
    "written",
    [
        "",
        "12",
        "1234567890123456",
        "abc",
        "1380013800x",
        "138,0013",
        "138#0013",
        "*100",
        "138@host",
        "sip:138",
        "138\x000",
        "+",
        "++4420",
        "44+20",
        "00 00 4420",
        "1380013８a",
        "١٢٣٤٥",
    ],
)
def test_what_is_no_number_is_none(written: str) -> None:
    assert normalise(written) is None


@pytest.mark.parametrize("written", ["+86 00 1 900 555 0100", "+86+1 900 555 0100", "0086001900", "+86 86 +1900"])
def test_a_foreign_number_cannot_hide_behind_the_home_country_code(written: str) -> None:
    assert normalise(written) is None


@given(st.text(alphabet="0123456789+-() ０８６８＋.", max_size=20) | st.text(max_size=20))
def test_a_normal_form_stays_itself_and_is_all_digits(written: str) -> None:
    found = normalise(written)
    if found is not None:
        assert re.fullmatch(r"\+?[0-9]{3,15}", found)
        assert normalise(found) == found


def test_a_suffix_allows_one_phone_twice_in_a_campaign() -> None:
    assert number_of("13800138000_2") == "13800138000"
    assert number_of("13800138000") == "13800138000"
