"""What a training looks like on held-out records, every so many steps: a curve, and the best weights on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bert.model.fused import Xla
from bert.training.curves import line

LOSS = "mlm_loss"
"""The best step is that with the smallest of these."""
BEST = "best/"
"""Before the names of the best weights in a checkpoint."""


class HeldOutCurve:
    """Lines of text as those of Curve, a line for each evaluation. All ranks hold the same.

    It is a part of the checkpoint, so that a resumed run has the same lines and the same best weights.

    Attributes:
        best_step, best_loss: of the smallest held-out LOSS so far, the earlier step of two; 0 and infinity where no
            evaluation has given a number.
        best_weights: the weights after that step, {name: array}; empty without `keep_weights`.
    """

    def __init__(
        self,
        every: int,
        columns: tuple[str, ...],
        evaluate: Callable[[Xla], Mapping[str, float]],
        keep_weights: bool = False,
    ) -> None:
        """Begin an empty curve.

        Args:
            every: steps between evaluations; the last step has one in any case.
            evaluate: whether XLA compiles -> the figures, `columns` among them; called on all ranks together.
        """
        self._every, self._columns, self._evaluate, self._keep_weights = every, columns, evaluate, keep_weights
        self._evaluated = 0
        self.lines = ["\t".join(["step", *columns])]
        self.best_step, self.best_loss = 0, math.inf
        self.best_weights: dict[str, np.ndarray] = {}

    @property
    def state(self) -> dict[str, Any]:
        """For a checkpoint: what JSON can hold; `tensors` has the rest."""
        best = [self.best_step, self.best_loss] if self.best_step else None
        return {"lines": self.lines, "evaluated": self._evaluated, "best": best}

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        return {f"{BEST}{name}": value for name, value in self.best_weights.items()}

    def restore(self, state: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> None:
        self.lines, self._evaluated = state["lines"], state["evaluated"]
        self.best_step, self.best_loss = state["best"] or (0, math.inf)
        self.best_weights = {n.removeprefix(BEST): value for n, value in tensors.items() if n.startswith(BEST)}

    def due(self, done: int, steps: int) -> bool:
        """Whether to evaluate after step `done` of `steps`: one that fell into a streak is made after it."""
        return done // self._every > self._evaluated // self._every or done == steps

    def point(self, done: int, xla: Xla, parameters: Mapping[str, Any]) -> dict[str, float]:
        """Evaluate after step `done`, together with all ranks; the figures of the columns."""
        found = self._evaluate(xla)
        figures = {name: found[name] for name in self._columns}
        self.lines.append(line(done, *figures.values()))
        self._evaluated = done
        if figures[LOSS] < self.best_loss:
            self.best_step, self.best_loss = done, figures[LOSS]
            if self._keep_weights:
                # A copy: numpy() may share the variable's memory, which the next step overwrites.
                self.best_weights = {name: np.array(p.numpy()) for name, p in parameters.items()}
        return figures
