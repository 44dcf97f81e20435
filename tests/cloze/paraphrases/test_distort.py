"""bert/cloze/paraphrases/distort.py: every distortion on worked examples."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bert.cloze.english.capitals import Capitals
from bert.cloze.paraphrases import distort
from bert.cloze.paraphrases.distort import DISTORTIONS, Stock

DOCUMENT = [
    "They saw Norland and Sund at the old bridge.",
    "The museum of Tarn was closed in the early morning.",
    "Anna Grey met Tom Hale in a small town.",
    "The painter was seen near the harbour in May.",
]
CAPITALS = Capitals.of(DOCUMENT)
STOCK = Stock.of(DOCUMENT, CAPITALS)
EVEN = dict.fromkeys(DISTORTIONS, 1.0)


def outcomes(kind: str, sentence: str) -> set[str | None]:
    return {DISTORTIONS[kind](sentence, CAPITALS, STOCK, np.random.default_rng(seed)) for seed in range(60)}


def test_the_stock_is_what_the_document_offers_in_its_order() -> None:
    assert STOCK.names == ("Norland", "Sund", "Tarn", "Anna Grey", "Tom Hale")
    assert STOCK.nouns == ("museum", "painter", "harbour")
    assert STOCK.endings["in"] == ("in the early morning", "in a small town")


@pytest.mark.parametrize(
    ("kind", "sentence", "expected"),
    [
        ("name", "They left Sund.", "They left Tarn."),
        ("noun", "The museum of Tarn fell.", "The harbour of Tarn fell."),
        ("ending", "They left in the late evening.", "They left in a small town."),
        ("number", "They had three cats.", "They had seven cats."),
        ("number", "It was in May.", "It was in July."),
        ("number", "It was the second time.", "It was the fifth time."),
        ("number", "It was the 3rd time.", "It was the 8th time."),
        ("opposite", "The northern road was old.", "The southern road was old."),
        ("relation", "They left because of the rain.", "They left despite the rain."),
        ("relation", "They had more than 30 cats.", "They had less than 30 cats."),
        ("negation", "It was open.", "It was not open."),
        ("negation", "It was open.", "It wasn't open."),
        ("negation", "It wasn't open.", "It was open."),
        ("negation", "They cannot go.", "They can go."),
        ("roles", "Norland attacked Sund.", "Sund attacked Norland."),
    ],
)
def test_a_distortion_changes_one_thing(kind: str, sentence: str, expected: str) -> None:
    assert expected in outcomes(kind, sentence)


def test_other_numbers_have_the_same_form() -> None:
    for made in outcomes("number", "It cost 1,250.5 there."):
        assert made is not None and made != "It cost 1,250.5 there."
        assert [c if not c.isdigit() else "0" for c in made] == list("It cost 0,000.0 there.")
    years = {int(str(made)[-5:-1]) for made in outcomes("number", "It was in 1905.")}
    assert 1905 not in years and all(1860 < year < 1950 for year in years)


@pytest.mark.parametrize(
    ("kind", "sentence", "why"),
    [
        ("roles", "They saw Norland and Sund.", "'and' does not care for order"),
        ("roles", "They saw Tarn, Norland and Sund.", "nor does a list"),
        ("roles", "They saw Tarn.", "one name"),
        ("opposite", "They saw North Tarn.", "a name's capital"),
        ("negation", "They left.", "nothing to negate"),
        ("name", "They left early.", "no name"),
        ("number", "They may leave.", "not the month"),
        ("ending", "They left in spite of that all along at noon today here once again.", "no ending of that length"),
    ],
)
def test_a_distortion_that_does_not_fit_says_so(kind: str, sentence: str, why: str) -> None:
    assert outcomes(kind, sentence) == {None}, why


SENTENCE = "The northern museum of Tarn was not open in May because three men left Sund."


def test_kinds_that_can_cancel_out_do_not_meet() -> None:
    for seed in range(60):
        text, kinds = distort.distort(SENTENCE, 8, EVEN, CAPITALS, STOCK, np.random.default_rng(seed))
        assert len(set(kinds) & {"relation", "opposite", "negation"}) == 1
        assert text != SENTENCE and len(kinds) == len(set(kinds))


def test_weights_say_which_kind_comes_first() -> None:
    weights = dict.fromkeys(DISTORTIONS, 0.0) | {"number": 3.0, "name": 1.0}
    drawn = Counter(
        distort.distort(SENTENCE, 1, weights, CAPITALS, STOCK, np.random.default_rng(seed))[1] for seed in range(400)
    )
    assert set(drawn) == {("number",), ("name",)}, "0 switches a kind off"
    # Binomial(400, 3/4): 300 with a standard deviation of 9.
    assert 260 < drawn[("number",)] < 340


def test_a_sentence_that_nothing_fits_is_left_as_it_is() -> None:
    assert distort.distort("They left.", 2, EVEN, CAPITALS, STOCK, np.random.default_rng(0)) == ("They left.", ())
