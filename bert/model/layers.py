"""The layers of a transformer as functions of (parameters, input). Shapes: B batch, S sequence, H hidden, N heads.

`x` has the compute dtype (float32, float16 or bfloat16); weights are float32 and cast where they are used; layer norm
and softmax are computed in float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from bert.model.cudnn_attention import fused_attention
from bert.model.dropout import drop
from bert.model.fused import fused, stored
from bert.model.sums import column_sum, row_mean

Tensor = Any
Weights = Mapping[str, Tensor]

# Added to the scores of padding: large enough to vanish in a softmax, small enough for float16.
MASKED_SCORE = -10000.0


@tf.custom_gradient
def _affine(x: Tensor, kernel: Tensor, bias: Tensor) -> tuple[Tensor, Any]:
    """x W + b. The weights' gradient, for which nothing waits, comes after that of x, for which the layer below does.

    On a CPU it then runs beside that layer's fused functions (bert/model/fused.py).
    """

    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        of_x = tf.matmul(upstream, kernel, transpose_b=True)
        with tf.control_dependencies([of_x]):
            of_bias = tf.cast(column_sum(upstream), bias.dtype)
            return of_x, tf.matmul(x, upstream, transpose_a=True), of_bias

    return tf.nn.bias_add(tf.matmul(x, kernel), bias), gradient


def sequence_length(x: Tensor) -> Any:
    """S of (B, S, ...): a number; where rows of any length may come, a tensor."""
    return tf.shape(x)[1] if x.shape[1] is None else x.shape[1]


def _dense(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    flat = _affine(tf.reshape(x, [-1, x.shape[-1]]), tf.cast(kernel, x.dtype), tf.cast(bias, x.dtype))
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [kernel.shape[-1]]], 0)) if x.shape.rank > 2 else flat


def dense(weights: Weights, name: str, x: Tensor) -> Tensor:
    """x W + b. x: (B, S, I) or (B, I) -> (..., O)."""
    return _dense(x, weights[f"{name}/kernel"], weights[f"{name}/bias"])


def _total(x: Tensor, update: Tensor | None, keys: Tensor | None, rate: float) -> Tensor:
    wide = tf.cast(x, tf.float32)
    return wide if update is None else wide + drop(tf.cast(update, tf.float32), keys, rate)


@fused
def _norm(
    x: Tensor, update: Tensor | None, keys: Tensor | None, gamma: Tensor, beta: Tensor, *, rate: float, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Layer normalisation (Ba et al. 2016) of x + dropout(update), its mean and 1 / its deviation, (..., 1) float32."""
    total = _total(x, update, keys, rate)
    mean = row_mean(total)
    scale = tf.math.rsqrt(row_mean(tf.math.squared_difference(total, mean)) + epsilon)
    # In this form other compilers know it, see bert/inference/openvino.py.
    factor = scale * gamma
    return tf.cast(total * factor + (beta - mean * factor), x.dtype), mean, scale


