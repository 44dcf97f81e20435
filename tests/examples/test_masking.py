"""bert/examples/masking.py: what holds of every example."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bert.examples.masking import Masked, mask

MASK, VOCAB = 4, 1000
lengths = st.integers(5, 200)
seeds = st.integers(0, 2**32)


def example(length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids of [CLS] a [SEP] b [SEP] and which of them are text."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(5, VOCAB, length, dtype=np.int32)
    middle = int(rng.integers(2, length - 2))
    maskable = np.ones(length, bool)
    maskable[[0, middle, length - 1]] = False
    tokens[0], tokens[middle], tokens[-1] = 2, 3, 3
    return tokens, maskable


def masked(
    length: int, seed: int, prob: float = 0.15, most: int = 20, rates: tuple[float, float] = (0.8, 0.1)
) -> tuple[Masked, np.ndarray, np.ndarray]:
    tokens, maskable = example(length, seed)
    before = tokens.copy()
    result = mask(
        tokens,
        maskable,
        np.random.default_rng(seed),
        prob=prob,
        max_predictions=most,
        mask_id=MASK,
        vocab_size=VOCAB,
        mask_rate=rates[0],
        random_rate=rates[1],
    )
    assert np.array_equal(tokens, before), "the pair is masked anew for each copy"
    return result, tokens, maskable


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
    chosen = np.zeros(50)
    for seed in range(3000):
        tokens = np.full(50, 9, np.int32)
        maskable = np.arange(50) % 49 > 0
        result = mask(
            tokens, maskable, np.random.default_rng(seed), prob=0.2, max_predictions=20, mask_id=MASK, vocab_size=VOCAB
        )
        chosen[result.positions] += 1
    expected = 3000 * 10 / 48
    assert abs(chosen[1:49] - expected).max() < 5 * expected**0.5
