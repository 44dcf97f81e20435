"""A task's folder: task.json, and for each set a file of examples, a JSON object a line.

data/glue/mrpc/task.json        a Task
data/glue/mrpc/train.jsonl      {"index": 0, "text_a": "...", "text_b": "...", "label": 1}
data/glue/mrpc/dev.jsonl
data/glue/mrpc/MRPC.jsonl       a set without labels: "label": null
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json, write_json, write_text
from bert.pipeline.misfits import misfits
from bert.tasks.glue.task import Task

TASK = "task.json"


@dataclass(frozen=True, slots=True)
class Example:
    """One row.

    Attributes:
        index: counts the file's rows from 0, dropped ones included: the number that a prediction refers to
        text_b: None for tasks on one text
        label: index into Task.labels, of a regression the number itself; None for files without labels
    """

    index: int
    text_a: str
    text_b: str | None
    label: int | float | None


@dataclass(frozen=True)
class TaskData:
    """A task with the examples of its sets. examples: {"train", a dev set, a set without labels: its examples}"""

    task: Task
    examples: Mapping[str, Sequence[Example]]

    def write(self, folder: Path) -> None:
        """The same bytes for the same examples; task.json comes last."""
        for name, examples in self.examples.items():
            lines = [json.dumps(asdict(example), ensure_ascii=False) + "\n" for example in examples]
            write_text(file_of(folder, name), "".join(lines))
        write_json(folder / TASK, asdict(self.task))


def file_of(folder: Path, name: str) -> Path:
    """Of a set. Example of a name: train"""
    return folder / f"{name}.jsonl"


def read_task(folder: Path, made_by: str) -> Task:
    """The task of a folder. Raises StageError where there is none; names the file and `made_by`."""
    try:
        return TypeAdapter(Task).validate_python(read_json(folder / TASK, made_by))
    except ValidationError as error:
        said = "; ".join(misfit.named() for misfit in misfits(error))
        raise StageError(f"{folder / TASK}: not the description of a task: {said}", run=made_by) from None


def read_examples(folder: Path, name: str, made_by: str) -> list[Example]:
    """The examples of a set, in their order.

    Raises:
        StageError: no such file, or a line that is no example; names the file, the line and `made_by`.
    """
    path, found = file_of(folder, name), []
    try:
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, start=1):
                try:
                    found.append(Example(**json.loads(line)))
                except (ValueError, TypeError) as error:
                    raise StageError(f"{path}, line {number}: expected an example, but {error}", run=made_by) from None
    except FileNotFoundError:
        raise StageError(f"{path}: no such file", run=made_by) from None
    return found
