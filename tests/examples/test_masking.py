"""bert/examples/masking.py: what holds of every example."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.examples.masking import KEEP, Masker, Masks, continuations
from bert.examples.pairs import Pair
from bert.examples.sequences import Tokens

CLS, SEP, MASK, VOCAB = 2, 3, 4, 1000
lengths = st.integers(5, 200)
seeds = st.integers(0, 2**32)


@dataclass(frozen=True)
class Masked:
    """A masked sequence: what stands there now, where something is to be predicted, and what."""

    tokens: np.ndarray
    positions: np.ndarray
    labels: np.ndarray


def mask_of(masker: Masker, a: np.ndarray, b: np.ndarray, seed: int) -> Masks:
    """The mask of one sequence."""
    tokens = Tokens.of([Pair(a, b, 0)], CLS, SEP)
    return masker(tokens, masker.draw(np.random.PCG64(seed), len(tokens.flat)))


def applied(mask: Masks, tokens: np.ndarray) -> Masked:
    labels = tokens[mask.positions]
    now = tokens.copy()
    now[mask.positions] = np.where(mask.replacements == KEEP, labels, mask.replacements)
    return Masked(now, mask.positions, labels)


def segments(length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The two segments of a sequence of `length` tokens, [CLS] and two [SEP] among them."""
    rng = np.random.default_rng(seed)
    words = rng.integers(5, VOCAB, length - 3, dtype=np.int32)
    middle = int(rng.integers(1, length - 3))
    return words[:middle], words[middle:]


def masked(
    length: int, seed: int, prob: float = 0.15, most: int = 20, rates: tuple[float, float] = (0.8, 0.1)
) -> tuple[Masked, np.ndarray, np.ndarray]:
    a, b = segments(length, seed)
    masker = Masker(prob, most, MASK, VOCAB, mask_rate=rates[0], random_rate=rates[1])
    tokens = np.concatenate([[2], a, [3], b, [3]]).astype(np.int32)
    maskable = np.ones(length, bool)
    maskable[[0, len(a) + 1, length - 1]] = False
    return applied(mask_of(masker, a, b, seed), tokens), tokens, maskable


@given(length=lengths, seed=seeds, prob=st.floats(0.001, 0.999), most=st.integers(1, 80))
def test_the_labels_put_back_give_the_original(length: int, seed: int, prob: float, most: int) -> None:
    result, tokens, _ = masked(length, seed, prob, most)
    restored = result.tokens.copy()
    restored[result.positions] = result.labels
    assert np.array_equal(restored, tokens)
    untouched = np.delete(np.arange(length), result.positions)
    assert np.array_equal(result.tokens[untouched], tokens[untouched])


@given(length=lengths, seed=seeds, prob=st.floats(0.001, 0.999))
def test_special_tokens_are_never_chosen_and_positions_ascend(length: int, seed: int, prob: float) -> None:
    result, _, maskable = masked(length, seed, prob, most=200)
    assert maskable[result.positions].all()
    assert (np.diff(result.positions) > 0).all()


@given(length=lengths, seed=seeds, prob=st.floats(0.001, 0.999), most=st.integers(1, 80))
def test_the_count_is_bert_s_formula(length: int, seed: int, prob: float, most: int) -> None:
    result, _, maskable = masked(length, seed, prob, most)
    # create_pretraining_data.py; a pair with fewer words than that cannot give as many.
    assert len(result.positions) == min(most, max(1, round(length * prob)), int(maskable.sum()))
    assert len(result.labels) == len(result.positions)


@given(length=lengths, seed=seeds)
def test_at_rate_one_all_chosen_become_mask(length: int, seed: int) -> None:
    result, _, _ = masked(length, seed, rates=(1.0, 0.0))
    assert (result.tokens[result.positions] == MASK).all()


@given(length=lengths, seed=seeds)
def test_at_rate_zero_all_chosen_stay(length: int, seed: int) -> None:
    result, tokens, _ = masked(length, seed, rates=(0.0, 0.0))
    assert np.array_equal(result.tokens, tokens) and len(result.positions)


@given(length=lengths, seed=seeds)
def test_random_pieces_are_of_the_vocabulary(length: int, seed: int) -> None:
    result, _, _ = masked(length, seed, prob=0.9, most=200, rates=(0.0, 1.0))
    assert ((result.tokens >= 0) & (result.tokens < VOCAB)).all()


def test_eight_in_ten_are_masked_one_is_random_one_stays() -> None:
    kept = masks = total = 0
    for seed in range(400):
        result, _, _ = masked(200, seed, most=30)
        now = result.tokens[result.positions]
        masks += int((now == MASK).sum())
        kept += int((now == result.labels).sum())
        total += len(now)
    # 12,000 draws: three standard deviations are about one hundredth.
    assert abs(masks / total - 0.8) < 0.012
    assert abs(kept / total - 0.1) < 0.012


