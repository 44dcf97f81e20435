"""The machine's peak, measured: operations a second of one large matrix product."""

from __future__ import annotations

import time
from typing import Any

import tensorflow as tf

SIZES = (2048, 4096, 8192, 16384)
SECONDS = 1.0
"""Of trials of one size."""
LONGEST = 0.1
"""Seconds that a product of the next size may take: on a CPU a small one shows all, on a GPU its start would weigh."""


def _shortest(size: int, dtype: Any) -> float:
    """Seconds of a product of two square matrices, the best of about a second of trials."""
    a = tf.cast(tf.random.stateless_uniform([size, size], seed=[1, 2]), dtype)
    # The sum keeps the result on the device; what it takes itself is linear in the values, not in the products.
    product = tf.function(lambda: tf.reduce_sum(tf.cast(tf.matmul(a, a), tf.float32)))
    float(product())
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        began = time.perf_counter()
        float(product())
        best = min(best, time.perf_counter() - began)
    return best


def matmul_peak(dtype: Any) -> float:
    """Operations a second in `dtype`, of the size that reached the most; larger ones are tried while they gain."""
    peak = 0.0
    for size in SIZES:
        seconds = _shortest(size, dtype)
        reached = 2 * size**3 / seconds
        if reached <= peak:
            break
        peak = reached
        if 8 * seconds > LONGEST:  # twice the size, eight times the operations
            break
    return peak
