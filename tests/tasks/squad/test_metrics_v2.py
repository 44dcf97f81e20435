"""Tests for bert/tasks/squad/metrics_v2.py. The expected values are computed by hand from the official definition."""

from __future__ import annotations

import pytest

from bert.tasks.squad.data import Question
from bert.tasks.squad.metrics import question_scores
from bert.tasks.squad.metrics_v2 import overall_v2, question_scores_v2, squad_v2_scores


def question(id: str, *answers: str) -> Question:
    return Question(id, "?", " ".join(answers), tuple((a, 0) for a in answers), None, not answers)


@pytest.mark.parametrize(
    ("answers", "prediction", "exact", "overlap"),
    [
        ((), "", 1, 1),
        ((), "the", 1, 1),  # normalizes to nothing, as the empty text does
        ((), "cat", 0, 0),
        (("cat",), "", 0, 0),
        (("cat",), "The", 0, 0),
        (("the cat",), "Cat!", 1, 1),
        (("cat", "black cat"), "a black dog", 0, 0.5),  # precision 1/2, recall 1/2 of the second
        (("The",), "", 1, 1),  # the accepted answer normalizes to nothing: there is none
        (("The",), "the", 1, 1),
        (("The",), "cat", 0, 0),
        (("...", "cat"), "", 0, 0),  # one of two: the other is left
        (("...", "cat"), "cat", 1, 1),
    ],
)
def test_the_scores_of_one_question(answers: tuple[str, ...], prediction: str, exact: float, overlap: float) -> None:
    assert question_scores_v2(question("1", *answers), prediction) == pytest.approx((exact, overlap))


def test_an_answer_without_words_is_scored_otherwise_by_version_1() -> None:
    assert question_scores(question("1", "The"), "the") == (True, 0.0)
    assert question_scores_v2(question("1", "The"), "the") == (1.0, 1.0)
    assert question_scores(question("1", "The", "cat"), "a") == (True, 0.0)
    assert question_scores_v2(question("1", "The", "cat"), "a") == (0.0, 0.0)


QUESTIONS = [question("a", "cat"), question("b", "black dog"), question("c"), question("d")]
PREDICTIONS = {"a": "cat", "b": "dog", "c": "", "d": "bird", "another": "x"}
# Exact 1, 0, 1, 0; F1 1, 2/3, 1, 0.
F1_B = 2 / 3


def test_the_scores_are_split_by_whether_there_is_an_answer() -> None:
    scores = squad_v2_scores(QUESTIONS, PREDICTIONS)
    assert list(scores) == [
        *("exact", "f1", "total", "HasAns_exact", "HasAns_f1", "HasAns_total"),
        *("NoAns_exact", "NoAns_f1", "NoAns_total"),
    ]
    assert scores == pytest.approx(
        {
            **{"exact": 50, "f1": 100 * (2 + F1_B) / 4, "total": 4},
            **{"HasAns_exact": 50, "HasAns_f1": 100 * (1 + F1_B) / 2, "HasAns_total": 2},
            **{"NoAns_exact": 50, "NoAns_f1": 50, "NoAns_total": 2},
        }
    )


def test_only_the_kind_that_is_there_has_scores() -> None:
    assert not any(key.startswith("NoAns") for key in squad_v2_scores(QUESTIONS[:2], PREDICTIONS))
    assert not any(key.startswith("HasAns") for key in squad_v2_scores(QUESTIONS[2:], PREDICTIONS))


def test_a_missing_prediction_is_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    # Other tests import Beam, which leaves the root logger at ERROR.
    caplog.set_level("WARNING", logger="bert")
    odds = {"a": -1.0, "d": -2.0}
    scores = squad_v2_scores(QUESTIONS, {"a": "cat", "d": "bird"}, odds)
    assert (scores["exact"], scores["total"], scores["HasAns_total"], scores["NoAns_total"]) == (50, 2, 1, 1)
    # All empty: d, 1 of 2. Answering d and a: a, 1 of 2. Never more: c, of no prediction, must not count as right.
    assert (scores["best_exact"], scores["best_exact_thresh"]) == (50, 0.0)
    assert "2 of 4 questions have no prediction and are left out, the first is b" in caplog.text


def test_odds_above_the_threshold_empty_the_prediction() -> None:
    odds = {"a": 0.3, "b": 0.9, "c": 0.1, "d": 0.8}
    assert squad_v2_scores(QUESTIONS, PREDICTIONS, odds)["exact"] == 50, "nothing is above 1.0, the default"
    scores = squad_v2_scores(QUESTIONS, PREDICTIONS, odds, 0.5)
    # b and d are emptied: exact 1, 0, 1, 1.
    assert (scores["exact"], scores["f1"], scores["HasAns_f1"], scores["NoAns_f1"]) == (75, 75, 50, 100)
    assert squad_v2_scores(QUESTIONS, PREDICTIONS, odds, 0.8)["exact"] == 50, "equal is not above"


def test_the_best_thresholds_are_those_of_the_highest_scores() -> None:
    odds = {"d": 0.8, "a": 0.3, "c": 0.1, "b": 0.9}
    scores = squad_v2_scores(QUESTIONS, PREDICTIONS, odds, 0.0)
    # All empty: c and d, 2. In the order c 2, a 3, d 2, b 2 (exact) or 2 + 2/3 (F1).
    best = {name: value for name, value in scores.items() if name.startswith("best")}
    assert best == {"best_exact": 75, "best_exact_thresh": 0.3, "best_f1": 75, "best_f1_thresh": 0.3}
    assert list(scores)[-4:] == ["best_exact", "best_exact_thresh", "best_f1", "best_f1_thresh"]
    odds["d"] = 1.5
    # c 2, a 3, b 3 or 3 + 2/3, d 2 or 2 + 2/3.
    scores = squad_v2_scores(QUESTIONS, PREDICTIONS, odds, 0.0)
    assert (scores["best_exact"], scores["best_exact_thresh"]) == (75, 0.3)
    assert (scores["best_f1"], scores["best_f1_thresh"]) == pytest.approx((100 * (3 + F1_B) / 4, 0.9))


def test_where_nothing_is_better_than_no_answer_the_best_threshold_is_zero() -> None:
    scores = squad_v2_scores([question("a", "cat"), question("b")], {"a": "dog", "b": "x"}, {"a": -3.0, "b": -2.0})
    assert (scores["best_f1"], scores["best_f1_thresh"]) == (50, 0.0)


def test_equal_odds_are_tried_in_the_order_of_their_file() -> None:
    questions = [question("a", "cat"), question("b")]
    predictions = {"a": "cat", "b": "x"}
    first, second = ({"a": 0.5, "b": 0.5}, {"b": 0.5, "a": 0.5})
    assert squad_v2_scores(questions, predictions, first)["best_exact"] == 100
    assert squad_v2_scores(questions, predictions, second)["best_exact"] == 50


def test_an_emptied_prediction_for_an_answer_without_words_is_wrong() -> None:
    """By the list of answers it has one; by the text of the prediction, none: so does evaluate-v2.0."""
    asked = [question("a", "The")]
    assert squad_v2_scores(asked, {"a": ""}, {"a": 0.5})["exact"] == 100
    assert squad_v2_scores(asked, {"a": ""}, {"a": 1.5})["exact"] == 0


def test_of_one_id_the_last_question_counts() -> None:
    assert squad_v2_scores([question("a", "dog"), question("a", "cat")], {"a": "cat"})["exact"] == 100


def test_scores_of_nothing_are_zeros() -> None:
    assert overall_v2([], {}) == {"exact": 0, "f1": 0, "total": 0}
