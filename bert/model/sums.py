"""Sums over one axis of a matrix, in the form that the compiler at hand makes a fast loop of."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bert.model.fused import barrier, fusing, loops_on_cpu

Tensor = Any


def row_mean(x: Tensor) -> Tensor:
    """(..., H) -> (..., 1).

    XLA's CPU compiler has a fast loop for the sum of what stands in memory, and a slow one where it is computed on the
    way; a GPU's puts both into one pass.
    """
    return tf.reduce_mean(barrier(x)[0] if loops_on_cpu() else x, [-1], keepdims=True)


def column_sum(x: Tensor) -> Tensor:
    """(..., H) -> (H,) float32, or float64 of such: what a bias owes to a batch.

    By oneDNN as a product with ones, which reads x once, on all cores, and adds in float32.
    """
    flat = tf.reshape(x, [-1, x.shape[-1]])
    wide = x.dtype if x.dtype == tf.float64 else tf.float32
    if fusing():
        return tf.cast(tf.matmul(tf.ones([1, tf.shape(flat)[0]], x.dtype), flat)[0], wide)
    return tf.reduce_sum(tf.cast(flat, wide), 0)
