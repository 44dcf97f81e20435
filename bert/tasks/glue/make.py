"""The files of a task -> its folder of examples, and what was counted on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from bert.pipeline.errors import StageError
from bert.tasks.glue.data import Source, read_published
from bert.tasks.glue.examples import Example
from bert.tasks.glue.own.data import read_own
from bert.tasks.glue.own.settings import OwnTaskSettings
from bert.tasks.glue.task import Task
from bert.tasks.glue.tasks import TASKS


def make_task(data: Path, source: Source, name: str, own: OwnTaskSettings | None, out: Path) -> dict[str, Any]:
    """Write the folder of a task.

    Args:
        data: folder of all tasks. source: where it comes from.
        name: of one of GLUE's tasks, or of one's own.
        own: what the files of one's own are; None for GLUE's.

    Returns:
        The metrics: examples of each set; of those with labels how often there is each, or of numbers the range; and
        what was dropped, by reason.

    Raises:
        StageError: files that are not there or not as they should be.
    """
    if own is None:
        made, dropped = read_published(data, TASKS[name], source)
    elif source == "download":
        made, dropped = read_own(data, name, own)
    else:
        raise StageError(
            f"params.yaml: glue.data is {source}, but {name} is your own task: its files come through download.glue",
            run=f"name them in download.glue, set glue.data to download, then dvc repro glue@{name}",
        )
    made.write(out)
    what = "numbers" if made.task.is_regression else "labels"
    return {
        "examples": {split: len(rows) for split, rows in made.examples.items()},
        what: {split: _distribution(made.task, made.examples[split]) for split in dropped},
        "dropped": {split: dict(sorted(reasons.items())) for split, reasons in dropped.items()},
    }


def _distribution(task: Task, examples: Sequence[Example]) -> dict[str, int | float]:
    if task.is_regression:
        numbers = [float(example.label) for example in examples if example.label is not None]
        return {"min": min(numbers), "mean": round(fmean(numbers), 4), "max": max(numbers)}
    counts = Counter(example.label for example in examples)
    return {label: counts[index] for index, label in enumerate(task.labels)}
