"""Sentences and pairs -> fixed-length rows of [CLS] a [SEP] (b [SEP]).

Shapes: N examples, S max_seq_length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bert.pipeline.errors import StageError
from bert.tasks.glue.examples import Example
from bert.tasks.token_rows import Int64Array, ones, put, put_one, tokenize
from bert.tokens.tokenizer import Int32Array, WordPieceTokenizer


@dataclass(frozen=True)
class Rows:
    """What a classifier reads and learns.

    Attributes:
        input_ids: (N, S) int32, padded with the tokenizer's pad_id
        input_mask: (N, S) int32, 1 at tokens and 0 at padding
        segment_ids: (N, S) int32, 1 at the second sentence and its [SEP], else 0
        labels: (N,) classes, int32, or numbers, float32; -1 where the example has none
        counts: examples, and how many of them were cut to max_seq_length
    """

    input_ids: Int32Array
    input_mask: Int32Array
    segment_ids: Int32Array
    labels: npt.NDArray[np.integer | np.floating]
    counts: Counter[str]

    def __len__(self) -> int:
        return len(self.input_ids)


def make_rows(
    examples: Sequence[Example], tokenizer: WordPieceTokenizer, *, max_seq_length: int, threads: int | None = None
) -> Rows:
    """The rows of all examples, in their order. A pair that is too long loses tokens from the end of its longer side.

    Args:
        threads: of the tokenizer; by default as many as there are cores. The result is the same.

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
    a = tokenize([example.text_a for example in examples], tokenizer, threads)
    b = tokenize([example.text_b or "" for example in examples] if is_pair else [], tokenizer, threads)
    count_b = b.count if is_pair else np.zeros_like(a.count)
    length_a, length_b = longest_first(a.count, count_b, max_seq_length - num_special)
    is_cut = (length_a < a.count) | (length_b < count_b)

    end_a = length_a + 2
    end = end_a + length_b + 1 if is_pair else end_a
    input_ids = np.full((len(examples), max_seq_length), tokenizer.pad_id, np.int32)
    input_ids[:, 0] = tokenizer.cls_id
    put(input_ids, np.ones_like(end), a.ids, a.first, length_a)
    put_one(input_ids, end_a - 1, tokenizer.sep_id)
    if is_pair:
        put(input_ids, end_a, b.ids, b.first, length_b)
        put_one(input_ids, end - 1, tokenizer.sep_id)
    labels = [-1 if example.label is None else example.label for example in examples]
    is_number = any(isinstance(label, float) for label in labels)
    return Rows(
        input_ids=input_ids,
        input_mask=ones(input_ids.shape, np.zeros_like(end), end),
        segment_ids=ones(input_ids.shape, end_a, end),
        labels=np.array(labels, np.float32 if is_number else np.int32),
        counts=+Counter({"examples": len(examples), "examples cut at max_seq_length": int(is_cut.sum())}),
    )


def longest_first(length_a: Int64Array, length_b: Int64Array, room: int) -> tuple[Int64Array, Int64Array]:
    """The lengths left when tokens go one by one from the longer side (from b on a tie) until both fit into `room`.

    10 and 3, room 9 -> 6 and 3; 10 and 8, room 9 -> 5 and 4. `_truncate_seq_pair` of BERT's run_classifier.py.
    """
    # A side that takes no more than its half of the room stays whole; of an odd one, a's half is the larger.
    left_a = np.minimum(length_a, np.maximum((room + 1) // 2, room - length_b))
    left_b = np.minimum(length_b, np.maximum(room // 2, room - length_a))
    return left_a, left_b
