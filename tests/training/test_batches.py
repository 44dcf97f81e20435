"""Tests for bert/training/batches.py."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bert.training.batches import array_batches, rows_of
from bert.training.world import Split, World

WAYS = [Split(1, 1, 12), Split(1, 3, 4), Split(2, 1, 6), Split(3, 2, 2)]
"""Ways to cut a global batch of 12."""


@pytest.mark.parametrize("split", WAYS)
def test_the_ranks_rows_partition_each_global_batch_in_order(split: Split) -> None:
    for step in (0, 1, 7):
        rows = [row for rank in range(split.ranks) for row in rows_of(step, split, World(rank, split.ranks))]
        assert rows == list(range(12 * step, 12 * (step + 1)))


@pytest.mark.parametrize("split", WAYS)
def test_arrays_are_shuffled_anew_each_epoch_and_all_used(split: Split) -> None:
    arrays = {"row": np.arange(36, dtype=np.int32), "twice": np.arange(36, dtype=np.float32)[:, None] * 2}
    by_rank = [list(array_batches(arrays, 1, 0, 6, split, World(rank, split.ranks))) for rank in range(split.ranks)]
    order = [int(r) for n in range(6) for batches in by_rank for r in batches[n]["row"]]
    one_process = [int(r) for b in array_batches(arrays, 1, 0, 6, Split(1, 1, 12), World()) for r in b["row"]]
    assert order == one_process
    assert Counter(order[:36]) == Counter(order[36:]) == Counter(range(36))
    assert order[:36] != order[36:]
    for batches in by_rank:
        for b in batches:
            np.testing.assert_array_equal(b["twice"][:, 0], 2 * b["row"].numpy())


def test_array_batches_begin_anywhere_and_cross_epochs() -> None:
    arrays = {"row": np.arange(10, dtype=np.int32)}
    whole = [b["row"].numpy().tolist() for b in array_batches(arrays, 1, 0, 5, Split(1, 1, 4), World())]
    later = [b["row"].numpy().tolist() for b in array_batches(arrays, 1, 2, 5, Split(1, 1, 4), World())]
    assert later == whole[2:]
    assert sorted(row for batch in whole for row in batch) == sorted([*range(10), *range(10)])
