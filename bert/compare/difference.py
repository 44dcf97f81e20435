"""When do two means differ by more than their seeds do? Welch's t-test (B. L. Welch, Biometrika 34, 1947)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance

from scipy.special import stdtrit

LEVEL = 0.05
"""How often, at most, two samples of one and the same thing are said to differ."""


@dataclass(frozen=True)
class Difference:
    """Of two means, in the unit of the scores.

    Attributes:
        value: the second mean minus the first
        by_chance: the largest difference that is still put down to the seeds; None: neither has a second seed
    """

    value: float
    by_chance: float | None

    @property
    def is_none(self) -> bool:
        """Whether the seeds alone explain it."""
        return self.by_chance is not None and abs(self.value) <= self.by_chance


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Of the means of two samples, a value a seed; neither is empty.

    Both with several seeds: Welch's test, two-sided, at LEVEL; the variances need not be alike. One of them a single
    run: it is taken to vary as the other does, which makes the bound a prediction interval.
    """
    return Difference(fmean(second) - fmean(first), _bound(first, second))


def _bound(first: Sequence[float], second: Sequence[float]) -> float | None:
    several = [values for values in (first, second) if len(values) > 1]
    if not several:
        return None
    if len(several) == 1:
        (values,) = several
        squares, freedom = variance(values) * (1 + 1 / len(values)), float(len(values) - 1)
    else:
        parts = [variance(values) / len(values) for values in several]
        squares = sum(parts)
        if squares == 0:
            return 0.0
        # Shares of the sum, whose squares do not vanish where the variances are tiny.
        freedom = 1 / sum(
            (part / squares) ** 2 / (len(values) - 1) for part, values in zip(parts, several, strict=True)
        )
    return float(stdtrit(freedom, 1 - LEVEL / 2)) * sqrt(squares)
