"""A model's weights as variables of a SavedModel, and the encoder over rows of any number and length.

N rows, B rows of a call, S positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from bert.checkpoints.folder import Model
from bert.model.dropout import NoDropout
from bert.model.encoder import encode

Tensor = Any
# Rows that go through the encoder at a time: what bounds a call's memory, whatever it is asked.
ROWS = 32
IDS = [tf.TensorSpec([None, None], tf.int32, name=name) for name in ("input_ids", "input_mask", "segment_ids")]
"""What a row is made of: (B, S) each, S up to the model's positions."""


class ExportedEncoder(tf.Module):
    """In float32, without dropout."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._config = model.config
        self.weights = {name: tf.Variable(value, trainable=False) for name, value in model.weights.items()}

    def __call__(self, input_ids: Tensor, input_mask: Tensor, segment_ids: Tensor) -> Tensor:
        """(B, S) int32 each -> hidden states of the last layer, (B, S, H)."""
        return encode(self.weights, self._config, input_ids, input_mask, segment_ids, NoDropout(), tf.float32)


def in_chunks(
    lengths: Tensor,
    work: Callable[[Tensor, Tensor], Sequence[Tensor]],
    results: Sequence[tuple[Any, list[int]]],
) -> list[Tensor]:
    """What `work` makes of all rows, ROWS of them at a time, the short ones first: little padding is computed.

    Args:
        lengths: (N,) int32 of the rows, in tokens.
        work: of rows (B,) int32, their numbers, and the longest length of these, a tensor for each of the results,
            (B, ...).
        results: of each its dtype and its shape without the first dimension.

    Returns:
        (N, ...) each, in the order of the rows.
    """
    order = tf.argsort(lengths, stable=True)
    count = -(-tf.size(lengths) // ROWS)
    arrays = tuple(
        tf.TensorArray(dtype, count, infer_shape=False, element_shape=[None, *shape]) for dtype, shape in results
    )

    def step(chunk: Tensor, written: tuple[Any, ...]) -> tuple[Tensor, tuple[Any, ...]]:
        rows = order[chunk * ROWS : (chunk + 1) * ROWS]
        found = work(rows, tf.reduce_max(tf.gather(lengths, rows)))
        return chunk + 1, tuple(array.write(chunk, value) for array, value in zip(written, found, strict=True))

    # One after the other: side by side, they would take the memory of several.
    _, arrays = tf.while_loop(lambda chunk, _: chunk < count, step, (0, arrays), parallel_iterations=1)
    back = tf.math.invert_permutation(order)
    return [tf.gather(array.concat(), back) for array in arrays]
