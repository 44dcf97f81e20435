"""Tests for bert/tasks/squad/no_answer.py."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.tasks.squad.answers import Candidate, best_answers
from bert.tasks.squad.data import Question
from bert.tasks.squad.features import Windows, make_windows
from bert.tasks.squad.metrics_v2 import overall_v2, squad_v2_scores
from bert.tasks.squad.no_answer import NO_SPAN, best_threshold, null_answers, with_null
from bert.tokens.tokenizer import WordPieceTokenizer

QUESTION = Question("q", "who?", "a b c d e f g h i j", (("b c", 2),))


@pytest.fixture
def windows(tokenizer: WordPieceTokenizer) -> Windows:
    return make_windows([QUESTION], tokenizer, max_seq_length=10, doc_stride=3, max_query_length=2)


def answers_to(windows: Windows, null: float, threshold: float) -> tuple[list[Candidate], float]:
    """Of spans "a b" 8, then 4 - 9 = -5 and lower, and a null of 2 * null in the second window."""
    start, end = np.full((2, *windows.input_ids.shape), -9.0, np.float32)
    start[0, 4], end[0, 5] = 4.0, 4.0
    start[:, 0] = end[:, 0] = 30.0
    start[1, 0] = end[1, 0] = null
    found = best_answers([QUESTION], windows, start, end, n_best_size=4, max_answer_length=3)
    assert all(candidate.text for candidate in found[0])
    nulls = null_answers(found, windows, start, end)
    (answers,) = with_null(found, nulls, threshold)
    return answers, nulls.odds[0]


@pytest.mark.parametrize(
    ("null", "threshold", "texts"),
    [
        (9.0, 0.0, ["", "a b"]),
        (9.0, 20.0, ["a b", ""]),
        (9.0, 10.0, ["a b", ""]),  # odds 10: equal is not above
        (4.0, 0.0, ["a b", ""]),
        (3.0, -5.0, ["", "a b"]),
    ],
)
def test_no_answer_wins_by_more_than_the_threshold(
    windows: Windows, null: float, threshold: float, texts: list[str]
) -> None:
    answers, odds = answers_to(windows, null, threshold)
    assert [answer.text for answer in answers[:2]] == texts
    assert odds == 2 * null - 8, "of the window that is surest of an answer"
    assert sum(answer.probability for answer in answers) == pytest.approx(1)
    assert len(answers) == 5, "the n best, and the null"


def test_a_null_that_loses_stands_at_its_score(windows: Windows) -> None:
    # Spans of 8 and three of -5.
    for null, place in ((1.0, 1), (-2.5, 4), (-6.0, 4)):
        answers, _ = answers_to(windows, null, 0.0)
        scores = [answer.start_logit + answer.end_logit for answer in answers]
        assert scores == sorted(scores, reverse=True)
        assert [answer.text for answer in answers].index("") == place


def test_a_question_without_a_span_has_no_answer_at_any_threshold(tokenizer: WordPieceTokenizer) -> None:
    questions = [Question("none", "who?", "\u200b", ()), QUESTION]
    windows = make_windows(questions, tokenizer, max_seq_length=10, doc_stride=3, max_query_length=2)
    logits = np.zeros(windows.input_ids.shape, np.float32)
    found = best_answers(questions, windows, logits, logits, n_best_size=2, max_answer_length=3)
    nulls = null_answers(found, windows, logits, logits)
    answers = with_null(found, nulls, 1e12)
    assert [answer.text for answer in answers[0]] == [""] and answers[1][0].text
    assert nulls.odds == [-NO_SPAN, 0.0]
    json.dumps(nulls.odds, allow_nan=False)


def span(text: str, score: float = 0.0) -> list[Candidate]:
    return [Candidate(text, 0, len(text), 1.0, score, 0.0)]


def test_the_best_threshold_still_answers_the_last_that_is_worth_it() -> None:
    questions = [Question("a", "?", "cat", (("cat", 0),)), Question("b", "?", "x", ()), Question("c", "?", "dog", ())]
    found = [span("cat"), span("x"), span("dog")]
    assert best_threshold(questions, found, [-2.0, 1.0, -1.0]) == -2.0
    assert best_threshold(questions, found, [0.5, 1.0, 3.0]) == 0.5
    # Nothing is worth an answer: below all odds.
    assert best_threshold(questions, found, [3.0, 1.0, 1.5]) < 1.0
    # Of equal odds all are answered or none.
    assert best_threshold(questions[:2], found[:2], [-1.0, -1.0]) < -1.0


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["", "cat", "black cat"]), st.sampled_from(["cat", "dog", ""]), st.integers(-3, 3)),
        min_size=1,
        max_size=8,
    )
)
def test_no_threshold_is_better_than_the_best(rows: list[tuple[str, str, int]]) -> None:
    questions = [Question(str(n), "?", a, ((a, 0),) if a else ()) for n, (a, _, _) in enumerate(rows)]
    found, odds = [span(text) for _, text, _ in rows], [float(value) for *_, value in rows]

    def f1_at(threshold: float) -> float:
        texts = {
            q.id: "" if chance > threshold else first.text
            for q, (first,), chance in zip(questions, found, odds, strict=True)
        }
        return float(overall_v2(questions, texts)["f1"])

    best = best_threshold(questions, found, odds)
    assert f1_at(best) == pytest.approx(max(f1_at(threshold) for threshold in (-4.0, *odds)))
    # Scored with it, the official search finds nothing better: predictions above it are empty already.
    texts = {q.id: "" if o > best else c.text for q, (c,), o in zip(questions, found, odds, strict=True)}
    by_id = {q.id: o for q, o in zip(questions, odds, strict=True)}
    if len(set(odds)) == len(odds):
        assert squad_v2_scores(questions, texts, by_id, best)["best_f1"] == pytest.approx(f1_at(best))
