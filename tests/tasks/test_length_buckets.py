"""Tests for bert/tasks/length_buckets.py."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bert.tasks.length_buckets import (
    LENGTHS,
    MULTIPLE,
    POOL,
    WORTH_BATCHES,
    LengthBatch,
    LengthGroups,
    length_batches,
    length_bounds,
    token_counts,
)

SOME_LENGTHS = st.lists(st.integers(0, 50), min_size=1, max_size=300).map(lambda found: np.array(found, np.int64))


def positions(lengths: np.ndarray, bounds: list[int]) -> int:
    """That rows have which are cut to these."""
    return sum(min(bound for bound in bounds if bound >= length) for length in lengths)


@given(lengths=SOME_LENGTHS, longest=st.integers(50, 70), batches=st.floats(0.1, 1000))
def test_the_bounds_leave_the_fewest_positions_and_each_is_worth_its_compilation(
    lengths: np.ndarray, longest: int, batches: float
) -> None:
    bounds = length_bounds(lengths, longest, batches)
    assert bounds == sorted(set(bounds)) and len(bounds) <= LENGTHS
    assert lengths.max() <= bounds[-1] <= longest
    assert all(bound % MULTIPLE == 0 for bound in bounds if bound != longest)
    steps = range(MULTIPLE, bounds[-1], MULTIPLE)

    def cost(some: list[int]) -> float:
        return positions(lengths, some) + WORTH_BATCHES * bounds[-1] * len(lengths) / batches * len(some)

    others = ([*some, bounds[-1]] for size in range(LENGTHS) for some in combinations(steps, size))
    assert cost(bounds) == pytest.approx(min(map(cost, others)))


@given(lengths=SOME_LENGTHS, longest=st.integers(50, 70), batch_size=st.integers(1, 20))
def test_every_row_is_in_one_full_batch_that_is_long_enough(lengths: np.ndarray, longest: int, batch_size: int) -> None:
    batches = length_batches(lengths, longest, batch_size)
    places = np.concatenate([batch.places for batch in batches])
    assert sorted(set(places.tolist())) == list(range(len(lengths)))
    assert len(places) == -(-len(lengths) // batch_size) * batch_size, "only the last repeats a row"
    for batch in batches:
        assert len(batch.places) == batch_size and batch.length <= longest
        assert lengths[batch.places].max() <= batch.length
    used = [batch.length for batch in batches]
    assert used == sorted(used) and len(set(used)) <= LENGTHS


def test_few_rows_have_the_length_of_the_longest() -> None:
    (first, last) = length_batches(np.array([3, 50, 4, 9, 20]), 64, 3)
    assert (first.places.tolist(), last.places.tolist()) == ([0, 1, 2], [3, 4, 4])
    assert first.length == last.length == 56


def test_short_rows_are_cut_and_the_rest_goes_with_longer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert.tasks.length_buckets.WORTH_BATCHES", 0)
    found = length_batches(np.array([60, 3, 17, 18, 30, 2, 31]), 64, 2)
    shown = [(batch.places.tolist(), batch.length) for batch in found]
    # 8: rows 1, 5; 24: 2, 3; 32: 4, 6; 64: row 0, twice.
    assert shown == [([1, 5], 8), ([2, 3], 24), ([4, 6], 32), ([0, 0], 64)]
    found = length_batches(np.array([60, 3, 17, 18, 30, 2, 31]), 64, 3)
    # 8: 1, 5 wait; 24: 1, 2, 3, and 5 waits; 32: 4, 5, 6; 64: row 0.
    assert [(batch.places.tolist(), batch.length) for batch in found] == [
        ([1, 2, 3], 24),
        ([4, 5, 6], 32),
        ([0] * 3, 64),
    ]
    assert isinstance(found[0], LengthBatch)


@example(lengths=np.arange(25), batch_size=5, begun=2)
@given(lengths=SOME_LENGTHS, batch_size=st.integers(1, 20), begun=st.integers(0, 19))
def test_an_epochs_groups_are_all_its_rows_and_the_batch_of_two_epochs_keeps_its_own(
    lengths: np.ndarray, batch_size: int, begun: int
) -> None:
    order = np.random.default_rng(0).permutation(len(lengths))
    groups = LengthGroups(lengths, length_bounds(lengths, 50, 10))
    found = groups.grouped(order, begun, batch_size, np.random.default_rng(1))
    assert sorted(found.tolist()) == list(range(len(lengths)))
    assert found[:begun].tolist() == order[:begun].tolist()
    left = (len(lengths) - begun) % batch_size if begun < len(lengths) else 0
    assert found[len(found) - left :].tolist() == order[len(found) - left :].tolist()


def test_batches_are_of_like_length_and_come_in_random_order() -> None:
    count, batch_size = 8 * POOL * 2, 8
    lengths = np.random.default_rng(0).integers(1, 100, count)
    order = np.random.default_rng(1).permutation(count)
    groups = LengthGroups(lengths, [100])
    found = groups.grouped(order, 0, batch_size, np.random.default_rng(2))
    batches = lengths[found].reshape(-1, batch_size)
    # Of two pools of 50 batches each: a batch spans about two in a hundred lengths.
    assert np.ptp(batches, axis=1).mean() < 4 < 60 < np.ptp(lengths[order].reshape(-1, batch_size), axis=1).mean()
    pools = order.reshape(2, -1)
    assert all(
        np.isin(batch, pools[0]).all() or np.isin(batch, pools[1]).all() for batch in found.reshape(-1, batch_size)
    )
    shortest = batches.min(axis=1)
    assert abs(np.corrcoef(shortest, np.arange(len(shortest)))[0, 1]) < 0.3, "no curriculum of short to long"
    again = groups.grouped(order, 0, batch_size, np.random.default_rng(2))
    assert again.tolist() == found.tolist()


def test_a_batch_is_cut_to_the_least_bound_that_loses_no_token() -> None:
    groups = LengthGroups(np.array([3, 8, 9, 16, 24]), [8, 16, 24])
    assert [groups.length(np.array(rows)) for rows in ([0], [0, 1], [0, 2], [3, 3], [0, 4])] == [8, 8, 16, 16, 24]


def test_a_row_is_as_long_as_its_last_token_is_far() -> None:
    mask = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], np.int32)
    assert token_counts(mask).tolist() == [2, 3, 0, 4]
