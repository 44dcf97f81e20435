"""How much two sentences share, and how far that alone separates the labels."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+")


def overlap(first: str, second: str) -> float:
    """Shared words / all words of both, lower-cased, in [0, 1]: "A cat.", "a dog" -> 1/3."""
    a, b = set(_WORD.findall(first.lower())), set(_WORD.findall(second.lower()))
    return len(a & b) / len(a | b) if a | b else 0.0


def best_threshold_accuracy(values: Sequence[float], labels: Sequence[int]) -> float:
    """The highest share of right answers of any rule "1 from this value on" or "1 below it".

    Chosen and measured on the same pairs, so it is an upper bound of what such a rule gets.
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    ones = sum(labels)
    best = max(ones, len(labels) - ones)
    ones_below = 0
    for rank, index in enumerate(order):
        # Between equal values there is no threshold.
        if rank and values[index] != values[order[rank - 1]]:
            right = (rank - ones_below) + (ones - ones_below)
            best = max(best, right, len(labels) - right)
        ones_below += labels[index]
    return best / len(labels)
