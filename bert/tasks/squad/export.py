"""A SavedModel that answers questions: strings in, answer out, tokenization in the graph."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text as text
from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef

from bert.checkpoints.folder import Model
from bert.model.dropout import NoDropout
from bert.model.encoder import encode
from bert.model.heads import span_logits
from bert.tasks.settings import SquadSettings
from bert.tasks.squad.no_answer import NO_SPAN
from bert.tokens.vocabulary import CLS, PAD, SEP, UNK, Vocabulary

Tensor = Any


@cache
def combining_marks() -> tuple[int, ...]:
    """All code points that the tokenizer strips from the character before them, ascending."""
    return tuple(point for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) == "Mn")


class QuestionAnswerer(tf.Module):
    """serve(question, context) -> answer, score. All windows of a context are read; the best span of all wins.

    With a `null_threshold` (SQuAD v2.0) the answer may be empty, and a third output, null_odds, says how near it was.
    """

    def __init__(self, model: Model, settings: SquadSettings, null_threshold: float | None = None) -> None:
        super().__init__()
        self._null_threshold = null_threshold
        pieces = Vocabulary.read(model.vocab).pieces
        self._config, self._settings = model.config, settings
        self._weights = {name: tf.Variable(value, trainable=False) for name, value in model.weights.items()}
        self._normalizer = text.FastBertNormalizer(lower_case_nfd_strip_accents=model.do_lower_case)
        self._wordpiece = text.FastWordpieceTokenizer(list(pieces), unknown_token=UNK, token_out_type=tf.int32)
        self._strips_marks = model.do_lower_case
        self._marks = tf.constant(combining_marks())
        self._pad, self._cls, self._sep = (tf.constant([pieces.index(p)], tf.int32) for p in (PAD, CLS, SEP))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="question"),
            tf.TensorSpec([None], tf.string, name="context"),
        ]
    )
    def serve(self, question: Tensor, context: Tensor) -> dict[str, Tensor]:
        """(B,) UTF-8 questions and contexts -> `answer` (B,) string, cut from the context, and `score` (B,) logits.

        Of v2.0 also `null_odds` (B,): the score of the empty answer less that of the best span.
        """
        answer, score, null_odds = tf.map_fn(
            lambda pair: self._one(pair[0], pair[1]),
            (question, context),
            fn_output_signature=(tf.string, tf.float32, tf.float32),
        )
        served = {"answer": answer, "score": score}
        return served if self._null_threshold is None else served | {"null_odds": null_odds}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def tokens(self, string: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Ids of one string and the bytes of it that each was made from, (T,) int32 each.

        The bytes are those of the characters that `WordPieceTokenizer.tokenize_with_offsets` gives.
        """
        normalized, origins = self._normalizer.normalize_with_offsets(string[None])
        ids, starts, ends = self._wordpiece.tokenize_with_offsets(normalized)
        origin = tf.cast(origins[0], tf.int32)
        first = tf.gather(origin, tf.cast(starts[0], tf.int32))
        # The piece's own last byte, not the one after it: that may lie in the same expanded character.
        last = tf.gather(origin, tf.cast(ends[0], tf.int32) - 1)
        points, bytes_before = tf.strings.unicode_decode_with_offsets(string, "UTF-8")
        first_byte = tf.cast(bytes_before, tf.int32)
        # The end goes on over the marks that were stripped from the piece, to the next character that is none.
        place = tf.searchsorted(self._marks, points)
        is_mark = tf.gather(self._marks, tf.minimum(place, tf.size(self._marks) - 1)) == points
        is_mark &= self._strips_marks
        others = tf.cast(tf.where(~is_mark)[:, 0], tf.int32)
        character = tf.searchsorted(first_byte, last, side="right") - 1
        after = tf.gather(tf.concat([others, [tf.size(points)]], 0), tf.searchsorted(others, character + 1))
        return ids[0], first, tf.gather(tf.concat([first_byte, [tf.strings.length(string)]], 0), after)

    def _one(self, question: Tensor, context: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        s = self._settings
        query = self.tokens(question)[0][: s.max_query_length]
        ids, starts, ends = self.tokens(context)
        count, before = tf.size(ids), tf.size(query) + 2
        room = s.max_seq_length - before - 1
        stride = tf.minimum(s.doc_stride, room)
        windows = 1 + tf.maximum(0, -(-(count - room) // stride))
        # (W, S): which context token stands where; outside of a window's tokens -1.
        place = tf.range(s.max_seq_length)[None, :] - before
        token = place + tf.range(windows)[:, None] * stride
        inside = (place >= 0) & (place < room) & (token < count)
        token = tf.where(inside, token, -1)
        head = tf.concat([self._cls, query, self._sep], 0)
        head = tf.pad(head, [[0, s.max_seq_length - before]])[None, :]
        padded = tf.concat([ids, self._pad], 0)
        body = tf.gather(padded, tf.where(inside, token, count))
        length = before + tf.reduce_sum(tf.cast(inside, tf.int32), 1)
        columns = tf.range(s.max_seq_length)[None, :]
        is_last = columns == length[:, None]
        input_ids = tf.where(columns < before, head, tf.where(is_last, self._sep[0], body))
        shape = [None, s.max_seq_length]
        mask = tf.cast(columns <= length[:, None], tf.int32)
        segments = mask * tf.cast(columns >= before, tf.int32)
        hidden = encode(
            self._weights,
            self._config,
            tf.ensure_shape(input_ids, shape),
            tf.ensure_shape(mask, shape),
            tf.ensure_shape(segments, shape),
            NoDropout(),
            tf.float32,
        )
        start, end = span_logits(self._weights, hidden)
        window, first, last, score = self.best(start, end, token)
        first, last = token[window, first], token[window, last]

        def cut() -> Tensor:
            return tf.strings.substr(context, starts[first], ends[last] - starts[first], unit="BYTE")

        has_answer, score, null_odds = self.against_null(start, end, score)
        answer = tf.cond(has_answer, cut, lambda: tf.constant(""))
        return answer, tf.cast(score, tf.float32), tf.cast(null_odds, tf.float32)

    def against_null(self, start: Tensor, end: Tensor, score: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Whether the best span is the answer, by the rule of `with_null`; the answer's score; the null odds.

        Args:
            start: (W, S) logits.
            end: (W, S) logits.
            score: the best span's, float64; -inf for none.

        Returns:
            Scalars; the latter two in float64 and finite: JSON, by which models are served, has no infinity.
        """
        exists, score = tf.math.is_finite(score), tf.maximum(score, tf.constant(NO_SPAN, tf.float64))
        null = tf.reduce_min(tf.cast(start[:, 0], tf.float64) + tf.cast(end[:, 0], tf.float64))
        null_odds = null - score
        if self._null_threshold is None:
            return exists, score, null_odds
        has_answer = exists & (null_odds <= self._null_threshold)
        return has_answer, tf.where(has_answer, score, null), null_odds

    def best(self, start: Tensor, end: Tensor, token: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The best span of all windows by the rule of `best_answers`: its window, first and last position, score.

        Args:
            start: (W, S) logits.
            end: (W, S) logits.
            token: (W, S) which token of the context stands there, -1 for none.

        Returns:
            Scalars; the score is float64, and -inf where no window has any span.
        """
        s = self._settings
        inside = token >= 0
        starts, top_start = self._top(start, self._most_surrounded(token))
        ends, top_end = self._top(end, inside)
        length = ends[:, None, :] - starts[:, :, None] + 1
        fits = (length >= 1) & (length <= s.max_answer_length)
        score = tf.where(fits, top_start[:, :, None] + top_end[:, None, :], tf.constant(-np.inf, tf.float64))
        flat = tf.reshape(score, [-1])
        best = tf.argmax(flat, output_type=tf.int32)  # of equals the first, as there
        kept = tf.shape(starts)[1]
        window, rest = best // kept**2, best % kept**2
        return window, starts[window, rest // kept], ends[window, rest % kept], flat[best]

    def _top(self, logits: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
        """(W, n) positions of the highest allowed logits, and these in float64; -inf where fewer are allowed."""
        masked = tf.where(allowed, tf.cast(logits, tf.float64), tf.constant(-np.inf, tf.float64))
        best = tf.math.top_k(masked, tf.minimum(self._settings.n_best_size, tf.shape(masked)[1]))
        return best.indices, best.values

    def _most_surrounded(self, token: Tensor) -> Tensor:
        """(W, S) True at each context token in the window of `Windows.max_context_mask`."""
        inside = token >= 0
        size = tf.reduce_sum(tf.cast(inside, tf.int32), 1)[:, None]
        to_the_left = tf.cumsum(tf.cast(inside, tf.int32), axis=1) - 1
        score = 100 * tf.minimum(to_the_left, size - 1 - to_the_left) + size
        # (W, T): the same by token, -1 where the window lacks it.
        tokens = tf.maximum(tf.reduce_max(token) + 1, 1)
        rows = tf.broadcast_to(tf.range(tf.shape(token)[0])[:, None], tf.shape(token))[inside]
        places = tf.stack([rows, token[inside]], 1)
        shape = tf.stack([tf.shape(token)[0], tokens])
        by_token = tf.tensor_scatter_nd_update(tf.fill(shape, -1), places, score[inside])
        window = tf.argmax(by_token, 0, output_type=tf.int32)  # of equals the first, as there
        return inside & (tf.gather(window, tf.maximum(token, 0)) == tf.range(tf.shape(token)[0])[:, None])


def export(model: Model, settings: SquadSettings, folder: Path, null_threshold: float | None = None) -> None:
    """Write the SavedModel, the same bytes for the same model. Loading it needs `import tensorflow_text`."""
    answerer = QuestionAnswerer(model, settings, null_threshold)
    tf.saved_model.save(answerer, str(folder), signatures={"serving_default": answerer.serve})
    # TensorFlow names each one by a random number beside the hashes of what it holds.
    path = folder / "fingerprint.pb"
    fingerprint = FingerprintDef.FromString(path.read_bytes())
    fingerprint.ClearField("uuid")
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))
