"""Tests for bert/model/sums.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.model.fused import Xla, compile_by, for_gpu
from bert.model.sums import column_sum, row_mean

X = np.random.default_rng(0).normal(size=(3, 5, 7)).astype(np.float32)


@pytest.mark.parametrize("xla", [False, "fused", True])
@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16, tf.float64])
def test_sums_are_those_of_numpy(xla: Xla, dtype: Any) -> None:
    x = tf.cast(X, dtype)
    exact = x.numpy().astype(np.float64)
    means, sums = compile_by(xla, lambda x: (row_mean(x), column_sum(x)))(x)
    tolerance = 2e-2 if dtype == tf.bfloat16 else 1e-5
    np.testing.assert_allclose(tf.cast(means, tf.float64), exact.mean(-1, keepdims=True), atol=tolerance)
    np.testing.assert_allclose(tf.cast(sums, tf.float64), exact.sum((0, 1)), atol=4 * tolerance)
    assert sums.dtype == (tf.float64 if dtype == tf.float64 else tf.float32)


def test_a_gpu_may_compute_on_the_way_what_it_adds_up() -> None:
    def operations(gpu: bool) -> set[str]:
        function = compile_by(True, lambda x: row_mean(x * x))
        if not gpu:
            return {o.type for o in function.get_concrete_function(tf.constant(X)).graph.get_operations()}
        with for_gpu():
            return {o.type for o in function.get_concrete_function(tf.constant(X)).graph.get_operations()}

    assert "XlaOptimizationBarrier" in operations(gpu=False) and "XlaOptimizationBarrier" not in operations(gpu=True)
