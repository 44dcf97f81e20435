"""Losses and counts of a (micro-)batch, as sums: whoever knows the whole global batch divides them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from bert.model.compute_weights import compute_weights
from bert.model.config import BertConfig
from bert.model.dropout import Sites, drop
from bert.model.encoder import encode, pool
from bert.model.heads import class_logits, masked_lm_logits, next_sentence_logits, span_logits
from bert.model.layers import MASKED_SCORE, Weights

Tensor = Any
Batch = Mapping[str, Tensor]
Sums = dict[str, Tensor]


def _nll(logits: Tensor, labels: Tensor) -> Tensor:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def _hits(logits: Tensor, labels: Tensor) -> Tensor:
    # argmax, the first of equal scores, in operations that XLA's CPU compiler vectorises: over a vocabulary that shows.
    # Equal scores must not all count: bfloat16 ties often, and would look more accurate than float32.
    size = logits.shape[-1]
    is_best = logits >= tf.reduce_max(logits, -1, keepdims=True)
    best = tf.reduce_min(tf.where(is_best, tf.range(size, dtype=labels.dtype), size), -1)
    return tf.cast(tf.equal(best, labels), tf.float32)


def sequences_in(input_mask: Tensor) -> Tensor:
    """(B, S) 1 (or the number of the sequence in its row) for tokens, 0 for padding -> (B,) sequences in each row."""
    return tf.reduce_max(input_mask, axis=1)


def pretraining_sums(
    weights: Weights, config: BertConfig, batch: Batch, sites: Sites, dtype: Any, packed: bool = False
) -> Sums:
    """Masked-LM and next-sentence losses of a batch of records (bert/examples/schema.py).

    Args:
        packed: rows may hold several sequences.

    Returns:
        () float32 each: mlm_loss, mlm_correct (sums over predictions), predictions (their weight), nsp_loss,
        nsp_correct (sums over sequences; not without labels), rows (number of sequences).
    """
    weights = compute_weights(weights, config, dtype)
    hidden = encode(
        weights, config, batch["input_ids"], batch["input_mask"], batch["segment_ids"], sites, dtype, packed
    )
    mlm_labels = tf.reshape(batch["masked_lm_ids"], [-1])
    mlm_weights = tf.reshape(batch["masked_lm_weights"], [-1])
    mlm_logits = masked_lm_logits(weights, config, hidden, batch["masked_lm_positions"])
    masked_lm = {
        "mlm_loss": tf.reduce_sum(mlm_weights * _nll(mlm_logits, mlm_labels)),
        "mlm_correct": tf.reduce_sum(mlm_weights * _hits(mlm_logits, mlm_labels)),
        "predictions": tf.reduce_sum(mlm_weights),
    }
    # A real row begins with [CLS]; the rows that fill up a batch are zeros and count for nothing.
    if "next_sentence_labels" not in batch:
        return {**masked_lm, "rows": tf.cast(tf.reduce_sum(sequences_in(batch["input_mask"])), tf.float32)}
    if packed:
        pooled = pool(weights, hidden, batch["next_sentence_positions"])
        is_sequence = tf.reshape(batch["next_sentence_weights"], [-1])
    else:
        pooled = pool(weights, hidden)
        is_sequence = tf.cast(batch["input_mask"][:, 0], tf.float32)
    nsp_labels = tf.reshape(batch["next_sentence_labels"], [-1])
    nsp_logits = next_sentence_logits(weights, pooled)
    return {
        **masked_lm,
        "nsp_loss": tf.reduce_sum(is_sequence * _nll(nsp_logits, nsp_labels)),
        "nsp_correct": tf.reduce_sum(is_sequence * _hits(nsp_logits, nsp_labels)),
        "rows": tf.reduce_sum(is_sequence),
    }


def squad_sums(weights: Weights, config: BertConfig, batch: Batch, sites: Sites, dtype: Any) -> Sums:
    """Mean of the start and end losses, summed over rows.

    As in NVIDIA DeepLearningExamples, TensorFlow/LanguageModeling/BERT/run_squad.py, but that padding is no place where
    an answer could begin or end: how much of it a row has changes nothing.

    Returns:
        () float32 each: loss and rows, the number of them.
    """
    hidden = encode(weights, config, batch["input_ids"], batch["input_mask"], batch["segment_ids"], sites, dtype)
    is_token = batch["input_mask"] != 0
    start, end = (tf.where(is_token, logits, MASKED_SCORE) for logits in span_logits(weights, hidden))
    loss = _nll(start, batch["start_positions"]) + _nll(end, batch["end_positions"])
    return {"loss": tf.reduce_sum(loss) / 2, "rows": tf.cast(tf.shape(start)[0], tf.float32)}


def classifier_sums(weights: Weights, config: BertConfig, batch: Batch, sites: Sites, dtype: Any) -> Sums:
    """Cross-entropy of the classes, summed over rows.

    As in NVIDIA DeepLearningExamples, TensorFlow/LanguageModeling/BERT/run_classifier.py.

    Returns:
        () float32 each: loss and rows, the number of them.
    """
    hidden = encode(weights, config, batch["input_ids"], batch["input_mask"], batch["segment_ids"], sites, dtype)
    pooled = drop(pool(weights, hidden), sites.site(), config.hidden_dropout_prob)
    logits = class_logits(weights, pooled)
    return {"loss": tf.reduce_sum(_nll(logits, batch["labels"])), "rows": tf.cast(tf.shape(logits)[0], tf.float32)}


def regression_sums(weights: Weights, config: BertConfig, batch: Batch, sites: Sites, dtype: Any) -> Sums:
    """Squared error of the classifier's one output, summed over rows.

    As in google-research/albert, classifier_utils.py, and in transformers' BertForSequenceClassification with one
    label; the reference has no regression.

    Returns:
        () float32 each: loss and rows, the number of them.
    """
    hidden = encode(weights, config, batch["input_ids"], batch["input_mask"], batch["segment_ids"], sites, dtype)
    pooled = drop(pool(weights, hidden), sites.site(), config.hidden_dropout_prob)
    errors = class_logits(weights, pooled)[:, 0] - batch["labels"]
    return {"loss": tf.reduce_sum(tf.square(errors)), "rows": tf.cast(tf.shape(errors)[0], tf.float32)}
