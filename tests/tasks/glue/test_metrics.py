"""Tests for bert/tasks/glue/metrics.py. The expected values are computed by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bert.tasks.glue.metrics import METRICS, glue_scores
from bert.tasks.glue.tasks import TASKS

# 3 true positives, 1 false positive, 2 false negatives, 4 true negatives.
EXPECTED = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0])
PREDICTED = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])


def test_scores_are_those_of_the_confusion_matrix_in_per_cent() -> None:
    assert glue_scores(TASKS["mrpc"], EXPECTED, PREDICTED) == {
        "accuracy": pytest.approx(70.0),
        "f1": pytest.approx(100 * 2 * 3 / (2 * 3 + 1 + 2)),
    }
    mcc = (3 * 4 - 1 * 2) / math.sqrt((3 + 1) * (3 + 2) * (4 + 1) * (4 + 2))
    assert glue_scores(TASKS["cola"], EXPECTED, PREDICTED) == {"mcc": pytest.approx(100 * mcc)}
    assert list(glue_scores(TASKS["sst2"], EXPECTED, PREDICTED)) == ["accuracy"]


def test_macro_f1_is_the_mean_over_the_classes() -> None:
    """Of 0: 2 right of 3 predicted and 2 expected, F1 4/5. Of 1: 1 of 1 and 2, 2/3. Of 2: none of 1 and 1, 0."""
    task = replace(TASKS["mnli"], metrics=("f1_macro",))
    expected, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 0, 1, 2, 0])
    assert glue_scores(task, expected, predicted) == {"f1_macro": pytest.approx(100 * (4 / 5 + 2 / 3 + 0) / 3)}


def test_numbers_are_scored_by_both_correlations() -> None:
    """Deviations from the means 3 and 4: -2 -1 -1 1 3 and -2 -3 0 1 4; of ranks, two of them equal: -2 -.5 -.5 1 2 and
    -1 -2 0 1 2.
    """
    expected, predicted = np.array([1.0, 2, 2, 4, 6]), np.array([2.0, 1, 4, 5, 8])
    scores = glue_scores(TASKS["stsb"], expected, predicted)
    assert scores == {
        "pearson": pytest.approx(100 * 20 / math.sqrt(16 * 30)),
        "spearman": pytest.approx(100 * 8 / math.sqrt(9.5 * 10)),
    }
    turned = {name: pytest.approx(-value) for name, value in scores.items()}
    assert glue_scores(TASKS["stsb"], expected, -predicted) == turned


def test_what_is_the_same_everywhere_correlates_with_nothing() -> None:
    same, numbers = np.full(3, 2.5), np.array([1.0, 2, 3])
    for pair in ((same, numbers), (numbers, same)):
        assert glue_scores(TASKS["stsb"], *pair) == {"pearson": 0.0, "spearman": 0.0}
    with pytest.raises(ValueError, match="a prediction is no finite number"):
        glue_scores(TASKS["stsb"], numbers, np.array([1.0, float("nan"), 3]))


def test_one_class_only_scores_zero_where_the_metric_is_undefined() -> None:
    nothing = np.zeros(4, int)
    assert glue_scores(TASKS["mrpc"], nothing, nothing) == {"accuracy": 100.0, "f1": 0.0}
    assert glue_scores(TASKS["cola"], EXPECTED, np.ones(10, int))["mcc"] == 0.0


@pytest.mark.parametrize(
    ("expected", "predicted", "message"),
    [
        ([1, 0], [1], "a prediction for each"),
        ([], [], "a prediction for each"),
        ([-1], [0], "a label"),
        ([1], [2], "a prediction"),
    ],
)
def test_what_cannot_be_scored_is_refused(expected: list[int], predicted: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        glue_scores(TASKS["mrpc"], np.array(expected, int), np.array(predicted, int))


def test_every_task_names_known_metrics() -> None:
    assert {metric for task in TASKS.values() for metric in task.metrics} <= METRICS.keys()
