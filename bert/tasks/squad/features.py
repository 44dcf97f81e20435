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
from bert.tasks.token_rows import Int64Array, TokensWithOffsets, ones, put, put_one, tokenize, tokenize_with_offsets
from bert.tokens.tokenizer import Int32Array, WordPieceTokenizer


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
    token_row: Int64Array
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
            # A row, a place in it and a token for each that is shown, so that a long context needs no table of all rows
            # by all tokens.
            order, position = np.nonzero(mask[rows])
            from_left = position - self.context_position[rows][order]
            length = self.context_length[rows][order].astype(np.int64)
            score = 100 * np.minimum(from_left, length - 1 - from_left) + length
            token = self.first_token[rows][order] + from_left
            # Of equal scores the earliest window has the highest rank.
            rank = score * len(rows) + (len(rows) - 1 - order)
            best = np.zeros(token.max() + 1, np.int64)
            np.maximum.at(best, token, rank)
            mask[rows[order], position] = rank == best[token]
        return mask


def make_windows(
    questions: Sequence[Question],
    tokenizer: WordPieceTokenizer,
    *,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
    threads: int | None = None,
) -> Windows:
    """The windows of all questions, in the order of the questions. The same input gives the same arrays.

    A question keeps its first `max_query_length` tokens; a window takes as many context tokens as then fit, the next
    window starts `doc_stride` tokens later. The labels are the tokens that overlap the characters of the first answer.

    Args:
        threads: of the tokenizer; by default as many as there are cores. The result is the same.

    Raises:
        StageError: the longest question allowed would leave no room for context.
    """
    if max_seq_length < max_query_length + 4:
        raise StageError(
            f"squad.max_seq_length is {max_seq_length}, but squad.max_query_length {max_query_length}, 3 special tokens"
            f" and some context need at least {max_query_length + 4}",
            run=f"dvc exp run -S squad.max_seq_length={max_query_length + 4}",
        )
    index_of = {context: index for index, context in enumerate(dict.fromkeys(each.context for each in questions))}
    contexts = tokenize_with_offsets(list(index_of), tokenizer, threads)
    queries = tokenize([each.question for each in questions], tokenizer, threads)
    context = np.array([index_of[each.context] for each in questions], np.int64)
    query_length = np.minimum(queries.count, max_query_length)
    room = max_seq_length - query_length - 3

    # Per window, from here on: `question` is whose it is.
    num_tokens = contexts.count[context]
    question, first_token = _spans(num_tokens, room, doc_stride)
    context_length = np.minimum(num_tokens[question] - first_token, room[question])
    context_position = query_length[question] + 2
    token_row = contexts.first[context[question]] + first_token
    end = context_position + context_length

    first_label, last_label = (
        labels[question] for labels in _answer_tokens(questions, context, list(index_of), contexts)
    )
    holds = (first_label <= last_label) & (first_token <= first_label) & (last_label < first_token + context_length)
    start_positions, end_positions = (
        np.where(holds, context_position + label - first_token, 0) for label in (first_label, last_label)
    )

    input_ids = np.full((len(question), max_seq_length), tokenizer.pad_id, np.int32)
    input_ids[:, 0] = tokenizer.cls_id
    put(input_ids, np.ones_like(question), queries.ids, queries.first[question], query_length[question])
    put_one(input_ids, context_position - 1, tokenizer.sep_id)
    put(input_ids, context_position, contexts.ids, token_row, context_length)
    put_one(input_ids, end, tokenizer.sep_id)
    answered = np.array([bool(each.answers) for each in questions], bool)
    held = np.zeros(len(questions), bool)
    held[question[holds]] = True
    counts = {
        "windows": len(question),
        "questions cut at max_query_length": int((query_length < queries.count).sum()),
        "questions without a token of context": int((num_tokens == 0).sum()),
        "windows without the answer": int((~holds).sum()),
        "questions whose answer no window holds": int((answered & ~held).sum()),
    }
    return Windows(
        input_ids=input_ids,
        input_mask=ones(input_ids.shape, np.zeros_like(end), end + 1),
        segment_ids=ones(input_ids.shape, context_position, end + 1),
        start_positions=start_positions.astype(np.int32),
        end_positions=end_positions.astype(np.int32),
        question_index=question.astype(np.int32),
        context_position=context_position.astype(np.int32),
        context_length=context_length.astype(np.int32),
        first_token=first_token.astype(np.int32),
        token_row=token_row,
        token_start=contexts.start,
        token_end=contexts.end,
        counts=+Counter(counts),
    )


def _spans(num_tokens: Int64Array, room: Int64Array, doc_stride: int) -> tuple[Int64Array, Int64Array]:
    """(question, first token) of each window: 10 tokens, room 5, stride 3 -> 0, 3, 6, of which the last has 4 tokens.

    Args:
        num_tokens: (questions,), of the context
        room: (questions,), for tokens of the context in a window, at least 1
    """
    # A stride longer than the window would skip tokens.
    step = np.minimum(room, doc_stride)
    further = np.maximum(num_tokens - room, 0)
    count = np.where(num_tokens > 0, 1 + -(-further // step), 0)
    question = np.repeat(np.arange(len(count)), count)
    order = np.arange(len(question)) - np.repeat(np.cumsum(count) - count, count)
    return question, order * step[question]


def _answer_tokens(
    questions: Sequence[Question], context: Int64Array, texts: Sequence[str], tokens: TokensWithOffsets
) -> tuple[Int64Array, Int64Array]:
    """Of each question, the first and the last token of its context that share a character with its first answer.

    Last before first where there are none. Searched in all contexts at once, as if these stood one after the other.

    Args:
        context: (questions,), which of the `texts` is whose
        tokens: of the texts
    """
    answers = [each.answers[0] if each.answers else ("", 0) for each in questions]
    length = np.array([len(text) for text in texts], np.int64)
    offset = np.cumsum(length + 1) - length - 1
    offset_of_token = np.repeat(offset, tokens.count)
    start = offset[context] + np.array([start for _, start in answers], np.int64)
    end = start + np.array([len(text) for text, _ in answers], np.int64)
    first = np.searchsorted(tokens.end + offset_of_token, start, side="right") - tokens.first[context]
    last = np.searchsorted(tokens.start + offset_of_token, end, side="left") - 1 - tokens.first[context]
    return first, last
