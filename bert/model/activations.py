"""What stands between the two products of a layer's wide part: `hidden_act`. In float32 at least."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from bert.model.config import Activation
from bert.model.fused import fused, stored

Tensor = Any


_TANH_SCALE, _CUBE = math.sqrt(2 / math.pi), 0.044715


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


def _differentiable(forward: Callable[..., Tensor], slope: Callable[..., Tensor]) -> Callable[[Tensor], Tensor]:
    """An activation and its derivative, each one pass over memory: two where XLA derives the one from the other."""
    forward_pass = fused(lambda x: tf.cast(forward(_wide(x)), x.dtype))
    backward_pass = fused(lambda x, upstream: tf.cast(_wide(upstream) * slope(_wide(x)), x.dtype))

    @tf.custom_gradient
    def activation(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        return forward_pass(x), lambda upstream: stored(backward_pass(x, upstream))[0]

    return activation


def _gelu(x: Tensor) -> Tensor:
    return 0.5 * x * (1.0 + tf.tanh(_TANH_SCALE * (x + _CUBE * tf.pow(x, 3.0))))


def _gelu_slope(x: Tensor) -> Tensor:
    tanh = tf.tanh(_TANH_SCALE * (x + _CUBE * x * x * x))
    return 0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * _TANH_SCALE * (1.0 + 3.0 * _CUBE * x * x)


def _gelu_erf(x: Tensor) -> Tensor:
    return 0.5 * x * (1.0 + tf.math.erf(x * math.sqrt(0.5)))


def _gelu_erf_slope(x: Tensor) -> Tensor:
    return 0.5 * (1.0 + tf.math.erf(x * math.sqrt(0.5))) + x * tf.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


gelu = _differentiable(_gelu, _gelu_slope)
"""Hendrycks & Gimpel 2016, tanh approximation, as google-research/bert has it."""
gelu_erf = _differentiable(_gelu_erf, _gelu_erf_slope)
"""Hendrycks & Gimpel 2016, x times the normal distribution's P(X <= x): Hugging Face's `gelu`."""
relu = tf.nn.relu

ACTIVATIONS: Mapping[Activation, Callable[[Tensor], Tensor]] = {"gelu": gelu, "gelu_erf": gelu_erf, "relu": relu}
