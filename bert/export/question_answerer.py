"""A SavedModel that answers questions: strings in, answers with their place out.

B questions, W windows, S positions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert.checkpoints.folder import Model
from bert.export.encoder import IDS, ExportedEncoder, in_chunks
from bert.export.rows import Segment, make_rows, row_lengths
from bert.export.save import save
from bert.export.spans import best_of_questions, best_of_windows, null_scores
from bert.export.tokenizer import GraphTokenizer, TextTokens
from bert.export.windows import Windows, make_windows
from bert.model.heads import span_logits
from bert.tasks.settings import SquadSettings

Tensor = Any
Forward = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""input_ids, input_mask and segment_ids (B, S) -> start and end logits (B, S)."""


class Answers:
    """The path from strings to answers, around any model."""

    def __init__(
        self, tokenizer: GraphTokenizer, forward: Forward, settings: SquadSettings, null_threshold: float | None
    ) -> None:
        """null_threshold: of SQuAD v2.0; None where every question gets an answer."""
        self._tokenizer, self._forward = tokenizer, forward
        self._settings, self._null_threshold = settings, null_threshold

    def __call__(self, question: Tensor, context: Tensor) -> dict[str, Tensor]:
        """See `QuestionAnswerer.serve`."""
        tokens = self._tokenizer.tokenize_with_offsets(context)
        query = Segment(*self._tokenizer.tokenize(question))
        windows = make_windows(query, tokens, self._settings)
        first, last, score, null = self._read(windows)
        count = tf.size(context)
        window, has_answer, best = best_of_questions(score, windows.question, count)
        served, null_odds = best, tf.zeros([], tf.float64)
        if self._null_threshold is not None:
            of_null = null_scores(null, windows.question, count)
            null_odds = of_null - best
            has_answer &= null_odds <= self._null_threshold
            served = tf.where(has_answer, best, of_null)
        found = self._cut(context, tokens, has_answer, _chosen(first, window), _chosen(last, window))
        found["score"] = tf.cast(served, tf.float32)
        if self._null_threshold is not None:
            found["null_odds"] = tf.cast(null_odds, tf.float32)
        return found

    def _read(self, windows: Windows) -> list[Tensor]:
        """Of each window the first and last token of its best span, its score, and that of the null answer, (W,)."""

        def work(rows: Tensor, length: Tensor) -> tuple[Tensor, ...]:
            query, part = windows.query.of(rows), windows.part.of(rows)
            start, end = self._forward(*make_rows(self._tokenizer, query, part, length))
            place = tf.range(length)[None, :] - query.length[:, None] - 2
            inside = (place >= 0) & (place < part.length[:, None])
            token = tf.where(inside, part.first[:, None] + place, 0)
            most_surrounded = inside & (tf.gather(windows.shown_best, token) == rows[:, None])
            first, last, score = best_of_windows(
                start,
                end,
                most_surrounded,
                inside,
                n_best_size=self._settings.n_best_size,
                max_answer_length=self._settings.max_answer_length,
            )
            null = tf.cast(start[:, 0], tf.float64) + tf.cast(end[:, 0], tf.float64)
            return tf.gather(token, first, batch_dims=1), tf.gather(token, last, batch_dims=1), score, null

        results: list[tuple[Any, list[int]]] = [(tf.int32, []), (tf.int32, []), (tf.float64, []), (tf.float64, [])]
        return in_chunks(row_lengths(windows.query, windows.part), work, results)

    def _cut(
        self, context: Tensor, tokens: TextTokens, has_answer: Tensor, first: Tensor, last: Tensor
    ) -> dict[str, Tensor]:
        """answer, start and end (B,) from the first and last token (B,); empty where there is no answer."""

        def where(values: Tensor, token: Tensor) -> Tensor:
            return tf.where(has_answer, _chosen(values, token), 0)

        start_byte, end_byte = where(tokens.start_byte, first), where(tokens.end_byte, last)
        return {
            "answer": tf.strings.substr(context, start_byte, end_byte - start_byte, unit="BYTE"),
            "start": where(tokens.start, first),
            "end": where(tokens.end, last),
        }


def _chosen(values: Tensor, places: Tensor) -> Tensor:
    """values[places]; 0 where there are no values."""
    return tf.gather(tf.concat([values, tf.zeros([1], values.dtype)], 0), places)


class QuestionAnswerer(tf.Module):
    """What is saved: `serve` of strings, `ids` of token ids."""

    def __init__(self, model: Model, settings: SquadSettings, null_threshold: float | None = None) -> None:
        """null_threshold: of a model of SQuAD v2.0, the one that its predictions were made with."""
        super().__init__()
        self._encoder, self._tokenizer = ExportedEncoder(model), GraphTokenizer(model)
        self._answers = Answers(self._tokenizer, self._logits, settings, null_threshold)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="question"),
            tf.TensorSpec([None], tf.string, name="context"),
        ],
        autograph=False,
    )
    def serve(self, question: Tensor, context: Tensor) -> dict[str, Tensor]:
        """(B,) UTF-8 questions and contexts -> the best answers of all windows of each context.

        Returns:
            answer: (B,) string, cut from the context.
            start, end: (B,) int32, its code points in the context, end exclusive; 0 and 0 where there is no answer.
            score: (B,) float32, the sum of its two logits.
            null_odds: of v2.0, (B,) float32: the score of the empty answer less that of the best span.
        """
        return self._answers(question, context)

    @tf.function(input_signature=IDS, autograph=False)
    def ids(self, input_ids: Tensor, input_mask: Tensor, segment_ids: Tensor) -> dict[str, Tensor]:
        """(B, S) int32 each -> start_logits and end_logits, (B, S) float32."""
        start, end = self._logits(input_ids, input_mask, segment_ids)
        return {"start_logits": start, "end_logits": end}

    def _logits(self, input_ids: Tensor, input_mask: Tensor, segment_ids: Tensor) -> tuple[Tensor, Tensor]:
        return span_logits(self._encoder.weights, self._encoder(input_ids, input_mask, segment_ids))


def export_question_answerer(
    model: Model, settings: SquadSettings, folder: Path, null_threshold: float | None = None
) -> None:
    """Write the SavedModel, the same bytes for the same model. To load it, `import tensorflow_text` first."""
    answerer = QuestionAnswerer(model, settings, null_threshold)
    save(answerer, {"serving_default": answerer.serve, "ids": answerer.ids}, folder)
