"""What stands on the encoder: masked LM, next sentence, answer spans, classes or a number.

B batch, S sequence, P predictions, H hidden, V vocabulary, L labels. Logits are float32.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bert.model.activations import ACTIVATIONS
from bert.model.compute_weights import OUTPUT_BIAS, TIED, compute_weights
from bert.model.config import BertConfig
from bert.model.layers import Weights, dense, layer_norm, sequence_length

Tensor = Any


def _logits(hidden: Tensor, output_weights: Tensor, output_bias: Tensor) -> Tensor:
    """(M, H) x (L, H) -> (M, L) float32."""
    scores = tf.matmul(hidden, tf.cast(output_weights, hidden.dtype), transpose_b=True)
    return tf.cast(scores, tf.float32) + output_bias


def masked_lm_logits(weights: Weights, config: BertConfig, hidden: Tensor, positions: Tensor) -> Tensor:
    """Scores of all pieces at the masked positions, with the tied word embeddings.

    hidden: (B, S, H); positions: (B, P) int32, padded with 0; returns (B * P, V).
    """
    weights = compute_weights(weights, config, hidden.dtype)
    batch, sequence, size = tf.shape(hidden)[0], hidden.shape[1], hidden.shape[2]
    flat_positions = tf.reshape(positions + tf.range(batch)[:, None] * sequence, [-1])
    chosen = tf.gather(tf.reshape(hidden, [-1, size]), flat_positions)
    x = ACTIVATIONS[config.hidden_act](dense(weights, "cls/predictions/transform/dense", chosen))
    x = layer_norm(weights, "cls/predictions/transform", x, config.layer_norm_eps)
    return _logits(x, weights[TIED], weights[OUTPUT_BIAS])


def next_sentence_logits(weights: Weights, pooled: Tensor) -> Tensor:
    """(B, H) -> (B, 2): class 0 is the true next sentence, 1 a random one."""
    return _logits(pooled, weights["cls/seq_relationship/output_weights"], weights["cls/seq_relationship/output_bias"])


def span_logits(weights: Weights, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """(B, S, H) -> start and end scores, (B, S) each."""
    sequence, size = sequence_length(hidden), hidden.shape[2]
    both = _logits(
        tf.reshape(hidden, [-1, size]), weights["cls/squad/output_weights"], weights["cls/squad/output_bias"]
    )
    start, end = tf.unstack(tf.reshape(both, [-1, sequence, 2]), axis=-1)
    return start, end


def class_logits(weights: Weights, pooled: Tensor) -> Tensor:
    """(B, H) -> (B, L); of a regression L is 1."""
    return _logits(pooled, weights["output_weights"], weights["output_bias"])
