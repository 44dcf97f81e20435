"""Exact match and F1 as SQuAD's official scorer counts them (evaluate-v1.1), in per cent, and by kind of answer.

A question takes the best score over its accepted answers; a question without a prediction scores 0. Questions without
an answer are right when the prediction is empty; files that have some are scored by `metrics_v2`.
"""

from __future__ import annotations

import logging
import re
import string
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from bert.tasks.squad.answer_types import answer_type
from bert.tasks.squad.data import Question

log = logging.getLogger(__name__)

ARTICLES = re.compile(r"\b(a|an|the)\b")
WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)

Scores = dict[str, float]


# The accepted answers are normalized once per baseline and seed; a dev set has some 35,000 of them.
@lru_cache(maxsize=1 << 17)
def normalize(text: str) -> str:
    """Lower case, no ASCII punctuation, no articles, single spaces: "The  U.S. Navy" -> "us navy"."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(WITHOUT_PUNCTUATION)).split())


def exact_match(prediction: str, answer: str) -> bool:
    """Whether the two are equal when normalized."""
    return normalize(prediction) == normalize(answer)


def f1(prediction: str, answer: str) -> float:
    """Harmonic mean of precision and recall over the words of both, in [0, 1].

    "cat in the hat", "a cat": words (cat, in, hat), (cat); precision 1/3, recall 1 -> 0.5. Without a common word 0,
    also where normalizing leaves no word on either side (evaluate-v1.1).
    """
    predicted, expected = normalize(prediction).split(), normalize(answer).split()
    num_same = sum((Counter(predicted) & Counter(expected)).values())
    if num_same == 0:
        return 0.0
    precision, recall = num_same / len(predicted), num_same / len(expected)
    return 2 * precision * recall / (precision + recall)


def question_scores(question: Question, prediction: str) -> tuple[bool, float]:
    """(exact match, F1) of one prediction against the best of the question's answers."""
    if not question.answers:
        is_empty = not normalize(prediction)
        return is_empty, float(is_empty)
    texts = [text for text, _ in question.answers]
    return any(exact_match(prediction, text) for text in texts), max(f1(prediction, text) for text in texts)


def squad_scores(questions: Sequence[Question], predictions: Mapping[str, str]) -> Scores:
    """{"exact_match": per cent, "f1": per cent, "count": questions} of predictions {id: text}.

    Predictions for other questions are ignored; missing ones count as wrong and are logged.
    """
    scored = [question_scores(q, predictions[q.id]) for q in questions if q.id in predictions]
    if len(scored) < len(questions):
        log.warning("%d of %d questions have no prediction and score 0", len(questions) - len(scored), len(questions))
    # All zeros for no questions: a score is always a number, and `count` tells.
    count = max(len(questions), 1)
    return {
        "exact_match": 100.0 * sum(exact for exact, _ in scored) / count,
        "f1": 100.0 * sum(value for _, value in scored) / count,
        "count": len(questions),
    }


def squad_scores_by_type(
    questions: Sequence[Question],
    predictions: Mapping[str, str],
    score: Callable[[Sequence[Question], Mapping[str, str]], Scores] = squad_scores,
) -> dict[str, Scores]:
    """The same for each kind of answer: {"date": {"exact_match": ..., "f1": ..., "count": ...}, ...}, sorted.

    The kind is what the file says (the cloze set); where it says nothing, `answer_types.infer_type` of the answer.
    """
    groups: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        groups[answer_type(question)].append(question)
    return {kind: score(groups[kind], predictions) for kind in sorted(groups)}
