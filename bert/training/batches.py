"""Batches for the training loop, from arrays: this rank's rows of every global batch, prefetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bert.training.world import Split, World

PREFETCH = 4
Arrays = dict[str, npt.NDArray[Any]]
Rows = npt.NDArray[np.int64]


class Groups(Protocol):
    """Which rows of an epoch come into a global batch together, and how many positions of them. Alike on all ranks."""

    def grouped(self, order: Rows, begun: int, batch_size: int, generator: np.random.Generator) -> Rows:
        """The rows of an epoch, in random order -> in that of training.

        begun: so many of them still belong to the batch that the epoch before began.
        """

    def length(self, rows: Rows) -> int:
        """Positions that are left of the global batch of these rows."""


def prefetched(batches: Any) -> Any:
    """A tf.data.Dataset whose batches are made beside the steps.

    Without autotuning, which has nothing to tune here: its thread sleeps for ever longer, 41 s between the first 41 and
    82 s, and whoever ended the training at 48 s was seen to wait for it until then, with both cores idle.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(PREFETCH).with_options(options)


def rows_of(step: int, split: Split, world: World) -> range:
    """Positions, in the training order, of this rank's rows of the global batch of `step`."""
    first = (step * split.ranks + world.rank) * split.rows_per_rank
    return range(first, first + split.rows_per_rank)


def array_batches(
    arrays: Arrays, seed: int, first_step: int, steps: int, split: Split, world: World, groups: Groups | None = None
) -> Any:
    """A tf.data.Dataset of {feature: (rows per rank, ...)} for each step from `first_step` on.

    Args:
        arrays: {feature: (N, ...)} in memory, shuffled anew each epoch.
        groups: what is made of the shuffled rows; features are (N, S) or (N,) then, and the former are cut.
    """
    count = len(next(iter(arrays.values())))
    batch_size = split.ranks * split.rows_per_rank
    orders: dict[int, Rows] = {}

    def order(epoch: int) -> Rows:
        if epoch not in orders:
            orders.clear()
            generator = np.random.Generator(np.random.Philox(key=[seed, epoch]))
            shuffled = generator.permutation(count)
            begun = -epoch * count % batch_size
            orders[epoch] = groups.grouped(shuffled, begun, batch_size, generator) if groups else shuffled
        return orders[epoch]

    def rows() -> Iterator[Arrays]:
        for step in range(first_step, steps):
            first = step * batch_size
            whole = np.array([order(p // count)[p % count] for p in range(first, first + batch_size)])
            mine = whole[np.array(rows_of(step, split, world)) - first]
            length = groups.length(whole) if groups else None
            yield {name: x[mine, :length] if x.ndim > 1 else x[mine] for name, x in arrays.items()}

    def spec(values: npt.NDArray[Any]) -> tf.TensorSpec:
        shape = (None,) * (values.ndim - 1) if groups else values.shape[1:]
        return tf.TensorSpec([split.rows_per_rank, *shape], tf.as_dtype(values.dtype))

    signature = {name: spec(values) for name, values in arrays.items()}
    return prefetched(tf.data.Dataset.from_generator(rows, output_signature=signature))
