"""bert/cloze/paraphrases/{notation,wording,order,voice,rewrite}.py: every rewriting rule on worked examples."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert.cloze.english.capitals import Capitals
from bert.cloze.paraphrases import notation, order, voice, wording
from bert.cloze.paraphrases.rewrite import RULES, fitting, rewrite
from bert.cloze.paraphrases.rules import Rule, put
from tests.cloze.made_up import PEOPLE, PLACES, TEMPLATES

CAPITALS = Capitals.of(["They saw Norland, Sund, Tarn, Hale, Anna Grey and Mr Reed on the old road."])


def outcomes(rule: Rule, sentence: str) -> set[str | None]:
    """All that chance can make of it."""
    return {rule(sentence, CAPITALS, np.random.default_rng(seed)) for seed in range(24)}


EXAMPLES: list[tuple[Rule, str, str]] = [
    (notation.numbers, "They had three cats and 12 dogs.", "They had 3 cats and twelve dogs."),
    (notation.dates, "It closed on 12 May 1905 there.", "It closed on May 12, 1905 there."),
    (notation.dates, "It closed on May 12, 1905, there.", "It closed on 12 May 1905 there."),
    (notation.dates, "It closed on May 12 there.", "It closed on 12 May there."),
    (notation.dates, "It closed in May 1905.", "It closed in May of 1905."),
    (notation.years, "It ran from 1905 to 1908.", "It ran between 1905 and 1908."),
    (notation.years, "Between 1905 and 1908 it ran.", "From 1905 to 1908 it ran."),
    (notation.years, "It closed in 1905.", "It closed in the year 1905."),
    (notation.years, "In the year 1905 it closed.", "In 1905 it closed."),
    (notation.years, "It ran in the 1920s.", "It ran in the years from 1920 to 1929."),
    (notation.quantities, "It fell by 12% there.", "It fell by 12 percent there."),
    (notation.quantities, "It fell by 12 per cent.", "It fell by 12%."),
    (notation.quantities, "It cost $5 million in all.", "It cost 5 million dollars in all."),
    (notation.quantities, "It has 12,500 rooms.", "It has 12500 rooms."),
    (notation.quantities, "It has 1.5 million rooms.", "It has 1,500,000 rooms."),
    (notation.ordinals, "In the 19th century it fell.", "In the nineteenth century it fell."),
    (notation.ordinals, "In the nineteenth century it fell.", "In the 19th century it fell."),
    (notation.contractions, "It did not fall.", "It didn't fall."),
    (notation.contractions, "They aren’t here.", "They are not here."),
    (notation.spelling, "They organised the harbour.", "They organized the harbor."),
    (notation.spelling, "They organized the harbor.", "They organised the harbour."),
    (wording.synonyms, "It was an important film.", "It was a significant movie."),
    (wording.synonyms, "It had about 30 rooms.", "It had roughly 30 rooms."),
    (wording.adverbs, "It was also a very old house.", "It was a very old house."),
    (wording.adverbs, "It was an extremely big house.", "It was a big house."),
    (wording.asides, "However, it fell.", "It fell."),
    (wording.asides, "It was, for example, late.", "It was late."),
    (wording.parentheses, "The king (born late) left.", "The king left."),
    (wording.titles, "They saw Mr Hale there.", "They saw Hale there."),
    (wording.that, "She said that the road was bad.", "She said the road was bad."),
    (wording.that, "She said the road was bad.", "She said that the road was bad."),
    (wording.relatives, "The house, which was built in May, fell.", "The house, built in May, fell."),
    (wording.relatives, "The house that is located in Tarn fell.", "The house located in Tarn fell."),
    (wording.relatives, "The houses located in Tarn fell.", "The houses that are located in Tarn fell."),
    (order.fronted, "In 1905, the king left Norland.", "The king left Norland in 1905."),
    (order.fronted, "On May 12, 1905, the king left.", "The king left on May 12, 1905."),
    (order.trailing, "The king left Norland in 1905.", "In 1905, the king left Norland."),
    (order.trailing, "Norland was quiet during the war.", "During the war, Norland was quiet."),
    (order.clauses, "When it rained, the king left.", "The king left when it rained."),
    (order.clauses, "Although it rained, the king left.", "The king left, although it rained."),
    (order.clauses, "The old king left because it rained a lot.", "Because it rained a lot, the old king left."),
    (order.apposition, "Anna Grey, a painter, was late.", "A painter, Anna Grey, was late."),
    (order.apposition, "The painter of it, Anna Grey, was late.", "Anna Grey, the painter of it, was late."),
    (order.reports, "Hale said that the road was bad.", "According to Hale, the road was bad."),
    (order.reports, "He says the road was bad.", "According to him, the road was bad."),
    (order.reports, "According to Hale, the road was bad.", "The road was bad, according to Hale."),
    (order.reports, "According to him, the road was bad.", "He says that the road was bad."),
    (order.reports, "The road was bad, according to Hale.", "According to Hale, the road was bad."),
    (order.genitives, "The leader of Norland left.", "Norland's leader left."),
    (order.genitives, "They saw Norland's coast at night.", "They saw the coast of Norland at night."),
    (order.coordination, "They saw Norland and Sund.", "They saw Sund and Norland."),
    (order.coordination, "They saw the Sund and Norland.", "They saw Norland and the Sund."),
    (order.coordination, "They saw Tarn, Norland and Sund.", "They saw Norland, Tarn and Sund."),
    (order.coordination, "It was for painting and singing.", "It was for singing and painting."),
    (voice.active, "It was built by the king in 1905.", "The king built it in 1905."),
    (voice.active, "The old letter was later written by him.", "He later wrote the old letter."),
    (voice.passive, "The king wrote a letter in 1905.", "A letter was written by the king in 1905."),
    (voice.passive, "She founded the two schools.", "The two schools were founded by her."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "sentence", "expected"), EXAMPLES)
def test_a_rule_gives_the_other_form(rule: Rule, sentence: str, expected: str) -> None:
    assert expected in outcomes(rule, sentence)


def test_every_rule_has_an_example() -> None:
    assert {rule for rule, _, _ in EXAMPLES} == set(RULES.values())


@pytest.mark.parametrize(
    ("rule", "sentence", "why"),
    [
        (notation.numbers, "They used Apollo 11 and page 3 of it.", "part of a name or a label"),
        (notation.quantities, "They got $5 tickets.", "would become '5 dollars tickets'"),
        (notation.spelling, "The organism of the laboratory.", "only looks like a spelling"),
        (wording.synonyms, "They saw the Big Film Company.", "a name's capitals"),
        (wording.adverbs, "It was not very old.", "would turn 'not very' into 'not'"),
        (wording.titles, "They saw Vice President Hale.", "half of a title"),
        (order.fronted, "For example, the king left the town.", "no adverbial"),
        (order.fronted, "In Norland, Sund, and Tarn, the king left.", "a list"),
        (order.trailing, "Hale said that the king left in 1905.", "in the scope of 'said'"),
        (order.trailing, "It was quiet until its fall in 1905.", "belongs to the phrase before"),
        (order.clauses, "He said the king left because it rained.", "in the scope of 'said'"),
        (order.apposition, "Tarn, the Sund, and Norland were late.", "a list"),
        (order.reports, "It said that the king was late there.", "nobody says it"),
        (order.genitives, "The city of Tarn fell.", "does not belong to it"),
        (order.coordination, "They went to Tarn and Sund was lost.", "'and' joins clauses"),
        (order.coordination, "They saw Hale House and Tarn Hall Gate's door.", "part of a longer name"),
        (voice.active, "It was built by the end of May.", "no agent"),
        (voice.passive, "The man of the king wrote the house and left it.", "a second verb"),
        (voice.passive, "In Norland Hale built a house.", "an adverbial, no subject"),
    ],
)
def test_a_rule_stays_away_where_it_would_change_the_meaning(rule: Rule, sentence: str, why: str) -> None:
    assert outcomes(rule, sentence) <= {None, sentence}, why


def test_put_lets_the_article_follow() -> None:
    assert put("It is an old boat.", 9, 12, "new") == "It is a new boat."
    assert put("A big city.", 2, 5, "enormous") == "An enormous city."
    assert put("They saw a boat.", 11, 15, "unit") == "They saw a unit."
    assert put("They saw the boat.", 13, 17, "ship") == "They saw the ship."


WORDS = {"person": PEOPLE[0], "place": PLACES[0], "place2": PLACES[1], "month": "May", "year": 1905, "day": 3}
FILLED = [template.format(**WORDS, number=40, small="four") for template in TEMPLATES]


SENTENCE = "However, the king left Norland in 1905."


def rewritten(count: int, *kinds: str) -> set[tuple[str, tuple[str, ...]]]:
    """All that chance can make of SENTENCE."""
    return {rewrite(SENTENCE, kinds, count, CAPITALS, np.random.default_rng(seed)) for seed in range(40)}


def test_the_kinds_that_fit_are_those_that_change_the_sentence() -> None:
    assert fitting(SENTENCE, CAPITALS, np.random.default_rng(0)) == ["synonyms", "aside dropped", "year"]
    assert fitting("They left.", CAPITALS, np.random.default_rng(0)) == []


def test_kinds_are_applied_one_on_top_of_the_other_in_any_order() -> None:
    dropped, moved, year = "aside dropped", "final adverbial moved to the front", "year"
    assert rewritten(1, dropped, year) == {
        ("The king left Norland in 1905.", (dropped,)),
        ("However, the king left Norland in the year 1905.", (year,)),
    }
    assert rewritten(2, dropped, year) == {
        ("The king left Norland in the year 1905.", (dropped, year)),
        ("The king left Norland in the year 1905.", (year, dropped)),
    }
    # An adverbial moves only once the aside is gone: tried before, its kind does nothing and does not count.
    assert rewritten(2, dropped, moved) == {
        ("In 1905, the king left Norland.", (dropped, moved)),
        ("The king left Norland in 1905.", (dropped,)),
    }
    assert rewritten(3) == {(SENTENCE, ())}


def test_a_rule_that_leaves_the_sentence_as_it_is_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "year", lambda sentence, capitals, rng: sentence)
    assert rewritten(1, "year", "aside dropped") == {("The king left Norland in 1905.", ("aside dropped",))}
    assert "year" not in fitting(SENTENCE, CAPITALS, np.random.default_rng(0))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(FILLED), st.integers(0, 2**32), st.integers(1, 4))
def test_rewriting_applies_different_kinds_and_keeps_a_sentence(sentence: str, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = fitting(sentence, CAPITALS, rng)
    text, applied = rewrite(sentence, kinds, count, CAPITALS, rng)
    assert len(set(applied)) == len(applied) <= count and set(applied) <= set(kinds)
    assert (text == sentence) <= (len(applied) != 1), "one rule alone cannot leave it as it was"
    assert text.endswith(".") and not text[0].islower() and "  " not in text and "\t" not in text


WORD = re.compile(r"[\w$%.,'’-]*\w[\w%'’]*")


def words(sentence: str) -> Counter[str]:
    """The words of a sentence, whatever their order and capitals; "an" is the same word as "a"."""
    return Counter("a" if word == "an" else word for word in WORD.findall(sentence.lower()))


SENTENCES = sorted({sentence for _, sentence, _ in EXAMPLES} | {expected for _, _, expected in EXAMPLES} | set(FILLED))
MOVING = (order.fronted, order.trailing, order.clauses, order.apposition, order.coordination)
DROPPING = (wording.adverbs, wording.asides, wording.parentheses, wording.titles)


def changes(rule: Rule) -> list[tuple[str, str]]:
    """(before, after) of all sentences that a rule changes."""
    made = [(sentence, outcome) for sentence in SENTENCES for outcome in outcomes(rule, sentence)]
    return [(before, after) for before, after in made if after not in (None, before) and after is not None]


@pytest.mark.parametrize("rule", MOVING)
def test_a_rule_that_moves_words_loses_and_adds_none(rule: Rule) -> None:
    changed = changes(rule)
    assert len(changed) >= 2
    for before, after in changed:
        assert words(after) == words(before), f"{before} -> {after}"


@pytest.mark.parametrize("rule", DROPPING)
def test_a_rule_that_drops_words_adds_none(rule: Rule) -> None:
    changed = changes(rule)
    assert changed
    for before, after in changed:
        assert words(after) < words(before), f"{before} -> {after}"


@pytest.mark.parametrize(
    ("rule", "inverse"),
    [
        (order.fronted, order.trailing),
        (voice.passive, voice.active),
        (notation.ordinals, notation.ordinals),
        (notation.spelling, notation.spelling),
        (wording.that, wording.that),
    ],
)
def test_a_rule_and_its_inverse_give_the_sentence_back(rule: Rule, inverse: Rule) -> None:
    """Of the examples that the rule has, so that the inverse fits."""
    sentences = [sentence for of, sentence, _ in EXAMPLES if of is rule]
    assert sentences
    for sentence in sentences:
        back = {again for made in outcomes(rule, sentence) if made for again in outcomes(inverse, made)}
        assert sentence in back


PIECES = sorted({piece for sentence in SENTENCES for piece in sentence.removesuffix(".").split()})


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12), st.integers(0, 99))
def test_whatever_a_rule_makes_of_any_words_is_a_sentence_again(pieces: list[str], seed: int) -> None:
    text = " ".join(pieces)
    sentence = f"{text[:1].upper()}{text[1:].rstrip(',')}."
    for kind, rule in RULES.items():
        changed, again = (rule(sentence, CAPITALS, np.random.default_rng(seed)) for _ in range(2))
        assert changed == again, f"{kind}: another outcome for the same seed"
        if changed is not None and changed != sentence:
            assert changed.endswith(".") and changed == changed.strip(), f"{kind}: {changed!r}"
            assert not changed[0].islower() and "  " not in changed, f"{kind}: {changed!r}"
