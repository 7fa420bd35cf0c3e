"""Forecasts: the campaign file, and what is told of the campaign."""

from pathlib import Path

import pytest

from waihu.domain.errors import Invalid
from waihu.domain.outcome import Outcome
from waihu.simulator.forecast import simulate

EXAMPLE = Path(__file__).parents[2] / "examples" / "campaign.toml"

SMALL = """
[campaign]
contacts = 50
channels = 5
start = "2026-11-23 17:58"
[campaign.hours]
monday = ["09:00-18:00"]
tuesday = ["09:00-18:00"]
[campaign.retry]
max = 1
delay_min = { busy = 5 }
[[trunk]]
name = "t"
channels = 5
cps = 1
[people]
answer = 0
dead = {}
otherwise = { busy = 1 }
"""


def _file(directory: Path, text: str) -> Path:
    path = directory / "campaign.toml"
    path.write_text(text)
    return path


def test_the_example_is_finished_and_counts_agree() -> None:
    found = simulate(EXAMPLE)
    assert found.finished_at is not None
    assert found.unfinished == 0
    assert sum(found.outcomes.values()) == found.contacts
    assert found.outcomes[Outcome.ANSWERED] == found.answered
    assert sum(hour.attempts for hour in found.hours) == found.attempts
    assert found.channels_most <= 30
    assert all(hour.fill <= 1 for hour in found.hours)


def test_the_same_file_and_seed_give_the_same_forecast(tmp_path: Path) -> None:
    path = _file(tmp_path, SMALL)
    assert simulate(path, 3) == simulate(path, 3)


def test_a_campaign_that_does_not_fit_into_the_day_goes_on_the_next_morning(tmp_path: Path) -> None:
    found = simulate(_file(tmp_path, SMALL))
    # Fifty numbers that are busy twice: what was not called by six is called on Tuesday from nine on.
    assert found.attempts == 100
    assert [hour.begin % 86_400_000 // 3_600_000 for hour in found.hours] == [9, 1]


def test_a_stop_time_leaves_the_rest_unfinished(tmp_path: Path) -> None:
    stopped = SMALL.replace("[campaign.hours]", 'stop = "2026-11-23 17:59"\n[campaign.hours]')
    found = simulate(_file(tmp_path, stopped))
    assert found.finished_at is None
    assert found.unfinished == found.contacts


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("contacts = 50", "contacts = 0", "campaign.contacts"),
        ("contacts = 50", "contacts = '50'", "campaign.contacts"),
        ("channels = 5\nstart", "start", "campaign.channels"),
        ('"2026-11-23 17:58"', '"tomorrow"', "campaign.start"),
        ('["09:00-18:00"]\ntuesday', '["18:00-09:00"]\ntuesday', "campaign.hours.monday"),
        ("monday =", "mondey =", "campaign.hours.mondey"),
        ("busy = 5", "bussy = 5", "campaign.retry.delay_min.bussy"),
        ("cps = 1", "cps = 0", "trunk[0].cps"),
        ("answer = 0", "answer = 2", "people"),
        ("[campaign]", "[campaign", "FILE"),
        ("[campaign]", "colour = 1\n[campaign]", "colour"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, before: str, after: str, named: str) -> None:
    with pytest.raises(Invalid) as caught:
        simulate(_file(tmp_path, SMALL.replace(before, after, 1)))
    assert list(caught.value.problems) == [named]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        simulate(tmp_path / "nothing.toml")