def test_every_word_is_chosen_equally_often() -> None:
    chosen = np.zeros(51)
    words = np.full(48, 9, np.int32)
    masker = Masker(0.2, 20, MASK, VOCAB)
    for seed in range(3000):
        chosen[mask_of(masker, words[:20], words[20:], seed).positions] += 1
    expected = 3000 * 10 / 48
    assert not chosen[[0, 21, 50]].any()
    assert abs(np.delete(chosen, [0, 21, 50]) - expected).max() < 5 * expected**0.5


@pytest.mark.parametrize("max_ngram", [0, 1, 3])
def test_sequences_get_the_masks_that_each_gets_alone(max_ngram: int) -> None:
    """0: pieces, one by one. So records do not depend on how many rows are made at a time."""
    rng = np.random.default_rng(max_ngram)
    continues = rng.random(VOCAB) < 0.3 if max_ngram else None
    masker = Masker(0.15, 20, MASK, VOCAB, continues, max(1, max_ngram))
    pairs = [Pair(*segments(int(length), n), 0) for n, length in enumerate(rng.integers(5, 120, 40))]
    pairs[7] = Pair(pairs[7].a, pairs[7].b[:0], 0)
    tokens = Tokens.of(pairs, CLS, SEP)
    draws = masker.draw(np.random.PCG64(1), len(tokens.flat))
    together = masker(tokens, draws)
    edges = np.cumsum(together.counts)[:-1]
    of_each = zip(np.split(together.positions, edges), np.split(together.replacements, edges), strict=True)
    at = 0
    for pair, (positions, replacements) in zip(pairs, of_each, strict=True):
        alone = Tokens.of([pair], CLS, SEP)
        mask = masker(alone, draws[at : at + len(alone.flat)])
        assert mask.positions.tolist() == positions.tolist() and mask.replacements.tolist() == replacements.tolist()
        at += len(alone.flat)


# Of the pieces 5 to 9 each continues a word.
PIECES = [f"##{n}" if 5 <= n < 10 else f"piece{n}" for n in range(40)]


def words_of(a: np.ndarray, b: np.ndarray) -> list[set[int]]:
    """The positions of each word, in order."""
    words: list[set[int]] = []
    for first, segment in ((1, a), (len(a) + 2, b)):
        for place, token in enumerate(segment.tolist()):
            if place == 0 or not 5 <= token < 10:
                words.append(set())
            words[-1].add(first + place)
    return words


def whole_word(length: int, seed: int, share: float, most: int, max_ngram: int) -> tuple[Masks, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    words = np.where(rng.random(length - 3) < share, rng.integers(5, 10, length - 3), rng.integers(10, 40, length - 3))
    middle = int(rng.integers(1, length - 3))
    a, b = words[:middle].astype(np.int32), words[middle:].astype(np.int32)
    masker = Masker(0.15, most, MASK, len(PIECES), continuations(PIECES), max_ngram)
    return mask_of(masker, a, b, seed), a, b


@given(
    length=lengths, seed=seeds, share=st.floats(0, 0.9), most=st.integers(1, 80), max_ngram=st.sampled_from([1, 2, 3])
)
def test_words_are_chosen_whole_and_as_many_as_fit(
    length: int, seed: int, share: float, most: int, max_ngram: int
) -> None:
    mask, a, b = whole_word(length, seed, share, most, max_ngram)
    chosen, words = set(mask.positions.tolist()), words_of(a, b)
    assert (np.diff(mask.positions) > 0).all() and len(mask.replacements) == len(chosen)
    assert all(word <= chosen or not word & chosen for word in words)
    assert chosen <= set().union(*words)
    left = min(most, max(1, round(length * 0.15))) - len(chosen)
    assert left >= 0
    assert all(len(word) > left for word in words if not word & chosen), "a word that fits was passed over"


def test_without_continuations_whole_words_are_the_pieces() -> None:
    for seed in range(50):
        mask, *_ = whole_word(60, seed, 0.0, 20, 1)
        assert len(mask.positions) == 9


def test_ngrams_come_in_runs_that_share_their_fate() -> None:
    """P(n) is proportional to 1/n: of 1, 2 and 3 words 6, 3 and 2 in 11; unigrams alone would be scattered."""
    neighbours, lone, equal, runs = 0, 0, 0, 0
    for seed in range(600):
        counts = []
        for max_ngram in (1, 3):
            mask, _, _ = whole_word(190, seed, 0.0, 80, max_ngram)
            counts.append(int((np.diff(mask.positions) == 1).sum()))
        lone, neighbours = lone + counts[0], neighbours + counts[1]
        is_mask = mask.replacements == MASK
        pairs = np.diff(mask.positions) == 1
        equal += int((is_mask[1:] == is_mask[:-1])[pairs].sum())
        runs += int(pairs.sum())
    # Of 28 scattered words of 187, 28 * 28 / 187 = 4 follow another; spans have 18 / 11 words on average, so that
    # 1 - 11 / 18 = 39 % of them follow one of their own span.
    assert 3.5 < lone / 600 < 4.9
    assert 11 < neighbours / 600 < 15
    assert equal / runs > 0.85, "0.68 if each had its own fate"
