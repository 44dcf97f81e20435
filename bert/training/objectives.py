"""What is minimised in pretraining, on answer spans, classes and numbers; and what a fine-tuned model predicts.

B batch, S sequence, L classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import tensorflow as tf

from bert.model.config import BertConfig
from bert.model.dropout import NoDropout
from bert.model.encoder import encode, pool
from bert.model.heads import class_logits, span_logits
from bert.model.layers import Weights
from bert.model.losses import (
    Batch,
    Sums,
    classifier_sums,
    pretraining_sums,
    regression_sums,
    sequences_in,
    squad_sums,
)
from bert.model.parameters import Shapes, classifier_shapes, squad_shapes

Tensor = Any


@dataclass(frozen=True)
class Objective:
    """What is minimised: the sum over `terms` {name of a sum: name of the sum that it is divided by}.

    sums: (weights, config, batch, sites, dtype) -> {name: () float32}, see bert/model/losses.py.
    weigh: batch -> {name: () float32}, the divisors, from the batch alone.
    columns: {name of a term: its name in curves and metrics}, where that is another.
    """

    sums: Callable[..., Sums]
    weigh: Callable[[Batch], Sums]
    terms: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def losses(self) -> dict[str, tuple[str, str]]:
        """{column of a curve: (name of a sum, name of its divisor)}."""
        return {self.columns.get(name, name): (name, weight) for name, weight in self.terms.items()}


@dataclass(frozen=True)
class TaskObjective(Objective):
    """Of fine-tuning.

    shapes: {name: shape} of the encoder and the task's head.
    forward: (weights, config, batch, dtype) -> logits, without dropout.
    """

    shapes: Callable[[BertConfig], Shapes] = field(kw_only=True)
    forward: Callable[[Weights, BertConfig, Batch, Any], Tensor] = field(kw_only=True)


def _weigh_rows(batch: Batch) -> Sums:
    rows = tf.shape(batch["input_ids"])[0]
    return {"predictions": tf.reduce_sum(batch["masked_lm_weights"]), "rows": tf.cast(rows, tf.float32)}


def _weigh_sequences(batch: Batch) -> Sums:
    rows = tf.reduce_sum(sequences_in(batch["input_mask"]))
    return {"predictions": tf.reduce_sum(batch["masked_lm_weights"]), "rows": tf.cast(rows, tf.float32)}


def pretraining(packed: bool = False, next_sentence: bool = True) -> Objective:
    """Masked LM and, where records have labels for it, next-sentence prediction or sentence order.

    packed: rows may hold several sequences.
    """
    return Objective(
        partial(pretraining_sums, packed=True) if packed else pretraining_sums,
        _weigh_sequences if packed else _weigh_rows,
        {"mlm_loss": "predictions"} | ({"nsp_loss": "rows"} if next_sentence else {}),
    )


def _rows(batch: Batch) -> Sums:
    return {"rows": tf.cast(tf.shape(batch["input_ids"])[0], tf.float32)}


def _hidden(weights: Weights, config: BertConfig, batch: Batch, dtype: Any) -> Tensor:
    """(B, S, H)."""
    return encode(weights, config, batch["input_ids"], batch["input_mask"], batch["segment_ids"], NoDropout(), dtype)


def _forward_spans(weights: Weights, config: BertConfig, batch: Batch, dtype: Any) -> Tensor:
    """Start and end logits, (B, 2, S) float32."""
    return tf.stack(span_logits(weights, _hidden(weights, config, batch, dtype)), axis=1)


def _forward_classes(weights: Weights, config: BertConfig, batch: Batch, dtype: Any) -> Tensor:
    """Class logits, (B, L) float32."""
    return class_logits(weights, pool(weights, _hidden(weights, config, batch, dtype)))


def spans() -> TaskObjective:
    """Where an answer begins and ends; it predicts (B, 2, S) logits."""
    terms, columns = {"loss": "rows"}, {"loss": "task_loss"}
    return TaskObjective(squad_sums, _rows, terms, columns, shapes=squad_shapes, forward=_forward_spans)


def classes(count: int) -> TaskObjective:
    """Which of `count` classes; it predicts (B, L) logits."""
    terms, columns = {"loss": "rows"}, {"loss": "task_loss"}
    shapes = partial(classifier_shapes, labels=count)
    return TaskObjective(classifier_sums, _rows, terms, columns, shapes=shapes, forward=_forward_classes)


def regression() -> TaskObjective:
    """A number, by its squared error; it predicts (B, 1)."""
    terms, columns = {"loss": "rows"}, {"loss": "task_loss"}
    shapes = partial(classifier_shapes, labels=1)
    return TaskObjective(regression_sums, _rows, terms, columns, shapes=shapes, forward=_forward_classes)
