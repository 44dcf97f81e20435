"""SQuAD v2.0: where "there is no answer" beats the best span.

As in the reference's `run_squad.py` (version_2_with_negative): the null answer is the span of [CLS] alone, its score
the sum of the two logits there, in the window that is surest of an answer. Its odds are that score less the best
span's; above the threshold the answer is the empty text.

Shapes: N windows, S max_seq_length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from bert.tasks.squad.answers import Candidate, with_probabilities
from bert.tasks.squad.data import Question
from bert.tasks.squad.features import Windows
from bert.tasks.squad.metrics_v2 import gain, question_scores_v2

# In the folder of predictions, of SQuAD v2.0 alone: the threshold that they were made with. The export takes it over.
NULL_THRESHOLD = "null_threshold.json"
# The score where a context has no span to answer with. Finite: JSON has no infinity.
NO_SPAN = -2e9


@dataclass(frozen=True)
class NullAnswers:
    """Of each question its logits at [CLS], and by how much their sum is above the best span's."""

    logits: list[tuple[float, float]]
    odds: list[float]


def null_answers(
    found: Sequence[Sequence[Candidate]],
    windows: Windows,
    start_logits: npt.NDArray[np.floating],
    end_logits: npt.NDArray[np.floating],
) -> NullAnswers:
    """The null answer beside the spans `found` by `best_answers`.

    Args:
        start_logits: (N, S)
        end_logits: (N, S)
    """
    logits: list[tuple[float, float] | None] = [None] * len(found)
    for index, start, end in zip(
        windows.question_index.tolist(), start_logits[:, 0].tolist(), end_logits[:, 0].tolist(), strict=True
    ):
        lowest = logits[index]
        if lowest is None or start + end < sum(lowest):
            logits[index] = (start, end)
    known = [pair or (0.0, 0.0) for pair in logits]  # no window: nothing to answer with either
    best = [first.start_logit + first.end_logit if first.text else NO_SPAN for first, *_ in found]
    return NullAnswers(known, [sum(pair) - score for pair, score in zip(known, best, strict=True)])


def best_threshold(questions: Sequence[Question], found: Sequence[Sequence[Candidate]], odds: Sequence[float]) -> float:
    """The threshold that gives these questions the highest F1; of equal ones the lowest.

    It is one of the odds, the highest that still gets an answer, or lies below all of them. Unlike the official search
    it tries no threshold between equal odds, and so finds one that can be kept.
    """
    gains = sorted(
        (chance, gain(question, first.text, question_scores_v2(question, first.text)[1]))
        for question, (first, *_), chance in zip(questions, found, odds, strict=True)
    )
    threshold, total, best = gains[0][0] - 1.0, 0.0, 0.0
    for chance, group in groupby(gains, key=lambda pair: pair[0]):
        total += sum(value for _, value in group)
        if total > best:
            threshold, best = chance, total
    return threshold


def with_null(found: Sequence[Sequence[Candidate]], null: NullAnswers, threshold: float) -> list[list[Candidate]]:
    """The candidates with the empty text among them: first where it wins, else by its score, behind the answer."""
    answers = []
    for candidates, logits, odds in zip(found, null.logits, null.odds, strict=True):
        spans = [(c.text, c.start, c.end, c.start_logit, c.end_logit) for c in candidates if c.text]
        better = sum(start + end >= sum(logits) for *_, start, end in spans)
        place = 0 if odds > threshold else max(better, 1)
        spans.insert(place, ("", 0, 0, *logits))
        answers.append(with_probabilities(spans))
    return answers
