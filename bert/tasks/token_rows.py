"""Many texts -> their tokens, one after the other in flat arrays; and parts of these into fixed-length rows.

Shapes: N texts or rows, T tokens of all texts together, S length of a row.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from bert.tokens.tokenizer import Int32Array, WordPieceTokenizer

Int64Array = npt.NDArray[np.int64]
R = TypeVar("R")

# Texts a call into the tokenizer: enough to hide the call, 2 MB of text at most. The same for any number of threads.
TOKENIZER_BATCH = 1024
# Rows filled at a time: what a chunk needs beside them stays in the processor's cache.
CHUNK = 2048


@dataclass(frozen=True)
class Tokens:
    """Of N texts.

    Attributes:
        ids: (T,) int32
        first: (N,) int64, where in `ids` a text's tokens begin
        count: (N,) int64, how many it has
    """

    ids: Int32Array
    first: Int64Array
    count: Int64Array


@dataclass(frozen=True)
class TokensWithOffsets(Tokens):
    """start, end: (T,) int32, the characters of its text that a token was made from, end exclusive."""

    start: Int32Array
    end: Int32Array


def tokenize(texts: Sequence[str], tokenizer: WordPieceTokenizer, threads: int | None = None) -> Tokens:
    """The tokens of all texts. threads: by default as many as there are cores; the result is the same."""
    ids = [row for batch in _batches(tokenizer.tokenize, texts, threads) for row in batch]
    return Tokens(_flat(ids), *_places(ids))


def tokenize_with_offsets(
    texts: Sequence[str], tokenizer: WordPieceTokenizer, threads: int | None = None
) -> TokensWithOffsets:
    """As `tokenize`, with the characters of each token (WordPieceTokenizer.tokenize_with_offsets)."""
    batches = _batches(tokenizer.tokenize_with_offsets, texts, threads)
    ids, starts, ends = ([row for batch in batches for row in batch[n]] for n in range(3))
    return TokensWithOffsets(_flat(ids), *_places(ids), _flat(starts), _flat(ends))


def put(rows: Int32Array, at: Int64Array, values: Int32Array, first: Int64Array, count: Int64Array) -> None:
    """rows[n, at[n] : at[n] + count[n]] = values[first[n] : first[n] + count[n]], for all n.

    Args:
        rows: (N, S), contiguous
        values: (T,)
        at, first, count: (N,)
    """
    for chunk in _chunks(len(rows)):
        part, size = rows[chunk], count[chunk]
        offset = np.cumsum(size) - size
        place = np.arange(size.sum())
        source = place + np.repeat(first[chunk] - offset, size)
        target = place + np.repeat(np.arange(len(part)) * rows.shape[1] + at[chunk] - offset, size)
        part.reshape(-1)[target] = values[source]


def put_one(rows: Int32Array, at: Int64Array, value: int) -> None:
    """rows[n, at[n]] = value, for all n."""
    rows[np.arange(len(rows)), at] = value


def ones(shape: tuple[int, ...], start: Int64Array, end: Int64Array) -> Int32Array:
    """(N, S) int32, 1 from start to end (exclusive), else 0.

    Args:
        shape: (N, S)
        start, end: (N,)
    """
    made = np.empty(shape, np.int32)
    position = np.arange(shape[1])
    for chunk in _chunks(shape[0]):
        made[chunk] = (position >= start[chunk, None]) & (position < end[chunk, None])
    return made


def _batches(work: Callable[[Sequence[str]], R], texts: Sequence[str], threads: int | None) -> list[R]:
    """What `work` makes of each batch, in order. TensorFlow's operations let other threads of Python go on."""
    batches = [texts[start : start + TOKENIZER_BATCH] for start in range(0, len(texts), TOKENIZER_BATCH)]
    with ThreadPoolExecutor(threads or len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(work, batches))


def _flat(rows: Sequence[npt.NDArray[Any]]) -> Int32Array:
    return np.concatenate([*rows, np.zeros(0, np.int32)])


def _places(rows: Sequence[npt.NDArray[Any]]) -> tuple[Int64Array, Int64Array]:
    count = np.fromiter(map(len, rows), np.int64, len(rows))
    return np.cumsum(count) - count, count


def _chunks(rows: int) -> list[slice]:
    return [slice(start, start + CHUNK) for start in range(0, rows, CHUNK)]
