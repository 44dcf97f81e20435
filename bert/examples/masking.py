"""Masked language modelling: which tokens to predict, and what stands in their place (Devlin et al. 2019, 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bert.examples.pairs import Ids
from bert.examples.sequences import Ints, Tokens, within

Draws = npt.NDArray[np.uint64]

# Of the chosen tokens 80 % become [MASK], 10 % a random piece, 10 % stay.
MASK_RATE = 0.8
RANDOM_RATE = 0.1

KEEP = -1
# The columns of a token's draws: when it is chosen, [MASK] or not, the random piece, the length of its n-gram.
_ORDER, _FATE, _PIECE, _NGRAM = range(4)
# The low bits of a draw that give way to the token's place, so that no two tokens of a sequence draw the same.
_PLACE_BITS = np.uint64(16)
_LAST = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Masks:
    """The predictions of Q sequences.

    counts: (Q,) of each. positions: (P,) ascending in each, counted from its [CLS]. replacements: (P,) what is put
    there, or KEEP.
    """

    counts: Ints
    positions: Ints
    replacements: Ids


def continuations(pieces: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(V,) Whether a piece goes on with the word of the piece before it."""
    return np.array([piece.startswith("##") for piece in pieces])


def _uniform(draws: Draws) -> npt.NDArray[np.float64]:
    """Draws -> numbers in [0, 1)."""
    return (draws >> np.uint64(11)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True)
class Masker:
    """Turns random numbers into masks.

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

    def draw(self, source: np.random.BitGenerator, tokens: int) -> Draws:
        """(tokens, D) random numbers for the masks of so many tokens, special ones too; D is 3, with n-grams 4."""
        width = 4 if self.max_ngram > 1 else 3
        return np.asarray(source.random_raw(tokens * width)).reshape(tokens, width)

    def __call__(self, tokens: Tokens, draws: Draws) -> Masks:
        """The masks of Q sequences of T tokens; those of one depend on its own rows of `draws`, (T, D), alone."""
        inner = tokens.lengths - np.where(tokens.firsts < tokens.lengths, 3, 2)
        # As `count` has it: round() and rint both take halves to the even number.
        wanted = np.clip(np.rint(tokens.lengths * self.prob).astype(np.int64), 1, self.max_predictions)
        wanted = np.minimum(wanted, inner)
        if self.continues is None:
            sequence, positions = self._pieces(tokens, wanted, draws[:, _ORDER])
            chosen = tokens.begins[sequence] + positions
            heads, counts = chosen, wanted
        else:
            chosen, heads, counts = self._words(tokens, wanted, self.continues, draws)
            positions = chosen - np.repeat(tokens.begins, counts)
        fate = _uniform(draws[heads, _FATE])
        # Lemire's multiplication: off from uniform by less than one in 2^32.
        replacements = (draws[chosen, _PIECE] >> np.uint64(32)) * np.uint64(self.vocab_size) >> np.uint64(32)
        replacements = replacements.astype(np.int32)
        replacements[fate < self.mask_rate] = self.mask_id
        replacements[fate >= self.mask_rate + self.random_rate] = KEEP
        return Masks(counts, positions, replacements)

    def _pieces(self, tokens: Tokens, wanted: Ints, order: Draws) -> tuple[Ints, Ints]:
        """(sequence, place in it) of the `wanted` tokens of each that come first in `order`."""
        place = within(tokens.lengths)
        sequence = np.repeat(np.arange(len(wanted)), tokens.lengths)
        keys = np.full((len(wanted), int(tokens.lengths.max())), _LAST)
        keys[sequence, place] = order >> _PLACE_BITS << _PLACE_BITS | place.astype(np.uint64)
        for special in (0, tokens.firsts - 1, tokens.lengths - 1):
            keys[np.arange(len(wanted)), special] = _LAST
        last = np.sort(keys, axis=1)[np.arange(len(wanted)), wanted - 1]
        chosen, places = np.nonzero(keys <= last[:, None])
        return chosen, places

    def _words(
        self, tokens: Tokens, wanted: Ints, continues: npt.NDArray[np.bool_], draws: Draws
    ) -> tuple[Ints, Ints, Ints]:
        """Of all sequences: the chosen places in `tokens.flat`, the place whose fate each one has, and their number."""
        places: list[int] = []
        heads: list[int] = []
        counts: list[int] = []
        for begin, length, first, most in zip(
            tokens.begins.tolist(), tokens.lengths.tolist(), tokens.firsts.tolist(), wanted.tolist(), strict=True
        ):
            segments = [(begin + 1, begin + first - 1)]
            if first < length:
                segments.append((begin + first, begin + length - 1))
            spans = self._spans(tokens.flat, segments, most, continues, draws)
            places += [place for start, stop in spans for place in range(start, stop)]
            # An n-gram shares its fate; the pieces of a lone word have each their own.
            shared = self.max_ngram > 1
            heads += [start if shared else place for start, stop in spans for place in range(start, stop)]
            counts.append(sum(stop - start for start, stop in spans))
        return np.array(places, np.int64), np.array(heads, np.int64), np.array(counts, np.int64)

    def _spans(
        self,
        flat: Ids,
        segments: list[tuple[int, int]],
        most: int,
        continues: npt.NDArray[np.bool_],
        draws: Draws,
    ) -> list[tuple[int, int]]:
        """Ranges of `flat` that are whole words of the segments, at most `most` tokens in all, in ascending order."""
        edges: list[int] = []  # where words begin, and where segments end
        ends: list[int] = []  # of each edge: the index of its segment's end
        for start, stop in segments:
            begins = ~continues[flat[start:stop]]
            begins[0] = True  # a segment may begin inside a word that was cut
            found = (np.flatnonzero(begins) + start).tolist()
            ends += [len(edges) + len(found)] * (len(found) + 1)
            edges += [*found, stop]
        words = np.array([n for n, end in enumerate(ends) if n < end])
        heads = np.array(edges)[words]
        sizes = dict.fromkeys(words.tolist(), 1)
        if self.max_ngram > 1:
            weights = np.cumsum(1 / np.arange(1, self.max_ngram + 1))
            drawn = np.searchsorted(weights, _uniform(draws[heads, _NGRAM]) * weights[-1], side="right")
            sizes = dict(zip(words.tolist(), (drawn + 1).tolist(), strict=True))
        taken = [False] * (len(edges) + 1)
        spans: list[tuple[int, int]] = []
        left = most
        for first in words[np.argsort(draws[heads, _ORDER], kind="stable")].tolist():
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
        return spans
