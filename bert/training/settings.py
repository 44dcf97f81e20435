"""Parameters of pretraining, and of the arithmetic that all training stages share. No value has a default here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bert.optim.settings import DecayFrom, UpdateSettings
from bert.pipeline.params import Section

PrecisionName = Literal["fp32", "tf32", "fp16", "bf16"]
WantedXla = bool | Literal["fused", "auto"]
WantedAttention = Literal["auto", "plain", "fused"]
AllReduce = Literal["fp32", "fp16"]


class TrainingSettings(UpdateSettings):
    """What pretraining and fine-tuning both say of a training.

    Attributes:
        dropout: both rates; null: the model's own
        attention_dropout: the rate of the attention weights alone; null: as `dropout` says
        max_skipped: non-finite updates in a row that are borne, see bert/training/loop.py
    """

    dropout: Annotated[float, Field(ge=0, lt=1)] | None
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] | None
    max_skipped: Annotated[int, Field(ge=1)]


class MicroBatches(Section):
    """Micro-batches that are a part of what is computed, as in the reference's TF1 code.

    Attributes:
        rows: of a micro-batch, on every machine
        mean: the loss of each is a mean over its own predictions, and the batch's is the mean of those; otherwise a
            mean over all predictions of the batch
        clip: the gradient that each contributes to the batch's is clipped, before they are added; otherwise their sum.
            The reference's R processes clip R times that: its clip_norm is R times ours
    """

    rows: Annotated[int, Field(ge=1)]
    mean: bool
    clip: bool

    @model_validator(mode="after")
    def _say_something(self) -> MicroBatches:
        if not (self.mean or self.clip):
            raise ValueError("neither mean nor clip depends on micro-batches: set micro_batches to null")
        return self


class PhaseTraining(Section):
    """`pretrain.<phase>`: one of them.

    Attributes:
        batch_size: the global batch: micro-batch, ranks and accumulation are derived from it
        decay_from: see bert/optim/schedule.py
        micro_batches: null where they are the machine's matter (BERT_MICRO_BATCH) and change nothing
        eval_every: steps between evaluations on held-out records; null: only at the end
        eval_rows: held-out rows that each of these takes, evenly spaced; the one at the end takes all
    """

    steps: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0)]
    warmup_steps: Annotated[int, Field(ge=0)]
    decay_power: Annotated[float, Field(gt=0)]
    decay_from: DecayFrom
    micro_batches: MicroBatches | None
    eval_every: Annotated[int, Field(ge=1)] | None
    eval_rows: Annotated[int, Field(ge=1)]


class PretrainSettings(TrainingSettings):
    """`pretrain`: what both phases share.

    Attributes:
        keep: which weights are the result: the last, or those with the smallest held-out MLM loss
    """

    eval_batch_size: Annotated[int, Field(ge=1)]
    keep: Literal["last", "best"]


class ComputeSettings(Section):
    """How the arithmetic is done: keys at the top of params.yaml. All of them may change the last bits of a result.

    xla: what XLA compiles: whole steps, fused functions (bert/model/fused.py), nothing, or what is fastest here.
    attention: of training, on a GPU: plain, fused (bert/model/cudnn_attention.py), or fused where that can be.
    deterministic: operations that give the same bits each time; without, a GPU may add in any order.
    allreduce: what gradients are rounded to before they are summed over the ranks, see bert/training/allreduce.py.
    """

    precision: PrecisionName
    xla: WantedXla
    attention: WantedAttention
    deterministic: bool
    allreduce: AllReduce


@dataclass(frozen=True)
class PretrainParams:
    """All that params.yaml says of the pretraining of one phase.

    stage: DVC's name of it, for people. model: Google's name of a shape, such as base; a phase that starts from another
    model takes that one's.
    """

    stage: str
    phase: str
    model: str
    own: PhaseTraining
    shared: PretrainSettings
    compute: ComputeSettings
    seed: int
