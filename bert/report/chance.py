"""Whether a score is better than another one, or only seems so on so few examples."""

from __future__ import annotations

from math import sqrt

CORRELATIONS = ("mcc", "pearson", "spearman")
ERRORS = 2  # standard errors of a difference that chance does not make, but for one time in twenty


def standard_error(score: str, value: float, count: int) -> float:
    """Of a score in per cent on `count` examples.

    Of a share of right answers, after Agresti and Coull 1998: also 0 and 100 % of a few have an error. F1 is taken for
    such a share, which is not less than it has: between 0 and 1 nothing varies more. Of a correlation, that of none.
    """
    if score in CORRELATIONS:
        return 100 / sqrt(max(count, 1))
    share = (value / 100 * count + 2) / (count + 4)
    return 100 * sqrt(share * (1 - share) / (count + 4))


def is_above(score: str, one: float, other: float, count: int) -> bool:
    """Whether `one` is larger than `other` by more than chance would have it, both on `count` examples.

    They are taken for independent, which says "no" rather too often where both are of the same examples.
    """
    error = sqrt(standard_error(score, one, count) ** 2 + standard_error(score, other, count) ** 2)
    return one - other > ERRORS * error
