"""Sequences with their masks -> the arrays of rows, for the records and, where masking is dynamic, for training.

N rows, S sequence length, P predictions, M sequences a row at most. [CLS] a [SEP] b [SEP]; without `b` [CLS] a [SEP].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bert.examples.masking import KEEP, Masks
from bert.examples.sequences import Tokens, within

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Layout:
    """The shape of a row, and the ids of [CLS] and [SEP].

    sequences: at most, 1 without packing. next_sentence: whether the rows carry labels of sequence pairs.
    """

    sequence_length: int
    max_predictions: int
    sequences: int
    next_sentence: bool
    cls_id: int
    sep_id: int


def layout_rows(
    tokens: Tokens, masks: Masks, labels: Sequence[int], sequences_of: Sequence[int], layout: Layout
) -> Arrays:
    """{feature: (N, length)}, int32 and float32, as bert/examples/schema.py lists them.

    Args:
        tokens, masks, labels: of the sequences, those of a row behind one another.
        sequences_of: (N,) how many sequences each row holds.
    """
    n, s, p, m = len(sequences_of), layout.sequence_length, layout.max_predictions, layout.sequences
    counts = np.asarray(sequences_of, np.int64)
    row = np.repeat(np.arange(n), counts)
    number = within(counts)  # of a sequence in its row
    begins = tokens.begins
    row_begins = np.repeat(begins[np.cumsum(counts) - counts], counts)
    at = row * s + begins - row_begins  # where each sequence begins in (N * S,)

    place = np.repeat(at, tokens.lengths) + within(tokens.lengths)
    input_ids, input_mask, segment_ids = (np.zeros(n * s, np.int32) for _ in range(3))
    input_ids[place] = tokens.flat
    input_mask[place] = np.repeat(number + 1, tokens.lengths)
    segment_ids[place] = within(tokens.lengths) >= np.repeat(tokens.firsts, tokens.lengths)

    chosen = masks.positions + np.repeat(at, masks.counts)
    of_row = np.bincount(row, masks.counts, n).astype(np.int64)
    assert (of_row <= p).all(), "more predictions in a row than it has places for"
    slot = np.repeat(np.arange(n) * p, of_row) + within(of_row)
    positions, ids, weights = np.zeros(n * p, np.int32), np.zeros(n * p, np.int32), np.zeros(n * p, np.float32)
    positions[slot] = chosen % s
    ids[slot] = input_ids[chosen]
    weights[slot] = 1
    input_ids[chosen] = np.where(masks.replacements == KEEP, input_ids[chosen], masks.replacements)

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
