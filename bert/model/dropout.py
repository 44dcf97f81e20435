"""Dropout whose randomness is a function of (seed, step, site, row of the global batch, place in the row).

So K micro-batches, or R ranks, drop exactly what one batch would, and a resumed run drops what the first one did. There
is no stream and no state: a number is the hash of its place, keyed by a hash of the rest. That is arithmetic on 32-bit
integers which a compiler fuses with what stands around it, so that a mask is made again in the backward pass for less
than it costs to store it; Philox, the usual counter-based generator, takes 4.5 times as long on a core of a CPU.
"""

from __future__ import annotations

from typing import Any, Protocol

import tensorflow as tf

Tensor = Any
# Finalizers of MurmurHash3 (Appleby 2011) for 32 bits, of SplitMix64 (Steele et al. 2014) for 64.
_MURMUR = ((16, 0x85EBCA6B), (13, 0xC2B2AE35))
_SPLITMIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_GOLDEN = 0x9E3779B97F4A7C15  # 2**64 / golden ratio


def _scramble(x: Tensor, rounds: tuple[tuple[int, int], ...], last: int) -> Tensor:
    """A bijection of the integers of x's type, in which each bit of x changes half of the bits."""
    for shift, factor in rounds:
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(shift, x.dtype)))
        x *= tf.constant(factor, x.dtype)
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(last, x.dtype)))


def _keyed(key: Tensor, number: Tensor) -> Tensor:
    """The key of the `number`th of what `key` stands for. uint64."""
    return _scramble(key + (number + 1) * tf.constant(_GOLDEN, tf.uint64), _SPLITMIX, 31)


class Sites(Protocol):
    """Where a model may drop, in the order of its calls."""

    def site(self) -> Tensor | None:
        """(B, 2) uint32 keys of the rows at the next site; None: nothing is dropped."""


class Dropout:
    """The sites of one (micro-)batch, numbered in the order of the calls, which the graph fixes."""

    def __init__(self, seed: int, step: Tensor, first_row: Tensor, rows: int) -> None:
        """Say which rows of which step these are.

        Args:
            step: () int64, number of the optimizer step.
            first_row: () int64, where the batch begins in the global batch.
            rows: B, its number of rows.
        """
        self._key = _keyed(tf.constant(seed % 2**64, tf.uint64), tf.cast(step, tf.uint64))
        self._rows = tf.cast(first_row + tf.range(rows, dtype=tf.int64), tf.uint64)
        self._site = 0

    def site(self) -> Tensor:
        self._site += 1
        keys = _keyed(_keyed(self._key, tf.constant(self._site, tf.uint64)), self._rows)
        high = tf.bitwise.right_shift(keys, tf.constant(32, tf.uint64))
        return tf.stack([tf.cast(high, tf.uint32), tf.cast(keys, tf.uint32)], axis=-1)


class NoDropout:
    """What evaluation uses in place of a Dropout."""

    def site(self) -> None:
        return None


def drop(x: Tensor, keys: Tensor | None, rate: float) -> Tensor:
    """Zero a share `rate` of x, scale the rest by 1 / (1 - rate).

    Args:
        x: (B, ...), with a static size but for B and less than 2**32 numbers a row.
        keys: (B, 2) uint32, see Sites.site.
    """
    if keys is None or rate == 0.0:
        return x
    # The place in the row, as a sum of small ranges: a constant of that size would have to be read from memory. As
    # TensorFlow folds a sum of constants before XLA sees it, this one begins with a 0 that is known at run time alone.
    place, size = tf.bitwise.bitwise_and(keys[0, 0], tf.zeros([], tf.uint32)), 1
    for axis, length in reversed(list(enumerate(x.shape))[1:]):
        along = tf.range(length, dtype=tf.int32) * size
        shape = [1] * axis + [length] + [1] * (x.shape.rank - axis - 1)
        place += tf.reshape(tf.cast(along, tf.uint32), shape)
        size *= length
    first, second = (tf.reshape(k, [-1] + [1] * (x.shape.rank - 1)) for k in tf.unstack(keys, axis=-1))
    # Twice, each time with a key: of rows keyed once, one would repeat a stretch of another's numbers sooner or later.
    hashed = _scramble(tf.bitwise.bitwise_xor(place, first), _MURMUR, 16)
    hashed = _scramble(hashed + second, _MURMUR, 16)
    keep = hashed >= tf.constant(round(rate * 2**32), tf.uint32)
    return tf.where(keep, x * tf.cast(1 / (1 - rate), x.dtype), tf.zeros([], x.dtype))
