"""What the benchmarks compute from the carrier's log. A wrong oracle would flatter us for years."""

from dataclasses import replace

from bench.far_side import calls_per_s, mean_fill, oracle_begins, refills_ms
from bench.figures import Figure, Target, percentile

from waihu.adapters.asterisk.carrier_behaviour import Behaviour
from waihu.adapters.asterisk.carrier_log import CarrierCall


def calls_of(*spans: tuple[int, int]) -> list[CarrierCall]:
    call = CarrierCall(None, Behaviour.TALKS.number(), "", Behaviour.TALKS, 0)
    return [replace(call, invited_at_ms=begin, ended_at_ms=end) for begin, end in spans]


def test_the_oracle_uses_a_free_channel_at_once_and_keeps_the_rate():
    assert oracle_begins([100] * 6, channels=2, calls_per_s=50) == [0, 20, 100, 120, 200, 220]
    assert oracle_begins([100] * 4, channels=10, calls_per_s=10) == [0, 100, 200, 300]


def test_the_oracle_never_holds_more_channels_than_there_are():
    holds = [700, 100, 300, 900, 200, 100, 400, 800, 100, 100, 600]
    begins = oracle_begins(holds, channels=3, calls_per_s=100)
    ends = [begin + hold for begin, hold in zip(begins, holds, strict=True)]
    assert max(sum(b <= at < e for b, e in zip(begins, ends, strict=True)) for at in begins) == 3


def test_fill_is_averaged_until_the_last_number_is_taken():
    assert mean_fill([0, 0, 100], [100, 50, 1000]) == 1.5


def test_the_oracle_fills_every_channel_once_the_rate_has_let_it():
    holds = [100] * 400
    assert 3.9 < mean_fill(oracle_begins(holds, channels=4, calls_per_s=100), holds) <= 4


def test_a_channel_that_rests_as_long_as_it_is_used_is_half_full():
    begins = list(range(0, 10_001, 200))
    assert mean_fill(begins, [100] * len(begins)) == 0.5


def test_a_refill_is_from_an_end_to_the_call_that_takes_its_channel():
    assert refills_ms(calls_of((0, 100), (10, 80), (90, 200), (120, 300)), channels=2) == [10, 20]


def test_a_rate_counts_the_gaps_between_calls():
    assert calls_per_s(calls_of((0, 1), (500, 501), (1000, 1001))) == 2


def test_a_percentile_is_a_value_that_was_measured():
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([7], 0.5) == 7


def test_a_limit_is_missed_when_one_round_misses_it():
    limit = Target("subject", most=10, every_round=True)
    assert Figure(what="", unit="", subject=[10, 10, 11], target=limit).is_met is False
    assert Figure(what="", unit="", subject=[10, 9, 10], target=limit).is_met is True


def test_a_ratio_is_taken_round_by_round():
    figure = Figure(what="", unit="", subject=[9, 40], floor=[10, 50], target=Target("ratio", least=0.85))
    assert figure.ratios == [0.9, 0.8]
    assert figure.is_met is True
