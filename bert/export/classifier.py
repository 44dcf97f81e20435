"""A SavedModel that classifies texts or pairs, or gives them a number. B texts or pairs, S positions, L labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from bert.checkpoints.folder import Model
from bert.export.encoder import IDS, ExportedEncoder, in_chunks
from bert.export.rows import Segment, make_rows, row_lengths
from bert.export.save import save
from bert.export.tokenizer import GraphTokenizer
from bert.model.encoder import pool
from bert.model.heads import class_logits
from bert.tasks.glue.task import Task

Tensor = Any


class Classifier(tf.Module):
    """What is saved: `serve` of strings, `ids` of token ids."""

    def __init__(self, model: Model, task: Task, max_seq_length: int) -> None:
        super().__init__()
        self._encoder, self._tokenizer = ExportedEncoder(model), GraphTokenizer(model)
        self._max_seq_length = max_seq_length
        self._is_regression = task.is_regression
        # For whoever loads it, too: `loaded.labels`.
        self.labels = tf.Variable(list(task.labels), dtype=tf.string, trainable=False)
        names = ("text_a", "text_b") if task.is_pair else ("text",)
        strings = [tf.TensorSpec([None], tf.string, name=name) for name in names]
        serve = self._serve_pair if task.is_pair else self._serve
        self.serve = tf.function(serve, input_signature=strings, autograph=False)

    def _serve(self, text: Tensor) -> dict[str, Tensor]:
        """(B,) UTF-8 texts -> what `_said` gives."""
        return self._said(self._logits_of(Segment(*self._tokenizer.tokenize(text)), None))

    def _serve_pair(self, text_a: Tensor, text_b: Tensor) -> dict[str, Tensor]:
        """(B,) UTF-8 texts each -> what `_said` gives."""
        a, b = Segment(*self._tokenizer.tokenize(text_a)), Segment(*self._tokenizer.tokenize(text_b))
        return self._said(self._logits_of(a, b))

    @tf.function(input_signature=IDS, autograph=False)
    def ids(self, input_ids: Tensor, input_mask: Tensor, segment_ids: Tensor) -> dict[str, Tensor]:
        """(B, S) int32 each -> logits (B, L) float32 and, but of a regression, probabilities (B, L)."""
        logits = self._logits(input_ids, input_mask, segment_ids)
        return {"logits": logits} if self._is_regression else {"logits": logits, "probabilities": tf.nn.softmax(logits)}

    def _said(self, logits: Tensor) -> dict[str, Tensor]:
        """label (B,) string, probabilities (B, L) float32 in the order of `labels`; of a regression score (B,)."""
        if self._is_regression:
            return {"score": logits[:, 0]}
        label = tf.gather(self.labels, tf.argmax(logits, 1))
        return {"label": label, "probabilities": tf.nn.softmax(logits)}

    def _logits_of(self, a: Segment, b: Segment | None) -> Tensor:
        """(B, L), of rows as those of `make_rows` (bert/tasks/glue/features.py)."""
        if b is None:
            a = Segment(a.ids, a.first, tf.minimum(a.length, self._max_seq_length - 2))
        else:
            # `longest_first`: tokens go one by one from the end of the longer side, on a tie from b.
            room = self._max_seq_length - 3
            left_a = tf.minimum(a.length, tf.maximum((room + 1) // 2, room - b.length))
            left_b = tf.minimum(b.length, tf.maximum(room // 2, room - a.length))
            a, b = Segment(a.ids, a.first, left_a), Segment(b.ids, b.first, left_b)

        def work(rows: Tensor, length: Tensor) -> list[Tensor]:
            chosen = a.of(rows), None if b is None else b.of(rows)
            return [self._logits(*make_rows(self._tokenizer, *chosen, length))]

        (logits,) = in_chunks(row_lengths(a, b), work, [(tf.float32, [self._encoder.weights["output_bias"].shape[0]])])
        return logits

    def _logits(self, input_ids: Tensor, input_mask: Tensor, segment_ids: Tensor) -> Tensor:
        weights = self._encoder.weights
        return class_logits(weights, pool(weights, self._encoder(input_ids, input_mask, segment_ids)))


def export_classifier(model: Model, task: Task, max_seq_length: int, folder: Path) -> None:
    """Write the SavedModel, the same bytes for the same model. To load it, `import tensorflow_text` first."""
    classifier = Classifier(model, task, max_seq_length)
    save(classifier, {"serving_default": classifier.serve, "ids": classifier.ids}, folder)
