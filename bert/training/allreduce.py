"""The exchanges of a step: weights before it, gradients and sums after it, added over the ranks, and the time of both.

Gradients may be rounded to float16 for the way (`allreduce: fp16` in params.yaml), which halves the bytes. They are
multiplied by the loss scale then (every precision has one with it), and each rank's are its rows' *part* of the global
batch's, since each loss was divided by its weight in all of it. So their plain sum is the gradient itself, and no
larger: nothing is divided by the number of ranks before, which would only push small numbers out of float16's range.
What is too large for it becomes infinite, on all ranks alike since all get the same sum, and the update is skipped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bert.training.world import World

Tensor = Any


def _clock(probe: Any) -> Any:
    del probe
    return np.float64(time.perf_counter())


def _now(after: Sequence[Tensor], probe: Tensor) -> Tensor:
    """The time at which the tensors `after` have been computed, () float64 seconds.

    A call of some microseconds into Python, since tf.timestamp refuses to be among deterministic operations.

    probe: one of them. Its copy to the host comes, on a GPU, after all work queued before it: then the clock is read.
    """
    with tf.control_dependencies(list(after)), tf.device("CPU:0"):
        now = tf.numpy_function(_clock, [tf.identity(probe)], tf.float64)
    now.set_shape([])
    return now


def sum_weights(world: World, weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
    """Add {name: () float32} over the ranks; in a tf.function. The same summed, and the seconds as in `all_reduce`."""
    names, values = list(weights), list(weights.values())
    if world.size == 1 or not values:
        return weights, tf.zeros([])
    began = _now(values, values[0])
    with tf.control_dependencies([began]):
        summed = world.sum(values, "weights")
    ended = _now(summed, summed[0])
    return dict(zip(names, summed, strict=True)), tf.cast(ended - began, tf.float32)


def all_reduce(
    world: World, gradients: Sequence[Tensor], sums: dict[str, Tensor], dtype: Any
) -> tuple[list[Tensor], dict[str, Tensor], Tensor]:
    """Add gradients and sums over the ranks; in a tf.function.

    Args:
        gradients: any shapes, float32, multiplied by the loss scale.
        sums: {name: () float32}, such as losses and counts; never rounded.
        dtype: what the gradients are sent in, float32 or float16.

    Returns:
        The same summed, float32, and the seconds from the moment that this rank's were there: its waiting for slower
        ranks, rounding and transfer. () float32; 0 in a world of one, which rounds nothing.
    """
    gradients, names = list(gradients), list(sums)
    if world.size == 1:
        return gradients, sums, tf.zeros([])
    small = [sums[n] for n in names]
    began = _now([*gradients, *small], small[0])
    with tf.control_dependencies([began]):
        if dtype == tf.float32:
            reduced = world.sum([*gradients, *small], "gradients")
            summed, small = reduced[: len(gradients)], reduced[len(gradients) :]
        else:
            summed = world.sum([tf.cast(g, dtype) for g in gradients], "gradients")
            small = world.sum(small, "sums")  # a group has one dtype
            with tf.control_dependencies(small):  # an update is all that a step sends, or none of it
                summed = [tf.cast(g, tf.float32) for g in summed]
    ended = _now([*summed, *small], small[0])
    return summed, dict(zip(names, small, strict=True)), tf.cast(ended - began, tf.float32)


def time_metrics(world: World, waited: Sequence[float], step_seconds: Sequence[float]) -> dict[str, float]:
    """What the ranks' exchanges took; every rank has to call it, and gets the same.

    Args:
        waited: seconds of each step's all-reduce on this rank; step_seconds: of the whole step.

    Returns:
        allreduce_seconds_per_step: mean over steps and ranks; allreduce_share: of the steps' time;
        allreduce_wait_seconds_per_step: the part of it that ranks have, at least, waited for the slowest one: what is
        beyond the shortest time of a step. The rest is rounding and transfer. All 0 in a world of one.
    """
    of_ranks = world.gather((list(waited), list(step_seconds)))
    count = min(len(times) for times, _ in of_ranks)
    if world.size == 1 or not count:
        return dict.fromkeys(("allreduce_seconds_per_step", "allreduce_wait_seconds_per_step", "allreduce_share"), 0.0)
    by_step = list(zip(*(times[-count:] for times, _ in of_ranks), strict=True))
    mean = sum(map(sum, by_step)) / count / world.size
    transfer = sum(map(min, by_step)) / count
    whole = sum(sum(steps[-count:]) for _, steps in of_ranks) / count / world.size
    return {
        "allreduce_seconds_per_step": round(mean, 6),
        "allreduce_wait_seconds_per_step": round(mean - transfer, 6),
        "allreduce_share": round(mean / whole, 4),
    }
