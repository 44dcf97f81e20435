"""bert/shards/near_duplicates.py: what is similar, by MinHash, and what is a group."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bert.shards.duplicates import Copy, Drop
from bert.shards.near_duplicates import Groups, Signer, bands, shingles
from bert.shards.settings import NearSettings

NEAR = NearSettings(threshold=0.8, permutations=128, shingle=5)


def words(number: int, count: int) -> list[str]:
    return [f"w{n}" for n in np.random.default_rng(number).integers(0, 5000, count)]


def test_shingles_are_the_runs_of_words() -> None:
    text = "the cat sat on the cat sat on a mat".split()
    runs = {tuple(text[n : n + 3]) for n in range(len(text) - 2)}
    assert len(shingles(text, 3)) == 8 and len(set(shingles(text, 3).tolist())) == len(runs) == 6
    assert len(np.intersect1d(shingles(text, 3), shingles(text[2:], 3))) == 6
    assert len(np.intersect1d(shingles(text, 3), shingles(text[::-1], 3))) == 0, "their order counts"
    assert shingles(["one", "two"], 3).tolist() == shingles(["one", "two"], 2).tolist(), "fewer words are one shingle"


@pytest.mark.parametrize("length", [300, 20_000])  # the longer one is hashed in several rounds
@pytest.mark.parametrize("kept", [0.5, 0.8, 0.95])
def test_signatures_estimate_the_jaccard_similarity(kept: float, length: int) -> None:
    one = words(1, length)
    other = one[: int(kept * length)] + words(2, length - int(kept * length))
    a, b = ({tuple(w[n : n + 5]) for n in range(length - 4)} for w in (one, other))
    exact = len(a & b) / len(a | b)
    sign = Signer(NEAR.model_copy(update={"permutations": 1024}))
    estimate = np.mean(sign(" ".join(one)) == sign(" ".join(other)))
    assert abs(estimate - exact) < 4 * np.sqrt(exact * (1 - exact) / 1024), "within four standard errors"


def test_a_signature_is_the_same_on_every_machine() -> None:
    """Shards would change with it; datasketch may draw its permutations in another way one day."""
    sign = Signer(NEAR)
    assert sign("The old keeper painted a wooden ladder")[:3].tolist() == [37301540, 451369049, 939209334]
    assert (sign("The old\nkeeper painted a ladder") == sign("the OLD keeper  painted a ladder")).all()


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.8, 0.95, 1.0])
def test_bands_find_pairs_at_the_threshold(threshold: float) -> None:
    number, rows = bands(NEAR.model_copy(update={"threshold": threshold}))
    assert number * rows <= 128
    assert 1 - (1 - threshold**rows) ** number >= 0.99
    if rows < 128:
        fewer = 128 // (rows + 1)
        assert 1 - (1 - threshold ** (rows + 1)) ** fewer < 0.99, "no longer bands would do"


def test_groups_are_the_same_in_whatever_order_their_pairs_come() -> None:
    a, b, c, d, e = (Copy(-length, name) for length, name in ((5, "a"), (9, "b"), (9, "c"), (2, "d"), (3, "e")))
    pairs = [(a, c), (d, a), (b, c), (e, e)]
    expected = [Drop(name, "near_duplicate", "b") for name in ("c", "a", "d")]
    for order in itertools.permutations(pairs):
        groups = Groups()
        for one, other in order:
            groups.join(one, other)
        assert list(groups.drops()) == expected, "the longest stays, of equals the smaller id"
