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
    """(N, L) logits -> (N,) classes; of a regression, (N, 1) -> (N,) numbers, none of them outside its scale."""
    return logits.argmax(-1) if task.scale is None else logits[:, 0].clip(*task.scale)


def write_predictions(
    path: str | Path, task: Task, examples: Sequence[Example], logits: npt.NDArray[np.float32]
) -> None:
    """Write "index<TAB>prediction" lines under that header: labels as the task's files have them, or numbers.

    Of the classes of a task of one's own there is a column of probabilities each, "p(label)", too.

    logits: (N, L), of a regression (N, 1)
    """
    header = ["index", "prediction"]
    found = predictions(task, logits).tolist()
    rows = [
        [str(example.index), f"{value:.3f}" if task.is_regression else task.labels[value]]
        for example, value in zip(examples, found, strict=True)
    ]
    if task.is_own and not task.is_regression:
        header += [f"p({label})" for label in task.labels]
        for row, values in zip(rows, softmax(logits.astype(np.float64), axis=-1).tolist(), strict=True):
            row += [f"{value:.4f}" for value in values]
    write_text(path, "".join("\t".join(row) + "\n" for row in [header, *rows]))
