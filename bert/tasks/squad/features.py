"""Questions -> windows: fixed-length rows of [CLS] question [SEP] part of the context [SEP].

A context that is longer than a row is read through overlapping windows, as in BERT's `run_squad.py`; unlike there,
tokens are tied to characters by the tokenizer's own offsets, so the context is never split a second time in Python.

Shapes: N windows, S max_seq_length, T tokens of all distinct contexts together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bert.pipeline.errors import StageError
from bert.tasks.squad.data import Question
from bert.tokens.tokenizer import Int32Array, WordPieceTokenizer

# Texts a call into the tokenizer: enough to hide the call, 2 MB of text at most.
TOKENIZER_BATCH = 1024


@dataclass(frozen=True)
class Windows:
    """What the model reads and learns, and what leads a predicted token back to the characters of the context.

    Attributes:
        input_ids: (N, S) int32, padded with the tokenizer's pad_id
        input_mask: (N, S) int32, 1 at tokens and 0 at padding
        segment_ids: (N, S) int32, 1 at the context and its [SEP], else 0
        start_positions: (N,) int32, position in the row of the first answer's first token, 0 where it lies outside
        end_positions: (N,) int32, the same for its last token (inclusive)
        question_index: (N,) int32, non-decreasing: a question's windows stand together, in the order of the text
        context_position: (N,) int32, position in the row of the window's first context token
        context_length: (N,) int32, number of context tokens in the window, at least 1
        first_token: (N,) int32, which of its context's tokens the first one is
        token_row: (N,) int64, where in `token_start` and `token_end` the window's first context token stands
        token_start: (T,) int32, first character of each token in its context
        token_end: (T,) int32, the character after its last
        counts: windows, and the questions that lost something on the way, by reason
    """

    input_ids: Int32Array
    input_mask: Int32Array
    segment_ids: Int32Array
    start_positions: Int32Array
    end_positions: Int32Array
    question_index: Int32Array
    context_position: Int32Array
    context_length: Int32Array
    first_token: Int32Array
    token_row: npt.NDArray[np.int64]
    token_start: Int32Array
    token_end: Int32Array
    counts: Counter[str]

    def __len__(self) -> int:
        return len(self.input_ids)

    def context_mask(self) -> npt.NDArray[np.bool_]:
        """(N, S) True at the tokens of the context."""
        position = np.arange(self.input_ids.shape[1]) - self.context_position[:, None]
        return (position >= 0) & (position < self.context_length[:, None])

    def max_context_mask(self) -> npt.NDArray[np.bool_]:
        """(N, S) True at each context token in the one window that shows most of its surroundings.

        The score of a token in a window is min(tokens to its left, tokens to its right) + 0.01 * window length; of
        equal windows the first wins (`_check_is_max_context` of BERT's run_squad.py). Scored in hundredths here, since
        0.01 is no binary fraction.
        """
        mask = self.context_mask()
        boundaries = np.flatnonzero(np.diff(self.question_index)) + 1
        for rows in np.split(np.arange(len(self)), boundaries):
            if len(rows) < 2:
                continue
            first, length = self.first_token[rows, None], self.context_length[rows, None]
            token = np.arange((first + length).max())
            to_the_left, to_the_right = token - first, first + length - 1 - token
            nearest_edge = np.minimum(to_the_left, to_the_right)
            best = np.where(nearest_edge >= 0, 100 * nearest_edge + length, -1).argmax(axis=0)
            for order, row in enumerate(rows):
                start, size = self.first_token[row], self.context_length[row]
                position = self.context_position[row]
                mask[row, position : position + size] = best[start : start + size] == order
        return mask


def make_windows(
    questions: Sequence[Question],
    tokenizer: WordPieceTokenizer,
    *,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
) -> Windows:
    """The windows of all questions, in the order of the questions. The same input gives the same arrays.

    A question keeps its first `max_query_length` tokens; a window takes as many context tokens as then fit, the next
    window starts `doc_stride` tokens later. The labels are the tokens that overlap the characters of the first answer.

    Raises:
        StageError: the longest question allowed would leave no room for context.
    """
    if max_seq_length < max_query_length + 4:
        raise StageError(
            f"squad.max_seq_length is {max_seq_length}, but squad.max_query_length {max_query_length}, 3 special tokens"
            f" and some context need at least {max_query_length + 4}",
            run=f"dvc exp run -S squad.max_seq_length={max_query_length + 4}",
        )
    contexts = list(dict.fromkeys(question.context for question in questions))
    context_index = {context: index for index, context in enumerate(contexts)}
    context_ids, token_starts, token_ends = _tokenize_contexts(contexts, tokenizer)
    first_row = np.concatenate([[0], np.cumsum([len(ids) for ids in context_ids])]).astype(np.int64)
    queries = _tokenize([question.question for question in questions], tokenizer)

    counts: Counter[str] = Counter()
    plan: list[tuple[int, int, int, int, int, int]] = []
    for index, question in enumerate(questions):
        context = context_index[question.context]
        query_length = min(len(queries[index]), max_query_length)
        counts["questions cut at max_query_length"] += query_length < len(queries[index])
        labels = _answer_tokens(question, token_starts[context], token_ends[context])
        spans = _spans(len(context_ids[context]), max_seq_length - query_length - 3, doc_stride)
        found = 0
        for first, length in spans:
            start = end = 0
            if labels is not None and first <= labels[0] and labels[1] < first + length:
                start, end = (query_length + 2 + token - first for token in labels)
                found += 1
            plan.append((index, context, first, length, start, end))
        counts["questions without a token of context"] += not spans
        counts["windows without the answer"] += len(spans) - found
        counts["questions whose answer no window holds"] += bool(question.answers) and not found
    counts["windows"] = len(plan)

    table = np.array(plan, np.int32).reshape(-1, 6)
    question_index, window_context, first_token, context_length, start_positions, end_positions = table.T.copy()
    input_ids = np.full((len(plan), max_seq_length), tokenizer.pad_id, np.int32)
    input_mask = np.zeros_like(input_ids)
    segment_ids = np.zeros_like(input_ids)
    context_position = np.zeros(len(plan), np.int32)
    for row, (index, context, first, length, _, _) in enumerate(plan):
        query = queries[index][:max_query_length]
        position = len(query) + 2
        end = position + length
        ids = input_ids[row]
        ids[0], ids[position - 1], ids[end] = tokenizer.cls_id, tokenizer.sep_id, tokenizer.sep_id
        ids[1 : position - 1] = query
        ids[position:end] = context_ids[context][first : first + length]
        input_mask[row, : end + 1] = 1
        segment_ids[row, position : end + 1] = 1
        context_position[row] = position
    return Windows(
        input_ids=input_ids,
        input_mask=input_mask,
        segment_ids=segment_ids,
        start_positions=start_positions,
        end_positions=end_positions,
        question_index=question_index,
        context_position=context_position,
        context_length=context_length,
        first_token=first_token,
        token_row=first_row[window_context] + first_token,
        token_start=np.concatenate([*token_starts, np.zeros(0, np.int32)]),
        token_end=np.concatenate([*token_ends, np.zeros(0, np.int32)]),
        counts=+counts,
    )


def _tokenize(texts: Sequence[str], tokenizer: WordPieceTokenizer) -> list[Int32Array]:
    rows: list[Int32Array] = []
    for start in range(0, len(texts), TOKENIZER_BATCH):
        rows += tokenizer.tokenize(texts[start : start + TOKENIZER_BATCH])
    return rows


def _tokenize_contexts(
    contexts: Sequence[str], tokenizer: WordPieceTokenizer
) -> tuple[list[Int32Array], list[Int32Array], list[Int32Array]]:
    ids: list[Int32Array] = []
    starts: list[Int32Array] = []
    ends: list[Int32Array] = []
    for start in range(0, len(contexts), TOKENIZER_BATCH):
        batch = tokenizer.tokenize_with_offsets(contexts[start : start + TOKENIZER_BATCH])
        for rows, more in zip((ids, starts, ends), batch, strict=True):
            rows += more
    return ids, starts, ends


def _spans(num_tokens: int, room: int, doc_stride: int) -> list[tuple[int, int]]:
    """(first token, length) of each window over a context: 10 tokens, room 5, stride 3 -> (0, 5), (3, 5), (6, 4)."""
    spans = []
    first = 0
    while first < num_tokens:
        length = min(num_tokens - first, room)
        spans.append((first, length))
        if first + length == num_tokens:
            break
        # A stride longer than the window would skip tokens.
        first += min(length, doc_stride)
    return spans


def _answer_tokens(question: Question, starts: Int32Array, ends: Int32Array) -> tuple[int, int] | None:
    """First and last token that share a character with the question's first answer; None if there are none."""
    if not question.answers:
        return None
    text, start = question.answers[0]
    first = int(np.searchsorted(ends, start, side="right"))
    last = int(np.searchsorted(starts, start + len(text), side="left")) - 1
    return (first, last) if first <= last else None
