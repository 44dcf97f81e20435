"""Fused self-attention on a GPU: cuDNN's kernels, as custom calls that XLA knows by name.

Plain attention writes the scores of all pairs of tokens to memory, (B, N, S, S), several times in each direction; a
fused kernel (Dao et al. 2022) keeps a tile of them on the chip and the backward pass computes them again. TensorFlow
offers no such operation. XLA has it, for programs of JAX: a custom call of a name that begins with `__cudnn$fmha`
becomes a cuDNN graph. What such a call looks like is written down nowhere but in its two users,
jax/_src/cudnn/fused_attention_stablehlo.py and xla/service/gpu/transforms/cudnn_custom_call_compiler.cc, and may change
with either; this file holds all that we know of it.

The calls (B batch, N heads, S length, D size of a head; Q, K, V, O and their gradients (B, N, S, D), row-major):

    __cudnn$fmhaSoftmax          Q, K, V, lengths of Q, of K                 -> O, statistics, workspace
    __cudnn$fmhaSoftmaxBackward  Q, K, V, statistics, dO, O, both lengths    -> dQ, dK, dV, workspace

- The statistics are the logarithms of the softmax's divisors, (B, N, S) float32.
- The workspace is uint8 (0,): XLA asks cuDNN how much it takes, and enlarges it.
- Lengths, (B,) int32, are those of mask type PADDING: a key at or behind its row's length has the weight 0. That of the
  queries is S throughout: what stands at padding is computed like the rest, as plain attention does, and is no memory
  that nobody wrote. A row without any token counts as one of one token, or its softmax would be 0/0.
- Rows of several sequences would be segments with offsets, on Hopper only; they take plain attention.
- The configuration is a protocol buffer as JSON, whose int64 are strings. `dimension numbers` are those of the matrix
  products inside, two of the forward and four of the backward pass, with batch dimensions B and N. The algorithm is
  a form that the parser wants filled; cuDNN's own heuristics choose.
- The backward pass adds up dQ in the order in which blocks end. `force_deterministic` asks for the same bits each time,
  but that program failed when it was run (JAX 0.11.2, H100): so this is for trainings that need not have them.
- float16 and bfloat16 alone; D a multiple of 8, of at most 128; Ampere (compute capability 8.0) or later.

There is dropout of the weights in these kernels, but by a generator of their own, which knows no (seed, step, row): K
micro-batches would not drop what one batch does (bert/model/dropout.py). So fused attention is for a rate of 0.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, Literal

import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops

from bert.model.tracing import holding

Tensor = Any
DTYPES = {"float16": "F16", "bfloat16": "BF16"}
CAPABILITY = (8, 0)
MAX_HEAD_SIZE, HEAD_SIZE_STEP = 128, 8

# (left, right) contracted dimension of each matrix product, by its key in the configuration.
_FORWARD = {"bmm1": (3, 3), "bmm2": (3, 2)}
_BACKWARD = {"bmm1_grad_gemm1": (2, 2), "bmm1_grad_gemm2": (3, 2), "bmm2_grad_gemm1": (2, 2), "bmm2_grad_gemm2": (3, 3)}

Attention = Literal["plain", "fused"]

_wanted: ContextVar[Attention] = ContextVar("attention", default="plain")


def attending(attention: Attention) -> AbstractContextManager[None]:
    """How what is traced inside attends: where by fused attention, without dropout of its weights."""
    return holding(_wanted, attention)


def fuses_attention() -> bool:
    """Whether what is traced now shall use fused attention."""
    return _wanted.get() == "fused"


def _configuration(shape: Any, dtype: Any, products: dict[str, tuple[int, int]]) -> str:
    """What XLA parses as a GpuBackendConfig. products: _FORWARD or _BACKWARD."""
    batch, heads, length, _ = shape
    settings: dict[str, Any] = {
        "algorithm": {
            "algo_id": "0",
            "math_type": "TENSOR_OP_MATH",
            "tuning_knobs": {"17": "1", "24": "0"},
            "is_cudnn_frontend": True,
            "workspace_size": "0",
        },
        "fmha_scale": 1.0,
        "intermediate_tensor_shape": {  # of the scores
            "element_type": DTYPES[dtype.name],
            "dimensions": [str(batch), str(heads), str(length), str(length)],
            "tuple_shapes": [],
            "layout": {"minor_to_major": ["3", "2", "1", "0"]},
            "is_dynamic_dimension": [False] * 4,
        },
        "is_flash_attention": True,
        "mask_type": "PADDING",
        "dropout_rate": 0.0,
        "seed": 42,
        "sliding_window_length": 0,
        "max_seg_per_batch": 1,
        "is_paged_attention": False,
    }
    for name, (left, right) in products.items():
        settings[f"{name}_dot_dimension_numbers"] = {
            "lhs_contracting_dimensions": [str(left)],
            "rhs_contracting_dimensions": [str(right)],
            "lhs_batch_dimensions": ["0", "1"],
            "rhs_batch_dimensions": ["0", "1"],
        }
    return json.dumps({"operation_queue_id": "0", "cudnn_fmha_backend_config": settings})


def _call(target: str, operands: list[Tensor], configuration: str, results: list[tuple[Any, Any]]) -> list[Tensor]:
    """The custom call. results: (dtype, shape) of each but the workspace, which is left out of what returns."""
    found = gen_xla_ops.xla_custom_call_v2(
        operands=operands,
        call_target_name=target,
        backend_config=configuration,
        has_side_effect=False,
        result_dtypes=[*(dtype for dtype, _ in results), tf.uint8],
        result_shapes=[*(tf.TensorShape(shape) for _, shape in results), tf.TensorShape([0])],
    )
    return list(found[:-1])


def fused_attention(query: Tensor, key: Tensor, value: Tensor, lengths: Tensor) -> Tensor:
    """softmax(Q K') V over the keys within each row's length; differentiable, inside a program of XLA alone.

    Args:
        query, key, value: (B, N, S, D) float16 or bfloat16, of a static shape; the query scaled already.
        lengths: (B,) int32, of the tokens before the padding of each row.

    Returns:
        (B, N, S, D) of the same dtype.
    """
    shape = tf.TensorShape([lengths.shape[0], *query.shape[1:]])
    dtype = query.dtype
    of_keys = tf.maximum(lengths, 1)
    of_queries = tf.fill([shape[0]], tf.constant(shape[2], tf.int32))

    @tf.custom_gradient
    def attend(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Any]:
        context, statistics = _call(
            "__cudnn$fmhaSoftmax",
            [query, key, value, of_queries, of_keys],
            _configuration(shape, dtype, _FORWARD),
            [(dtype, shape), (tf.float32, shape[:3])],
        )

        def gradient(upstream: Tensor) -> list[Tensor]:
            return _call(
                "__cudnn$fmhaSoftmaxBackward",
                [query, key, value, statistics, upstream, context, of_queries, of_keys],
                _configuration(shape, dtype, _BACKWARD),
                [(dtype, shape)] * 3,
            )

        return context, gradient

    return attend(query, key, value)
