"""The table of GLUE's tasks: what their files hold, how they are scored, and what the leaderboard wants of them.

Formats, metrics and sizes: https://gluebenchmark.com/tasks and Wang et al. 2019, "GLUE: A Multi-Task Benchmark and
Analysis Platform for Natural Language Understanding".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from bert.tasks.glue.task import Task


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
class Submission:
    """Predictions that the leaderboard scores, since only it knows the labels.

    Attributes:
        name: of their file, without .tsv
        file: what is predicted, below the folder of all tasks
        rows: how many it has: the leaderboard refuses any other number
    """

    name: str
    file: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class PublishedTask(Task):
    """A task of the benchmark, with what its files hold.

    Attributes:
        folder: the task's folder in the benchmark, which holds train.tsv and the others
        metrics: the leaderboard's
        columns: of train.tsv and the dev sets
        test_columns: of the files without labels
        submissions: what the leaderboard takes
        devs: names of the dev sets' files without .tsv
        has_broken_rows: the published training and dev files have rows that line breaks within a sentence cut in two
    """

    folder: str
    columns: Columns
    test_columns: Columns
    submissions: tuple[Submission, ...]
    has_broken_rows: bool = False

    def file(self, split: str) -> str:
        """Below the folder of all tasks. split: train, or one of devs."""
        return f"{self.folder}/{split}.tsv"

    def with_sets(self, unlabelled: Iterable[str]) -> Task:
        """The task alone, where these of its submissions are there."""
        known = {field.name: getattr(self, field.name) for field in fields(Task)}
        return Task(**known | {"unlabelled": tuple(unlabelled)})


_ENTAILMENT = ("entailment", "not_entailment")
_TWO = ("sentence1", "sentence2")

TASKS: dict[str, PublishedTask] = {
    task.name: task
    for task in (
        PublishedTask(
            name="cola",
            folder="CoLA",
            labels=("0", "1"),
            metrics=("mcc",),
            is_pair=False,
            columns=Columns("sentence", None, "label", header=("source", "label", "mark", "sentence")),
            test_columns=Columns("sentence"),
            submissions=(Submission("CoLA", "CoLA/test.tsv", 1063),),
        ),
        PublishedTask(
            name="sst2",
            folder="SST-2",
            labels=("0", "1"),
            metrics=("accuracy",),
            is_pair=False,
            columns=Columns("sentence", None, "label"),
            test_columns=Columns("sentence"),
            submissions=(Submission("SST-2", "SST-2/test.tsv", 1821),),
        ),
        PublishedTask(
            name="mrpc",
            folder="MRPC",
            labels=("0", "1"),
            metrics=("accuracy", "f1"),
            is_pair=True,
            columns=Columns("#1 String", "#2 String", "Quality"),
            test_columns=Columns("#1 String", "#2 String"),
            submissions=(Submission("MRPC", "MRPC/test.tsv", 1725),),
        ),
        PublishedTask(
            name="stsb",
            folder="STS-B",
            labels=(),
            metrics=("pearson", "spearman"),
            is_pair=True,
            columns=Columns(*_TWO, "score"),
            test_columns=Columns(*_TWO),
            submissions=(Submission("STS-B", "STS-B/test.tsv", 1379),),
            scale=(0.0, 5.0),
        ),
        PublishedTask(
            name="qqp",
            folder="QQP",
            labels=("0", "1"),
            metrics=("accuracy", "f1"),
            is_pair=True,
            columns=Columns("question1", "question2", "is_duplicate"),
            test_columns=Columns("question1", "question2"),
            submissions=(Submission("QQP", "QQP/test.tsv", 390_965),),
            has_broken_rows=True,
        ),
        PublishedTask(
            name="mnli",
            folder="MNLI",
            labels=("contradiction", "entailment", "neutral"),
            metrics=("accuracy",),
            is_pair=True,
            columns=Columns(*_TWO, "gold_label"),
            test_columns=Columns(*_TWO),
            submissions=(
                Submission("MNLI-m", "MNLI/test_matched.tsv", 9796),
                Submission("MNLI-mm", "MNLI/test_mismatched.tsv", 9847),
                Submission("AX", "diagnostic/diagnostic.tsv", 1104),
            ),
            devs=("dev_matched", "dev_mismatched"),
        ),
        PublishedTask(
            name="qnli",
            folder="QNLI",
            labels=_ENTAILMENT,
            metrics=("accuracy",),
            is_pair=True,
            columns=Columns("question", "sentence", "label"),
            test_columns=Columns("question", "sentence"),
            submissions=(Submission("QNLI", "QNLI/test.tsv", 5463),),
        ),
        PublishedTask(
            name="rte",
            folder="RTE",
            labels=_ENTAILMENT,
            metrics=("accuracy",),
            is_pair=True,
            columns=Columns(*_TWO, "label"),
            test_columns=Columns(*_TWO),
            submissions=(Submission("RTE", "RTE/test.tsv", 3000),),
        ),
        PublishedTask(
            name="wnli",
            folder="WNLI",
            labels=("0", "1"),
            metrics=("accuracy",),
            is_pair=True,
            columns=Columns(*_TWO, "label"),
            test_columns=Columns(*_TWO),
            submissions=(Submission("WNLI", "WNLI/test.tsv", 146),),
        ),
    )
}
