"""Log lines: masked, in JSON in the file, one line on the console."""

import json
import logging
from pathlib import Path

import pytest
import structlog

from waihu.logs import configure_logs, masked


def lines(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "engine.log").read_text().splitlines()]


def test_personal_fields_show_their_last_three_digits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("engine", tmp_path)
    structlog.get_logger().info("call placed", attempt="a-1", pii_phone="10012345678")
    assert lines(tmp_path)[0]["pii_phone"] == "***678"
    said = capsys.readouterr().err
    assert "***678" in said
    assert "10012345678" not in said + (tmp_path / "engine.log").read_text()


@pytest.mark.parametrize(
    ("value", "shown"), [("+86 100 1234 5678", "***678"), ("123", "***"), ("王芳", "***"), ("", "***")]
)
def test_what_a_mask_leaves(value: str, shown: str) -> None:
    assert masked(value) == shown


def test_lines_of_libraries_go_the_same_way(tmp_path: Path) -> None:
    configure_logs("engine", tmp_path)
    logging.getLogger("somebody").warning("else %s", "speaks")
    assert [(line["event"], line["process"]) for line in lines(tmp_path)] == [("else speaks", "engine")]


def test_a_stack_is_in_the_file_and_one_line_on_the_console(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("engine", tmp_path)
    try:
        raise ValueError("no such thing\nand more")
    except ValueError:
        structlog.get_logger().exception("it failed")
    said = capsys.readouterr().err
    assert "Traceback" in str(lines(tmp_path)[0]["exception"])
    assert "ValueError: no such thing" in said
    assert len(said.splitlines()) == 1


def test_a_command_logs_to_the_file_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("engine", tmp_path, console=False)
    structlog.get_logger().warning("for the file")
    assert len(lines(tmp_path)) == 1
    assert capsys.readouterr() == ("", "")


def test_a_full_disk_costs_the_file_its_lines_and_the_console_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "engine.log").symlink_to("/dev/full")
    configure_logs("engine", tmp_path)
    for number in range(3):
        structlog.get_logger().warning("said all the same", number=number)
    said = capsys.readouterr().err.splitlines()
    assert ["said all the same" in line for line in said] == [True] * 3