@fused
def _norm_gradient(
    upstream: Tensor,
    x: Tensor,
    update: Tensor | None,
    keys: Tensor | None,
    gamma: Tensor,
    mean: Tensor,
    scale: Tensor,
    *,
    rate: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Of x, of update, and what sums up to gamma's. With n = (x + dropout(update) - mean) scale, and g the upstream:

    scale (g gamma - E[g gamma] - n E[g gamma n]), its dropout, g n.
    """
    normal = (_total(x, update, keys, rate) - mean) * scale
    wide = tf.cast(upstream, tf.float32)
    scaled = wide * gamma
    of_x = tf.cast(scale * (scaled - row_mean(scaled) - normal * row_mean(scaled * normal)), x.dtype)
    of_update = tf.cast(drop(tf.cast(stored(of_x)[0], tf.float32), keys, rate), x.dtype)
    return of_x, of_update, tf.cast(wide * normal, x.dtype)


def _add_and_norm(
    weights: Weights, name: str, x: Tensor, update: Tensor | None, keys: Tensor | None, rate: float, epsilon: float
) -> Tensor:
    @tf.custom_gradient
    def normalised(x: Tensor, gamma: Tensor, beta: Tensor, *updates: Tensor) -> tuple[Tensor, Any]:
        y, mean, scale = _norm(x, *updates or [None], keys, gamma, beta, rate=rate, epsilon=epsilon)

        def gradient(upstream: Tensor) -> tuple[Tensor, ...]:
            found = _norm_gradient(upstream, x, *updates or [None], keys, gamma, mean, scale, rate=rate)
            of_x, of_update, product = found
            of_x, of_update = stored(of_x, of_update)
            return (of_x, column_sum(product), column_sum(upstream), of_update)[: 3 + len(updates)]

        return stored(y)[0], gradient

    gamma, beta = (tf.convert_to_tensor(weights[f"{name}/LayerNorm/{part}"]) for part in ("gamma", "beta"))
    return normalised(x, gamma, beta, *() if update is None else (update,))


def layer_norm(weights: Weights, name: str, x: Tensor, epsilon: float) -> Tensor:
    """Normalise over the last axis, in float32. epsilon: what is added to the variance."""
    return _add_and_norm(weights, name, x, None, None, 0.0, epsilon)


def add_and_norm(
    weights: Weights, name: str, x: Tensor, update: Tensor, keys: Tensor | None, rate: float, epsilon: float
) -> Tensor:
    """Layer norm of x + dropout(update), both (B, S, H), in float32."""
    return _add_and_norm(weights, name, x, update, keys, rate, epsilon)


@fused
def _softmax(scores: Tensor, bias: Tensor, keys: Tensor | None, *, rate: float) -> tuple[Tensor, Tensor]:
    """The softmax of scores + bias, in float32, and its dropout."""
    weights = tf.nn.softmax(tf.cast(scores, tf.float32) + bias)
    return tf.cast(weights, scores.dtype), tf.cast(drop(weights, keys, rate), scores.dtype)


@fused
def _softmax_gradient(upstream: Tensor, weights: Tensor, keys: Tensor | None, *, rate: float) -> Tensor:
    """w (d - sum of w d), d being the dropout of the upstream: what the scores owe."""
    wide = tf.cast(weights, tf.float32)
    dropped = drop(tf.cast(upstream, tf.float32), keys, rate)
    mean = row_mean(wide * dropped) * tf.cast(tf.shape(wide)[-1], tf.float32)
    return tf.cast(wide * (dropped - mean), upstream.dtype)


def attention_weights(scores: Tensor, bias: Tensor, keys: Tensor | None, *, rate: float) -> Tensor:
    """Dropout of the softmax of scores + bias, in float32. (B, N, S, S) -> the same. The bias has no gradient.

    The softmax is kept for the backward pass, and not the scores.
    """

    @tf.custom_gradient
    def attended(scores: Tensor) -> tuple[Tensor, Any]:
        weights, dropped = _softmax(scores, bias, keys, rate=rate)
        return dropped, lambda upstream: _softmax_gradient(upstream, weights, keys, rate=rate)

    return attended(scores)


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
    """Dropout(softmax(Q K' + bias)) V, over the whole (B, N, S, S) scores. Q is scaled already. -> (B, N, S, D)."""
    scores_BNSS = tf.matmul(query_BNSD, key_BNSD, transpose_b=True)
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

    weights: compute_weights. x: (B, S, H); bias: (B, 1, 1 or S, S) float32; returns (B, S, H).
    lengths: (B,) int32, where cuDNN shall attend: the bias of each row then says no more than its length.
    """
    sequence, hidden = sequence_length(x), x.shape[2]
    joined = tf.reshape(dense(weights, f"{name}/query_key_value", x), [-1, sequence, 3, heads, hidden // heads])
    query_BNSD, key_BNSD, value_BNSD = tf.unstack(tf.transpose(joined, [2, 0, 3, 1, 4]))
    if lengths is not None:
        context_BNSD = fused_attention(query_BNSD, key_BNSD, value_BNSD, lengths)
    else:
        context_BNSD = plain_attention(query_BNSD, key_BNSD, value_BNSD, bias, rate, keys)
    return tf.reshape(tf.transpose(context_BNSD, [0, 2, 1, 3]), [-1, sequence, hidden])
