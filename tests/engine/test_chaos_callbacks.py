"""A small chaos of callbacks in every test run; `make chaos-callbacks` is the large one, and measures too."""

from pathlib import Path

from tests.chaos_callbacks.run import Plan, run


async def test_no_callback_is_lost_or_told_under_two_names(database_url: str, tmp_path: Path) -> None:
    said: list[str] = []

    verdict = await run(Plan(callbacks=2000, kills=3, seconds=8, seed=7, directory=tmp_path), database_url, said.append)

    assert verdict.faults == []
    assert verdict.callbacks == 2000
    assert any("3 times a sender was killed" in line for line in said)
