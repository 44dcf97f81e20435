"""The layers of a transformer as functions of (parameters, input). Shapes: B batch, S sequence, H hidden, N heads.

`x` has the compute dtype (float32, float16 or bfloat16); weights are float32 and cast where they are used; layer norm
and softmax are computed in float32.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from bert.model.cudnn_attention import fused_attention
from bert.model.dropout import drop
from bert.model.fused import fused

Tensor = Any
Weights = Mapping[str, Tensor]

# Added to the scores of padding: large enough to vanish in a softmax, small enough for float16.
MASKED_SCORE = -10000.0


@tf.custom_gradient
def _product(x: Tensor, kernel: Tensor) -> tuple[Tensor, Any]:
    """x W. The weights' gradient, for which nothing waits, comes after that of x, for which the layer below does.

    On a CPU it then runs beside that layer's fused functions, each of which takes one core (bert/model/fused.py).
    """

    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
        of_x = tf.matmul(upstream, kernel, transpose_b=True)
        with tf.control_dependencies([of_x]):
            return of_x, tf.matmul(x, upstream, transpose_a=True)

    return tf.matmul(x, kernel), gradient


def sequence_length(x: Tensor) -> Any:
    """S of (B, S, ...): a number; where rows of any length may come, a tensor."""
    return tf.shape(x)[1] if x.shape[1] is None else x.shape[1]


def dense(weights: Weights, name: str, x: Tensor) -> Tensor:
    """x W + b. x: (B, S, I) or (B, I) -> (..., O)."""
    kernel = tf.cast(weights[f"{name}/kernel"], x.dtype)
    flat = tf.nn.bias_add(_product(tf.reshape(x, [-1, x.shape[-1]]), kernel), tf.cast(weights[f"{name}/bias"], x.dtype))
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [kernel.shape[-1]]], 0)) if x.shape.rank > 2 else flat


def _normalise(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float, dtype: Any) -> Tensor:
    """Layer normalisation (Ba et al. 2016) of x (..., H) float32, -> (..., H) of `dtype`."""
    centred = x - tf.reduce_mean(x, -1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), -1, keepdims=True)
    return tf.cast(centred * (tf.math.rsqrt(variance + epsilon) * gamma) + beta, dtype)


@fused
def _norm(x: Tensor, gamma: Tensor, beta: Tensor, *, epsilon: float) -> Tensor:
    return _normalise(tf.cast(x, tf.float32), gamma, beta, epsilon, x.dtype)


@fused
def _drop_add_norm(
    x: Tensor, update: Tensor, keys: Tensor | None, gamma: Tensor, beta: Tensor, *, rate: float, epsilon: float
) -> Tensor:
    total = tf.cast(x, tf.float32) + drop(tf.cast(update, tf.float32), keys, rate)
    return _normalise(total, gamma, beta, epsilon, x.dtype)


def layer_norm(weights: Weights, name: str, x: Tensor, epsilon: float) -> Tensor:
    """Normalise over the last axis, in float32. epsilon: what is added to the variance."""
    return _norm(x, weights[f"{name}/LayerNorm/gamma"], weights[f"{name}/LayerNorm/beta"], epsilon=epsilon)


def add_and_norm(
    weights: Weights, name: str, x: Tensor, update: Tensor, keys: Tensor | None, rate: float, epsilon: float
) -> Tensor:
    """Layer norm of x + dropout(update), both (B, S, H), in float32."""
    gamma, beta = weights[f"{name}/LayerNorm/gamma"], weights[f"{name}/LayerNorm/beta"]
    return _drop_add_norm(x, update, keys, gamma, beta, rate=rate, epsilon=epsilon)


@fused
def attention_weights(scores: Tensor, bias: Tensor, keys: Tensor | None, *, rate: float) -> Tensor:
    """Dropout of the softmax of scores + bias, in float32. (B, N, S, S) -> the same."""
    return tf.cast(drop(tf.nn.softmax(tf.cast(scores, tf.float32) + bias), keys, rate), scores.dtype)


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


def plain_attention(
    query_BNSD: Tensor, key_BNSD: Tensor, value_BNSD: Tensor, bias: Tensor, rate: float, keys: Tensor | None
) -> Tensor:
    """Dropout(softmax(Q K' / sqrt(D) + bias)) V, over the whole (B, N, S, S) scores. -> (B, N, S, D)."""
    # Scaled before the product, so that float16 cannot overflow in it.
    scale = tf.cast(1 / math.sqrt(query_BNSD.shape[-1]), query_BNSD.dtype)
    scores_BNSS = tf.matmul(query_BNSD * scale, key_BNSD, transpose_b=True)
    return tf.matmul(attention_weights(scores_BNSS, bias, keys, rate=rate), value_BNSD)


def self_attention(
    weights: Weights,
    name: str,
    x: Tensor,
    bias: Tensor,
    heads: int,
    rate: float,
    keys: Tensor | None,
    lengths: Tensor | None = None,
) -> Tensor:
    """Multi-head self-attention (Vaswani et al. 2017, 3.2), before its output projection.

    x: (B, S, H); bias: (B, 1, 1 or S, S) float32; returns (B, S, H).
    lengths: (B,) int32, where cuDNN shall attend: the bias of each row then says no more than its length.
    """
    sequence, hidden = sequence_length(x), x.shape[2]
    size = hidden // heads

    def split(part: str) -> Tensor:
        projected = dense(weights, f"{name}/{part}", x)
        return tf.transpose(tf.reshape(projected, [-1, sequence, heads, size]), [0, 2, 1, 3])

    query_BNSD, key_BNSD, value_BNSD = split("query"), split("key"), split("value")
    if lengths is not None:
        context_BNSD = fused_attention(query_BNSD, key_BNSD, value_BNSD, lengths)
    else:
        context_BNSD = plain_attention(query_BNSD, key_BNSD, value_BNSD, bias, rate, keys)
    return tf.reshape(tf.transpose(context_BNSD, [0, 2, 1, 3]), [-1, sequence, hidden])
