"""The table of GLUE's tasks: what their files hold, how they are scored, and what the leaderboard wants of them.

Formats, metrics and sizes: https://gluebenchmark.com/tasks and Wang et al. 2019, "GLUE: A Multi-Task Benchmark and
Analysis Platform for Natural Language Understanding".
"""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        folder: the task's folder in the benchmark, which holds train.tsv and the others
        labels: as the files write them; the index is the class. A regression has none
        metrics: the leaderboard's, as keys of `metrics.METRICS`, the main one first
        columns: of train.tsv and the dev sets
        test_columns: of the files without labels
        submissions: what the leaderboard takes
        scale: of a regression, the smallest and the largest label
        devs: names of the dev sets' files without .tsv, the main one first
        has_broken_rows: the published training and dev files have rows that line breaks within a sentence cut in two
    """

    name: str
    folder: str
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    columns: Columns
    test_columns: Columns
    submissions: tuple[Submission, ...]
    scale: tuple[float, float] | None = None
    devs: tuple[str, ...] = ("dev",)
    has_broken_rows: bool = False

    @property
    def is_pair(self) -> bool:
        return self.columns.sentence_b is not None

    @property
    def is_regression(self) -> bool:
        return self.scale is not None

    @property
    def other_devs(self) -> dict[str, str]:
        """{what the metrics call it: a dev set beside the main one}. Example: mismatched"""
        return {dev.removeprefix("dev_"): dev for dev in self.devs[1:]}

    def file(self, split: str) -> str:
        """Below the folder of all tasks. split: train, or one of devs."""
        return f"{self.folder}/{split}.tsv"


_ENTAILMENT = ("entailment", "not_entailment")
_TWO = ("sentence1", "sentence2")

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="cola",
            folder="CoLA",
            labels=("0", "1"),
            metrics=("mcc",),
            columns=Columns("sentence", None, "label", header=("source", "label", "mark", "sentence")),
            test_columns=Columns("sentence"),
            submissions=(Submission("CoLA", "CoLA/test.tsv", 1063),),
        ),
        Task(
            name="sst2",
            folder="SST-2",
            labels=("0", "1"),
            metrics=("accuracy",),
            columns=Columns("sentence", None, "label"),
            test_columns=Columns("sentence"),
            submissions=(Submission("SST-2", "SST-2/test.tsv", 1821),),
        ),
        Task(
            name="mrpc",
            folder="MRPC",
            labels=("0", "1"),
            metrics=("accuracy", "f1"),
            columns=Columns("#1 String", "#2 String", "Quality"),
            test_columns=Columns("#1 String", "#2 String"),
            submissions=(Submission("MRPC", "MRPC/test.tsv", 1725),),
        ),
        Task(
            name="stsb",
            folder="STS-B",
            labels=(),
            metrics=("pearson", "spearman"),
            columns=Columns(*_TWO, "score"),
            test_columns=Columns(*_TWO),
            submissions=(Submission("STS-B", "STS-B/test.tsv", 1379),),
            scale=(0.0, 5.0),
        ),
        Task(
            name="qqp",
            folder="QQP",
            labels=("0", "1"),
            metrics=("accuracy", "f1"),
            columns=Columns("question1", "question2", "is_duplicate"),
            test_columns=Columns("question1", "question2"),
            submissions=(Submission("QQP", "QQP/test.tsv", 390_965),),
            has_broken_rows=True,
        ),
        Task(
            name="mnli",
            folder="MNLI",
            labels=("contradiction", "entailment", "neutral"),
            metrics=("accuracy",),
            columns=Columns(*_TWO, "gold_label"),
            test_columns=Columns(*_TWO),
            submissions=(
                Submission("MNLI-m", "MNLI/test_matched.tsv", 9796),
                Submission("MNLI-mm", "MNLI/test_mismatched.tsv", 9847),
                Submission("AX", "diagnostic/diagnostic.tsv", 1104),
            ),
            devs=("dev_matched", "dev_mismatched"),
        ),
        Task(
            name="qnli",
            folder="QNLI",
            labels=_ENTAILMENT,
            metrics=("accuracy",),
            columns=Columns("question", "sentence", "label"),
            test_columns=Columns("question", "sentence"),
            submissions=(Submission("QNLI", "QNLI/test.tsv", 5463),),
        ),
        Task(
            name="rte",
            folder="RTE",
            labels=_ENTAILMENT,
            metrics=("accuracy",),
            columns=Columns(*_TWO, "label"),
            test_columns=Columns(*_TWO),
            submissions=(Submission("RTE", "RTE/test.tsv", 3000),),
        ),
        Task(
            name="wnli",
            folder="WNLI",
            labels=("0", "1"),
            metrics=("accuracy",),
            columns=Columns(*_TWO, "label"),
            test_columns=Columns(*_TWO),
            submissions=(Submission("WNLI", "WNLI/test.tsv", 146),),
        ),
    )
}
