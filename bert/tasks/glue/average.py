"""GLUE's score: of a task the mean of its metrics, and the mean of these over tasks."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from bert.tasks.glue.task import Task


def task_score(task: Task, metrics: Mapping[str, Any]) -> float | None:
    """The mean of a task's metrics on all of its dev sets, in per cent; None where one of them is not there.

    metrics: as `run_glue` returns them
    """
    sets = [metrics, *(metrics.get(name) or {} for name in task.other_devs)]
    scores = [of_set.get(name) for of_set in sets for name in task.metrics]
    known = [score for score in scores if score is not None]
    return fmean(known) if len(known) == len(scores) else None
