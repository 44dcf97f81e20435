"""The task that a classifier has learned, and the names of its classes in their order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.model_card.history import has_own_task
from bert.model_card.lineage import Step, is_as_locked
from bert.tasks.glue.examples import read_task
from bert.tasks.glue.task import Task
from bert.tasks.glue.tasks import TASKS

# What the classes of GLUE's tasks that are numbers stand for: https://huggingface.co/datasets/nyu-mll/glue
MEANINGS = {
    "cola": ("unacceptable", "acceptable"),
    "sst2": ("negative", "positive"),
    "mrpc": ("not equivalent", "equivalent"),
    "qqp": ("not duplicate", "duplicate"),
    "wnli": ("not entailment", "entailment"),
}


def task_of(steps: Sequence[Step]) -> Task | None:
    """Of the nearest step: as its data say that lie here, or else as GLUE has it; None where neither is known."""
    stage, _, name = steps[0].stage.partition("@") if steps else ("", "", "")
    if stage != "glue":
        return None
    for step in steps:
        if step.stage == f"glue_data@{name}":
            for path, md5 in step.outs.items():
                if not path.startswith("metrics/") and is_as_locked(Path(path), md5):
                    return read_task(Path(path), f"dvc repro {step.stage}")
    return None if has_own_task(steps) else TASKS.get(name)


def in_words(task: Task | None, labels: Sequence[str]) -> str:
    """What a classifier does, its classes in their order. labels: their names, [] where there are none"""
    text = "a text or a pair of texts" if task is None else "a pair of texts" if task.is_pair else "a text"
    if task is not None and task.is_regression:
        return f"gives {text} a number"
    if not labels:
        return f"labels {text}"
    meanings = MEANINGS.get(task.name, ()) if task is not None and not task.is_own else ()
    known = meanings if task is not None and tuple(labels) == task.labels else ()
    listed = [f"`{label}`" + (f" ({known[n]})" if known else "") for n, label in enumerate(labels)]
    return f"gives {text} one of {len(labels)} labels, in this order: {', '.join(listed)}"
