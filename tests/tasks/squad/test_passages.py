"""bert/tasks/squad/passages.py: BM25 over windows, and what is kept."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bert.tasks.squad.data import Question
from bert.tasks.squad.features import Windows, make_windows
from bert.tasks.squad.passages import PER_WINDOW, most_relevant, relevance
from bert.tokens.tokenizer import WordPieceTokenizer


def windows_of(tokenizer: WordPieceTokenizer, *asked: tuple[str, str]) -> Windows:
    """Of (question, context) with two-token questions: windows of 4 tokens that do not overlap."""
    questions = [Question("", question, context, ()) for question, context in asked]
    return make_windows(questions, tokenizer, max_seq_length=9, doc_stride=4, max_query_length=2)


def test_the_score_is_that_of_okapi_bm25(tokenizer: WordPieceTokenizer) -> None:
    """Against the formula, by words: the mean length is 3.5; "moon" is in 2 of 4 windows, "river" in 1."""
    windows = windows_of(tokenizer, ("river moon", "the moon is moon it it it it river he moon he in of"))
    assert windows.context_length.tolist() == [4, 4, 4, 2]

    def term(count: int, length: int, holding: int) -> float:
        idf = math.log(1 + (4 - holding + 0.5) / (holding + 0.5))
        return idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / 3.5))

    expected = [term(2, 4, 2), 0, term(1, 4, 1) + term(1, 4, 2), 0]
    assert relevance(windows).tolist() == pytest.approx(expected)


def test_the_question_in_the_row_is_not_counted(tokenizer: WordPieceTokenizer) -> None:
    assert relevance(windows_of(tokenizer, ("river moon", "it it it it he he he he"))).tolist() == [0, 0]


def test_the_best_of_each_question_are_kept_in_the_order_of_the_text(tokenizer: WordPieceTokenizer) -> None:
    text = "it it it it it he moon he it it it it moon moon moon moon of of of of"
    windows = windows_of(tokenizer, ("moon", text), ("he it", text), ("river", text))
    kept = most_relevant(windows, 2)
    assert kept.question_index.tolist() == [0, 0, 1, 1, 2, 2]
    # Windows of 5 with a question of one piece, else of 4; nothing of "river": the first two.
    assert kept.first_token.tolist()[:2] == [4, 12]
    assert kept.first_token.tolist()[4:] == [0, 4]
    rows = [
        next(n for n in range(len(windows)) if (windows.question_index[n], windows.first_token[n]) == (q, t))
        for q, t in zip(kept.question_index, kept.first_token, strict=True)
    ]
    for name in PER_WINDOW:
        assert np.array_equal(getattr(kept, name), getattr(windows, name)[rows])


def test_where_there_are_no_more_all_are_kept(tokenizer: WordPieceTokenizer) -> None:
    windows = windows_of(tokenizer, ("moon", "it it it it it he moon he"), ("moon", ""), ("he", "he"))
    kept = most_relevant(windows, 5)
    for name in PER_WINDOW:
        assert np.array_equal(getattr(kept, name), getattr(windows, name))
    assert len(most_relevant(windows_of(tokenizer, ("moon", "")), 5)) == 0
