"""Tests for bert/tasks/glue/features.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.pipeline.errors import StageError
from bert.tasks.glue.examples import Example
from bert.tasks.glue.features import Rows, longest_first, make_rows
from bert.tokens.tokenizer import WordPieceTokenizer


def shown(tokenizer: WordPieceTokenizer, rows: Rows, row: int) -> str:
    return " ".join(tokenizer.vocab[i] for i in rows.input_ids[row])


def test_a_pair_is_packed_with_two_segments(tokenizer: WordPieceTokenizer) -> None:
    rows = make_rows([Example(0, "he was born", "moon river", 1)], tokenizer, max_seq_length=10)
    assert shown(tokenizer, rows, 0) == "[CLS] he was born [SEP] moon river [SEP] [PAD] [PAD]"
    assert rows.input_mask[0].tolist() == [1] * 8 + [0] * 2
    assert rows.segment_ids[0].tolist() == [0] * 5 + [1] * 3 + [0] * 2
    assert rows.labels.tolist() == [1]
    assert {a.dtype for a in (rows.input_ids, rows.input_mask, rows.segment_ids, rows.labels)} == {np.dtype(np.int32)}


def test_a_sentence_is_packed_with_one_segment(tokenizer: WordPieceTokenizer) -> None:
    rows = make_rows(
        [Example(0, "he was", None, None), Example(1, "he was born in it", None, 0)], tokenizer, max_seq_length=6
    )
    assert [shown(tokenizer, rows, i) for i in (0, 1)] == [
        "[CLS] he was [SEP] [PAD] [PAD]",
        "[CLS] he was born in [SEP]",
    ]
    assert not rows.segment_ids.any()
    assert rows.input_mask.sum(axis=1).tolist() == [4, 6]
    assert rows.labels.tolist() == [-1, 0]
    assert rows.counts == {"examples": 2, "examples cut at max_seq_length": 1}


def test_numbers_stay_numbers(tokenizer: WordPieceTokenizer) -> None:
    rows = make_rows([Example(0, "he", "was", 3.75), Example(1, "he", "is", 2.0)], tokenizer, max_seq_length=6)
    assert rows.labels.dtype == np.float32 and rows.labels.tolist() == [3.75, 2.0]


def test_a_long_pair_loses_tokens_of_its_longer_side(tokenizer: WordPieceTokenizer) -> None:
    rows = make_rows([Example(0, "he was born in it", "moon river", 1)], tokenizer, max_seq_length=8)
    assert shown(tokenizer, rows, 0) == "[CLS] he was born [SEP] moon river [SEP]"


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 50))
def test_longest_first_equals_removing_one_token_at_a_time(a: int, b: int, room: int) -> None:
    left = [a, b]
    while sum(left) > room:
        left[0 if left[0] > left[1] else 1] -= 1
    assert [length.tolist() for length in longest_first(np.array([a]), np.array([b]), room)] == [[n] for n in left]


def test_no_room_is_refused(tokenizer: WordPieceTokenizer) -> None:
    with pytest.raises(StageError, match=r"max_seq_length is 4.*need 5"):
        make_rows([Example(0, "he", "was", 1)], tokenizer, max_seq_length=4)
    assert len(make_rows([Example(0, "he", None, 1)], tokenizer, max_seq_length=4)) == 1
