"""What was timed in a revision, and what it has to share with what another has timed before they can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bert.compare.contents import Contents
from bert.compare.machines import Machine, machine
from bert.report.cells import INFERENCE, TRAINING, Cell, cells
from bert.report.inputs import Metrics, stage_of
from bert.report.overview import precision
from bert.report.stability import PRETRAINING
from bert.report.tables import is_number
from bert.report.tokens import real_share


@dataclass(frozen=True)
class Work:
    """What was timed: the timings of equal works stand below one another.

    Attributes:
        name: how the tables call it: a stage, or a cell of a benchmark
        kind: pretrain, squad, a stage, or benchmark_inference
        model: by its name; `imported` of another's checkpoint. Those of a stage may differ: see Timing.model
        batch: rows of a rank and micro-batch in a benchmark, of an update in a stage's own training
        update: rows of an update, over all ranks
    """

    name: str
    kind: str
    model: str = field(compare=False)
    length: int | None
    batch: int | None
    ranks: int
    update: int | None = None


@dataclass(frozen=True)
class Timing:
    """The figures that one revision has of a work.

    Attributes:
        model: what gives the model its size; None of a benchmark, where the name of the work says it all
    """

    contents: Contents
    key: str
    work: Work
    model: object = None

    @property
    def metrics(self) -> Metrics:
        return self.contents.inputs.metrics[self.key]

    @property
    def machine(self) -> Machine | None:
        return machine(self.contents, self.key)

    def is_measurement_of(self, other: Timing) -> bool:
        """Whether both are known to be one measurement, which has one record: its time of day is in it."""
        record = self.contents.record_hashes.get(self.key)
        return record is not None and record == other.contents.record_hashes.get(other.key)

    @property
    def tokens(self) -> float | None:
        """A second, without those that fill a row up; None where it is not known how many these are."""
        rate: Any = self.metrics.get("tokens_per_second")
        share = real_share(self.contents.inputs, self.key) if self.key in PRETRAINING else 1.0
        return rate * share if is_number(rate) and share is not None else None

    @property
    def is_cut(self) -> bool:
        """Whether its batches are cut to their longest text, so that it depends on the examples how long they are."""
        is_tuned = not self.key.startswith((*PRETRAINING, f"{TRAINING}/", f"{INFERENCE}/"))
        return is_tuned and bool(self.contents.param("finetune.group_by_length"))

    @property
    def how(self) -> str:
        """The precision, and what computed where that is not TensorFlow. Example: bf16, openvino"""
        engine = self.metrics.get("engine", "tensorflow")
        return precision(self.metrics) + ("" if engine == "tensorflow" else f", {engine}")

    @property
    def arithmetic(self) -> str | None:
        """The precision, where it is the one asked for."""
        asked = self.metrics.get("precision")
        return str(asked) if self.metrics.get("precision_effective", asked) == asked else None


def _cell(cell: Cell) -> Work:
    """The work of a benchmark."""
    if cell.task == "inference":
        return Work(cell.name, INFERENCE, cell.model, cell.length, cell.batch, cell.ranks)
    name = f"{cell.task} {cell.name.removeprefix(f'{cell.task}-')}"  # older revisions name no task
    return Work(name, cell.task, cell.model, cell.length, cell.batch, cell.ranks, cell.global_batch or None)


def benchmark(kind: str) -> Callable[[Contents], Iterator[Timing]]:
    """The cells of a benchmark."""

    def timings(contents: Contents) -> Iterator[Timing]:
        for cell in cells(contents.inputs, kind):
            yield Timing(contents, cell.key, _cell(cell))

    return timings


def stages(contents: Contents) -> Iterator[Timing]:
    """The trainings of the pipeline itself."""
    for key in (*PRETRAINING, "squad", *contents.inputs.group("glue")):
        metrics = contents.inputs.metrics.get(key, {})
        if is_number(metrics.get("sequences_per_second")):
            phase = key.removeprefix("pretrain_")
            where = f"tfrecords.{phase}.sequence_length" if key in PRETRAINING else f"{_dotted(key)}.max_seq_length"
            batch = metrics.get("global_batch")
            kind = "pretrain" if key in PRETRAINING else key
            name = f"phase {phase[-1]}" if key in PRETRAINING else stage_of(key)
            model = "imported" if _is_imported(contents, key) else str(contents.param("model"))
            work = Work(name, kind, model, contents.param(where), batch, metrics.get("ranks", 1), batch)
            yield Timing(contents, key, work, _model(contents, key))


def _dotted(key: str) -> str:
    return key.replace("/", ".")


def _is_imported(contents: Contents, key: str) -> bool:
    """Whether a training started from another's checkpoint, by way of pretraining or not."""
    init = contents.param("pretrain.init" if key in PRETRAINING else "finetune.init")
    return (contents.param("pretrain.init") if init in ("phase1", "phase2") else init) == "imported"


def _model(contents: Contents, key: str) -> object:
    """Of a checkpoint its files, else the parameters of its shape; both the same: models of one size."""
    if not _is_imported(contents, key):
        vocabulary = contents.param("vocab.source") or contents.param("vocab.size")
        return contents.param("model"), repr(vocabulary)
    files: Any = contents.param("import_checkpoint.source")
    return [_content(file) for file in files or ()], contents.param("import_checkpoint.weights")


def _content(file: Any) -> object:
    """What does not change with the place that a file is got from, where it is given."""
    return (file.get("sha256") or file.get("url")) if isinstance(file, Mapping) else file


def by_work(revisions: Sequence[Contents], timings: Callable[[Contents], Iterator[Timing]]) -> dict[Work, list[Timing]]:
    """In the order in which the first revision that has a work has it."""
    found: dict[Work, list[Timing]] = {}
    for contents in revisions:
        for timing in timings(contents):
            found.setdefault(timing.work, []).append(timing)
    return found
