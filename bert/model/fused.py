"""What stands between the matrix products, each function fused by XLA to few passes over memory.

On a CPU, oneDNN's matrix products are faster than those of XLA, and XLA's loops are faster than a pass of TensorFlow
for each operation. So a step may be left to TensorFlow, with these functions compiled by XLA inside it. They have no
gradient of their own: who calls one is a tf.custom_gradient, whose backward pass is another.
Where XLA compiles the whole step, or nothing, a fused function is an ordinary one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, Literal

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla as xla_ops

from bert.model.tracing import holding

Tensor = Any
Xla = bool | Literal["fused"]
"""What XLA compiles: the whole of what is run at a time, its fused functions, or nothing."""

_traced_for: ContextVar[Xla] = ContextVar("traced_for", default=False)
_for_gpu: ContextVar[bool | None] = ContextVar("for_gpu", default=None)


def fusing() -> bool:
    """Whether what is traced is left to TensorFlow, but for its fused functions."""
    return _traced_for.get() == "fused"


def loops_on_cpu() -> bool:
    """Whether what is traced is compiled by XLA for a CPU."""
    on_gpu = _for_gpu.get()
    if on_gpu is None:
        on_gpu = bool(tf.config.list_physical_devices("GPU"))
    return _traced_for.get() is True and not on_gpu


def for_gpu() -> AbstractContextManager[None]:
    """What is traced inside will run on a GPU, also where there is none to compile it."""
    return holding(_for_gpu, True)


def barrier(*tensors: Tensor) -> list[Tensor]:
    """The tensors, which XLA then computes as they stand: it neither merges nor moves operations across."""
    return list(xla_ops.optimization_barrier(*tensors)) if _traced_for.get() is True else list(tensors)


def stored(*tensors: Tensor) -> list[Tensor]:
    """The tensors, of one dtype, which XLA writes in it where that is of half precision and the step is for a GPU.

    Left to itself it drops a cast to bfloat16 and back, writes the float32 numbers in between for those who read them,
    and bfloat16 beside them for the matrix products: in a step of BERT-large 15 % of all bytes.
    """
    return barrier(*tensors) if tensors[0].dtype.size == 2 and not loops_on_cpu() else list(tensors)


def compile_by(xla: Xla, function: Callable[..., Any]) -> Any:
    """`function` as a tf.function of which XLA compiles all, the fused functions, or nothing.

    Without AutoGraph, which would take longer to look for conditions in all that is called than it takes to trace it:
    what depends on a tensor is a tf.cond or a tf.while_loop.
    """

    def traced(*args: Any) -> Any:
        with holding(_traced_for, xla):
            return function(*args)

    return tf.function(traced, jit_compile=xla is True, autograph=False)


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """Fuse `function` of (tensors..., static keyword arguments) -> tensors. A tensor may be None."""

    @functools.cache
    def compiled(**static: Any) -> Any:
        return compile_by(True, functools.partial(function, **static))

    @functools.wraps(function)
    def call(*inputs: Tensor, **static: Any) -> Any:
        if not fusing():
            return function(*inputs, **static)
        return compiled(**static)(*inputs)

    return call
