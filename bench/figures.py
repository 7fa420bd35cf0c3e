"""What a benchmark answers: figures, each with its floor, and what was promised of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A promise about `of`, which is `ratio` or `subject`: about the median, or about every single round."""

    of: str
    least: float | None = None
    most: float | None = None
    every_round: bool = False

    def __str__(self) -> str:
        bound = f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"
        return f"ratio {bound}" if self.of == "ratio" else bound

    def is_met_by(self, values: Sequence[float]) -> bool:
        judged = values if self.every_round else [median(values)]
        return all(
            (self.least is None or value >= self.least) and (self.most is None or value <= self.most)
            for value in judged
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured thing: values of the subject and of its floor, round by round, in `unit`.

    `samples`: how many observations stand behind the values. A figure without a floor has no ratio; nor has one that
    is not `comparable`, where both sides are only shown.
    """

    what: str
    unit: str
    subject: Sequence[float]
    floor: Sequence[float] = ()
    samples: int | None = None
    target: Target | None = None
    comparable: bool = True

    @property
    def ratios(self) -> list[float]:
        """Subject by floor, each round by itself: what disturbed one half of a round disturbed the other."""
        if not self.floor or not self.comparable:
            return []
        return [mine / best for mine, best in zip(self.subject, self.floor, strict=True)]

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met, None without one."""
        if self.target is None:
            return None
        return self.target.is_met_by(self.ratios if self.target.of == "ratio" else self.subject)

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "ratio": spread(self.ratios),
            "target": None if self.target is None else str(self.target),
            "met": self.is_met,
            "unit": self.unit,
            "subject": spread(self.subject),
            "floor": spread(self.floor),
            "samples": self.samples,
        }


@dataclass(slots=True)
class Result:
    """One benchmark's answer. `figures` are in order of importance; `notes` are sentences for the reader."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def spread(values: Sequence[float]) -> dict[str, Any] | None:
    """Median, extremes and every value; None when there are none."""
    if not values:
        return None
    rounded = [_rounded(value) for value in values]
    return {"median": _rounded(median(values)), "min": min(rounded), "max": max(rounded), "rounds": rounded}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed."""
    return sorted(values)[max(0, ceil(len(values) * share) - 1)]


def _rounded(value: float) -> float:
    """Four significant digits: more would be noise."""
    return float(f"{value:.4g}") if abs(value) < 10_000 else float(round(value))
