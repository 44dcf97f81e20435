"""A SavedModel that answers questions: strings in, answer out, tokenization in the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_text as text
from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef

from bert.checkpoints.folder import Model
from bert.model.dropout import NoDropout
from bert.model.encoder import encode
from bert.model.heads import span_logits
from bert.tasks.settings import SquadSettings
from bert.tokens.vocabulary import CLS, PAD, SEP, UNK, Vocabulary

Tensor = Any


class QuestionAnswerer(tf.Module):
    """serve(question, context) -> answer, score. All windows of a context are read; the best span of all wins."""

    def __init__(self, model: Model, settings: SquadSettings) -> None:
        super().__init__()
        pieces = Vocabulary.read(model.vocab).pieces
        self._config, self._settings = model.config, settings
        self._weights = {name: tf.Variable(value, trainable=False) for name, value in model.weights.items()}
        self._normalizer = text.FastBertNormalizer(lower_case_nfd_strip_accents=model.do_lower_case)
        self._wordpiece = text.FastWordpieceTokenizer(list(pieces), unknown_token=UNK, token_out_type=tf.int32)
        self._pad, self._cls, self._sep = (tf.constant([pieces.index(p)], tf.int32) for p in (PAD, CLS, SEP))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="question"),
            tf.TensorSpec([None], tf.string, name="context"),
        ]
    )
    def serve(self, question: Tensor, context: Tensor) -> dict[str, Tensor]:
        """(B,) UTF-8 questions and contexts -> `answer` (B,) string, cut from the context, and `score` (B,) logits."""
        answer, score = tf.map_fn(
            lambda pair: self._one(pair[0], pair[1]), (question, context), fn_output_signature=(tf.string, tf.float32)
        )
        return {"answer": answer, "score": score}

    def _tokens(self, string: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Ids of one string and the bytes of it that each was made from, (T,) int32 each."""
        normalized, origins = self._normalizer.normalize_with_offsets(string[None])
        ids, starts, ends = self._wordpiece.tokenize_with_offsets(normalized)
        origin = tf.cast(origins[0], tf.int32)
        first = tf.gather(origin, tf.cast(starts[0], tf.int32))
        # The piece's own last byte, not the one after it: that may lie in the same expanded character.
        last = tf.gather(origin, tf.cast(ends[0], tf.int32) - 1)
        lead = tf.gather(tf.cast(tf.io.decode_raw(string, tf.uint8), tf.int32), last)
        # Bytes of a UTF-8 character, by its first one.
        size = 1 + sum(tf.cast(lead >= bound, tf.int32) for bound in (0xC0, 0xE0, 0xF0))
        return ids[0], first, last + size

    def _one(self, question: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        s = self._settings
        query = self._tokens(question)[0][: s.max_query_length]
        ids, starts, ends = self._tokens(context)
        count, before = tf.size(ids), tf.size(query) + 2
        room = s.max_seq_length - before - 1
        stride = tf.minimum(s.doc_stride, room)
        windows = 1 + tf.maximum(0, -(-(count - room) // stride))
        # (W, S): which context token stands where; outside of a window's tokens -1.
        place = tf.range(s.max_seq_length)[None, :] - before
        token = place + tf.range(windows)[:, None] * stride
        inside = (place >= 0) & (place < room) & (token < count)
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
        low = tf.constant(-1e9)
        scores = tf.where(inside, start, low)[:, :, None] + tf.where(inside, end, low)[:, None, :]
        band = tf.linalg.band_part(tf.ones([s.max_seq_length] * 2, tf.bool), 0, s.max_answer_length - 1)
        flat = tf.reshape(tf.where(band[None], scores, 2 * low), [-1])
        best = tf.argmax(flat, output_type=tf.int32)
        window, rest = best // s.max_seq_length**2, best % s.max_seq_length**2
        first = token[window, rest // s.max_seq_length]
        last = token[window, rest % s.max_seq_length]

        def cut() -> Tensor:
            return tf.strings.substr(context, starts[first], ends[last] - starts[first], unit="BYTE")

        return tf.cond(count > 0, cut, lambda: tf.constant("")), flat[best]


def export(model: Model, settings: SquadSettings, folder: Path) -> None:
    """Write the SavedModel, the same bytes for the same model. Loading it needs `import tensorflow_text`."""
    answerer = QuestionAnswerer(model, settings)
    tf.saved_model.save(answerer, str(folder), signatures={"serving_default": answerer.serve})
    # TensorFlow names each one by a random number beside the hashes of what it holds.
    path = folder / "fingerprint.pb"
    fingerprint = FingerprintDef.FromString(path.read_bytes())
    fingerprint.ClearField("uuid")
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))
