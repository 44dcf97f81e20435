"""The files of a task of one's own -> its examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isnan
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.tasks.glue.examples import Example, TaskData
from bert.tasks.glue.labels import LabelColumn, as_number, listed
from bert.tasks.glue.own.settings import OwnTaskSettings
from bert.tasks.glue.own.tables import read_columns
from bert.tasks.glue.tables import Row, Table
from bert.tasks.glue.task import Task

BLANK = "blank text"


def read_own(data: Path, name: str, settings: OwnTaskSettings) -> tuple[TaskData, dict[str, Counter[str]]]:
    """All sets of a task, and of those with labels how many rows were dropped, by reason.

    A row of the test file stays without text too: each of its rows has a prediction.

    Args:
        data: the folder of download.glue.
        settings: of the section `glue.<name>`.

    Raises:
        StageError: a file that is not there or not as `settings` say (names the line), nothing to tell apart in the
            training file, or no row left.
    """
    run = f"correct the file that download.glue names, dvc repro -f -s download@glue, then dvc repro glue@{name}"
    train, dev = (
        _table(data, file, settings, settings.columns, name, run) for file in (settings.train_file, settings.dev_file)
    )
    labels = () if settings.kind == "regression" else settings.labels or _labels_of(train, run)
    column = LabelColumn(settings.label, labels, settings.scale)
    examples = {split: _examples(table, column, run) for split, table in (("train", train), ("dev", dev))}
    dropped = {
        split: +Counter({BLANK: len(table.rows) - len(examples[split])})
        for split, table in (("train", train), ("dev", dev))
    }
    files = {"train": train.path, "dev": dev.path}
    if settings.test_file is not None:
        test = _table(data, settings.test_file, settings, settings.text, name, run)
        files["test"] = test.path
        examples["test"] = [Example(index, *_pair(row.fields), None) for index, row in enumerate(test.rows)]
    for split, rows in examples.items():
        if not rows:
            reasons = ", ".join(f"{n} x {reason}" for reason, n in dropped.get(split, {}).items()) or "no rows"
            raise StageError(f"{files[split]}: no example of {name} left ({reasons})", run=run)
    if len({example.label for example in examples["train"]}) < 2:
        raise StageError(
            f"{train.path}: expected two different values of {settings.label} or more, got only "
            f"{train.rows[examples['train'][0].index].fields[-1]!r}",
            run=run,
        )
    if "f1" in settings.metrics and len(labels) != 2:
        raise StageError(
            f"params.yaml: glue.{name}.metrics: f1 is of two labels, but {settings.label} has {listed(labels)}",
            run=f"take f1_macro, then dvc repro glue@{name}",
        )
    task = Task(
        name=name,
        labels=labels,
        metrics=settings.metrics,
        is_pair=len(settings.text) == 2,
        scale=settings.scale,
        unlabelled=tuple(split for split in examples if split == "test"),
        is_own=True,
    )
    return TaskData(task, examples), dropped


def _table(data: Path, file: str, settings: OwnTaskSettings, columns: Sequence[str], name: str, run: str) -> Table:
    path = data / file
    if not path.is_file():
        raise StageError(
            f"{path}: no such file",
            run=f"name it, or its folder, in download.glue of params.yaml, then dvc repro glue@{name}",
        )
    return read_columns(path, settings.format_of(file), columns, run)


def _with_text(table: Table) -> Iterator[tuple[int, Row]]:
    """Of a file with labels, whose column is the last one: (number of the row, the row)."""
    for index, row in enumerate(table.rows):
        if all(text.strip() for text in row.fields[:-1]):
            yield index, row


def _examples(table: Table, column: LabelColumn, run: str) -> list[Example]:
    return [
        Example(index, *_pair(row.fields[:-1]), column.read(row.fields[-1].strip(), table.at(row), run))
        for index, row in _with_text(table)
    ]


def _pair(texts: Sequence[str]) -> tuple[str, str | None]:
    return texts[0], texts[1] if len(texts) == 2 else None


def _labels_of(table: Table, run: str) -> tuple[str, ...]:
    """Those that stand in a file, sorted: as numbers, where all of them are."""
    found: set[str] = set()
    for _, row in _with_text(table):
        label = row.fields[-1].strip()
        if not label or not label.isprintable():  # predictions are lines with tabs between their fields
            raise StageError(
                f"{table.at(row)}: expected as {table.header[-1]} a label in one line, got {label!r}", run=run
            )
        found.add(label)
    numbers = {label: as_number(label) for label in found}
    if any(isnan(number) for number in numbers.values()):
        return tuple(sorted(found))
    return tuple(sorted(found, key=lambda label: (numbers[label], label)))
