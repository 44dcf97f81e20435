"""What stands between the matrix products, each function fused by XLA to few passes over memory.

On a CPU, oneDNN's matrix products are faster than those of XLA, and XLA's loops are faster than a pass of TensorFlow
for each operation. So a step may be left to TensorFlow, with these functions compiled by XLA inside it. The backward
pass of one starts from its inputs, and computes again what it needs: nothing else is kept.
Where XLA compiles the whole step, or nothing, a fused function is an ordinary one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Literal

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla as xla_ops

from bert.model.tracing import holding

Tensor = Any
Xla = bool | Literal["fused"]
"""What XLA compiles: the whole of what is run at a time, its fused functions, or nothing."""

_traced_for: ContextVar[Xla] = ContextVar("traced_for", default=False)


def barrier(*tensors: Tensor) -> list[Tensor]:
    """The tensors, which XLA then computes as they stand: it neither merges nor moves operations across."""
    return list(xla_ops.optimization_barrier(*tensors)) if _traced_for.get() is True else list(tensors)


def compile_by(xla: Xla, function: Callable[..., Any]) -> Any:
    """`function` as a tf.function of which XLA compiles all, the fused functions, or nothing.

    Without AutoGraph, which would take longer to look for conditions in all that is called than it takes to trace it:
    what depends on a tensor is a tf.cond or a tf.while_loop.
    """

    def traced(*args: Any) -> Any:
        with holding(_traced_for, xla):
            return function(*args)

    return tf.function(traced, jit_compile=xla is True, autograph=False)


def fused(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Fuse `function` of (tensors..., static keyword arguments) -> tensor.

    Integer arguments have no gradient; a tensor may be None.
    """

    @functools.cache
    def compiled(**static: Any) -> tuple[Any, Any]:
        @tf.function(jit_compile=True, autograph=False)
        def forward(*inputs: Tensor) -> Tensor:
            with holding(_traced_for, True):
                return function(*inputs, **static)

        @tf.function(jit_compile=True, autograph=False)
        def backward(inputs: tuple[Tensor, ...], upstream: Tensor) -> list[Tensor]:
            with holding(_traced_for, True), tf.GradientTape() as tape:
                tape.watch([x for x in inputs if x is not None and x.dtype.is_floating])
                out = function(*inputs, **static)
            wanted = [x for x in inputs if x is not None and x.dtype.is_floating]
            gradients: list[Tensor] = tape.gradient(out, wanted, upstream)
            return gradients

        return forward, backward

    @functools.wraps(function)
    def call(*inputs: Tensor, **static: Any) -> Tensor:
        if _traced_for.get() != "fused":
            return function(*inputs, **static)
        forward, backward = compiled(**static)
        given = [None if x is None else tf.convert_to_tensor(x) for x in inputs]
        present = [x for x in given if x is not None]

        def with_none(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            waiting = iter(tensors)
            return tuple(None if x is None else next(waiting) for x in given)

        @tf.custom_gradient
        def differentiable(*tensors: Tensor) -> tuple[Tensor, Callable[[Tensor], list[Tensor]]]:
            def gradient(upstream: Tensor) -> list[Tensor]:
                found = iter(backward(with_none(tensors), upstream))
                return [next(found) if x.dtype.is_floating else None for x in tensors]

            return forward(*with_none(tensors)), gradient

        return differentiable(*present)

    return call
