"""One waihu per directory, and commands find it."""

import multiprocessing
from pathlib import Path

import pytest

from waihu.data_directory import DataDirectory, Running
from waihu.domain.errors import Conflict, Invalid

RUNNING = Running(
    pid=1,
    http="http://127.0.0.1:8080",
    public_url="http://127.0.0.1:8080",
    database_url="postgresql://waihu:secret@127.0.0.1/waihu",
    ari_url=None,
    sip_address=None,
    recordings="/r",
    speech="/s",
    token_key="/t.pem",
    callback_allow=("10.0.0.0/8",),
)


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    directory = DataDirectory(tmp_path / "data")
    directory.create()
    return directory


def test_a_second_waihu_is_refused_and_told_who_is_first(directory: DataDirectory) -> None:
    with directory.held():
        directory.announce(RUNNING)
        with pytest.raises(Conflict, match="process 1"), directory.held():
            pass


def test_the_next_waihu_may_start_after_the_first(directory: DataDirectory) -> None:
    with directory.held():
        pass
    with directory.held():
        assert directory.running() is None


def test_commands_find_the_waihu_that_is_up(directory: DataDirectory) -> None:
    assert directory.running() is None
    with directory.held():
        directory.announce(RUNNING)
        assert directory.running() == RUNNING
    assert directory.running() is None


def test_a_record_left_by_a_killed_waihu_is_not_believed(directory: DataDirectory) -> None:
    killed = multiprocessing.get_context("spawn").Process(target=hold_and_vanish, args=(directory.path,))
    killed.start()
    killed.join(30)
    assert (directory.path / "run/running.json").exists()
    assert directory.running() is None


def test_looking_does_not_keep_waihu_from_starting(directory: DataDirectory) -> None:
    for _ in range(50):
        directory.running()
        with directory.held():
            pass


def test_the_password_in_the_record_is_for_the_owner_only(directory: DataDirectory) -> None:
    with directory.held():
        directory.announce(RUNNING)
        assert (directory.path / "run/running.json").stat().st_mode & 0o077 == 0
        assert (directory.path / "recordings").stat().st_mode & 0o077 == 0


def test_a_directory_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid) as refused:
        DataDirectory(tmp_path / "file/data").create()
    assert list(refused.value.problems) == ["--data"]


def hold_and_vanish(path: Path) -> None:
    import os

    with DataDirectory(path).held():
        DataDirectory(path).announce(RUNNING)
        os._exit(9)
