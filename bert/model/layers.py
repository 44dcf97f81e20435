"""The layers of a transformer as functions of (parameters, input). Shapes: B batch, S sequence, H hidden, N heads.

`x` has the compute dtype (float32, float16 or bfloat16); weights are float32 and cast where they are used; layer norm
and softmax are computed in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

Tensor = Any
Weights = Mapping[str, Tensor]
DropoutFn = Callable[[Tensor, float], Tensor]

LAYER_NORM_EPSILON = 1e-12  # google-research/bert, modeling.py
# Added to the scores of padding: large enough to vanish in a softmax, small enough for float16.
MASKED_SCORE = -10000.0


def dense(weights: Weights, name: str, x: Tensor) -> Tensor:
    """x W + b. x: (B, S, I) or (B, I) -> (..., O)."""
    kernel = tf.cast(weights[f"{name}/kernel"], x.dtype)
    flat = tf.matmul(tf.reshape(x, [-1, x.shape[-1]]), kernel) + tf.cast(weights[f"{name}/bias"], x.dtype)
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [kernel.shape[-1]]], 0)) if x.shape.rank > 2 else flat


def layer_norm(weights: Weights, name: str, x: Tensor) -> Tensor:
    """Normalise over the last axis, in float32."""
    wide = tf.cast(x, tf.float32)
    mean = tf.reduce_mean(wide, -1, keepdims=True)
    centred = wide - mean
    variance = tf.reduce_mean(tf.square(centred), -1, keepdims=True)
    scale = tf.math.rsqrt(variance + LAYER_NORM_EPSILON) * weights[f"{name}/LayerNorm/gamma"]
    return tf.cast(centred * scale + weights[f"{name}/LayerNorm/beta"], x.dtype)


def gelu(x: Tensor) -> Tensor:
    """Hendrycks & Gimpel 2016, tanh approximation, as google-research/bert has it."""
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1.0 + tf.tanh(inner))


def padding_bias(input_mask: Tensor) -> Tensor:
    """(B, S) 1 for tokens, 0 for padding -> (B, 1, 1, S) float32 to add to the attention scores."""
    return (1.0 - tf.cast(input_mask, tf.float32))[:, None, None, :] * MASKED_SCORE


def own_sequence_bias(input_mask: Tensor) -> Tensor:
    """(B, S) number of a token's sequence in its row, 0 for padding -> (B, 1, S, S) float32: it sees its own alone."""
    is_other = tf.not_equal(input_mask[:, :, None], input_mask[:, None, :])
    return tf.cast(is_other, tf.float32)[:, None] * MASKED_SCORE


def own_sequence_positions(input_mask: Tensor) -> Tensor:
    """(B, S) numbers as above, those of a sequence side by side -> (B, S) int32 place of each token in its sequence."""
    is_own = tf.equal(input_mask[:, :, None], input_mask[:, None, :])
    return tf.reduce_sum(tf.linalg.band_part(tf.cast(is_own, tf.int32), -1, 0), axis=-1) - 1


def self_attention(
    weights: Weights, name: str, x: Tensor, bias: Tensor, heads: int, rate: float, dropout: DropoutFn
) -> Tensor:
    """Multi-head self-attention (Vaswani et al. 2017, 3.2), before its output projection.

    x: (B, S, H); bias: (B, 1, 1 or S, S) float32; returns (B, S, H).
    """
    sequence, hidden = x.shape[1], x.shape[2]
    size = hidden // heads

    def split(part: str) -> Tensor:
        projected = dense(weights, f"{name}/{part}", x)
        return tf.transpose(tf.reshape(projected, [-1, sequence, heads, size]), [0, 2, 1, 3])

    query_BNSD, key_BNSD, value_BNSD = split("query"), split("key"), split("value")
    # Scaled before the product, so that float16 cannot overflow in it.
    scores_BNSS = tf.matmul(query_BNSD * tf.cast(1 / math.sqrt(size), x.dtype), key_BNSD, transpose_b=True)
    attention_BNSS = tf.cast(tf.nn.softmax(tf.cast(scores_BNSS, tf.float32) + bias), x.dtype)
    context_BNSD = tf.matmul(dropout(attention_BNSS, rate), value_BNSD)
    return tf.reshape(tf.transpose(context_BNSD, [0, 2, 1, 3]), [-1, sequence, hidden])
