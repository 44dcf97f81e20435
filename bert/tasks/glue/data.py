"""GLUE: the table of tasks, and their TSV files -> examples.

A task is one entry of TASKS. Its files are read as the benchmark wrote them: tab-separated, no quoting (a quotation
mark is a character of the sentence), UTF-8 with or without byte order mark, LF or CRLF.
Format and metrics: https://gluebenchmark.com/tasks
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_utf8, write_text

# Where the files come from, and the command that makes them.
SOURCES = {"cloze": "dvc repro cloze", "download": "dvc repro download@glue"}

Split = Literal["train", "dev", "test"]


@dataclass(frozen=True)
class Columns:
    """The names of the columns that hold a file's fields.

    Attributes:
        sentence_b: None for tasks on one sentence
        label: None for files without labels
        header: the names of all columns of a file that has no header line; None: its first line has them
    """

    sentence_a: str
    sentence_b: str | None = None
    label: str | None = None
    header: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Task:
    """One GLUE task.

    Attributes:
        folder: the task's folder in the benchmark, which holds train.tsv, dev.tsv and test.tsv
        labels: as the files write them; the index is the class
        metrics: keys of `glue_metrics.METRICS`, the main one first
        columns: of train.tsv and dev.tsv
        test_columns: of test.tsv, which has no labels
    """

    name: str
    folder: str
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    columns: Columns
    test_columns: Columns

    @property
    def is_pair(self) -> bool:
        return self.columns.sentence_b is not None


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="mrpc",
            folder="MRPC",
            labels=("0", "1"),
            metrics=("accuracy", "f1"),
            columns=Columns("#1 String", "#2 String", "Quality"),
            test_columns=Columns("#1 String", "#2 String"),
        ),
        Task(
            name="cola",
            folder="CoLA",
            labels=("0", "1"),
            metrics=("mcc", "accuracy"),
            columns=Columns("sentence", None, "label", header=("source", "label", "mark", "sentence")),
            test_columns=Columns("sentence"),
        ),
        Task(
            name="sst2",
            folder="SST-2",
            labels=("0", "1"),
            metrics=("accuracy",),
            columns=Columns("sentence", None, "label"),
            test_columns=Columns("sentence"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Example:
    """One row. `text_b` is None for tasks on one sentence, `label` (index into Task.labels) for files without labels.

    `index` counts the file's rows from 0, dropped ones included: the number that a GLUE submission refers to.
    """

    index: int
    text_a: str
    text_b: str | None
    label: int | None


def tsv(folder: str | Path, split: Split) -> Path:
    """The file of a split."""
    return Path(folder) / f"{split}.tsv"


def read_glue(
    folder: str | Path, task: Task, split: Split, source: Literal["cloze", "download"]
) -> tuple[list[Example], Counter[str]]:
    """The examples of `folder`/<split>.tsv in file order, and how many rows were dropped, by reason.

    Raises:
        StageError: no such file, not UTF-8, a header without the task's columns, or no example left. Names the file
            and the command that makes it.
    """
    path, run = tsv(folder, split), SOURCES[source]
    columns = task.test_columns if split == "test" else task.columns
    rows = _rows(path, task, run)
    header = list(columns.header or (rows.pop(0) if rows else []))
    wanted = [name for name in (columns.sentence_a, columns.sentence_b, columns.label) if name is not None]
    if missing := [name for name in wanted if name not in header]:
        raise StageError(f"{path}: expected columns {wanted}, the header {header} has no {missing}", run=run)
    place = {name: header.index(name) for name in wanted}
    a = place[columns.sentence_a]
    b = None if columns.sentence_b is None else place[columns.sentence_b]
    label = None if columns.label is None else place[columns.label]

    examples: list[Example] = []
    dropped: Counter[str] = Counter()
    for index, row in enumerate(rows):
        if len(row) != len(header):
            dropped[f"expected {len(header)} columns, got {len(row)}"] += 1
        elif not row[a].strip() or (b is not None and not row[b].strip()):
            dropped["blank sentence"] += 1
        elif label is not None and row[label] not in task.labels:
            dropped["unknown label"] += 1
        else:
            text_b = None if b is None else row[b]
            number = None if label is None else task.labels.index(row[label])
            examples.append(Example(index, row[a], text_b, number))
    if not examples:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in sorted(dropped.items())) or "no rows"
        raise StageError(f"{path}: no example of {task.name} left ({reasons})", run=run)
    return examples, dropped


def write_predictions(path: str | Path, task: Task, examples: Sequence[Example], predicted: Sequence[int]) -> None:
    """Write "index<TAB>prediction" lines under that header, labels as the task writes them, as GLUE wants them."""
    lines = [f"{example.index}\t{task.labels[label]}" for example, label in zip(examples, predicted, strict=True)]
    write_text(path, "\n".join(["index\tprediction", *lines]) + "\n")


def _rows(path: Path, task: Task, run: str) -> list[list[str]]:
    try:
        text = read_utf8(path, run)
    except FileNotFoundError:
        raise StageError(f"{path}: no such file, expected {path.name} of GLUE {task.folder}", run=run) from None
    # Not the csv module: MRPC is full of lone quotation marks. Not splitlines(): U+0085 and the like end no row.
    lines = text.removesuffix("\n").split("\n")
    return [line.removesuffix("\r").split("\t") for line in lines if line.strip("\r")]
