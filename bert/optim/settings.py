"""Parameters of optimizers and schedules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bert.pipeline.params import Section

Rate = Annotated[float, Field(ge=0, lt=1)]


class OptimizerSettings(Section):
    """`clip_norm`: bound of the gradient's global norm, after accumulation and all-reduce; 0 clips nothing."""

    name: Literal["lamb", "adamw"]
    beta1: Rate
    beta2: Rate
    epsilon: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    clip_norm: Annotated[float, Field(ge=0)]


class LossScaleSettings(Section):
    """Dynamic loss scale of fp16: halved at an overflow, doubled after `growth_steps` good steps in a row."""

    initial: Annotated[float, Field(ge=1)]
    growth_steps: Annotated[int, Field(ge=1)]
