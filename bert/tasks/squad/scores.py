"""The scores of a dev set's answers, by the rules of the version that they were made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bert.tasks.squad.baselines import question_blind_scores, question_blind_scores_v2
from bert.tasks.squad.data import Question
from bert.tasks.squad.metrics import Scores, squad_scores, squad_scores_by_type
from bert.tasks.squad.metrics_v2 import overall_v2, squad_v2_scores


@dataclass(frozen=True)
class Answered:
    """{question id: text}; of v2.0 also {question id: null odds} and the threshold above which the text is empty."""

    predictions: Mapping[str, str]
    null_odds: Mapping[str, float] | None
    threshold: float | None


def scores_of(questions: Sequence[Question], answered: Answered) -> Scores:
    """What the official scorer of the version counts; of v2.0 with the threshold."""
    if answered.null_odds is None or answered.threshold is None:
        return squad_scores(questions, answered.predictions)
    scores = squad_v2_scores(questions, answered.predictions, answered.null_odds, answered.threshold)
    return scores | {"null_score_diff_threshold": answered.threshold}


def full_scores(
    train: Sequence[Question], dev: Sequence[Question], answered: Answered, seeds: Sequence[int]
) -> dict[str, Any]:
    """`scores_of` with `by_type` of the answer and the `baselines`, which see no question."""
    if answered.null_odds is None:
        by_type = squad_scores_by_type(dev, answered.predictions)
        baselines = question_blind_scores(train, dev, seeds)
    else:
        by_type = squad_scores_by_type(dev, answered.predictions, overall_v2)
        baselines = question_blind_scores_v2(train, dev, seeds)
    return {**scores_of(dev, answered), "by_type": by_type, "baselines": baselines}
