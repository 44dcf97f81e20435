"""GLUE's metrics, in per cent (as its leaderboard and the published tables give them), through scikit-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from bert.tasks.glue.data import Task

Labels = npt.NDArray[np.integer]

# (expected, predicted) -> a value in [-1, 1]. F1 is that of class 1; with none expected or predicted it is 0.
METRICS: dict[str, Callable[[Labels, Labels], float]] = {
    "accuracy": accuracy_score,
    "f1": lambda expected, predicted: f1_score(expected, predicted, zero_division=0),
    "mcc": matthews_corrcoef,
}


def glue_scores(task: Task, expected: Labels, predicted: Labels) -> dict[str, float]:
    """{metric: per cent} of a task's metrics.

    expected, predicted: (N,) classes, 0 <= class < len(task.labels)

    Raises:
        ValueError: the shapes differ, nothing to score, or a class that the task does not have (-1: no label).
    """
    expected, predicted = np.asarray(expected), np.asarray(predicted)
    if expected.shape != predicted.shape or expected.ndim != 1 or not len(expected):
        raise ValueError(f"{task.name}: expected as many classes as labels, got {predicted.shape} and {expected.shape}")
    for name, classes in (("label", expected), ("prediction", predicted)):
        if classes.min() < 0 or classes.max() >= len(task.labels):
            raise ValueError(f"{task.name}: a {name} is outside 0..{len(task.labels) - 1}")
    return {name: 100 * float(METRICS[name](expected, predicted)) for name in task.metrics}
