"""[CLS] a [SEP] b [SEP] from flat arrays of tokens, in a graph. B rows, S positions, T tokens of all texts together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from bert.export.tokenizer import GraphTokenizer

Tensor = Any


@dataclass(frozen=True)
class Segment:
    """Of each row a stretch of tokens.

    Attributes:
        ids: (T,) int32, of all texts
        first: (B,) int32, where in `ids` a row's stretch begins
        length: (B,) int32
    """

    ids: Tensor
    first: Tensor
    length: Tensor

    def of(self, rows: Tensor) -> Segment:
        """Of the rows with these numbers."""
        return Segment(self.ids, tf.gather(self.first, rows), tf.gather(self.length, rows))

    def at(self, place: Tensor, otherwise: int) -> tuple[Tensor, Tensor]:
        """(B, S) places in the stretches -> the ids there, and whether there are any."""
        inside = (place >= 0) & (place < self.length[:, None])
        ids = tf.concat([self.ids, [otherwise]], 0)
        return tf.gather(ids, tf.where(inside, self.first[:, None] + place, tf.size(self.ids))), inside


def row_lengths(a: Segment, b: Segment | None) -> Tensor:
    """(B,) int32, special tokens included."""
    return a.length + 2 if b is None else a.length + b.length + 3


def make_rows(tokenizer: GraphTokenizer, a: Segment, b: Segment | None, length: Tensor) -> tuple[Tensor, ...]:
    """input_ids, input_mask and segment_ids, (B, S) int32 each, padded to `length`."""
    column = tf.range(length)[None, :]
    end_a = a.length[:, None] + 1
    ids, _ = a.at(column - 1, tokenizer.pad)
    is_sep, end = column == end_a, end_a
    if b is not None:
        of_b, in_b = b.at(column - end_a - 1, tokenizer.pad)
        ids, end = tf.where(in_b, of_b, ids), end_a + b.length[:, None] + 1
        is_sep |= column == end
    ids = tf.where(is_sep, tokenizer.sep, tf.where(column == 0, tokenizer.cls, ids))
    mask = tf.cast(column <= end, tf.int32)
    return ids, mask, mask * tf.cast(column > end_a, tf.int32)
