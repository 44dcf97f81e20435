"""Which rows are predicted together: those of like length, cut to it, so that little padding is computed.

Padding is masked: what a row's tokens are predicted is the same without it, but for the rounding of sums of another
length. Training keeps its batches, which are random: one of 32 rows nearly always has a long one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Each length is a shape of its own to compile: at most so many, and none for fewer batches.
LENGTHS, LEAST_BATCHES = 4, 8
# Lengths are multiples of it, as matrix products like them.
MULTIPLE = 8


@dataclass(frozen=True)
class LengthBatch:
    """The first `length` positions of the rows at `places`; the last batch repeats its last row to be full."""

    places: npt.NDArray[np.int64]
    length: int


def token_counts(input_mask: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """(N, S) -> (N,): up to where the last token stands."""
    reverse = input_mask[:, ::-1] != 0
    return np.where(reverse.any(axis=1), input_mask.shape[1] - reverse.argmax(axis=1), 0)


def length_batches(lengths: npt.NDArray[np.int64], longest: int, batch_size: int) -> list[LengthBatch]:
    """Every row once, in batches of `batch_size`, the short ones first; in each length the rows keep their order.

    Args:
        lengths: (N,), at most `longest`, the length of the arrays.
    """
    steps = (-(-longest * n // (LENGTHS * MULTIPLE)) * MULTIPLE for n in range(1, LENGTHS))
    bounds = sorted({*(bound for bound in steps if bound < longest), longest})
    batches: list[LengthBatch] = []
    waiting = np.zeros(0, np.int64)
    shortest = -1
    for bound in bounds:
        waiting = np.sort(np.concatenate([waiting, np.flatnonzero((lengths > shortest) & (lengths <= bound))]))
        shortest = bound
        full = len(waiting) // batch_size
        if full < LEAST_BATCHES and bound < longest:
            continue
        batches += [LengthBatch(waiting[n * batch_size : (n + 1) * batch_size], bound) for n in range(full)]
        # Too few for a batch: they go with the next longer ones.
        waiting = waiting[full * batch_size :]
    if len(waiting):
        filler = np.full(batch_size - len(waiting), waiting[-1])
        batches.append(LengthBatch(np.concatenate([waiting, filler]), longest))
    return batches
