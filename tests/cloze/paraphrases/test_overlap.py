"""bert/cloze/paraphrases/overlap.py against a plain search over all thresholds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.cloze.paraphrases.overlap import best_threshold_accuracy, overlap


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("A cat.", "a dog", 1 / 3), ("One, two!", "two one", 1.0), ("...", "", 0.0), ("a", "b", 0.0)],
)
def test_overlap_is_shared_words_of_all_words(first: str, second: str, expected: float) -> None:
    assert overlap(first, second) == expected


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.integers(0, 1)), min_size=1, max_size=12))
def test_best_threshold_is_the_best_of_all(pairs: list[tuple[float, int]]) -> None:
    values, labels = [v for v, _ in pairs], [y for _, y in pairs]
    rules = [[int((v >= t) == above) for v in values] for t in (0, 0.15, 0.3, 0.7, 1) for above in (True, False)]
    expected = max(sum(a == b for a, b in zip(rule, labels, strict=True)) for rule in rules) / len(pairs)
    assert best_threshold_accuracy(values, labels) == pytest.approx(expected)
