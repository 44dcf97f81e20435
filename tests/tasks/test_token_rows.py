"""Tests for bert/tasks/token_rows.py."""

from __future__ import annotations

import numpy as np
import pytest

from bert.tasks import token_rows
from bert.tasks.token_rows import ones, put, tokenize, tokenize_with_offsets
from bert.tokens.tokenizer import WordPieceTokenizer

TEXTS = ["he was born", "", "café 1930", "\u200b", *("a b c " * n for n in range(20))]


@pytest.mark.parametrize("threads", [1, 3])
def test_texts_keep_their_order_in_any_number_of_threads(
    tokenizer: WordPieceTokenizer, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(token_rows, "TOKENIZER_BATCH", 2)
    plain, offsets = tokenize(TEXTS, tokenizer, threads), tokenize_with_offsets(TEXTS, tokenizer, threads)
    expected = tokenizer.tokenize_with_offsets(TEXTS)
    for found in (plain, offsets):
        assert found.ids.dtype == np.int32
        assert found.count.tolist() == [len(ids) for ids in expected[0]]
        for n, (first, count) in enumerate(zip(found.first, found.count, strict=True)):
            assert found.ids[first : first + count].tolist() == expected[0][n].tolist()
    assert offsets.start.tolist() == np.concatenate(expected[1]).tolist()
    assert offsets.end.tolist() == np.concatenate(expected[2]).tolist()


def test_no_texts_have_no_tokens(tokenizer: WordPieceTokenizer) -> None:
    assert [len(values) for values in vars(tokenize_with_offsets([], tokenizer)).values()] == [0] * 5


def test_rows_are_filled_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_rows, "CHUNK", 7)
    draw = np.random.Generator(np.random.Philox(1))
    values = draw.integers(1, 100, 60).astype(np.int32)
    count, at, first = draw.integers(0, 6, 40), draw.integers(0, 5, 40), draw.integers(0, 55, 40)
    rows, expected, marked = np.full((2, 40, 10), -1, np.int32), np.full((40, 10), -1, np.int32), np.zeros((40, 10))
    put(rows[0], at, values, first, count)
    for n, (start, length) in enumerate(zip(at, count, strict=True)):
        expected[n, start : start + length] = values[first[n] : first[n] + length]
        marked[n, start : start + length] = 1
    assert np.array_equal(rows[0], expected) and (rows[1] == -1).all()
    assert np.array_equal(ones((40, 10), at, at + count), marked)
