"""Activation recomputation (Chen et al. 2016): memory for a layer's input alone, for a third more arithmetic.

The forward pass keeps the inputs of a function and forgets what it computed on the way; the backward pass computes that
again, once it has come there. The dropout of both is the same, since it follows from keys that are among the inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from bert.model.fused import barrier
from bert.model.tracing import holding

Tensor = Any

_wanted: ContextVar[bool] = ContextVar("recompute", default=False)


def recomputing(wanted: bool) -> AbstractContextManager[None]:
    """Whether what is traced inside recomputes."""
    return holding(_wanted, wanted)


def recomputed(
    function: Callable[[Mapping[str, Tensor], Tensor], Tensor], weights: Mapping[str, Tensor], x: Tensor
) -> Tensor:
    """function(weights, x), computed again in the backward pass where that is wanted.

    Args:
        weights: all that it uses, or it would be kept; floating, as x.
    """
    if not _wanted.get():
        return function(weights, x)

    @tf.custom_gradient
    def differentiable(x: Tensor, *values: Tensor) -> tuple[Tensor, Callable[[Tensor], list[Tensor]]]:
        def gradient(upstream: Tensor) -> list[Tensor]:
            # Not before the gradient is there, and not the forward pass's results: XLA would take those.
            with tf.control_dependencies([upstream]):
                inputs = [tf.identity(tensor) for tensor in (x, *values)]
            *inputs, upstream = barrier(*inputs, upstream)
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                out = function(dict(zip(weights, inputs[1:], strict=True)), inputs[0])
            gradients: list[Tensor] = tape.gradient(out, inputs, upstream)
            return gradients

        return function(dict(zip(weights, values, strict=True)), x), gradient

    return differentiable(x, *(tf.convert_to_tensor(w) for w in weights.values()))
