"""Updates in a row that are not finite: a streak, the way back to before it, and the error of a second one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from bert.pipeline.errors import StageError
from bert.training.step import TrainStep


@dataclass
class Streak:
    """The present streak; of length 0 after a finite update.

    first: number of its first step; scale: {name: value} of the loss scale's variables before it, first_scale the scale
    itself; last_norm: of the last finite gradient.
    """

    first: int = 0
    length: int = 0
    scale: Mapping[str, Any] = field(default_factory=dict)
    first_scale: float = math.nan
    last_norm: float = math.nan

    def before(self, step: TrainStep) -> None:
        """Remember the loss scale before the next step: outside of a streak, it may begin one."""
        if not self.length:
            self.scale = {name: variable.numpy() for name, variable in step.loss_scale_variables.items()}

    def end(self, norm: float) -> None:
        """An update was finite; `norm` is its gradient's."""
        self.length, self.last_norm = 0, norm

    def grow(self, number: int, figures: Mapping[str, float]) -> None:
        """The update of step `number` was not finite."""
        if not self.length:
            self.first, self.first_scale = number, figures["loss_scale"]
        self.length += 1

    def roll_back(self, step: TrainStep) -> None:
        """Back to the state before it: nothing but the loss scale has changed since."""
        for name, value in self.scale.items():
            step.loss_scale_variables[name].assign(value)
        self.length = 0

    def hopeless(
        self, name: str, step: TrainStep, figures: Mapping[str, float], skipped_batches: list[int]
    ) -> StageError:
        """The error of a second streak, with figures that tell a poisoned record from weights that have diverged.

        figures: of the last step. skipped_batches: numbers of those that the first streak has cost.
        """
        last = self.first + self.length - 1
        weights = float(tf.linalg.global_norm([v for n, v in step.variables.items() if n in step.parameters]))
        return StageError(
            f"{name}: {self.length} updates in a row were not finite, the last at step {last}, "
            f"for the second time: batches {skipped_batches[0]} to {skipped_batches[-1]} had been skipped before\n"
            f"  loss scale {self.first_scale:g} at the first of them, {figures['loss_scale']:g} at the last; gradient "
            f"norm {figures['grad_norm']}, the last finite one {self.last_norm:g}; norm of all weights {weights:g}",
            run="a smaller learning rate, longer warm-up or another precision in params.yaml; dvc repro",
        )
