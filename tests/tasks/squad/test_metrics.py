"""Tests for bert/tasks/squad/metrics.py. The expected values are computed by hand from the official definition."""

from __future__ import annotations

import pytest

from bert.tasks.squad.data import Question
from bert.tasks.squad.metrics import exact_match, f1, normalize, squad_scores, squad_scores_by_type


def question(id: str, *answers: str, kind: str | None = None) -> Question:
    return Question(id, "?", " ".join(answers), tuple((a, 0) for a in answers), kind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  U.S. Navy", "us navy"),
        ("an apple a day", "apple day"),
        ("Theatre of the Absurd", "theatre of absurd"),
        ("24–10", "24–10"),  # Not ASCII: stays.
        ("24-10", "2410"),
        ("\u00a0A.B.\t", "ab"),
        ("the", ""),
        ("a-b", "ab"),  # Punctuation goes first, so no article appears.
    ],
)
def test_normalizing(text: str, expected: str) -> None:
    assert normalize(text) == expected


@pytest.mark.parametrize(
    ("prediction", "answer", "value"),
    [
        ("the Denver Broncos", "Denver Broncos!", 1.0),
        ("cat in the hat", "a cat", 0.5),  # precision 1/3, recall 1
        ("new new york", "city new new", 2 / 3),  # common: new twice; precision 2/3, recall 2/3
        ("1 2 3 4", "4 5", 1 / 3),  # precision 1/4, recall 1/2
        ("dog", "cat", 0.0),
        ("the", "The", 0.0),  # equal, but no words: evaluate-v1.1 gives 0 and an exact match
        ("", "cat", 0.0),
    ],
)
def test_f1_of_one_answer(prediction: str, answer: str, value: float) -> None:
    assert f1(prediction, answer) == pytest.approx(value)


def test_exact_match_ignores_what_normalizing_drops() -> None:
    assert exact_match("The Broncos.", "broncos") and exact_match("the", "A")
    assert not exact_match("Bronco", "Broncos")


def test_each_question_takes_its_best_answer_and_the_mean_is_in_per_cent() -> None:
    questions = [question("1", "cat", "a cat sat"), question("2", "dog"), question("3", "x y")]
    scores = squad_scores(questions, {"1": "cat sat", "2": "bird", "3": "y", "unknown": "dog"})
    # Exact: 1, 0, 0. F1: 1, 0, 2/3.
    assert scores == {"exact_match": pytest.approx(100 / 3), "f1": pytest.approx(100 * (5 / 3) / 3), "count": 3}


def test_a_missing_prediction_scores_zero_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    # Other tests import Beam, which leaves the root logger at ERROR.
    caplog.set_level("WARNING", logger="bert")
    scores = squad_scores([question("1", "cat"), question("2", "dog")], {"1": "cat"})
    assert scores == {"exact_match": 50.0, "f1": 50.0, "count": 2}
    assert "1 of 2 questions have no prediction" in caplog.text


def test_a_question_without_answers_wants_the_empty_text() -> None:
    questions = [question("1"), question("2"), question("3")]
    assert squad_scores(questions, {"1": "", "2": "cat", "3": "the"}) == {
        "exact_match": pytest.approx(200 / 3),
        "f1": pytest.approx(200 / 3),
        "count": 3,
    }


def test_scores_by_type_take_the_files_kind_or_infer_it() -> None:
    questions = [
        question("1", "whatever", kind="name"),
        question("2", "1930"),
        question("3", "1931"),
        question("4", "Neil"),
        question("5"),
    ]
    scores = squad_scores_by_type(questions, {"1": "whatever", "2": "1930", "3": "1932", "4": "no", "5": ""})
    assert {kind: (s["exact_match"], s["f1"], s["count"]) for kind, s in scores.items()} == {
        "date": (50.0, 50.0, 2),
        "name": (50.0, 50.0, 2),
        "no answer": (100.0, 100.0, 1),
    }
    assert list(scores) == sorted(scores)
