"""Metrics of classes and numbers, in per cent as GLUE's leaderboard and the published tables have them.

By scikit-learn and SciPy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from bert.tasks.glue.task import Task

Labels = npt.NDArray[np.integer | np.floating]


def _correlation(of: Callable[[Labels, Labels], tuple[float, float]]) -> Callable[[Labels, Labels], float]:
    """`of`, but 0 where it is undefined, since one side is the same everywhere."""

    def correlation(expected: Labels, predicted: Labels) -> float:
        if np.ptp(expected) == 0 or np.ptp(predicted) == 0:
            return 0.0
        return of(expected, predicted)[0]

    return correlation


# (expected, predicted) -> a value in [-1, 1]. F1 is that of class 1; with none expected or predicted it is 0. Macro F1
# is the mean over the classes that are expected or predicted.
METRICS: dict[str, Callable[[Labels, Labels], float]] = {
    "accuracy": accuracy_score,
    "f1": lambda expected, predicted: f1_score(expected, predicted, zero_division=0),
    "f1_macro": lambda expected, predicted: f1_score(expected, predicted, average="macro", zero_division=0),
    "mcc": matthews_corrcoef,
    "pearson": _correlation(pearsonr),
    "spearman": _correlation(spearmanr),
}


def glue_scores(task: Task, expected: Labels, predicted: Labels) -> dict[str, float]:
    """{metric: per cent} of a task's metrics.

    expected, predicted: (N,) classes, 0 <= class < len(task.labels); numbers of a regression

    Raises:
        ValueError: the shapes differ, nothing to score, or a class that the task does not have (-1: no label), or a
            number that is not finite.
    """
    expected, predicted = np.asarray(expected), np.asarray(predicted)
    if expected.shape != predicted.shape or expected.ndim != 1 or not len(expected):
        raise ValueError(
            f"{task.name}: expected a prediction for each label, got {predicted.shape} and {expected.shape}"
        )
    for name, values in (("label", expected), ("prediction", predicted)):
        if not np.isfinite(values).all():
            raise ValueError(f"{task.name}: a {name} is no finite number")
        if not task.is_regression and (values.min() < 0 or values.max() >= len(task.labels)):
            raise ValueError(f"{task.name}: a {name} is outside 0..{len(task.labels) - 1}")
    return {name: 100 * float(METRICS[name](expected, predicted)) for name in task.metrics}
