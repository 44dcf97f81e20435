"""What the two benchmarks measure: params sections `benchmark_training` and `benchmark_inference`."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, PositiveInt, field_validator

from bert.model.config import MODELS, BertConfig
from bert.pipeline.errors import StageError
from bert.pipeline.params import Section
from bert.training.world import Split

Task = Literal["pretrain", "squad"]
TASKS: tuple[Task, ...] = get_args(Task)


class Cell(Section):
    """One measurement: a model by name, sequences of one length, a batch."""

    model: str
    sequence_length: int = Field(ge=1)
    batch_size: int = Field(ge=1)

    @property
    def name(self) -> str:
        """How params.yaml, the stage and its metrics file call it. Example: large-384-8"""
        return f"{self.model}-{self.sequence_length}-{self.batch_size}"

    @classmethod
    def parse(cls, name: str) -> Self:
        """The inverse of `name`.

        Raises:
            StageError: not <model>-<sequence length>-<batch>, no such model, or more tokens than it has positions for.
        """
        section = "benchmark_inference.cells"
        return cls.model_validate(_parts(name, name, "<model>-<sequence length>-<batch size>", "large-384-8", section))


class TrainingCell(Cell):
    """A measurement of training steps. task: what is minimised. batch_size: the micro-batch, of one rank."""

    task: Task

    @property
    def name(self) -> str:
        """Example: pretrain-large-128-64"""
        return f"{self.task}-{super().name}"

    @property
    def kind(self) -> str:
        """What its global batch is found by. Example: pretrain-128"""
        return f"{self.task}-{self.sequence_length}"

    @classmethod
    def parse(cls, name: str) -> Self:
        """The inverse of `name`.

        Raises:
            StageError: not <task>-<model>-<sequence length>-<batch>, or as Cell.parse.
        """
        task, _, rest = name.partition("-")
        run = "correct benchmark_training.cells in params.yaml"
        if task in MODELS:
            raise StageError(
                f"benchmark cell {name!r} names no task: squad-{name} times what it did so far, fine-tuning, and "
                f"pretrain-{name} pretraining",
                run=run,
            )
        form = "<task>-<model>-<sequence length>-<batch size of a rank>"
        if task not in TASKS:
            raise StageError(f"benchmark cell {name!r}: expected {form}, the task one of {', '.join(TASKS)}", run=run)
        parts = _parts(name, rest, form, "pretrain-large-128-64", "benchmark_training.cells")
        return cls.model_validate({"task": task, **parts})


def _parts(name: str, rest: str, form: str, example: str, section: str) -> dict[str, str | int]:
    """The fields of a Cell that `rest` of its `name` says; StageError as Cell.parse."""
    model, _, numbers = rest.partition("-")
    length, _, batch = numbers.partition("-")
    run = f"correct {section} in params.yaml"
    if not (model and length.isdigit() and batch.isdigit() and int(length) and int(batch)):
        raise StageError(f"benchmark cell {name!r}: expected {form}, such as {example}", run=run)
    if model not in MODELS:
        raise StageError(f"benchmark cell {name!r}: {model} is none of {', '.join(MODELS)}", run=run)
    if int(length) > (most := BertConfig.named(model, 1).max_position_embeddings):
        raise StageError(f"benchmark cell {name!r}: the model has positions for {most} tokens", run=run)
    return {"model": model, "sequence_length": int(length), "batch_size": int(batch)}


class BenchmarkTrainingSettings(Section):
    """`warmup` steps come first and are in no clean figure; the first of them compiles. `steps` are measured.

    Attributes:
        global_batch: {task and sequence length, such as pretrain-128: rows of an update}, of which each rank
            accumulates its part micro-batch by micro-batch; null, or none: a micro-batch of each rank is an update
    """

    cells: tuple[str, ...]
    warmup: int = Field(ge=1)
    steps: int = Field(ge=1)
    global_batch: dict[str, PositiveInt | None]

    @field_validator("global_batch")
    @classmethod
    def _names_a_kind(cls, sizes: dict[str, int | None]) -> dict[str, int | None]:
        for name in sizes:
            task, _, length = name.partition("-")
            if task not in TASKS or not length.isdigit():
                raise ValueError(f"{name!r} is no task and sequence length, such as pretrain-128")
        return sizes

    def split(self, cell: TrainingCell, ranks: int) -> Split:
        """How that many ranks share the cell's global batch.

        Raises:
            StageError: it does not come out even.
        """
        together = cell.batch_size * ranks
        wanted = self.global_batch.get(cell.kind) or together
        if wanted % together:
            raise StageError(
                f"benchmark_training.global_batch.{cell.kind} is {wanted}, no multiple of the {together} rows that "
                f"{ranks} ranks hold at a time in {cell.name}",
                run=f"set it to one, or to null, or BERT_RANKS to a divisor of {wanted // cell.batch_size or 1}",
            )
        return Split(ranks, wanted // together, cell.batch_size)


class BenchmarkInferenceSettings(Section):
    """`warmup` calls come first and are in no clean figure; the first of them compiles. `iterations` are measured."""

    cells: tuple[str, ...]
    warmup: int = Field(ge=1)
    iterations: int = Field(ge=1)
