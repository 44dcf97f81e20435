"""Positives: a sentence said another way, by several rules at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bert.cloze.english.capitals import Capitals
from bert.cloze.paraphrases import notation, order, voice, wording
from bert.cloze.paraphrases.rules import Rule

# In the metrics each kind is counted under its name here.
RULES: dict[str, Rule] = {
    "fronted adverbial moved back": order.fronted,
    "final adverbial moved to the front": order.trailing,
    "clauses swapped": order.clauses,
    "apposition swapped": order.apposition,
    "report turned": order.reports,
    "genitive turned": order.genitives,
    "coordination swapped": order.coordination,
    "passive to active": voice.active,
    "active to passive": voice.passive,
    "synonyms": wording.synonyms,
    "adverb dropped": wording.adverbs,
    "aside dropped": wording.asides,
    "parenthesis dropped": wording.parentheses,
    "title dropped": wording.titles,
    "that": wording.that,
    "relative clause": wording.relatives,
    "number": notation.numbers,
    "date": notation.dates,
    "year": notation.years,
    "quantity": notation.quantities,
    "ordinal": notation.ordinals,
    "contraction": notation.contractions,
    "spelling": notation.spelling,
}


def fitting(sentence: str, capitals: Capitals, rng: np.random.Generator) -> list[str]:
    """The kinds of rules that change the sentence."""
    return [kind for kind, rule in RULES.items() if rule(sentence, capitals, rng) not in (None, sentence)]


def rewrite(
    sentence: str, kinds: Sequence[str], count: int, capitals: Capitals, rng: np.random.Generator
) -> tuple[str, tuple[str, ...]]:
    """Apply up to `count` of `kinds` in random order. Returns the new sentence and the kinds that did change it."""
    applied: list[str] = []
    for index in rng.permutation(len(kinds)):
        if len(applied) == count:
            break
        changed = RULES[kinds[index]](sentence, capitals, rng)
        if changed is not None and changed != sentence:
            sentence = changed
            applied.append(kinds[index])
    return sentence, tuple(applied)
