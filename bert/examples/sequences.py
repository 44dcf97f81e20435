"""Sequences [CLS] a [SEP] b [SEP] laid end to end, so that what is done to each is done to all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bert.examples.pairs import Ids, Pair

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tokens:
    """flat: (T,) ids of Q sequences; lengths, firsts: (Q,) of each one and of its [CLS] a [SEP]."""

    flat: Ids
    lengths: Ints
    firsts: Ints

    @classmethod
    def of(cls, pairs: Sequence[Pair], cls_id: int, sep_id: int) -> Tokens:
        """Frame the segments; a pair with an empty second one becomes [CLS] a [SEP]."""
        head, tail = np.array([cls_id], np.int32), np.array([sep_id], np.int32)
        parts: list[Ids] = []
        for pair in pairs:
            parts += (head, pair.a, tail, pair.b, tail) if len(pair.b) else (head, pair.a, tail)
        firsts = np.array([len(pair.a) + 2 for pair in pairs], np.int64)
        seconds = np.array([len(pair.b) for pair in pairs], np.int64)
        return cls(np.concatenate(parts), firsts + seconds + (seconds > 0), firsts)

    @property
    def begins(self) -> Ints:
        """(Q,) where each sequence begins in `flat`."""
        return np.cumsum(self.lengths) - self.lengths


def within(sizes: Ints) -> Ints:
    """The place of each element in its group, for groups of these sizes: [2, 3] -> [0, 1, 0, 1, 2]."""
    ends = np.cumsum(sizes)
    return np.arange(sizes.sum()) - np.repeat(ends - sizes, sizes)
