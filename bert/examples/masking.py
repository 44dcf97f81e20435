"""Masked language modelling: which tokens to predict, and what stands in their place (Devlin et al. 2019, 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]

# Of the chosen tokens 80 % become [MASK], 10 % a random piece, 10 % stay.
MASK_RATE = 0.8
RANDOM_RATE = 0.1


@dataclass(frozen=True)
class Mask:
    """The predictions of one sequence [CLS] a [SEP] b [SEP].

    positions: (M,) ascending, counted from [CLS]. replacements: (M,) what is put there, or KEEP.
    """

    positions: Ints
    replacements: Ids


KEEP = -1


def continuations(pieces: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(V,) Whether a piece goes on with the word of the piece before it."""
    return np.array([piece.startswith("##") for piece in pieces])


@dataclass(frozen=True)
class Masker:
    """Draws masks. The numbers come from the generator that it is given, in an order that is part of the format.

    prob: share of all tokens, [CLS] and [SEP] among them, that is predicted; at least one token, at most
        `max_predictions`, as in BERT's create_pretraining_data.py.
    continues: (V,) of `continuations`: whole words are chosen and not pieces, as many as fit into the number; a word
        that does not fit is passed over (do_whole_word_mask of the same script). None: pieces, one by one.
    max_ngram: up to so many neighbouring words are chosen together, n of them with a probability proportional to 1/n,
        and share their fate (SpanBERT, Joshi et al. 2020, 3.1; the weights are ALBERT's, Lan et al. 2020, 4.1). What
        does not fit is shortened.
    """

    prob: float
    max_predictions: int
    mask_id: int
    vocab_size: int
    continues: npt.NDArray[np.bool_] | None = None
    max_ngram: int = 1
    mask_rate: float = MASK_RATE
    random_rate: float = RANDOM_RATE

    def count(self, length: int) -> int:
        """Predictions in a sequence of `length` tokens, [CLS] and [SEP] among them."""
        return min(self.max_predictions, max(1, round(length * self.prob)))

    def __call__(self, a: Ids, b: Ids, rng: np.random.Generator) -> Mask:
        """The mask of a pair of segments; an empty `b` stands for [CLS] a [SEP] alone."""
        words = len(a) + len(b)
        count = min(self.count(words + (3 if len(b) else 2)), words)
        spans = None
        if self.continues is None:
            chosen = rng.permutation(words)[:count]
            chosen.sort()
        else:
            chosen, spans = self._words(np.concatenate([a, b]), len(a), count, self.continues, rng)
            count = len(chosen)
        fate = rng.random(count)
        pieces = rng.integers(self.vocab_size, size=count, dtype=np.int32)
        if spans is not None and self.max_ngram > 1:
            fate = fate[spans]
        pieces[fate < self.mask_rate] = self.mask_id
        pieces[fate >= self.mask_rate + self.random_rate] = KEEP
        chosen[np.searchsorted(chosen, len(a)) :] += 1  # [SEP]
        chosen += 1  # [CLS]
        return Mask(chosen, pieces)

    def _words(
        self, tokens: Ids, boundary: int, count: int, continues: npt.NDArray[np.bool_], rng: np.random.Generator
    ) -> tuple[Ints, Ints]:
        """At most `count` tokens that are whole words: (ascending places in `tokens`, index of each one's span)."""
        begins = ~continues[tokens]
        begins[0] = True
        if boundary < len(tokens):
            begins[boundary] = True  # a segment may begin inside a word that was cut
        starts = np.append(np.flatnonzero(begins), len(tokens))
        number = len(starts) - 1
        last = np.where(starts[:-1] < boundary, np.searchsorted(starts, boundary), number)  # where its segment ends
        order = rng.permutation(number).tolist()
        wanted = np.ones(number, np.int64)
        if self.max_ngram > 1:
            weights = np.cumsum(1 / np.arange(1, self.max_ngram + 1))
            wanted += np.searchsorted(weights, rng.random(number) * weights[-1], side="right")
        edges, ends, sizes, taken = starts.tolist(), last.tolist(), wanted.tolist(), [False] * (number + 1)
        spans: list[tuple[int, int]] = []
        left = count
        for first in order:
            if not left:
                break
            stop, room = first, left
            while stop < min(first + sizes[first], ends[first]) and not taken[stop]:
                if edges[stop + 1] - edges[stop] > room:
                    break
                room -= edges[stop + 1] - edges[stop]
                taken[stop] = True
                stop += 1
            if stop > first:
                spans.append((edges[first], edges[stop]))
                left = room
        spans.sort()
        places = [place for start, stop in spans for place in range(start, stop)]
        heads = [n for n, (start, stop) in enumerate(spans) for _ in range(start, stop)]
        return np.array(places, np.int64), np.array(heads, np.int64)
