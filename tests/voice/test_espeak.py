"""Speech of the built-in synthesiser: it speaks, at the rate asked for, and the change of rate is clean."""

import math
from array import array
from concurrent.futures import ThreadPoolExecutor

import pytest

from waihu.adapters.speech.espeak import ENGLISH, MANDARIN, SpeechFailed, synthesize
from waihu.adapters.speech.resample import resample


def test_a_sentence_lasts_as_long_at_every_rate() -> None:
    lengths_s = [len(synthesize("您好，请讲。", MANDARIN, rate_hz)) / 2 / rate_hz for rate_hz in (8000, 16000, 22050)]
    assert lengths_s == pytest.approx([lengths_s[0]] * 3, abs=0.05)


def test_mandarin_reads_characters_as_syllables() -> None:
    # A voice that does not know the characters spells them out, or says nothing.
    one = len(synthesize("好", MANDARIN))
    ten = len(synthesize("好" * 10, MANDARIN))
    assert one > 0 and 3 * one < ten < 12 * one


def test_threads_take_turns() -> None:
    sentences = [("Hello, who is there?", ENGLISH), ("喂，你好，哪位？", MANDARIN)] * 4
    alone = {sentence: _loudness(synthesize(*sentence)) for sentence in sentences}
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda sentence: _loudness(synthesize(*sentence)), sentences))
    assert together == pytest.approx([alone[sentence] for sentence in sentences], rel=0.05)


def test_an_unknown_voice_is_a_failure_and_not_a_default() -> None:
    with pytest.raises(SpeechFailed, match="no voice"):
        synthesize("Hello", "nobody")


def test_what_the_new_rate_can_carry_stays_and_what_it_cannot_goes() -> None:
    assert _gain_db(1000) == pytest.approx(0, abs=0.2)
    assert _gain_db(3000) == pytest.approx(0, abs=0.5)
    # It would come back as 3000 Hz.
    assert _gain_db(5000) < -50


def test_samples_at_the_limit_do_not_wrap_around() -> None:
    loud = array("h", [32767 if n // 20 % 2 else -32768 for n in range(2205)])
    resampled = resample(loud, 22050, 8000)
    # Between two jumps, far enough from both, the sign is the input's own.
    assert all((sample > 0) == bool(loud[n * 441 // 160] > 0) for n, sample in _settled(resampled))


def _settled(resampled: "array[int]") -> list[tuple[int, int]]:
    return [(n, sample) for n, sample in enumerate(resampled) if 6 <= (n * 441 / 160) % 20 <= 14]


def _gain_db(frequency_hz: float) -> float:
    tone = array("h", [round(10000 * math.sin(2 * math.pi * frequency_hz * n / 22050)) for n in range(22050)])
    middle = resample(tone, 22050, 8000)[500:-500]
    return 20 * math.log10(max(1e-6, _loudness(middle.tobytes()) / _loudness(tone.tobytes())))


def _loudness(pcm: bytes) -> float:
    """The root mean square of 16 bit samples."""
    samples = array("h", pcm)
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))
