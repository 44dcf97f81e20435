"""Dropout whose randomness is a function of (seed, step, site, row of the global batch).

So K micro-batches, or R ranks, drop exactly what one batch would, and a resumed run drops what the first one did. The
bits come from the counter-based generator Philox (Salmon et al. 2011): row r reads the stream from an offset of its
own, so that slices of a batch equal the whole.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

Tensor = Any
_PHILOX = 1
# One Philox block is 128 bits: eight 16-bit numbers.
_NUMBERS_A_BLOCK = 8
_SITES_A_STEP = 4096
_ODD = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: spreads neighbouring seeds over the key space


class Dropout:
    """Dropout for one (micro-)batch.

    Each call is a site of its own; sites are numbered in the order of the calls, which the graph fixes.
    """

    def __init__(self, seed: int, step: Tensor, first_row: Tensor) -> None:
        """Say which rows of which step these are.

        Args:
            step: () int64, number of the optimizer step.
            first_row: () int64, where the batch begins in the global batch.
        """
        self._seed, self._step, self._first_row = seed, tf.cast(step, tf.uint64), tf.cast(first_row, tf.uint64)
        self._site = 0

    def __call__(self, x: Tensor, rate: float) -> Tensor:
        """Zero a share `rate` of x, scale the rest by 1 / (1 - rate).

        Args:
            x: (B, ...) with a static size but for B, a multiple of 8 numbers a row.
        """
        self._site += 1
        if rate == 0.0:
            return x
        row = 1
        for size in x.shape[1:]:
            row *= size
        if row % _NUMBERS_A_BLOCK:
            raise ValueError(f"dropout needs a multiple of {_NUMBERS_A_BLOCK} numbers a row, got {x.shape}")
        blocks = row // _NUMBERS_A_BLOCK
        key = tf.constant(self._seed * _ODD % 2**64, tf.uint64) + self._step * _SITES_A_STEP + self._site
        counter = tf.stack([self._first_row * tf.constant(blocks, tf.uint64), tf.constant(0, tf.uint64)])
        bits = tf.raw_ops.StatelessRandomUniformFullIntV2(
            shape=[tf.shape(x)[0], blocks * 4], key=key[None], counter=counter, alg=_PHILOX, dtype=tf.uint32
        )
        numbers = tf.reshape(tf.bitcast(bits, tf.uint16), tf.shape(x))
        # 16 bits a number: the rate is met to 1/65536.
        dropped = round(rate * 2**16)
        keep = numbers >= tf.constant(dropped, tf.uint16)
        return tf.where(keep, x * tf.cast(2**16 / (2**16 - dropped), x.dtype), tf.zeros([], x.dtype))


def no_dropout(x: Tensor, rate: float) -> Tensor:
    """What evaluation uses in place of a Dropout."""
    del rate
    return x
