"""Tests for bert/model/dropout.py."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.model.dropout import Dropout, NoDropout, Sites, drop

ROWS, SHAPE = 12, (4, 16)  # (B, S, H) as in the embeddings


def ones(rows: int = ROWS, dtype: Any = tf.float32) -> Any:
    return tf.ones([rows, *SHAPE], dtype)


def sites_of(rows: int, first_row: Any = 0, seed: int = 1, step: int = 0) -> Dropout:
    return Dropout(seed, tf.constant(step, tf.int64), tf.cast(first_row, tf.int64), rows)


def kept(seed: int = 1, step: int = 0, site: int = 1, rate: float = 0.5) -> np.ndarray:
    """Which of 2**16 numbers survive, as booleans."""
    sites = sites_of(64, seed=seed, step=step)
    for _ in range(site):
        keys = sites.site()
    return drop(tf.ones([64, 1024]), keys, rate).numpy() != 0


def two_sites(rows: Any, first_row: Any) -> Any:
    sites = sites_of(rows.shape[0], first_row, seed=7, step=3)
    return drop(drop(rows, sites.site(), 0.1), sites.site(), 0.4)


CALLS = {"eager": two_sites, "compiled": tf.function(two_sites, jit_compile=True)}


def slice_of(first: int, stop: int, how: str) -> np.ndarray:
    """What is left of rows first..stop of a batch of ones, computed as a micro-batch or a rank would."""
    return CALLS[how](ones(stop - first), tf.constant(first, tf.int64)).numpy()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_rate_is_met_and_the_rest_scaled_to_keep_the_mean(rate: float) -> None:
    out = drop(tf.fill([256, 4096], 2.0), sites_of(256).site(), rate).numpy()
    # 2**20 draws: five standard deviations of their mean.
    assert abs((out == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / out.size)
    np.testing.assert_allclose(out[out != 0], 2 / (1 - rate), rtol=1e-6)
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
        return drop(ones(dtype=d), sites_of(ROWS).site(), 0.3).numpy() == 0

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


def test_each_bit_of_a_place_changes_half_of_the_numbers() -> None:
    # Places are small numbers side by side: a poor hash would show them as stripes.
    mask = kept().reshape(-1)
    for bit in range(10):
        partner = np.arange(mask.size) ^ (1 << bit)
        assert abs((mask == mask[partner]).mean() - 0.5) < 5 / 256, f"bit {bit}"


def test_a_mask_has_no_pattern_in_its_spectrum() -> None:
    # Of white noise the power at a frequency is exponentially distributed: none of 2**15 is over 18 times the mean.
    signal = kept().reshape(-1) - 0.5
    power = np.abs(np.fft.rfft(signal))[1:] ** 2
    assert power.max() < 18 * power.mean()


def test_rate_0_and_evaluation_are_the_identity() -> None:
    x = ones()
    evaluation: Sites = NoDropout()
    assert drop(x, sites_of(ROWS).site(), 0.0) is x
    assert drop(x, evaluation.site(), 0.5) is x


def test_rows_of_any_size_are_dropped_place_by_place() -> None:
    # The number of a place is that in the flattened row, whatever its axes are.
    keys = sites_of(2).site()
    np.testing.assert_array_equal(
        drop(tf.ones([2, 3, 5, 7]), keys, 0.5).numpy().reshape(2, -1), drop(tf.ones([2, 105]), keys, 0.5).numpy()
    )


def test_places_are_no_constant_of_the_compiled_program() -> None:
    # As a constant they are 4 bytes a number of a row, at every site of every layer: 0.26 MB of text here, once.
    @tf.function(jit_compile=True, autograph=False)
    def dropped(x: Any, step: Any) -> Any:
        return drop(x, Dropout(1, step, tf.constant(0, tf.int64), 2).site(), 0.1)

    device = tf.config.list_logical_devices("CPU")[0].name
    x, step = tf.ones([2, 4, 64, 128]), tf.constant(0, tf.int64)
    program = dropped.experimental_get_compiler_ir(x, step)("stablehlo", device)
    assert len(program) < 20_000
