"""Parameters of optimizers and schedules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bert.pipeline.params import Section

Rate = Annotated[float, Field(ge=0, lt=1)]
DecayFrom = Literal["warmup", "start"]


class OptimizerSettings(Section):
    """An update, with the points on which implementations differ.

    Attributes:
        epsilon_inside_root: m / sqrt(v + epsilon) and not m / (sqrt(v) + epsilon)
        bias_correction: of both moments, with t = 1 at the first update
        trust_ratio: the parameters whose rate LAMB multiplies by |w| / |u|: all, or those that are decayed; null: none,
            which is AdamW
        clip_norm: bound of the gradient's global norm, after accumulation and all-reduce; 0 clips nothing
    """

    name: Literal["lamb", "adamw"]
    beta1: Rate
    beta2: Rate
    epsilon: Annotated[float, Field(gt=0)]
    epsilon_inside_root: bool
    bias_correction: bool
    trust_ratio: Literal["all", "decayed"] | None
    weight_decay: Annotated[float, Field(ge=0)]
    clip_norm: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _name_and_trust_ratio_agree(self) -> OptimizerSettings:
        if self.name == "lamb" and self.trust_ratio is None:
            raise ValueError("lamb without a trust ratio is adamw: set trust_ratio to all or decayed, or name to adamw")
        if self.name == "adamw" and self.trust_ratio is not None:
            raise ValueError("adamw has no trust ratio: set trust_ratio to null, or name to lamb")
        return self


class LossScaleSettings(Section):
    """Dynamic loss scale of fp16: halved at an overflow, doubled after `growth_steps` good steps in a row."""

    initial: Annotated[float, Field(ge=1)]
    growth_steps: Annotated[int, Field(ge=1)]


class UpdateSettings(Section):
    """What becomes of a gradient.

    Attributes:
        loss_scale: used where something passes through float16
    """

    optimizer: OptimizerSettings
    loss_scale: LossScaleSettings
