"""The files of GLUE's tasks, as they are published -> examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from bert.pipeline.errors import StageError
from bert.tasks.glue import mrpc
from bert.tasks.glue.examples import Example, TaskData
from bert.tasks.glue.labels import LabelColumn
from bert.tasks.glue.tables import Row, Table, read_table
from bert.tasks.glue.tasks import Columns, PublishedTask, Submission

Source = Literal["cloze", "download"]
# Where the files come from, and the command that makes them.
SOURCES = {"cloze": "dvc repro cloze", "download": "dvc repro download@glue"}


def read_published(data: Path, task: PublishedTask, source: Source) -> tuple[TaskData, dict[str, Counter[str]]]:
    """All sets of a task that are there, and of those with labels how many rows were dropped, by reason.

    data: folder of all tasks.

    Raises:
        StageError: as `read_glue` and `read_unlabelled`.
    """
    examples: dict[str, list[Example]] = {}
    dropped: dict[str, Counter[str]] = {}
    for split in ("train", *task.devs):
        examples[split], dropped[split] = read_glue(data, task, split, source)
    found = {each.name: read_unlabelled(data, task, each, source) for each in task.submissions}
    unlabelled = {name: rows for name, rows in found.items() if rows is not None}
    return TaskData(task.with_sets(unlabelled), examples | unlabelled), dropped


def read_glue(data: Path, task: PublishedTask, split: str, source: Source) -> tuple[list[Example], Counter[str]]:
    """The examples of a file with labels in its order, and how many rows were dropped, by reason.

    Args:
        data: folder of all tasks.
        split: train, or one of task.devs.

    Raises:
        StageError: no such file, not UTF-8, a column of the task's missing, or no example left. Or a row has another
            number of fields than the header, or a label that the task does not have: names the line.
    """
    run, file = SOURCES[source], task.file(split)
    if source == "cloze" and not (data / task.folder).is_dir():
        run = f"name GLUE's {task.folder} in download.glue, set glue.data to download, then dvc repro glue@{task.name}"
    table = _table(data, file, task.columns, run)
    column = LabelColumn(str(task.columns.label), task.labels, task.scale)
    texts, label = _texts(table, task.columns, run), table.place(column.name, run)
    examples: list[Example] = []
    dropped: Counter[str] = Counter()
    for index, row in enumerate(table.rows):
        if task.has_broken_rows and len(row.fields) < len(table.header):
            dropped["cut by a line break in a sentence"] += 1
            continue
        text_a, text_b = texts(row)
        if not text_a.strip() or (text_b is not None and not text_b.strip()):
            dropped["blank sentence"] += 1
            continue
        examples.append(Example(index, text_a, text_b, column.read(row.fields[label], table.at(row), run)))
    if not examples:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in sorted(dropped.items())) or "no rows"
        raise StageError(f"{table.path}: no example of {task.name} left ({reasons})", run=run)
    return examples, dropped


def read_unlabelled(data: Path, task: PublishedTask, submission: Submission, source: Source) -> list[Example] | None:
    """The examples that a submission is about, of every row one; None where their file is not there.

    Raises:
        StageError: as `read_glue`; or the file has another number of rows than the leaderboard wants.
    """
    path = data / submission.file
    if not path.exists() and not mrpc.original_of(path):
        return None
    run = SOURCES[source]
    table = _table(data, submission.file, task.test_columns, run)
    texts = _texts(table, task.test_columns, run)
    found = [Example(index, *texts(row), label=None) for index, row in enumerate(table.rows)]
    if len(found) != submission.rows:
        raise StageError(
            f"{table.at(table.rows[-1]) if table.rows else table.path}: expected the {submission.rows} rows of which "
            f"the leaderboard takes predictions, but the file ends after {len(found)}",
            run=f"get the published file, or remove this one to do without {submission.name}.tsv",
        )
    return found


def _table(data: Path, file: str, columns: Columns, run: str) -> Table:
    path = data / file
    return mrpc.rebuilt(path, run) if mrpc.original_of(path) else read_table(path, run, columns.header)


def _texts(table: Table, columns: Columns, run: str) -> Callable[[Row], tuple[str, str | None]]:
    """What gives a row's one or two texts, and raises StageError where it has not as many fields as the header."""
    a = table.place(columns.sentence_a, run)
    b = None if columns.sentence_b is None else table.place(columns.sentence_b, run)

    def texts(row: Row) -> tuple[str, str | None]:
        if len(row.fields) != len(table.header):
            raise StageError(
                f"{table.at(row)}: expected the {len(table.header)} columns {', '.join(table.header)}, "
                f"got {len(row.fields)}",
                run=run,
            )
        return row.fields[a], None if b is None else row.fields[b]

    return texts
