"""Predictions as files: those of GLUE's tasks as its leaderboard takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from bert.pipeline.files import write_text
from bert.tasks.glue.examples import Example
from bert.tasks.glue.task import Task


def predictions(task: Task, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.integer | np.floating]:
    """(N, L) logits -> (N,) classes; of a regression, (N, 1) -> (N,) numbers."""
    return logits[:, 0] if task.is_regression else logits.argmax(-1)


def write_predictions(
    path: str | Path, task: Task, examples: Sequence[Example], predicted: Sequence[int] | Sequence[float]
) -> None:
    """Write "index<TAB>prediction" lines under that header: labels as the task's files have them, or numbers.

    Numbers for examples without a label are cut to the task's scale, as GLUE's authors do before they submit them
    (https://github.com/nyu-mll/jiant-v1-legacy, jiant/evaluate.py).
    """
    lines = ["index\tprediction"]
    for example, value in zip(examples, predicted, strict=True):
        if task.scale is None:
            shown = task.labels[int(value)]
        else:
            low, high = task.scale if example.label is None else (value, value)
            shown = f"{min(max(value, low), high):.3f}"
        lines.append(f"{example.index}\t{shown}")
    write_text(path, "\n".join(lines) + "\n")


def write_probabilities(
    path: str | Path, task: Task, examples: Sequence[Example], logits: npt.NDArray[np.float32]
) -> None:
    """Write a line of each example's index and the probability of each class, under a header of the labels.

    logits: (N, L)
    """
    rows = softmax(logits.astype(np.float64), axis=-1).tolist()
    lines = ["\t".join(["index", *task.labels])]
    for example, row in zip(examples, rows, strict=True):
        lines.append("\t".join([str(example.index), *(f"{value:.4f}" for value in row)]))
    write_text(path, "\n".join(lines) + "\n")
