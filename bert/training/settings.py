"""Parameters of pretraining."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bert.optim.settings import DecayFrom, LossScaleSettings, OptimizerSettings
from bert.pipeline.params import Section, section

PrecisionName = Literal["fp32", "tf32", "fp16", "bf16"]
Xla = bool | Literal["fused", "auto"]
AllReduce = Literal["fp32", "fp16"]


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
    """One phase.

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


class PretrainSettings(Section):
    """What both phases share.

    Attributes:
        dropout: null: the model's own rates
        keep: which weights are the result: the last, or those with the smallest held-out MLM loss
    """

    optimizer: OptimizerSettings
    loss_scale: LossScaleSettings
    dropout: Annotated[float, Field(ge=0, lt=1)] | None
    eval_batch_size: Annotated[int, Field(ge=1)]
    max_skipped: Annotated[int, Field(ge=1)]
    keep: Literal["last", "best"]


class ComputeSettings(Section):
    """How the arithmetic is done. All of it may change the last bits of a result.

    deterministic: operations that give the same bits each time; without, a GPU may add in any order.
    allreduce: what gradients are rounded to before they are summed over the ranks, see bert/training/allreduce.py.
    """

    precision: PrecisionName
    xla: Xla
    deterministic: bool
    allreduce: AllReduce


def compute_settings() -> ComputeSettings:
    """From the top of params.yaml, where they stand since all training stages share them."""
    return ComputeSettings(
        precision=section(PrecisionName, "precision"),
        xla=section(Xla, "xla"),
        deterministic=section(bool, "deterministic"),
        allreduce=section(AllReduce, "allreduce"),
    )
