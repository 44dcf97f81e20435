"""Tests for bert/tasks/squad/baselines.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from bert.tasks.squad.baselines import (
    fit_position,
    question_blind_scores,
    question_blind_scores_v2,
    random_spans,
    random_spans_of_type,
    word_spans,
)
from bert.tasks.squad.data import Question


def ask(context: str, answer: str, kind: str | None = None) -> Question:
    return Question(context + answer, "?", context, ((answer, context.index(answer)),), kind)


def test_the_position_rule_is_the_one_that_fits_the_training_set() -> None:
    train = [ask(f"it was so that {word} had gone away early on", word) for word in ("red", "blue", "green", "pink")]
    name, rule = fit_position(train)
    assert name == "1 words from word 4"
    assert rule("one two three four five six") == "five"
    assert rule("one two") == "two" and rule("") == ""


def test_a_typed_position_is_found_where_places_vary() -> None:
    train = [ask(f"{'so ' * n}it was Anna {'and ' * n * n}then she left 3 times", "Anna") for n in range(12)]
    name, rule = fit_position(train)
    assert name == "first name"
    assert rule("then Bob met Carl") == "Bob" and rule("nobody came") == "nobody"


def test_a_random_span_has_the_length_of_an_answer_and_reaches_every_place() -> None:
    questions = [ask("one two three four", "one")] * 400
    texts = random_spans(questions, np.array([2]), seed=0)
    shares = {text: texts.count(text) / 400 for text in set(texts)}
    assert set(shares) == {"one two", "two three", "three four"}
    # A third each; 4 standard deviations of a share of 400.
    assert all(abs(share - 1 / 3) < 4 * (2 / 9 / 400) ** 0.5 for share in shares.values())
    assert set(random_spans(questions, np.array([9]), seed=0)) == {"one two three four"}


def test_a_random_span_of_a_type_is_of_that_type_or_any_span() -> None:
    context = "we saw Anna and Bob times 3"
    names = random_spans_of_type([ask(context, "Bob")] * 50, np.array([1]), seed=0)
    assert set(names) == {"Anna", "Bob"}
    assert set(random_spans_of_type([ask(context, "saw", "number")] * 50, np.array([1]), seed=0)) == {"3"}
    others = random_spans_of_type([ask(context, "saw")] * 200, np.array([1]), seed=0)
    assert set(others) == {"we", "saw", "Anna", "and", "Bob", "times", "3"}


def test_expected_scores_of_the_random_baselines() -> None:
    """One of four words, one of two names: the means over seeds come near 25 and 50 per cent."""
    dev = [Question(str(i), "?", "we saw Anna Bob", (("Anna", 7),), "name") for i in range(300)]
    dev = [Question(q.id, q.question, "saw Anna, met Bob", (("Anna", 4),), "name") for q in dev]
    scores = question_blind_scores(dev, dev, seeds=range(4))
    assert scores["position"] == {"exact_match": 100.0, "f1": 100.0}
    assert scores["random_span"]["exact_match"] == pytest.approx(25, abs=5)
    assert scores["random_span_of_type"]["exact_match"] == pytest.approx(50, abs=6)
    assert scores["random_span_of_type"]["f1"] == scores["random_span_of_type"]["exact_match"]


def test_words_keep_their_inner_punctuation_only() -> None:
    text = '"Levi\'s" cost $1,500.50 (or 3%), U.S. dollars...'
    assert [text[a:b] for a, b in word_spans(text)] == ["Levi's", "cost", "$1,500.50", "or", "3%", "U.S", "dollars"]


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected questions with answers and seeds, got 0, 1, 1"):
        question_blind_scores([], [ask("one two", "one")], [0])


def test_figures_do_not_depend_on_the_process() -> None:
    program = (
        "import json; from bert.tasks.squad.baselines import question_blind_scores; from bert.tasks.squad.data import "
        "Question; q = [Question(str(i), '?', f'Anna {i} met Bob of {i} Rome and Carl', (('Bob', 9 + i // 10),)) for i "
        "in range(30)]; print(json.dumps(question_blind_scores(q, q, [1, 2])))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] and set(json.loads(runs[0])) == {"position", "random_span", "random_span_of_type"}


def test_of_version_2_no_answer_is_a_baseline_and_the_others_gain_on_answered_questions_alone() -> None:
    train = [ask(f"it was so that {word} had gone away early on", word) for word in ("red", "blue", "green", "pink")]
    dev = [*train[:3], Question("none", "?", "it was so that grey had gone", (), None, True)]
    scores = question_blind_scores_v2([*train, dev[-1]], dev, [1, 2])
    assert scores["position"] == {"exact": 75, "f1": 75} and scores["no_answer"] == {"exact": 25, "f1": 25}
    of_answered = question_blind_scores(train, dev[:3], [1, 2])["random_span"]
    assert scores["random_span"]["f1"] == pytest.approx(0.75 * of_answered["f1"])
    assert question_blind_scores_v2(train, dev[3:], [1]) == {"no_answer": {"exact": 100, "f1": 100}}
