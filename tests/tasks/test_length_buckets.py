"""Tests for bert/tasks/length_buckets.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.tasks.length_buckets import LEAST_BATCHES, LENGTHS, LengthBatch, length_batches, token_counts


@given(
    lengths=st.lists(st.integers(0, 50), min_size=1, max_size=300).map(lambda found: np.array(found, np.int64)),
    longest=st.integers(50, 70),
    batch_size=st.integers(1, 20),
)
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
    assert all(used.count(length) >= LEAST_BATCHES for length in set(used) - {longest})


def test_few_rows_stay_as_they_are() -> None:
    (first, last) = length_batches(np.array([3, 50, 4, 9, 20]), 64, 3)
    assert (first.places.tolist(), last.places.tolist()) == ([0, 1, 2], [3, 4, 4])
    assert first.length == last.length == 64


def test_short_rows_are_cut_and_the_rest_goes_with_longer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert.tasks.length_buckets.LEAST_BATCHES", 1)
    found = length_batches(np.array([60, 3, 17, 16, 30, 2]), 64, 2)
    shown = [(batch.places.tolist(), batch.length) for batch in found]
    # 16: rows 1, 3, and 5 waits; 32: 2, 4, and 5 goes with them; 64: the rest.
    assert shown == [([1, 3], 16), ([2, 4], 32), ([0, 5], 64)]
    assert isinstance(found[0], LengthBatch)


def test_a_row_is_as_long_as_its_last_token_is_far() -> None:
    mask = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], np.int32)
    assert token_counts(mask).tolist() == [2, 3, 0, 4]
