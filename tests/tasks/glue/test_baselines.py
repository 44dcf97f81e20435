"""Tests for bert/tasks/glue/baselines.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.tasks.glue.baselines import baseline_scores, fit_threshold, word_overlap
from bert.tasks.glue.examples import Example
from bert.tasks.glue.tasks import TASKS


def test_overlap_is_shared_words_over_all_words() -> None:
    assert word_overlap("A cat sat", "a CAT ran , ran") == pytest.approx(2 / 4)
    assert word_overlap("a", "b") == word_overlap("", ".") == 0.0
    assert word_overlap("a b", "b, a!") == 1.0


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(0, 1)), min_size=1, max_size=30))
def test_no_threshold_is_right_more_often_than_the_fitted_one(rows: list[tuple[float, int]]) -> None:
    values, labels = np.array([v for v, _ in rows]), np.array([label for _, label in rows])

    def right(threshold: float, above: int) -> int:
        return int((np.where(values >= threshold, above, 1 - above) == labels).sum())

    best = max(right(threshold, above) for threshold in (0.0, 0.1, 0.3, 0.7, 2.0) for above in (0, 1))
    assert right(*fit_threshold(values, labels)) == best


def test_the_fitted_side_may_be_the_lower_one() -> None:
    assert fit_threshold(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1])) == (0.8, 1)
    assert fit_threshold(np.array([0.1, 0.2, 0.8, 0.9]), np.array([1, 1, 0, 0])) == (0.8, 0)


def test_baselines_are_fitted_on_train_and_scored_on_dev() -> None:
    train = [Example(0, "a b", "a b", 1), Example(1, "a b", "a c", 1), Example(2, "a b", "c d", 0)]
    pairs = [("x y", "x y", 0), ("x y", "z", 0), ("x y", "y x", 1), ("x", "x", 1), ("x y", "x z", 1)]
    dev = [Example(index, *pair) for index, pair in enumerate(pairs)]
    scores = baseline_scores(TASKS["mrpc"], train, dev)
    assert scores["majority"] == {"accuracy": 60.0, "f1": pytest.approx(75.0)} == scores["positive"]
    # Threshold 1/3: predicted 1 0 1 1 1.
    assert scores["overlap"] == {"accuracy": 80.0, "f1": pytest.approx(600 / 7)}


def test_of_f1_the_constant_positive_answer_is_a_baseline_whichever_label_is_frequent() -> None:
    train = [Example(index, "a", "b", 0) for index in range(3)]
    dev = [Example(index, "a", "b", label) for index, label in enumerate((1, 0, 0, 0))]
    scores = baseline_scores(TASKS["mrpc"], train, dev)
    assert scores["majority"] == {"accuracy": 75.0, "f1": 0.0}
    assert scores["positive"] == {"accuracy": 25.0, "f1": pytest.approx(40.0)}
    assert "positive" not in baseline_scores(TASKS["rte"], train, dev)


def test_tasks_on_one_sentence_have_no_overlap() -> None:
    examples = [Example(0, "a", None, 0), Example(1, "b", None, 0), Example(2, "c", None, 1)]
    assert baseline_scores(TASKS["cola"], examples, examples) == {"majority": {"mcc": 0.0}}


@pytest.mark.parametrize(("labels", "spearman"), [((1.0, 2.0), 100.0), ((2.0, 1.0), -100.0)])
def test_a_regression_on_one_text_has_its_length(labels: tuple[float, float], spearman: float) -> None:
    """Counted in words, and turned round where it has to be by the training set alone."""
    task = replace(TASKS["stsb"], is_pair=False)
    train = [
        Example(n, text, None, label) for n, (text, label) in enumerate(zip(("a, b", "a b c"), labels, strict=True))
    ]
    dev = [Example(0, "a b c d", None, 3.0), Example(1, "abcdefghij", None, 1.0), Example(2, "a bb", None, 2.0)]
    scores = baseline_scores(task, train, dev)
    assert scores.keys() == {"length"} and scores["length"]["spearman"] == pytest.approx(spearman)


def test_a_regression_has_the_overlap_itself() -> None:
    train = [Example(0, "a b", "a b", 5.0)]
    pairs = [("a b", "a b", 4.0), ("a b", "a c", 2.0), ("a", "b", 0.0)]
    dev = [Example(index, *pair) for index, pair in enumerate(pairs)]
    # Overlaps 1, 1/3 and 0 against 4, 2 and 0: deviations (5, -1, -4) / 9 and 2, 0, -2.
    pearson = 100 * 18 / np.sqrt((25 + 1 + 16) * 8)
    expected = {"pearson": pytest.approx(pearson), "spearman": pytest.approx(100.0)}
    assert baseline_scores(TASKS["stsb"], train, dev) == {"overlap": expected}
