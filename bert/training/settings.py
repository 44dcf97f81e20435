"""Parameters of pretraining."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bert.optim.settings import LossScaleSettings, OptimizerSettings
from bert.pipeline.params import Section, section

PrecisionName = Literal["fp32", "tf32", "fp16", "bf16"]
Xla = bool | Literal["auto"]


class PhaseTraining(Section):
    """One phase. `batch_size` is the global batch: micro-batch, ranks and accumulation are derived from it."""

    steps: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0)]
    warmup_steps: Annotated[int, Field(ge=0)]
    decay_power: Annotated[float, Field(gt=0)]


class PretrainSettings(Section):
    """What both phases share. `dropout` null: the model's own rates."""

    optimizer: OptimizerSettings
    loss_scale: LossScaleSettings
    dropout: Annotated[float, Field(ge=0, lt=1)] | None
    eval_batch_size: Annotated[int, Field(ge=1)]
    max_skipped: Annotated[int, Field(ge=1)]


class ComputeSettings(Section):
    """How the arithmetic is done. All of it may change the last bits of a result."""

    precision: PrecisionName
    xla: Xla


def compute_settings() -> ComputeSettings:
    """From `precision` and `xla`, which stand at the top of params.yaml since all training stages share them."""
    return ComputeSettings(precision=section(PrecisionName, "precision"), xla=section(Xla, "xla"))
