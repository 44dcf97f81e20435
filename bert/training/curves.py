"""The curve of a training: a line for each interval of steps, with the means over it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

CURVE_POINTS = 200
# Columns after the losses.
_OF_STEPS = ("learning_rate", "grad_norm", "loss_scale")


def means(steps: list[dict[str, float]], losses: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    """Over the figures of these steps; a loss is its summed nominator over its summed weight."""
    out: dict[str, float] = {}
    for column, (loss, weight) in losses.items():
        out[column] = sum(figures[loss] for figures in steps) / sum(figures[weight] for figures in steps)
    out["loss"] = sum(out[column] for column in losses)
    out["learning_rate"], out["loss_scale"] = steps[-1]["learning_rate"], steps[-1]["loss_scale"]
    out["grad_norm"] = sum(figures["grad_norm"] for figures in steps) / len(steps)
    return out


def line(*values: float) -> str:
    """A line of a curve's file: the step, and six digits of each figure."""
    step, *figures = values
    return "\t".join([str(step), *(f"{x:.6g}" for x in figures)])


def figures_of(lines: Sequence[str]) -> Iterator[tuple[int, dict[str, float]]]:
    """(step, {column: figure}) of each line of a curve; the first line names the columns."""
    _, *columns = lines[0].split("\t")
    for text in lines[1:]:
        step, *figures = text.split("\t")
        yield int(step), dict(zip(columns, map(float, figures), strict=True))


class Curve:
    """Lines of text, the first names the columns. `last`: the figures of the last line, unrounded.

    losses: {column: (sum, weight)}, such as {"mlm_loss": ("mlm_loss", "predictions")}, names of a step's figures.
    """

    def __init__(self, losses: Mapping[str, tuple[str, str]], steps: int) -> None:
        self._losses, self._steps, self._interval = losses, steps, max(1, steps // CURVE_POINTS)
        self._columns = ("loss", *losses, *_OF_STEPS)
        self._gathered: list[dict[str, float]] = []
        self.lines = ["\t".join(["step", *self._columns])]
        self.last: dict[str, float] = {}

    @property
    def loss(self) -> float:
        """The loss of the last line; before the first one, that of the steps so far."""
        if self.last:
            return self.last["loss"]
        return means(self._gathered, self._losses)["loss"] if self._gathered else math.nan

    @property
    def state(self) -> dict[str, Any]:
        """For a checkpoint, half a point included: a resumed curve has the same points."""
        return {"curve": self.lines, "gathered": self._gathered, "last": self.last}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.lines, self._gathered, self.last = state["curve"], state["gathered"], state["last"]

    def add(self, figures: dict[str, float]) -> None:
        """Those of a step, whose update was finite."""
        self._gathered.append(figures)

    def point(self, done: int) -> bool:
        """Write the line of step `done` where one is due; whether it was."""
        if not self._gathered or (done % self._interval and done != self._steps):
            return False
        self.last, self._gathered = means(self._gathered, self._losses), []
        self.lines.append(line(done, *(self.last[c] for c in self._columns)))
        return True
