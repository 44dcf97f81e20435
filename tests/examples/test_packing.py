"""bert/examples/packing.py: which sequences share a row."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bert.examples.masking import Masker
from bert.examples.packing import pack, strategies

count = Masker(0.15, 80, 4, 1000).count
some_lengths = st.lists(st.integers(5, 512), min_size=1, max_size=60)


def one_each(length: int) -> int:
    del length
    return 1


def test_the_fullest_row_with_room_is_taken_from_the_longest_sequence_down() -> None:
    found = strategies([10, 7, 6, 3, 3, 3, 2, 1], 10, 8, one_each, 8)
    assert found == {(10,): 1, (7, 3): 1, (6, 3, 1): 1, (3, 2): 1}


def test_equal_rows_are_one_entry() -> None:
    assert strategies([6, 4] * 1000 + [5] * 7, 10, 8, one_each, 8) == {(6, 4): 1000, (5, 5): 3, (5,): 1}


def test_neither_too_many_sequences_nor_too_many_predictions_share_a_row() -> None:
    assert strategies([2] * 7, 10, 3, one_each, 8) == {(2, 2, 2): 2, (2,): 1}
    assert strategies([2] * 7, 10, 8, one_each, 2) == {(2, 2): 3, (2,): 1}


@given(lengths=some_lengths, most=st.integers(2, 8), predictions=st.integers(20, 90))
def test_every_sequence_stands_in_one_row_and_no_row_is_too_full(
    lengths: list[int], most: int, predictions: int
) -> None:
    def limited(length: int) -> int:
        return min(count(length), predictions)

    found = strategies(lengths, 512, most, limited, predictions)
    placed: Counter[int] = Counter()
    for row, rows in found.items():
        assert sum(row) <= 512 and len(row) <= most and sum(map(limited, row)) <= predictions
        for length in row:
            placed[length] += rows
    assert placed == Counter(lengths)


@given(lengths=some_lengths, seed=st.integers(0, 2**32))
def test_rows_are_indices_of_what_the_strategies_say(lengths: list[int], seed: int) -> None:
    rows = pack(lengths, 512, 4, count, 80, np.random.default_rng(seed))
    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))
    packed = Counter(tuple(lengths[index] for index in row) for row in rows)
    assert packed == strategies(lengths, 512, 4, count, 80)


def test_which_sequences_meet_is_random_and_the_seed_s() -> None:
    lengths = [300, 200] * 50
    one, same, other = (pack(lengths, 512, 4, count, 80, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same != other
    partners = {row[0]: row[1] for row in one}
    assert sum(partners[row[0]] == row[1] for row in other) < 10


def test_a_corpus_of_full_and_short_sequences_packs_to_98_per_cent() -> None:
    """Half of the sequences full, the others of any length: less than 75 % real tokens unpacked."""
    rng = np.random.default_rng(1)
    lengths = np.where(rng.random(2000) < 0.5, rng.integers(490, 513, 2000), rng.integers(5, 513, 2000)).tolist()
    rows = pack(lengths, 512, 8, count, 80, rng)
    assert sum(lengths) / (512 * len(rows)) > 0.98
