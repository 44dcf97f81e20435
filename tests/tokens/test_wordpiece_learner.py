"""bert/tokens/wordpiece_learner.py: the vocabulary of tensorflow-text's learner."""

from __future__ import annotations

import numpy as np
import pytest

from bert.tokens.vocabulary import SPECIAL_PIECES
from bert.tokens.wordpiece_learner import MAX_WORD_CHARACTERS, learn_pieces

SYLLABLES = "ka ke ki la le li ma me mi ing ed er un re ##".split()


def words(number: int, seed: int) -> dict[str, int]:
    """Made-up words with counts as of a text: a few stand there often, most of them seldom."""
    rng = np.random.default_rng(seed)
    counts: dict[str, int] = {}
    for place in range(number):
        word = "".join(rng.choice(SYLLABLES) for _ in range(int(rng.integers(1, 6))))
        counts[word] = counts.get(word, 0) + number * 20 // (place + 1)
    return counts


@pytest.mark.parametrize("iterations", [1, 2, 4])
@pytest.mark.parametrize("size", [60, 150, 400, 5000])
def test_it_learns_what_tensorflow_text_learns(iterations: int, size: int) -> None:
    from tensorflow_text.tools.wordpiece_vocab import wordpiece_tokenizer_learner_lib as learner

    counts = words(800, seed=size) | {"[MASK]": 9, "x" * (MAX_WORD_CHARACTERS + 1): 500}
    counts |= {f"ka{chr(0x4E00 + n)}": 30 + n % 7 for n in range(1100)} if size == 5000 else {}  # of rare characters
    expected = learner.learn(counts, size, list(SPECIAL_PIECES), num_iterations=iterations)
    assert learn_pieces(counts, size, SPECIAL_PIECES, iterations) == expected


@pytest.mark.parametrize("counts", [{"one": 3}, {"one": 12}, {"one": 20_000_000, "once": 11_000_000}])
def test_few_words_and_large_counts(counts: dict[str, int]) -> None:
    from tensorflow_text.tools.wordpiece_vocab import wordpiece_tokenizer_learner_lib as learner

    for size in (8, 20):
        expected = learner.learn(counts, size, list(SPECIAL_PIECES), num_iterations=2)
        assert learn_pieces(counts, size, SPECIAL_PIECES, 2) == expected
