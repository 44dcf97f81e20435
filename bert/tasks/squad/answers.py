"""Start and end logits -> the n best answers of each question, as characters of the context.

BERT's `run_squad.py` predicts in pieces and then guesses which characters they came from (`get_final_text` aligns the
de-tokenized answer with the text, and gives up on some). Here each token knows its characters, so an answer is a slice
of the original context and nothing is guessed.

Shapes: N windows, S max_seq_length, n n_best_size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bert.pipeline.errors import StageError
from bert.pipeline.files import write_text
from bert.tasks.squad.data import Question
from bert.tasks.squad.features import Windows

# Windows scored at a time: n x n candidates each, 26 MB of scores with n = 20.
CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer: context[start:end], and its share among the n best."""

    text: str
    start: int
    end: int
    probability: float
    start_logit: float
    end_logit: float


def best_answers(
    questions: Sequence[Question],
    windows: Windows,
    start_logits: npt.NDArray[np.floating],
    end_logits: npt.NDArray[np.floating],
    *,
    n_best_size: int,
    max_answer_length: int,
) -> list[list[Candidate]]:
    """Up to `n_best_size` distinct answers of each question, best first, never none.

    Of each window the n best starts and ends among the context's tokens are paired; a pair counts if the end does not
    precede the start, the answer has at most `max_answer_length` tokens, and this window shows most of the start's
    surroundings (`Windows.max_context_mask`). Equal scores: the earlier window, then the better start. A question
    without any pair gets the empty text. (run_squad.py ranks all positions and discards those outside the context
    afterwards, which can leave none.)

    Args:
        start_logits: (N, S)
        end_logits: (N, S)

    Raises:
        ValueError: the logits' shape is not the windows'.
        StageError: logits are not finite.
    """
    for name, logits in (("start_logits", start_logits), ("end_logits", end_logits)):
        if logits.shape != windows.input_ids.shape:
            raise ValueError(f"{name} is {logits.shape}, but the windows are {windows.input_ids.shape}")
        if not np.isfinite(logits).all():
            broken = int((~np.isfinite(logits)).any(axis=1).sum())
            raise StageError(
                f"{name} of {broken} of {len(logits)} windows are not finite: the fine-tuned model has diverged",
                run="dvc exp run squad -S squad.learning_rate=VALUE with a smaller value",
            )
    answers: list[list[Candidate]] = [[] for _ in questions]
    for index, starts, ends, first_logits, last_logits in _ranked_spans(
        windows, start_logits, end_logits, n_best_size, max_answer_length
    ):
        context = questions[index].context
        distinct: dict[str, tuple[int, int, float, float]] = {}
        for span in zip(starts, ends, first_logits, last_logits, strict=True):
            distinct.setdefault(context[span[0] : span[1]], span)
            if len(distinct) == n_best_size:
                break
        answers[index] = with_probabilities([(text, *span) for text, span in distinct.items()])
    return [found or [Candidate("", 0, 0, 1.0, 0.0, 0.0)] for found in answers]


def write_answers(
    predictions_path: str | Path, nbest_path: str | Path, questions: Sequence[Question], answers: list[list[Candidate]]
) -> dict[str, str]:
    """Write and return the predictions {id: text}, which the official scorer reads; write {id: [candidate, ...]}."""
    predictions = {question.id: best[0].text for question, best in zip(questions, answers, strict=True)}
    nbest = {q.id: [asdict(candidate) for candidate in best] for q, best in zip(questions, answers, strict=True)}
    for path, content in ((predictions_path, predictions), (nbest_path, nbest)):
        write_text(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return predictions


def _ranked_spans(
    windows: Windows,
    start_logits: npt.NDArray[np.floating],
    end_logits: npt.NDArray[np.floating],
    n_best_size: int,
    max_answer_length: int,
) -> Iterator[tuple[int, list[int], list[int], list[float], list[float]]]:
    """(question index, first characters, characters after the last, start logits, end logits), best span first."""
    may_start, may_end = windows.max_context_mask(), windows.context_mask()
    for low, high in _chunks(windows.question_index):
        starts, top_start = _top(start_logits[low:high], may_start[low:high], n_best_size)
        ends, top_end = _top(end_logits[low:high], may_end[low:high], n_best_size)
        length = ends[:, None, :] - starts[:, :, None] + 1
        score = top_start[:, :, None] + top_end[:, None, :]
        window, i, j = np.nonzero((length >= 1) & (length <= max_answer_length) & np.isfinite(score))
        question = windows.question_index[low:high][window]
        # Stable: equal scores stay in the order of window, start rank, end rank.
        order = np.lexsort((-score[window, i, j], question))
        window, i, j, question = window[order], i[order], j[order], question[order]
        row = windows.token_row[low:high][window] - windows.context_position[low:high][window]
        first = windows.token_start[row + starts[window, i]]
        after = windows.token_end[row + ends[window, j]]
        bounds = [0, *(np.flatnonzero(np.diff(question)) + 1).tolist(), len(question)]
        for a, b in pairwise(bounds):
            if a < b:
                yield (
                    int(question[a]),
                    first[a:b].tolist(),
                    after[a:b].tolist(),
                    top_start[window[a:b], i[a:b]].tolist(),
                    top_end[window[a:b], j[a:b]].tolist(),
                )


def _chunks(question_index: npt.NDArray[np.int32]) -> Iterator[tuple[int, int]]:
    """Ranges of about CHUNK windows that part no question."""
    low = 0
    while low < len(question_index):
        last = question_index[min(low + CHUNK, len(question_index)) - 1]
        high = int(np.searchsorted(question_index, last, side="right"))
        yield low, high
        low = high


def _top(
    logits: npt.NDArray[np.floating], allowed: npt.NDArray[np.bool_], count: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """(n', n) positions of the highest allowed logits, and these; -inf where fewer are allowed. Ties: the first."""
    masked = np.where(allowed, logits.astype(np.float64), -np.inf)
    position = np.argsort(-masked, axis=1, kind="stable")[:, :count]
    return position, np.take_along_axis(masked, position, axis=1)


def with_probabilities(spans: Sequence[tuple[str, int, int, float, float]]) -> list[Candidate]:
    """Softmax over the sums of the two logits."""
    scores = np.array([start_logit + end_logit for *_, start_logit, end_logit in spans])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    return [
        Candidate(text, start, end, share, start_logit, end_logit)
        for (text, start, end, start_logit, end_logit), share in zip(spans, shares.tolist(), strict=True)
    ]
