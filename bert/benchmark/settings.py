"""What the two benchmarks measure: params sections `benchmark_training` and `benchmark_inference`."""

from __future__ import annotations

from pydantic import Field

from bert.model.config import MODELS, BertConfig
from bert.pipeline.errors import StageError
from bert.pipeline.params import Section


class Cell(Section):
    """One measurement: a model by name, sequences of one length, a batch (per rank in training)."""

    model: str
    sequence_length: int = Field(ge=1)
    batch_size: int = Field(ge=1)

    @property
    def name(self) -> str:
        """How params.yaml, the stage and its metrics file call it. Example: large-384-8"""
        return f"{self.model}-{self.sequence_length}-{self.batch_size}"

    @classmethod
    def parse(cls, name: str) -> Cell:
        """The inverse of `name`.

        Raises:
            StageError: not <model>-<sequence length>-<batch>, no such model, or more tokens than it has positions for.
        """
        model, _, numbers = name.partition("-")
        length, _, batch = numbers.partition("-")
        correct = "correct benchmark_training.cells or benchmark_inference.cells in params.yaml"
        if not (model and length.isdigit() and batch.isdigit() and int(length) and int(batch)):
            raise StageError(
                f"benchmark cell {name!r}: expected <model>-<sequence length>-<batch size>, such as large-384-8",
                run=correct,
            )
        if model not in MODELS:
            raise StageError(f"benchmark cell {name!r}: {model} is none of {', '.join(MODELS)}", run=correct)
        if int(length) > (most := BertConfig.named(model, 1).max_position_embeddings):
            raise StageError(f"benchmark cell {name!r}: the model has positions for {most} tokens", run=correct)
        return cls(model=model, sequence_length=int(length), batch_size=int(batch))


class BenchmarkTrainingSettings(Section):
    """`warmup` steps come first and are in no clean figure; the first of them compiles. `steps` are measured."""

    cells: tuple[str, ...]
    warmup: int = Field(ge=1)
    steps: int = Field(ge=1)


class BenchmarkInferenceSettings(Section):
    """`warmup` calls come first and are in no clean figure; the first of them compiles. `iterations` are measured."""

    cells: tuple[str, ...]
    warmup: int = Field(ge=1)
    iterations: int = Field(ge=1)
