"""What stands between the two products of a layer's wide part: `hidden_act`. In float32 at least."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from bert.model.config import Activation
from bert.model.fused import fused

Tensor = Any


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


@fused
def gelu(x: Tensor) -> Tensor:
    """Hendrycks & Gimpel 2016, tanh approximation, as google-research/bert has it."""
    wide = _wide(x)
    inner = math.sqrt(2 / math.pi) * (wide + 0.044715 * wide * wide * wide)
    return tf.cast(0.5 * wide * (1.0 + tf.tanh(inner)), x.dtype)


@fused
def gelu_erf(x: Tensor) -> Tensor:
    """Hendrycks & Gimpel 2016, x times the normal distribution's P(X <= x): Hugging Face's `gelu`."""
    wide = _wide(x)
    return tf.cast(0.5 * wide * (1.0 + tf.math.erf(wide * math.sqrt(0.5))), x.dtype)


@fused
def relu(x: Tensor) -> Tensor:
    return tf.nn.relu(x)


ACTIVATIONS: Mapping[Activation, Callable[[Tensor], Tensor]] = {"gelu": gelu, "gelu_erf": gelu_erf, "relu": relu}
