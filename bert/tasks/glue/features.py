"""Sentences and pairs -> fixed-length rows of [CLS] a [SEP] (b [SEP]).

Shapes: N examples, S max_seq_length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bert.pipeline.errors import StageError
from bert.tasks.glue.data import Example
from bert.tokens.tokenizer import Int32Array, WordPieceTokenizer

# Texts a call into the tokenizer.
TOKENIZER_BATCH = 8192


@dataclass(frozen=True)
class Rows:
    """What a classifier reads and learns.

    Attributes:
        input_ids: (N, S) int32, padded with the tokenizer's pad_id
        input_mask: (N, S) int32, 1 at tokens and 0 at padding
        segment_ids: (N, S) int32, 1 at the second sentence and its [SEP], else 0
        labels: (N,) int32, -1 where the example has none
        counts: examples, and how many of them were cut to max_seq_length
    """

    input_ids: Int32Array
    input_mask: Int32Array
    segment_ids: Int32Array
    labels: Int32Array
    counts: Counter[str]

    def __len__(self) -> int:
        return len(self.input_ids)


def make_rows(examples: Sequence[Example], tokenizer: WordPieceTokenizer, *, max_seq_length: int) -> Rows:
    """The rows of all examples, in their order. A pair that is too long loses tokens from the end of its longer side.

    Raises:
        StageError: max_seq_length leaves no room for a token of each sentence.
    """
    is_pair = any(example.text_b is not None for example in examples)
    num_special = 3 if is_pair else 2
    shortest = num_special + (2 if is_pair else 1)
    if max_seq_length < shortest:
        raise StageError(
            f"max_seq_length is {max_seq_length}, but the special tokens and a token a sentence need {shortest}",
            run=f"set max_seq_length of the task to {shortest} or more in params.yaml",
        )
    first = _tokenize([example.text_a for example in examples], tokenizer)
    second = _tokenize([example.text_b or "" for example in examples], tokenizer) if is_pair else []

    input_ids = np.full((len(examples), max_seq_length), tokenizer.pad_id, np.int32)
    input_mask = np.zeros_like(input_ids)
    segment_ids = np.zeros_like(input_ids)
    counts: Counter[str] = Counter({"examples": len(examples)})
    for row, a in enumerate(first):
        b = second[row] if is_pair else a[:0]
        length_a, length_b = longest_first(len(a), len(b), max_seq_length - num_special)
        counts["examples cut at max_seq_length"] += length_a < len(a) or length_b < len(b)
        end = length_a + 2
        ids = input_ids[row]
        ids[0], ids[end - 1] = tokenizer.cls_id, tokenizer.sep_id
        ids[1 : end - 1] = a[:length_a]
        if is_pair:
            start, end = end, end + length_b + 1
            ids[start : end - 1], ids[end - 1] = b[:length_b], tokenizer.sep_id
            segment_ids[row, start:end] = 1
        input_mask[row, :end] = 1
    labels = np.array([-1 if example.label is None else example.label for example in examples], np.int32)
    return Rows(input_ids, input_mask, segment_ids, labels, +counts)


def longest_first(length_a: int, length_b: int, room: int) -> tuple[int, int]:
    """The lengths left when tokens go one by one from the longer side (from b on a tie) until both fit into `room`.

    (10, 3), 9 -> (6, 3); (10, 8), 9 -> (5, 4). `_truncate_seq_pair` of BERT's run_classifier.py.
    """
    if length_a + length_b <= room:
        return length_a, length_b
    # The shorter side stays whole if it takes no more than its half of the room.
    if length_b <= room // 2:
        return room - length_b, length_b
    if length_a <= (room + 1) // 2:
        return length_a, room - length_a
    return (room + 1) // 2, room // 2


def _tokenize(texts: Sequence[str], tokenizer: WordPieceTokenizer) -> list[Int32Array]:
    rows: list[Int32Array] = []
    for start in range(0, len(texts), TOKENIZER_BATCH):
        rows += tokenizer.tokenize(texts[start : start + TOKENIZER_BATCH])
    return rows
