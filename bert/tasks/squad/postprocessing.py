"""From the logits of all windows to what is predicted, by the rules of SQuAD v1.1 or v2.0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bert.pipeline.files import write_json
from bert.tasks.settings import SquadSettings
from bert.tasks.squad.answers import Candidate, best_answers, write_answers
from bert.tasks.squad.data import Question, Version
from bert.tasks.squad.features import Windows
from bert.tasks.squad.no_answer import NULL_THRESHOLD, best_threshold, null_answers, with_null


@dataclass(frozen=True)
class Predictions:
    """Of N questions.

    Attributes:
        candidates: of each question, best first, never none
        null_odds: (N,) of v2.0, by how much "no answer" scores above the best span; None by v1.1
        threshold: of v2.0, the odds above which there is no answer
    """

    questions: Sequence[Question]
    candidates: list[list[Candidate]]
    null_odds: list[float] | None = None
    threshold: float | None = None

    def texts(self) -> dict[str, str]:
        """{id: the answer, empty for none}"""
        return {q.id: best[0].text for q, best in zip(self.questions, self.candidates, strict=True)}

    def odds(self) -> dict[str, float] | None:
        """{id: null odds}; None by v1.1."""
        if self.null_odds is None:
            return None
        return {q.id: odds for q, odds in zip(self.questions, self.null_odds, strict=True)}

    def write(self, folder: Path) -> None:
        """predictions.json and nbest_predictions.json; of v2.0 also null_odds.json and the threshold."""
        write_answers(folder / "predictions.json", folder / "nbest_predictions.json", self.questions, self.candidates)
        if (odds := self.odds()) is not None:
            write_json(folder / "null_odds.json", odds)
            write_json(folder / NULL_THRESHOLD, {"null_score_diff_threshold": self.threshold})


def postprocess(
    questions: Sequence[Question],
    windows: Windows,
    logits: npt.NDArray[np.floating],
    settings: SquadSettings,
    version: Version,
) -> Predictions:
    """The answers that the logits give. By v2.0 `null_score_diff_threshold: null` takes what is best for the questions.

    Args:
        logits: (windows, 2, max_seq_length), of starts and ends.

    Raises:
        StageError: logits are not finite.
    """
    start, end = logits[:, 0], logits[:, 1]
    found = best_answers(
        questions,
        windows,
        start,
        end,
        n_best_size=settings.n_best_size,
        max_answer_length=settings.max_answer_length,
    )
    if version == "1.1":
        return Predictions(questions, found)
    null = null_answers(found, windows, start, end)
    threshold = settings.null_score_diff_threshold
    if threshold is None:
        threshold = best_threshold(questions, found, null.odds)
    return Predictions(questions, with_null(found, null, threshold), null.odds, threshold)
