"""Sequences with their masks -> the arrays of rows, for the records and, where masking is dynamic, for training.

N rows, S sequence length, P predictions, M sequences a row at most. [CLS] a [SEP] b [SEP]; without `b` [CLS] a [SEP].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bert.examples.masking import KEEP, Ids, Ints, Mask
from bert.examples.pairs import Pair

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Layout:
    """The shape of a row, and the two pieces that frame its segments.

    sequences: at most, 1 without packing. next_sentence: whether the rows carry labels of sequence pairs.
    """

    sequence_length: int
    max_predictions: int
    sequences: int
    next_sentence: bool
    cls_id: int
    sep_id: int


@dataclass(frozen=True)
class Tokens:
    """Sequences laid end to end. flat: (T,) ids; lengths, firsts: (Q,) of each one and of its [CLS] a [SEP]."""

    flat: Ids
    lengths: Ints
    firsts: Ints

    @classmethod
    def of(cls, pairs: Sequence[Pair], layout: Layout) -> Tokens:
        head, tail = np.array([layout.cls_id], np.int32), np.array([layout.sep_id], np.int32)
        parts: list[Ids] = []
        for pair in pairs:
            parts += (head, pair.a, tail, pair.b, tail) if len(pair.b) else (head, pair.a, tail)
        firsts = np.array([len(pair.a) + 2 for pair in pairs], np.int64)
        seconds = np.array([len(pair.b) for pair in pairs], np.int64)
        return cls(np.concatenate(parts), firsts + seconds + (seconds > 0), firsts)


def _within(sizes: Ints) -> Ints:
    """[2, 3] -> [0, 1, 0, 1, 2]."""
    ends = np.cumsum(sizes)
    return np.arange(sizes.sum()) - np.repeat(ends - sizes, sizes)


def layout_rows(
    tokens: Tokens, masks: Sequence[Mask], labels: Sequence[int], sequences_of: Sequence[int], layout: Layout
) -> Arrays:
    """The arrays of bert/examples/schema.py, int32 and float32.

    Args:
        tokens, masks, labels: of the sequences, those of a row behind one another.
        sequences_of: (N,) how many sequences each row holds.
    """
    n, s, p, m = len(sequences_of), layout.sequence_length, layout.max_predictions, layout.sequences
    counts = np.asarray(sequences_of, np.int64)
    row = np.repeat(np.arange(n), counts)
    number = _within(counts)  # of a sequence in its row
    begins = np.cumsum(tokens.lengths) - tokens.lengths
    row_begins = np.repeat(begins[np.cumsum(counts) - counts], counts)
    at = row * s + begins - row_begins  # where each sequence begins in (N * S,)

    place = np.repeat(at, tokens.lengths) + _within(tokens.lengths)
    input_ids, input_mask, segment_ids = (np.zeros(n * s, np.int32) for _ in range(3))
    input_ids[place] = tokens.flat
    input_mask[place] = np.repeat(number + 1, tokens.lengths)
    segment_ids[place] = _within(tokens.lengths) >= np.repeat(tokens.firsts, tokens.lengths)

    predicted = np.array([len(mask.positions) for mask in masks], np.int64)
    chosen = np.concatenate([mask.positions for mask in masks]) + np.repeat(at, predicted)
    replacements = np.concatenate([mask.replacements for mask in masks])
    of_row = np.bincount(row, predicted, n).astype(np.int64)
    assert (of_row <= p).all(), "more predictions in a row than it has places for"
    slot = np.repeat(np.arange(n) * p, of_row) + _within(of_row)
    positions, ids, weights = np.zeros(n * p, np.int32), np.zeros(n * p, np.int32), np.zeros(n * p, np.float32)
    positions[slot] = chosen % s
    ids[slot] = input_ids[chosen]
    weights[slot] = 1
    input_ids[chosen] = np.where(replacements == KEEP, input_ids[chosen], replacements)

    arrays = {
        "input_ids": input_ids.reshape(n, s),
        "input_mask": input_mask.reshape(n, s),
        "segment_ids": segment_ids.reshape(n, s),
        "masked_lm_positions": positions.reshape(n, p),
        "masked_lm_ids": ids.reshape(n, p),
        "masked_lm_weights": weights.reshape(n, p),
    }
    if layout.next_sentence:
        pair_slot = row * m + number
        nsp = np.zeros(n * m, np.int32)
        nsp[pair_slot] = labels
        arrays["next_sentence_labels"] = nsp.reshape(n, m)
        if m > 1:
            nsp_positions, nsp_weights = np.zeros(n * m, np.int32), np.zeros(n * m, np.float32)
            nsp_positions[pair_slot] = at % s
            nsp_weights[pair_slot] = 1
            arrays["next_sentence_positions"] = nsp_positions.reshape(n, m)
            arrays["next_sentence_weights"] = nsp_weights.reshape(n, m)
    return arrays
