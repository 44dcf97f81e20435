"""Sentences of documents -> pairs of segments for next-sentence prediction (Devlin et al. 2019, appendix A.2).

Or for sentence-order prediction (Lan et al. 2020, 3.1), or runs of tokens without a second segment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Pair:
    """Two segments of token ids; only a run (`make_runs`) has an empty `b`.

    label: 1 if b comes from another document than a (sentence order: if it stood before a), else 0.
    """

    a: Ids
    b: Ids
    label: int


def truncate(a: Ids, b: Ids, max_tokens: int, rng: np.random.Generator) -> tuple[Ids, Ids]:
    """Take tokens away, one by one from the longer segment, from its front or its back at random, until both fit.

    Args:
        a, b: (A,), (B,) token ids.
    """
    excess = len(a) + len(b) - max_tokens
    if excess <= 0:
        return a, b
    # One by one from the longer: first its lead over the other, then turn about (a tie takes from b).
    lead = min(excess, abs(len(a) - len(b)))
    from_a = (lead if len(a) > len(b) else 0) + (excess - lead) // 2
    from_b = excess - from_a
    front_a, front_b = int(rng.binomial(from_a, 0.5)), int(rng.binomial(from_b, 0.5))
    return a[front_a : len(a) - (from_a - front_a)], b[front_b : len(b) - (from_b - front_b)]


def _random_next(documents: list[list[Ids]], current: int, wanted: int, rng: np.random.Generator) -> Ids:
    """About `wanted` tokens from a random place of a random other document."""
    other = int(rng.integers(len(documents) - 1))
    document = documents[other + (other >= current)]
    first = int(rng.integers(len(document)))
    taken: list[Ids] = []
    for sentence in document[first:]:
        taken.append(sentence)
        if sum(map(len, taken)) >= wanted:
            break
    return np.concatenate(taken)


def make_pairs(
    documents: list[list[Ids]],
    max_tokens: int,
    short_seq_prob: float,
    rng: np.random.Generator,
    dropped: Counter[str],
    sentence_order: bool = False,
) -> Iterator[Pair]:
    """Pairs from the documents of a shard, once over.

    Sentences are gathered until they reach a target length: `max_tokens`, or with probability `short_seq_prob`
    something shorter. Half of the time, and always where only one sentence was gathered, the second segment comes from
    another document and the sentences that it displaces are used again.

    Args:
        documents: tokens of each sentence of each document; none of the sentences and documents is empty.
        max_tokens: tokens of both segments together.
        sentence_order: the second segment always comes from the same document; half of the time the two change places.
    """
    for number, document in enumerate(documents):
        start = 0
        while start < len(document):
            target = max_tokens if rng.random() >= short_seq_prob else int(rng.integers(2, max_tokens + 1))
            end, length = start, 0
            while end < len(document) and (length < target or end == start):
                length += len(document[end])
                end += 1
            chunk = document[start:end]
            if sentence_order and len(chunk) == 1:
                dropped["single_sentence_without_neighbour"] += 1
                start = end
                continue
            split = int(rng.integers(1, len(chunk))) if len(chunk) > 1 else 1
            a = np.concatenate(chunk[:split])
            is_random = len(chunk) == 1 or rng.random() < 0.5
            if sentence_order:
                start = end
                a, b = truncate(a, np.concatenate(chunk[split:]), max_tokens, rng)
                dropped["truncated_tokens"] += sum(map(len, chunk)) - len(a) - len(b)
                yield Pair(b, a, 1) if is_random else Pair(a, b, 0)
                continue
            if is_random and len(documents) == 1:
                if len(chunk) == 1:
                    dropped["single_sentence_without_other_document"] += 1
                    start = end
                    continue
                is_random = False
            if is_random:
                b = _random_next(documents, number, target - len(a), rng)
                start += split
            else:
                b = np.concatenate(chunk[split:])
                start = end
            before = len(a) + len(b)
            a, b = truncate(a, b, max_tokens, rng)
            dropped["truncated_tokens"] += before - len(a) - len(b)
            yield Pair(a, b, int(is_random))


_NOTHING = np.zeros(0, np.int32)


def make_runs(
    documents: list[list[Ids]], max_tokens: int, short_seq_prob: float, rng: np.random.Generator
) -> Iterator[Pair]:
    """Each document cut into runs of `max_tokens`, for masked LM alone; the last one is what is left.

    With probability `short_seq_prob` a run is something shorter. Nothing is truncated, and no run spans two documents
    (Liu et al. 2019, RoBERTa, 4.2: they are the better for it).
    """
    for document in documents:
        tokens = np.concatenate(document)
        start = 0
        while start < len(tokens):
            size = max_tokens if rng.random() >= short_seq_prob else int(rng.integers(2, max_tokens + 1))
            yield Pair(tokens[start : start + size], _NOTHING, 0)
            start += size
