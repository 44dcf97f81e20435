"""Tests for bert/tasks/squad/answers.py."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert.pipeline.errors import StageError
from bert.tasks.squad import answers as squad_answers
from bert.tasks.squad.answers import best_answers, write_answers
from bert.tasks.squad.data import Question
from bert.tasks.squad.features import Windows, make_windows
from bert.tokens.tokenizer import WordPieceTokenizer

CONTEXT = "a b c d e f g h i j"
LIMITS: dict[str, Any] = {"n_best_size": 4, "max_answer_length": 3}


def windows_of(tokenizer: WordPieceTokenizer, questions: list[Question], length: int = 10, stride: int = 3) -> Windows:
    return make_windows(questions, tokenizer, max_seq_length=length, doc_stride=stride, max_query_length=2)


def quiet(windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    return np.full(windows.input_ids.shape, -9.0, np.float32), np.full(windows.input_ids.shape, -9.0, np.float32)


@pytest.fixture
def question() -> Question:
    return Question("q", "who?", CONTEXT, (("b c", 2),))


def test_the_highest_logits_give_the_answer_from_the_original_text(tokenizer: WordPieceTokenizer) -> None:
    context = "It was (Café  NOIR), a."
    questions = [Question("q", "who?", context, (("Café  NOIR", 8),))]
    windows = windows_of(tokenizer, questions, length=30)
    start, end = quiet(windows)
    start[0, windows.start_positions[0]] = end[0, windows.end_positions[0]] = 5.0
    ((best, *others),) = best_answers(questions, windows, start, end, n_best_size=5, max_answer_length=12)
    assert (best.text, best.start, best.end) == ("Café  NOIR", 8, 18)
    assert (best.start_logit, best.end_logit) == (5.0, 5.0)
    assert all(best.probability > other.probability for other in others)


def test_pairs_are_ranked_by_the_sum_and_weighed_by_softmax(tokenizer: WordPieceTokenizer, question: Question) -> None:
    windows = windows_of(tokenizer, [question], length=20)
    start, end = quiet(windows)
    # The context starts at position 4: starts a 3, c 1; ends b 2, d 0.
    start[0, [4, 6]] = 3.0, 1.0
    end[0, [5, 7]] = 2.0, 0.0
    (answers,) = best_answers([question], windows, start, end, n_best_size=2, max_answer_length=3)
    # "a b" 5, "c d" 1; "a b c d" 3 is too long, "c .. b" runs backwards.
    assert [a.text for a in answers] == ["a b", "c d"]
    assert [a.probability for a in answers] == pytest.approx(
        [1 / (1 + math.exp(-4)), math.exp(-4) / (1 + math.exp(-4))]
    )


def test_the_question_is_never_the_answer(tokenizer: WordPieceTokenizer, question: Question) -> None:
    windows = windows_of(tokenizer, [question], length=20)
    start, end = quiet(windows)
    # More high logits outside the context than n_best_size.
    start[0, :4] = end[0, :4] = 50.0
    start[0, 14:] = end[0, 14:] = 50.0
    (answers,) = best_answers([question], windows, start, end, **LIMITS)
    assert len(answers) == 4 and all(a.text and a.start_logit == -9.0 for a in answers)


def test_a_start_counts_only_where_its_context_is_widest(tokenizer: WordPieceTokenizer, question: Question) -> None:
    windows = windows_of(tokenizer, [question])
    start, end = quiet(windows)
    # "d": an edge of the second window (position 4 there), inside the first (position 7).
    assert windows.max_context_mask()[0, 7] and not windows.max_context_mask()[1, 4]
    start[1, 4] = end[1, 4] = 50.0
    assert best_answers([question], windows, start, end, **LIMITS)[0][0].start_logit == -9.0
    start[0, 7] = end[0, 7] = 1.0
    assert best_answers([question], windows, start, end, **LIMITS)[0][0].text == "d"


def test_equal_texts_are_one_answer(tokenizer: WordPieceTokenizer) -> None:
    questions = [Question("q", "who?", "moon moon moon", (("moon", 0),))]
    windows = windows_of(tokenizer, questions)
    start, end = quiet(windows)
    answers = best_answers(questions, windows, start, end, n_best_size=9, max_answer_length=3)[0]
    assert sorted(a.text for a in answers) == ["moon", "moon moon", "moon moon moon"]
    # All equal: the first span keeps the text.
    assert {a.text: a.start for a in answers}["moon"] == 0


def test_a_question_without_windows_gets_the_empty_text(tokenizer: WordPieceTokenizer, question: Question) -> None:
    questions = [Question("none", "who?", "\u200b", (("\u200b", 0),)), question]
    windows = windows_of(tokenizer, questions)
    answers = best_answers(questions, windows, *quiet(windows), **LIMITS)
    assert [a.text for a in answers[0]] == [""] and answers[1][0].text


def reference(
    question: Question, windows: Windows, rows: Any, start: Any, end: Any, max_length: int
) -> list[tuple[float, str]]:
    """All pairs, one by one."""
    best = windows.max_context_mask()
    found: dict[str, float] = {}
    for row in rows:
        at, size, token = windows.context_position[row], windows.context_length[row], windows.token_row[row]
        for i in range(size):
            for j in range(i, min(i + max_length, size)):
                if best[row, at + i]:
                    text = question.context[windows.token_start[token + i] : windows.token_end[token + j]]
                    score = float(start[row, at + i]) + float(end[row, at + j])
                    found[text] = max(found.get(text, -1e9), score)
    return sorted(((score, text) for text, score in found.items()), key=lambda pair: -pair[0])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), chunk=st.integers(1, 9), length=st.integers(8, 14), stride=st.integers(1, 5))
def test_with_a_large_n_best_the_answers_are_those_of_an_exhaustive_search(
    tokenizer: WordPieceTokenizer, seed: int, chunk: int, length: int, stride: int
) -> None:
    questions = [Question(c, "who?", c, ((c[0], 0),)) for c in (CONTEXT, "he was it", CONTEXT + " k l m", "a")]
    windows = windows_of(tokenizer, questions, length, stride)
    rng = np.random.default_rng(seed)
    start, end = rng.normal(size=(2, *windows.input_ids.shape))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(squad_answers, "CHUNK", chunk)
        answers = best_answers(questions, windows, start, end, n_best_size=20, max_answer_length=3)
    for index, question in enumerate(questions):
        rows = np.flatnonzero(windows.question_index == index)
        expected = reference(question, windows, rows, start, end, 3)[:20]
        assert [a.text for a in answers[index]] == [text for _, text in expected]
        assert [a.start_logit + a.end_logit for a in answers[index]] == pytest.approx([score for score, _ in expected])
        assert sum(a.probability for a in answers[index]) == pytest.approx(1)
        for answer in answers[index]:
            assert question.context[answer.start : answer.end] == answer.text


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_of_a_diverged_model_are_refused(
    tokenizer: WordPieceTokenizer, question: Question, value: float
) -> None:
    windows = windows_of(tokenizer, [question])
    start, end = quiet(windows)
    end[1, 3] = value
    with pytest.raises(StageError, match="end_logits of 1 of 3 windows are not finite"):
        best_answers([question], windows, start, end, **LIMITS)


def test_logits_of_another_shape_are_refused(tokenizer: WordPieceTokenizer, question: Question) -> None:
    windows = windows_of(tokenizer, [question])
    start, end = quiet(windows)
    with pytest.raises(ValueError, match=r"start_logits is \(2, 10\), but the windows are \(3, 10\)"):
        best_answers([question], windows, start[:2], end, **LIMITS)


def test_files_hold_the_best_text_and_all_candidates(
    tmp_path: Path, tokenizer: WordPieceTokenizer, question: Question
) -> None:
    windows = windows_of(tokenizer, [question])
    answers = best_answers([question], windows, *quiet(windows), **LIMITS)
    predictions = write_answers(tmp_path / "predictions.json", tmp_path / "nbest.json", [question], answers)
    assert json.loads((tmp_path / "predictions.json").read_text()) == predictions == {"q": answers[0][0].text}
    nbest = json.loads((tmp_path / "nbest.json").read_text())["q"]
    assert [c["text"] for c in nbest] == [a.text for a in answers[0]]
    assert set(nbest[0]) == {"text", "start", "end", "probability", "start_logit", "end_logit"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["nbest.json", "predictions.json"]
