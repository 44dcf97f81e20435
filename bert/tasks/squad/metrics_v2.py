"""The scores of SQuAD v2.0 as its official scorer counts them (evaluate-v2.0), in per cent.

They differ from v1.1's in more than the questions without an answer: an accepted answer that normalizes to nothing is
none; F1 between no words and no words is 1; a question without a prediction is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from bert.tasks.squad.data import Question
from bert.tasks.squad.metrics import Scores, exact_match, f1, normalize

log = logging.getLogger(__name__)

# evaluate-v2.0's own default: it was made for probabilities, of which none is higher.
THRESHOLD = 1.0


def question_scores_v2(question: Question, prediction: str) -> tuple[float, float]:
    """(exact match, F1) of one prediction, in [0, 1], against the best of the accepted answers.

    Answers that normalize to nothing ("the") are left out; none left, the empty text is the accepted one.
    """
    accepted = [text for text, _ in question.answers if normalize(text)] or [""]
    if not normalize(prediction):
        right = float(accepted == [""])
        return right, right
    return float(any(exact_match(prediction, text) for text in accepted)), max(f1(prediction, a) for a in accepted)


def overall_v2(questions: Sequence[Question], predictions: Mapping[str, str]) -> Scores:
    """{"exact": per cent, "f1": per cent, "total": questions that have a prediction}; zeros for none."""
    scored = [question_scores_v2(q, predictions[q.id]) for q in questions if q.id in predictions]
    return _means(scored)


def squad_v2_scores(
    questions: Sequence[Question],
    predictions: Mapping[str, str],
    null_odds: Mapping[str, float] | None = None,
    threshold: float = THRESHOLD,
) -> Scores:
    """`overall_v2`, the same of the questions with (`HasAns_`) and without answers (`NoAns_`), and the best thresholds.

    The official scorer prints a question without a prediction and goes on, to fail at its `HasAns_` or `NoAns_` scores;
    here such a question is logged and left out of all of them. Of questions with one id the last counts.

    Args:
        predictions: {id: text}; those for other questions are ignored.
        null_odds: {id: how sure it is that there is no answer}, of all predictions. Above `threshold` the prediction
            counts as empty. Given, `best_exact` and `best_f1` are the scores that the best threshold would give, and
            `best_exact_thresh`, `best_f1_thresh` that threshold.
    """
    by_id = {question.id: question for question in questions}
    asked = {name: question for name, question in by_id.items() if name in predictions}
    if len(asked) < len(by_id):
        missing = next(name for name in by_id if name not in predictions)
        log.warning(
            "%d of %d questions have no prediction and are left out, the first is %s",
            *(len(by_id) - len(asked), len(by_id), missing),
        )
    raw = {name: question_scores_v2(question, predictions[name]) for name, question in asked.items()}
    scored = raw
    if null_odds is not None:
        # Emptied, a prediction is right by whether the file lists an answer, even if that normalizes to nothing.
        scored = {
            name: (float(not asked[name].answers),) * 2 if null_odds[name] > threshold else scores
            for name, scores in raw.items()
        }
    scores = _means(list(scored.values()))
    for prefix, has_answer in (("HasAns", True), ("NoAns", False)):
        if part := [scored[name] for name, question in asked.items() if bool(question.answers) == has_answer]:
            scores |= {f"{prefix}_{key}": value for key, value in _means(part).items()}
    if null_odds is not None:
        for place, name in enumerate(("exact", "f1")):
            gains = {key: gain(asked[key], predictions[key], raw[key][place]) for key in null_odds if key in raw}
            start = sum(not question.answers for question in asked.values())
            best, best_threshold = _best(start, gains, null_odds)
            scores[f"best_{name}"] = 100.0 * best / max(len(raw), 1)
            scores[f"best_{name}_thresh"] = best_threshold
    return scores


def gain(question: Question, prediction: str, score: float) -> float:
    """What the sum of scores gains when the question gets its prediction instead of the empty text."""
    return score if question.answers else -1.0 if prediction else 0.0


def _best(start: float, gains: Mapping[str, float], null_odds: Mapping[str, float]) -> tuple[float, float]:
    """(best sum of scores, threshold): from all empty (0.0) on, prediction by prediction, the surest first.

    Predictions of equal odds are taken in the order of the file, one by one, as the official scorer does.
    """
    total = best = start
    threshold = 0.0
    for name in sorted(gains, key=lambda name: null_odds[name]):
        total += gains[name]
        if total > best:
            best, threshold = total, null_odds[name]
    return best, threshold


def _means(scored: Sequence[tuple[float, ...]]) -> Scores:
    count = max(len(scored), 1)
    exact, overlap = (100.0 * sum(scores[place] for scores in scored) / count for place in (0, 1))
    return {"exact": exact, "f1": overlap, "total": len(scored)}
