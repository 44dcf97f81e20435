"""The tokenizer as a part of a graph: the same ids and characters as those of bert/tokens/tokenizer.py.

N texts, T tokens of all of them together.
"""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

import tensorflow as tf
import tensorflow_text as text

from bert.checkpoints.folder import Model
from bert.tokens.vocabulary import CLS, PAD, SEP, UNK, Vocabulary

Tensor = Any


@cache
def combining_marks() -> tuple[int, ...]:
    """All code points that the tokenizer strips from the character before them, ascending."""
    return tuple(point for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) == "Mn")


@dataclass(frozen=True)
class TextTokens:
    """The tokens of N texts, one text after the other, and what each was made from.

    Attributes:
        ids: (T,) int32
        first: (N,) int32, where in `ids` a text's tokens begin
        count: (N,) int32, how many it has
        start, end: (T,) int32, code points of its text, end exclusive
        start_byte, end_byte: (T,) int32, the same as bytes of UTF-8
    """

    ids: Tensor
    first: Tensor
    count: Tensor
    start: Tensor
    end: Tensor
    start_byte: Tensor
    end_byte: Tensor


class GraphTokenizer(tf.Module):
    """Of a model's vocabulary and casing."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        pieces = Vocabulary.read(model.vocab).pieces
        self._normalizer = text.FastBertNormalizer(lower_case_nfd_strip_accents=model.do_lower_case)
        self._wordpiece = text.FastWordpieceTokenizer(list(pieces), unknown_token=UNK, token_out_type=tf.int32)
        self._strips_marks = model.do_lower_case
        self._marks = tf.constant(combining_marks())
        self.pad, self.cls, self.sep = (pieces.index(piece) for piece in (PAD, CLS, SEP))

    def tokenize(self, texts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N,) UTF-8 strings -> ids (T,), where each text's begin (N,), how many it has (N,); int32."""
        return _flat(self._wordpiece.tokenize(self._normalizer.normalize(texts)))

    def tokenize_with_offsets(self, texts: Tensor) -> TextTokens:
        """(N,) UTF-8 strings -> tokens with the characters that `WordPieceTokenizer.tokenize_with_offsets` gives."""
        normalized, origins = self._normalizer.normalize_with_offsets(texts)
        ids, starts, ends = self._wordpiece.tokenize_with_offsets(normalized)
        row = ids.value_rowids()
        origin = tf.gather(origins.row_splits, row)
        first_byte = tf.gather(origins.values, origin + starts.values)
        # The piece's own last byte, not the one after it: that may lie in the same expanded character.
        last_byte = tf.gather(origins.values, origin + ends.values - 1)

        # All texts as one: bytes and code points are counted from the start of the first.
        points, bytes_before = tf.strings.unicode_decode_with_offsets(texts, "UTF-8")
        lengths = tf.cast(tf.strings.length(texts), tf.int64)
        text_byte = tf.cumsum(lengths, exclusive=True)
        byte_of_point = bytes_before.values + tf.gather(text_byte, points.value_rowids())
        own_byte, own_point = tf.gather(text_byte, row), tf.gather(points.row_splits, row)

        def point_of(byte: Tensor) -> Tensor:
            return tf.searchsorted(byte_of_point, byte + own_byte, side="right", out_type=tf.int64) - 1

        start, after = point_of(first_byte), point_of(last_byte) + 1
        if self._strips_marks:
            # The end goes on over the marks that were stripped from the piece, to the next character that is none.
            others = tf.where(~self._is_mark(points.values))[:, 0]
            following = tf.concat([others, tf.size(points.values, tf.int64)[None]], 0)
            after = tf.gather(following, tf.searchsorted(others, after, out_type=tf.int64))
            after = tf.minimum(after, tf.gather(points.row_splits, row + 1))
        byte_after = tf.gather(tf.concat([byte_of_point, tf.reduce_sum(lengths)[None]], 0), after)
        found = (start - own_point, after - own_point, first_byte, byte_after - own_byte)
        return TextTokens(*_flat(ids), *(tf.cast(values, tf.int32) for values in found))

    def _is_mark(self, points: Tensor) -> Tensor:
        place = tf.searchsorted(self._marks, points)
        return tf.gather(self._marks, tf.minimum(place, tf.size(self._marks) - 1)) == points


def _flat(ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return ids.values, tf.cast(ids.row_starts(), tf.int32), tf.cast(ids.row_lengths(), tf.int32)
