"""Which windows of a long context to read for a question: a cheap filter before the model.

Okapi BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", section 3) with a
window for a document and a WordPiece for a term: what the model reads is what is counted, whatever the language and the
casing. A window that answers in other words than the question's is not found by it: of SQuAD v1.1's dev questions,
asked of seven articles at once (213,000 characters, 686 windows of 160 tokens), the 32 best hold the answer for 98 %.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bert.tasks.squad.features import Windows

# How soon further occurrences of a term count less, and how much the length of a window does: the usual values.
K1, B = 1.2, 0.75
PER_WINDOW = (
    *("input_ids", "input_mask", "segment_ids", "start_positions", "end_positions", "question_index"),
    *("context_position", "context_length", "first_token", "token_row"),
)


def relevance(windows: Windows) -> npt.NDArray[np.float64]:
    """(N,) the BM25 score of each window for its question, among the windows of that question."""
    score = np.zeros(len(windows))
    inside = windows.context_mask()
    for rows in _by_question(windows):
        ids = np.where(inside[rows], windows.input_ids[rows], -1)
        length = windows.context_length[rows]
        saturation = K1 * (1 - B + B * length / length.mean())
        for piece in np.unique(windows.input_ids[rows[0], 1 : windows.context_position[rows[0]] - 1]):
            count = (ids == piece).sum(axis=1)
            holding = np.count_nonzero(count)
            rarity = np.log1p((len(rows) - holding + 0.5) / (holding + 0.5))
            score[rows] += rarity * count * (K1 + 1) / (count + saturation)
    return score


def most_relevant(windows: Windows, most: int) -> Windows:
    """Of each question the `most` windows with the highest scores, in the order of the text; of equals the earlier."""
    score = relevance(windows)
    best = [np.sort(rows[np.argsort(-score[rows], kind="stable")[:most]]) for rows in _by_question(windows)]
    kept = np.concatenate([np.zeros(0, np.int64), *best])
    return replace(windows, **{name: getattr(windows, name)[kept] for name in PER_WINDOW})


def _by_question(windows: Windows) -> list[npt.NDArray[np.int64]]:
    """The rows of each question that has any."""
    boundaries = np.flatnonzero(np.diff(windows.question_index)) + 1
    return [rows for rows in np.split(np.arange(len(windows)), boundaries) if len(rows)]
