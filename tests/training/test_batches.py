"""Tests for bert/training/batches.py."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from bert.tasks.length_buckets import LengthGroups
from bert.training.batches import array_batches, prefetched, rows_of
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


LENGTHS = np.random.default_rng(0).integers(1, 17, 40)


def of_lengths(split: Split, world: World, first: int = 0, stop: int = 8) -> list[tuple[list[int], tuple[int, ...]]]:
    """Of each batch the numbers of its rows, and its shape. Forty rows: batches of 12 cross the ends of epochs."""
    ids = np.arange(1, 41)[:, None] * (np.arange(16) < LENGTHS[:, None])
    arrays = {"input_ids": ids.astype(np.int32), "row": np.arange(40, dtype=np.int32)}
    groups = LengthGroups(LENGTHS, [8, 16])
    batches = list(array_batches(arrays, 1, first, stop, split, world, groups))
    for batch in batches:
        row, length = batch["row"].numpy(), batch["input_ids"].shape[1]
        np.testing.assert_array_equal(batch["input_ids"], ids[row, :length])
    return [(b["row"].numpy().tolist(), tuple(b["input_ids"].shape)) for b in batches]


@pytest.mark.parametrize("split", WAYS)
def test_groups_and_lengths_do_not_depend_on_ranks_and_micro_batches(split: Split) -> None:
    together = of_lengths(Split(1, 1, 12), World())
    by_rank = [of_lengths(split, World(rank, split.ranks)) for rank in range(split.ranks)]
    for (rows, shape), parts in zip(together, zip(*by_rank, strict=True), strict=True):
        assert rows == [row for part, _ in parts for row in part]
        assert {length for _, (_, length) in parts} == {shape[1]}, "that of the global batch, not of a rank's rows"


def test_groups_hold_each_row_once_an_epoch_and_no_token_is_lost() -> None:
    batches = of_lengths(Split(1, 1, 12), World(), stop=10)
    order = [row for rows, _ in batches for row in rows]
    assert sorted(order[:40]) == sorted(order[40:80]) == sorted(order[80:120]) == list(range(40))
    assert order[:40] != order[40:80]
    for rows, shape in batches:
        assert shape == (12, 8 if LENGTHS[rows].max() <= 8 else 16)
    assert {shape[1] for _, shape in batches} == {8, 16}
    # Batch 3 holds the last four rows of one epoch and the first eight of the next: of mixed lengths.
    assert sorted(batches[3][0][:4]) == sorted(set(range(40)) - set(order[:36]))
    # The two whole batches of the second epoch are one pool, sorted: none has a row that belongs between the other's.
    one, other = sorted((LENGTHS[rows] for rows, _ in batches[4:6]), key=np.max)
    assert one.max() <= other.min()


def test_groups_begin_anywhere() -> None:
    assert of_lengths(Split(1, 1, 12), World(), first=4) == of_lengths(Split(1, 1, 12), World())[4:]


def test_without_groups_the_batches_are_those_of_each_epochs_permutation() -> None:
    arrays = {"row": np.arange(10, dtype=np.int32), "ids": np.arange(30, dtype=np.int32).reshape(10, 3)}
    found = list(array_batches(arrays, 7, 0, 5, Split(1, 1, 4), World()))
    epochs = [np.random.Generator(np.random.Philox(key=[7, epoch])).permutation(10) for epoch in (0, 1)]
    for batch, rows in zip(found, np.concatenate(epochs).reshape(5, 4), strict=True):
        np.testing.assert_array_equal(batch["row"], rows)
        np.testing.assert_array_equal(batch["ids"], arrays["ids"][rows])


def test_nothing_tunes_the_feed_whose_end_would_wait_for_it() -> None:
    numbers = tf.data.Dataset.range(3)
    assert numbers.options().autotune.enabled is None, "that is: on"
    assert prefetched(numbers).options().autotune.enabled is False
    split, arrays = Split(1, 1, 2), {"a": np.zeros((4, 3), np.int32)}
    assert array_batches(arrays, 0, 0, 2, split, World()).options().autotune.enabled is False
