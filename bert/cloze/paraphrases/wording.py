"""Rewriting rules that change, add or drop words and leave their order."""

from __future__ import annotations

import re

import numpy as np

from bert.cloze.draws import choose
from bert.cloze.english.capitals import Capitals
from bert.cloze.english.synonyms import SYNONYMS
from bert.cloze.english.words import ASIDES, DROPPABLE
from bert.cloze.paraphrases.rules import capital, like, plural, put


def synonyms(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Replace up to three words or phrases of the table: "several large films" -> "a number of big movies"."""
    found = SYNONYMS.find(sentence)
    if not found:
        return None
    picked = sorted(int(i) for i in rng.permutation(len(found))[:3])
    # Back to front, so that the places of the earlier ones stay right.
    for start, end, others in (found[i] for i in reversed(picked)):
        sentence = put(sentence, start, end, like(sentence[start:end], choose(rng, others)))
    return sentence


_DROPPABLE = re.compile(rf"(?<=[a-z] )(?:{'|'.join(DROPPABLE)}) (?=[a-z])")
_BEFORE_MANY = re.compile(r"\b(?:as|not|how|so|too|than|by|the|and|or|but|this|that|about|some|more|until|since) $")


def adverbs(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Drop an adverb that only colours: "It was also very long." -> "It was very long."."""
    found = [m for m in _DROPPABLE.finditer(sentence) if not _BEFORE_MANY.search(sentence[: m.start()])]
    if not found:
        return None
    match = choose(rng, found)
    after = sentence[match.end() :]
    return put(sentence[: match.start()] + after, match.start(), match.start() + len(after), after)


_ASIDE = "|".join(ASIDES)


def asides(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Drop a word or phrase set off by commas: "However, he left." -> "He left.", "It was, in fact, late."."""
    opening = re.match(rf"(?i)(?:{_ASIDE}), ", sentence)
    if opening:
        return capital(sentence[opening.end() :])
    new = re.sub(rf", (?:{_ASIDE}),", "", sentence, count=1)
    new = new if new != sentence else re.sub(rf",? (?:{_ASIDE})\.$", ".", sentence)
    return new if new != sentence else None


def parentheses(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Drop what stands in parentheses."""
    new = re.sub(r" \([^()]*\)", "", sentence)
    return new if new != sentence else None


def titles(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Drop a title before a name: "Mr Grey" -> "Grey"."""
    # Not the second half of "Vice President".
    title = r"(?<![A-Z]\w\w\w )\b(?:Mr|Mrs|Ms|Dr|Prof|Professor|President|General|Senator)\.? (?=[A-Z][a-z])"
    new = re.sub(title, "", sentence)
    return new if new != sentence else None


_REPORTS = "said|says|say|believed|believes|argued|argues|claimed|claims|thought|suggested|stated|states|found|showed"
_CLAUSE_START = "the|he|she|it|they|there|this|these|his|her|its|their|some|most|many"


def that(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """With or without that: "said that the" <-> "said the"."""
    without = re.sub(rf"\b({_REPORTS}) that (?=(?:{_CLAUSE_START})\b)", r"\1 ", sentence)
    if without != sentence:
        return without
    new = re.sub(r"\b(said|says|believes|argues|claims) (?=(?:the|he|she|it|they|there)\b)", r"\1 that ", sentence)
    return new if new != sentence else None


# Participles that are hardly ever a past tense where a comma or "that are" stands before them.
_PARTICIPLE = r"(?:\w+ed|known|built|written|made|found|held|led|born|given|taken|seen|set|sold|bought|drawn|won)"


def relatives(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Relative clause <-> participle: ", which was built" -> ", built", "house found in" -> "house that is found"."""
    long = rf",? (?:which|who|that) (?:is|are|was|were) (?=(?:\w+ly )?{_PARTICIPLE} )"
    shorter = re.sub(long, _comma, sentence, count=1)
    if shorter != sentence:
        return shorter
    match = re.search(r"(?<= )([a-z]{4,}) ((?:located|situated|found) (?:in|on|at|near) |based on )", sentence)
    if match is None or _NO_NOUN.search(sentence[: match.end(1)]):
        return None
    return put(sentence, match.end(1), match.start(2), f" that {'are' if plural(match[1]) else 'is'} ")


def _comma(match: re.Match[str]) -> str:
    return ", " if match[0].startswith(",") else " "


_NO_NOUN = re.compile(
    r"(?:\b(?:is|was|are|were|been|be|has|have|had|not|also|often|they|which|that|being|became|when|where|and)|ly|ed|ing)$"
)
