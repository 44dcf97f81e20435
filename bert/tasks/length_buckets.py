"""Rows of like length together, cut to it, so that little padding is computed: in training and in prediction.

Padding is masked: what is predicted of a row, and its loss, are the same without it, but for the rounding of sums of
another length. N rows, S positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
"""Where rows stand in the arrays."""

# Lengths are multiples of it, as matrix products like them.
MULTIPLE = 8
# At most so many lengths. Each is a shape of its own to compile, and has to save the time of so many batches: on two
# cores of a CPU a compilation takes that of four or five.
LENGTHS, WORTH_BATCHES = 4, 8
# Batches that training sorts by length at a time, as transformers' LengthGroupedSampler.
POOL = 50


def token_counts(input_mask: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """(N, S) -> (N,): up to where the last token stands."""
    reverse = input_mask[:, ::-1] != 0
    return np.where(reverse.any(axis=1), input_mask.shape[1] - reverse.argmax(axis=1), 0)


def length_bounds(lengths: npt.NDArray[np.int64], longest: int, batches: float) -> list[int]:
    """The lengths, rising, that rows are cut to: those that leave the fewest positions to compute.

    Args:
        lengths: (N,), at most `longest`, the length of the arrays.
        batches: that are computed, of all rows; in several epochs or in a part of one.
    """
    last = min(longest, max(1, -(-int(lengths.max()) // MULTIPLE)) * MULTIPLE)
    steps = [*range(MULTIPLE, last, MULTIPLE), last]
    fitting = np.searchsorted(np.sort(lengths), steps, side="right").tolist()
    # plans[j]: of the rows that fit into steps[j], cut in the best way to so many lengths: positions, lengths.
    plans = [(rows * step, [step]) for rows, step in zip(fitting, steps, strict=True)]
    found = [plans[-1]]
    for _ in range(1, LENGTHS):
        plans = [
            min((plans[i][0] + (fitting[j] - fitting[i]) * steps[j], [*plans[i][1], steps[j]]) for i in range(j + 1))
            for j in range(len(steps))
        ]
        found.append(plans[-1])
    price = WORTH_BATCHES * last * len(lengths) / batches
    number = min(range(LENGTHS), key=lambda n: found[n][0] + n * price)
    return sorted(set(found[number][1]))


@dataclass(frozen=True)
class LengthBatch:
    """The first `length` positions of the rows at `places`; the last batch repeats its last row to be full."""

    places: Places
    length: int


def length_batches(lengths: npt.NDArray[np.int64], longest: int, batch_size: int) -> list[LengthBatch]:
    """Every row once, in batches of `batch_size`, the short ones first; in each length the rows keep their order.

    Args:
        lengths: (N,), at most `longest`, the length of the arrays.
    """
    bounds = length_bounds(lengths, longest, len(lengths) / batch_size)
    batches: list[LengthBatch] = []
    waiting = np.zeros(0, np.int64)
    shortest = -1
    for bound in bounds:
        waiting = np.sort(np.concatenate([waiting, np.flatnonzero((lengths > shortest) & (lengths <= bound))]))
        shortest = bound
        full = len(waiting) // batch_size
        batches += [LengthBatch(waiting[n * batch_size : (n + 1) * batch_size], bound) for n in range(full)]
        # Too few for a batch: they go with the next longer ones.
        waiting = waiting[full * batch_size :]
    if len(waiting):
        filler = np.full(batch_size - len(waiting), waiting[-1])
        batches.append(LengthBatch(np.concatenate([waiting, filler]), bounds[-1]))
    return batches


@dataclass(frozen=True)
class LengthGroups:
    """How training groups its rows by length (`finetune.group_by_length`); see array_batches for its part in that.

    Attributes:
        lengths: (N,) of the rows
        bounds: what a global batch may be cut to, rising
    """

    lengths: npt.NDArray[np.int64]
    bounds: Sequence[int]

    @classmethod
    def of(cls, input_mask: npt.NDArray[np.int32], batches: int) -> LengthGroups:
        """batches: that the whole training takes."""
        lengths = token_counts(input_mask)
        return cls(lengths, length_bounds(lengths, input_mask.shape[1], batches))

    def grouped(self, order: Places, begun: int, batch_size: int, generator: np.random.Generator) -> Places:
        """An epoch's rows anew: the batches of a pool are filled by length, then all batches are shuffled.

        A batch that holds rows of two epochs keeps those that it has.

        Args:
            order: (N,), the rows in random order.
            begun: so many of them still belong to the batch that the epoch before began.
        """
        begun = min(begun, len(order))
        whole = (len(order) - begun) // batch_size
        if not whole:
            return order
        end = begun + whole * batch_size
        batches = order[begun:end].reshape(whole, batch_size)
        pools = np.array_split(batches, max(1, whole // POOL))
        by_length = [pool.ravel()[np.argsort(self.lengths[pool.ravel()], kind="stable")] for pool in pools]
        shuffled = generator.permutation(np.concatenate(by_length).reshape(batches.shape))
        return np.concatenate([order[:begun], shuffled.ravel(), order[end:]])

    def length(self, rows: Places) -> int:
        """What the global batch of these rows is cut to: no token of it is lost."""
        return self.bounds[int(np.searchsorted(self.bounds, self.lengths[rows].max()))]
