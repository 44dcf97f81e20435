"""Tests for bert/model/activations.py, against the definitions in float64."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from bert.model.activations import ACTIVATIONS, gelu, gelu_erf
from bert.model.config import Activation
from tests.model import reference

X = np.linspace(-6, 6, 121)
ROOT = math.sqrt(2 / math.pi)


def derivative(name: str) -> np.ndarray:
    """By hand."""
    if name == "relu":
        return (X > 0).astype(np.float64)
    if name == "gelu_erf":  # P(x) + x p(x), of the normal distribution
        return (1 + np.vectorize(math.erf)(X / math.sqrt(2))) / 2 + X * np.exp(-(X**2) / 2) / math.sqrt(2 * math.pi)
    tanh = np.tanh(ROOT * (X + 0.044715 * X**3))
    return (1 + tanh) / 2 + X / 2 * (1 - tanh**2) * ROOT * (1 + 3 * 0.044715 * X**2)


@pytest.mark.parametrize("name", get_args(Activation))
def test_each_activation_and_its_gradient_are_those_of_its_definition(name: Activation) -> None:
    for dtype, atol in ((tf.float64, 1e-12), (tf.float32, 4e-6)):
        x = tf.constant(X, dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = ACTIVATIONS[name](x)
        np.testing.assert_allclose(y, getattr(reference, name)(X), rtol=0, atol=atol)
        np.testing.assert_allclose(tape.gradient(y, x), derivative(name), rtol=0, atol=atol)


def test_the_tanh_approximation_is_not_the_error_function() -> None:
    # They differ by up to 5e-4; Google's checkpoints are trained with the approximation, most others with the latter.
    x = tf.constant(X)
    assert 1e-4 < np.abs(gelu(x) - gelu_erf(x)).max() < 1e-3


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
@pytest.mark.parametrize("name", get_args(Activation))
def test_half_precision_is_rounded_once(name: Activation, dtype: tf.DType) -> None:
    x = tf.constant(X, dtype)
    np.testing.assert_array_equal(ACTIVATIONS[name](x), tf.cast(ACTIVATIONS[name](tf.cast(x, tf.float32)), dtype))
