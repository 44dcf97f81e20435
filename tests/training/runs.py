"""Trainings of a few steps, through the whole loop: killed, poisoned, with scripted evaluations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bert.model.fused import Xla
from bert.training.context import Context
from bert.training.held_out_curve import HeldOutCurve
from bert.training.loop import Run, Training
from bert.training.step import TrainStep
from bert.training.world import Split, World
from tests.training.tiny import fresh_step, make_batch, tensors

ROWS, STEPS = 8, 7
EVERY = 2
"""Steps between two evaluations of a scripted curve."""
CODE = {"bert/training/step.py": "aaaa"}
WHOLE, IN_FOUR = Split(1, 1, ROWS), Split(1, 4, 2)


class Killed(Exception):
    """Stands for the end of a process."""


def batches(killed_at: int | None = None, bad: str = "") -> Callable[[int, int], Iterator[Any]]:
    """Batches that follow from their number. `bad` marks with - those whose loss is not a number."""

    def from_step(first: int, stop: int) -> Iterator[Any]:
        for number in range(first, stop):
            if number == killed_at:
                raise Killed
            batch = make_batch(ROWS, seed=number)
            if bad[number : number + 1] == "-":
                batch["masked_lm_weights"][0, 0] = math.nan
            yield tensors(batch)

    return from_step


def run(
    step: TrainStep,
    scratch: Path,
    feed: Callable[[int, int], Iterator[Any]],
    steps: int = STEPS,
    patience: int = 2,
    held_out: HeldOutCurve | None = None,
    **machine: Any,
) -> Run:
    """A whole training, saved after every step; keyword arguments beyond those named are fields of Context."""
    context = Context(scratch, World(), WHOLE, CODE, **{"save_seconds": 0.0} | machine)
    return Training("test", step, feed, steps, patience, ROWS, context, held_out).run()


def step_of(split: Split = WHOLE) -> TrainStep:
    """As a new process would have it, with dropout."""
    return fresh_step(split, clip_norm=0.5)


def assert_same_bits(ours: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert ours.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)


def scripted(*losses: float) -> HeldOutCurve:
    """One whose evaluations find these losses, one after the other."""
    waiting = iter(losses)

    def evaluate(xla: Xla) -> Mapping[str, float]:
        return {"mlm_loss": next(waiting)}

    return HeldOutCurve(EVERY, ("mlm_loss",), evaluate, keep_weights=True)
