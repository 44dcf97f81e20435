"""Batches for the training loop, from arrays: this rank's rows of every global batch, prefetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bert.training.world import Split, World

PREFETCH = 4
Arrays = dict[str, npt.NDArray[Any]]


def rows_of(step: int, split: Split, world: World) -> range:
    """Positions, in the training order, of this rank's rows of the global batch of `step`."""
    first = (step * split.ranks + world.rank) * split.rows_per_rank
    return range(first, first + split.rows_per_rank)


def array_batches(arrays: Arrays, seed: int, first_step: int, steps: int, split: Split, world: World) -> Any:
    """A tf.data.Dataset of {feature: (rows per rank, ...)} for each step from `first_step` on.

    Args:
        arrays: {feature: (N, ...)} in memory, shuffled anew each epoch.
    """
    count = len(next(iter(arrays.values())))
    orders: dict[int, npt.NDArray[np.int64]] = {}

    def order(epoch: int) -> npt.NDArray[np.int64]:
        if epoch not in orders:
            orders.clear()
            orders[epoch] = np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(count)
        return orders[epoch]

    def rows() -> Iterator[Arrays]:
        for step in range(first_step, steps):
            chosen = [int(order(p // count)[p % count]) for p in rows_of(step, split, world)]
            yield {name: values[chosen] for name, values in arrays.items()}

    spec = {
        name: tf.TensorSpec([split.rows_per_rank, *values.shape[1:]], tf.as_dtype(values.dtype))
        for name, values in arrays.items()
    }
    return tf.data.Dataset.from_generator(rows, output_signature=spec).prefetch(PREFETCH)
