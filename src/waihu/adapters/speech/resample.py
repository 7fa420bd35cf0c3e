"""Changes the sample rate of speech: a windowed-sinc low-pass filter, evaluated only where an output sample is."""

import math
from array import array
from functools import lru_cache
from itertools import starmap
from operator import mul

# Zero crossings of the sinc on each side. With eight, what lies a quarter above the new limit is 55 dB down.
_ZERO_CROSSINGS = 8


def resample(samples: "array[int]", from_hz: int, to_hz: int) -> "array[int]":
    """16 bit samples at `from_hz` as 16 bit samples at `to_hz`; the filter's edges see silence."""
    if from_hz == to_hz:
        return samples
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    phases, half_width = _filter_phases(up, down)

    silence = [0] * half_width
    padded = [*silence, *samples, *silence]
    width = 2 * half_width
    resampled = array("h")
    for n in range(len(samples) * up // down):
        start, phase = divmod(n * down, up)
        window = padded[start : start + width]
        value = round(sum(starmap(mul, zip(phases[phase], window, strict=False))))
        resampled.append(max(-32768, min(32767, value)))
    return resampled


@lru_cache(maxsize=4)
def _filter_phases(up: int, down: int) -> tuple[list[list[float]], int]:
    """For each of `up` positions between two input samples the weights of their neighbours, and the half width."""
    # The cut-off, in halves of the input rate: what the output rate can carry, less room for the slope.
    cutoff = min(1.0, up / down) * 0.92
    half_width = math.ceil(_ZERO_CROSSINGS / cutoff)
    phases = []
    for phase in range(up):
        weights = []
        for tap in range(2 * half_width):
            distance = tap - half_width - phase / up
            window = math.cos(math.pi / 2 * min(1.0, abs(distance) / half_width)) ** 2
            weights.append(window * cutoff * _sinc(cutoff * distance))
        gain = sum(weights)
        phases.append([weight / gain for weight in weights])
    return phases, half_width


def _sinc(x: float) -> float:
    return 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)
