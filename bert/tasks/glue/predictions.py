"""Predictions as GLUE's leaderboard takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bert.pipeline.files import write_text
from bert.tasks.glue.data import Example
from bert.tasks.glue.tasks import Task


def predictions(task: Task, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.integer | np.floating]:
    """(N, L) logits -> (N,) classes; of a regression, (N, 1) -> (N,) numbers."""
    return logits[:, 0] if task.is_regression else logits.argmax(-1)


def write_predictions(
    path: str | Path, task: Task, examples: Sequence[Example], predicted: Sequence[int] | Sequence[float]
) -> None:
    """Write "index<TAB>prediction" lines under that header: labels as the task's files have them, or numbers."""
    shown = [f"{value:.3f}" if task.is_regression else task.labels[int(value)] for value in predicted]
    lines = [f"{example.index}\t{label}" for example, label in zip(examples, shown, strict=True)]
    write_text(path, "\n".join(["index\tprediction", *lines]) + "\n")
