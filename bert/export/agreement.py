"""Whether what is served is what was predicted: the same, or another answer for no reason but rounding.

Predictions are made in the precision of the training, in other batches and lengths; the export computes in float32. So
where two answers are about as good, the other one may win. Whatever differs is asked again by the stage's own code in
float32, which has to find the served answer as good as its best. A fault in the export leaves next to nothing of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bert.pipeline.errors import StageError

# Of logits, or sums of two. With six layers of 384 the sums of 300 questions differ by up to 0.000015.
ROUNDING = 1e-3
# Of predictions in another precision than float32, at most one in so many may be another answer than that of float32.
ONE_IN = 10

Shortfall = Callable[[str], float]
"""By how much an answer scores below the best one of the stage's own code in float32; infinite for one not found."""


@dataclass(frozen=True, slots=True)
class Served:
    """name: of the question or example, for messages."""

    name: str
    served: str
    predicted: str


def compare(
    answers: Sequence[Served],
    ask_again: Callable[[Sequence[int]], Iterable[Shortfall]],
    *,
    precision: str,
    stage: str,
    made_by: str,
    tolerance: float = ROUNDING,
) -> dict[str, Any]:
    """Check all answers.

    Args:
        ask_again: of the answers with these numbers.
        precision: that the predictions were made in; in float32 none may be another than served, but for ties.
        stage: DVC's name of the export.
        made_by: that of the stage that predicted.
        tolerance: by how much a prediction may fall short and still be a tie.

    Returns:
        checked; agreeing, as predicted; ties, where the stage's own code finds both as good.

    Raises:
        StageError: the SavedModel answers otherwise than the stage's code, or the predictions are not of this model.
    """
    differing = [n for n, answer in enumerate(answers) if answer.served != answer.predicted]
    ties = 0
    otherwise: list[tuple[Served, float]] = []
    others: list[Served] = []
    for n, shortfall in zip(differing, ask_again(differing) if differing else (), strict=True):
        answer = answers[n]
        if (below := shortfall(answer.served)) > ROUNDING:
            otherwise.append((answer, below))
        elif shortfall(answer.predicted) <= tolerance:
            ties += 1
        else:
            others.append(answer)
    checked = len(answers)
    if otherwise:
        first, below = otherwise[0]
        raise StageError(
            f"the SavedModel answers {len(otherwise)} of {checked} otherwise than the model itself in float32: "
            f"{first.name}, for one, with {first.served!r}, {below:.3g} below the best answer (predicted was "
            f"{first.predicted!r})",
            run=f"dvc repro -f -s {stage}; should it fail again, the export itself is wrong",
        )
    allowed = 0 if precision == "fp32" else checked // ONE_IN
    if len(others) > allowed:
        raise StageError(
            f"{len(others)} of {checked} predictions are not what the model answers in float32, expected at most "
            f"{allowed} where precision is {precision}: {others[0].name}, for one, was predicted as "
            f"{others[0].predicted!r}, and answered is {others[0].served!r}. They are of another model, or precision",
            run=f"dvc repro -f -s {made_by}, then dvc repro {stage}",
        )
    return {"checked": checked, "agreeing": checked - len(differing), "ties": ties}
