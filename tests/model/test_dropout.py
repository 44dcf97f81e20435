"""Tests for bert/model/dropout.py."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.model.dropout import Dropout, no_dropout

ROWS, SHAPE = 12, (4, 16)  # (B, S, H) as in the embeddings


def ones(rows: int = ROWS, dtype: Any = tf.float32) -> Any:
    return tf.ones([rows, *SHAPE], dtype)


def kept(seed: int = 1, step: int = 0, site: int = 1, rate: float = 0.5) -> np.ndarray:
    """Which of 2**16 numbers survive, as booleans."""
    dropout = Dropout(seed, tf.constant(step, tf.int64), tf.constant(0, tf.int64))
    x = tf.ones([64, 1024])
    for _ in range(site):
        out = dropout(x, rate)
    return out.numpy() != 0


def two_sites(rows: Any, first_row: Any) -> Any:
    dropout = Dropout(7, tf.constant(3, tf.int64), first_row)
    return dropout(dropout(rows, 0.1), 0.4)


CALLS = {"eager": two_sites, "compiled": tf.function(two_sites, jit_compile=True)}


def slice_of(first: int, stop: int, how: str) -> np.ndarray:
    """What is left of rows first..stop of a batch of ones, computed as a micro-batch or a rank would."""
    return CALLS[how](ones(stop - first), tf.constant(first, tf.int64)).numpy()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_rate_is_met_and_the_rest_scaled_to_keep_the_mean(rate: float) -> None:
    dropout = Dropout(1, tf.constant(0, tf.int64), tf.constant(0, tf.int64))
    x = tf.fill([256, 4096], 2.0)
    out = dropout(x, rate).numpy()
    # 2**20 draws: five standard deviations of their mean.
    assert abs((out == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / out.size)
    np.testing.assert_allclose(out[out != 0], 2 / (1 - rate), rtol=2e-4)  # the rate is met to 1/65536
    assert len(np.unique(out)) == 2


@pytest.mark.parametrize(("how", "size"), [("eager", 1), ("eager", 3), ("compiled", 4)])
def test_slices_drop_what_the_whole_drops(how: str, size: int) -> None:
    parts = [slice_of(first, first + size, how) for first in range(0, ROWS, size)]
    np.testing.assert_array_equal(np.concatenate(parts), slice_of(0, ROWS, how))


def test_compiled_and_eager_drop_the_same() -> None:
    np.testing.assert_array_equal(slice_of(0, ROWS, "compiled"), slice_of(0, ROWS, "eager"))


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_all_precisions_drop_the_same(dtype: Any) -> None:
    def dropped(d: Any) -> np.ndarray:
        return Dropout(1, tf.constant(0, tf.int64), tf.constant(0, tf.int64))(ones(dtype=d), 0.3).numpy() == 0

    np.testing.assert_array_equal(dropped(dtype), dropped(tf.float32))


def test_steps_sites_and_seeds_are_independent_of_each_other() -> None:
    # Neighbours, and those whose keys would collide if step, site and seed were simply added up.
    settings: list[dict[str, int]] = [
        {"seed": 1, "step": 0, "site": 1},
        {"seed": 1, "step": 0, "site": 2},
        {"seed": 1, "step": 1, "site": 1},
        {"seed": 1, "step": 1, "site": 2},
        {"seed": 1, "step": 2, "site": 1},
        {"seed": 2, "step": 0, "site": 1},
        {"seed": 2, "step": 1, "site": 1},
    ]
    masks = {str(s): kept(**s) for s in settings}
    for (one, a), (other, b) in combinations(masks.items(), 2):
        # Two independent fair masks agree in half of the 2**16 places, with a standard deviation of 1/512.
        assert abs((a == b).mean() - 0.5) < 5 / 512, f"{one} and {other} are related"


def test_rows_and_places_within_a_row_are_independent() -> None:
    mask = kept()
    for shift in (1, 2, 4, 8, 16):
        assert abs((mask[:, shift:] == mask[:, :-shift]).mean() - 0.5) < 5 / 500
        assert abs((mask[shift:] == mask[:-shift]).mean() - 0.5) < 5 / 400


def test_rate_0_is_the_identity() -> None:
    x = ones()
    assert Dropout(1, tf.constant(0, tf.int64), tf.constant(0, tf.int64))(x, 0.0) is x
    assert no_dropout(x, 0.5) is x


def test_a_site_counts_even_where_nothing_is_dropped() -> None:
    # Or setting one rate to 0 would shuffle the masks of all other sites.
    def second(first_rate: float) -> np.ndarray:
        dropout = Dropout(1, tf.constant(0, tf.int64), tf.constant(0, tf.int64))
        dropout(ones(), first_rate)
        return dropout(ones(), 0.5).numpy()

    np.testing.assert_array_equal(second(0.0), second(0.5))


def test_a_row_that_is_no_multiple_of_a_block_is_refused() -> None:
    # Its rows would begin inside a block, and slices could not equal the whole.
    dropout = Dropout(1, tf.constant(0, tf.int64), tf.constant(0, tf.int64))
    with pytest.raises(ValueError, match="multiple of 8 numbers a row"):
        dropout(tf.ones([2, 3, 5]), 0.5)
