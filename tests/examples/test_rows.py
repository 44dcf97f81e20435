"""bert/examples/rows.py: rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bert.examples.masking import KEEP, Masks
from bert.examples.pairs import Pair
from bert.examples.rows import Layout, layout_rows
from bert.examples.schema import feature_lengths
from bert.examples.sequences import Tokens

LAYOUT = Layout(sequence_length=12, max_predictions=4, sequences=1, next_sentence=True, cls_id=2, sep_id=3)
FIRST = Pair(np.array([10, 11, 12], np.int32), np.array([20, 21], np.int32), 1)
SECOND = Pair(np.array([30], np.int32), np.array([40], np.int32), 0)
RUN = Pair(np.array([50, 51], np.int32), np.zeros(0, np.int32), 0)


def masks_of(*masks: tuple[list[int], list[int]]) -> Masks:
    """Of (positions, replacements) of each sequence."""
    flat = [np.concatenate(column) for column in zip(*masks, strict=True)]
    return Masks(np.array([len(positions) for positions, _ in masks]), flat[0], flat[1].astype(np.int32))


def lists(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: values.tolist() for name, values in arrays.items()}


def test_a_row_is_laid_out_as_bert_s() -> None:
    masks = masks_of(([2, 6], [4, 99]), ([1], [KEEP]))
    arrays = layout_rows(Tokens.of([FIRST, SECOND], 2, 3), masks, [1, 0], [1, 1], LAYOUT)
    assert lists(arrays) == {
        "input_ids": [[2, 10, 4, 12, 3, 20, 99, 3, 0, 0, 0, 0], [2, 30, 3, 40, 3, 0, 0, 0, 0, 0, 0, 0]],
        "input_mask": [[1] * 8 + [0] * 4, [1] * 5 + [0] * 7],
        "segment_ids": [[0] * 5 + [1] * 3 + [0] * 4, [0] * 3 + [1] * 2 + [0] * 7],
        "masked_lm_positions": [[2, 6, 0, 0], [1, 0, 0, 0]],
        "masked_lm_ids": [[11, 21, 0, 0], [30, 0, 0, 0]],
        "masked_lm_weights": [[1, 1, 0, 0], [1, 0, 0, 0]],
        "next_sentence_labels": [[1], [0]],
    }


def test_packed_sequences_stand_behind_one_another_and_are_numbered() -> None:
    layout = replace(LAYOUT, sequences=3, sequence_length=14)
    sequences = Tokens.of([SECOND, FIRST, SECOND], 2, 3)
    masks = masks_of(([3], [4]), ([1, 5], [4, 4]), ([1], [4]))
    arrays = layout_rows(sequences, masks, [0, 1, 0], [2, 1], layout)
    assert lists(arrays) == {
        "input_ids": [[2, 30, 3, 4, 3, 2, 4, 11, 12, 3, 4, 21, 3, 0], [2, 4, 3, 40, 3] + [0] * 9],
        "input_mask": [[1] * 5 + [2] * 8 + [0], [1] * 5 + [0] * 9],
        "segment_ids": [[0] * 3 + [1] * 2 + [0] * 5 + [1] * 3 + [0], [0] * 3 + [1] * 2 + [0] * 9],
        "masked_lm_positions": [[3, 6, 10, 0], [1, 0, 0, 0]],
        "masked_lm_ids": [[40, 10, 20, 0], [30, 0, 0, 0]],
        "masked_lm_weights": [[1, 1, 1, 0], [1, 0, 0, 0]],
        "next_sentence_labels": [[0, 1, 0], [0, 0, 0]],
        "next_sentence_positions": [[0, 5, 0], [0, 0, 0]],
        "next_sentence_weights": [[1, 1, 0], [1, 0, 0]],
    }


def test_a_run_has_one_segment_and_no_label() -> None:
    layout = replace(LAYOUT, next_sentence=False)
    arrays = layout_rows(Tokens.of([RUN], 2, 3), masks_of(([2], [4])), [0], [1], layout)
    assert arrays["input_ids"].tolist() == [[2, 50, 4, 3] + [0] * 8]
    assert not arrays["segment_ids"].any()
    assert "next_sentence_labels" not in arrays


@pytest.mark.parametrize("sequences", [1, 3])
@pytest.mark.parametrize("next_sentence", [True, False])
def test_the_arrays_are_those_of_the_schema(sequences: int, next_sentence: bool) -> None:
    layout = replace(LAYOUT, sequences=sequences, next_sentence=next_sentence)
    arrays = layout_rows(Tokens.of([FIRST], 2, 3), masks_of(([1], [4])), [1], [1], layout)
    lengths = {name: values.shape[1] for name, values in arrays.items()}
    assert lengths == feature_lengths(12, 4, sequences, next_sentence)
