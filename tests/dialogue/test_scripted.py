"""What a scripted agent says, step by step."""

import pytest

from waihu.dialogue.scripted import Step, all_lines, begin, key_in, respond
from waihu.domain.agent import Script

ASKING = Script(
    greeting="您好{姓名},确认请按1。", keys={"1": "已为您确认。", "2": "好的。"}, key_timeout_s=7, goodbye="再见。"
)
PLAIN = Script(greeting="您好{姓名}。", goodbye="再见。")
LILY = {"姓名": "李雷"}


def test_a_script_with_keys_waits_after_the_greeting() -> None:
    assert begin(ASKING, LILY) == Step(("您好李雷,确认请按1。",), listens_s=7)


@pytest.mark.parametrize(
    ("pressed", "said"), [("1", ("已为您确认。", "再见。")), ("9", ("再见。",)), (None, ("再见。",))]
)
def test_a_key_is_answered_and_goodbye_follows(pressed: str | None, said: tuple[str, ...]) -> None:
    assert respond(ASKING, LILY, pressed) == Step(said)


def test_a_script_without_keys_waits_for_nobody() -> None:
    assert begin(PLAIN, {}) == Step(("您好。", "再见。"))


def test_lines_that_are_empty_are_not_said() -> None:
    script = Script(greeting="{公司}", keys={"1": " "})

    assert begin(script, {}) == Step((), listens_s=5)
    assert respond(script, {}, "1") == Step(())


def test_everything_that_may_be_said() -> None:
    assert all_lines(ASKING, LILY) == ("您好李雷,确认请按1。", "已为您确认。", "好的。", "再见。")


@pytest.mark.parametrize(
    ("message", "key"),
    [("1", "1"), ("按1", "1"), ("1", "1"), ("11", "1"), ("#", "#"), ("1还是2", None), ("好的", None), ("", None)],
)
def test_the_key_in_a_message(message: str, key: str | None) -> None:
    assert key_in(message) == key
