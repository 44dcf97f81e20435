"""Negatives: one thing in a sentence changed, so that it no longer claims the same.

Each kind of distortion leaves a different trace, and none leaves a trace in the number of shared words alone:

    relation, opposite, negation   a few words of a closed set, which a small model can learn one by one
    number, name, noun, ending     a word or phrase without counterpart in the other sentence, as rewriting leaves too
    roles                          the same words in another order, as swapped clauses and conjuncts leave too

Replacements come from the same document, so that the topic does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bert.cloze.draws import choose
from bert.cloze.english.capitals import Capitals
from bert.cloze.english.opposites import OPPOSITES, RELATIONS
from bert.cloze.english.phrases import PhraseTable
from bert.cloze.english.words import FUNCTION_WORDS, MONTHS, NUMBER_WORDS, ORDINAL_WORDS
from bert.cloze.paraphrases.rules import like, put

_NOUN = re.compile(
    r"\b(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Ii]ts|[Tt]heir) ([a-z]{4,})"
    r"(?=[.,]| (?:of|in|on|at|by|for|from|to|was|is|has|had|and|with|during|that|which|who)\b)"
)
_NUMBER = re.compile(
    rf"(?<![\w.,-])\d+(?:,\d{{3}})*(?:\.\d+)?(?![\w-])|\b(?:{'|'.join(MONTHS)}|(?i:{'|'.join(NUMBER_WORDS)}))\b"
    rf"|\b(?:{'|'.join(word for word, value in ORDINAL_WORDS.items() if value > 1)})\b"
    r"|(?<!\w)\d{1,2}(?:st|nd|rd|th)\b"
)
_ENDING = re.compile(
    r" ((?:in|on|at|by|for|from|with|to|into|against|between|during|after|before|through) "
    r"(?:[\w'’-]+ ){1,5}[\w'’-]+)\.$"
)
_SCALES = (tuple(NUMBER_WORDS), tuple(ORDINAL_WORDS)[1:], tuple(month.lower() for month in MONTHS))


@dataclass(frozen=True)
class Stock:
    """What a document offers as replacements, in order of appearance.

    endings: final phrases by their first word.
    """

    names: tuple[str, ...]
    nouns: tuple[str, ...]
    endings: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, sentences: Iterable[str], capitals: Capitals) -> Stock:
        names: dict[str, None] = {}
        nouns: dict[str, None] = {}
        endings: dict[str, dict[str, None]] = {}
        for sentence in sentences:
            names |= dict.fromkeys(sentence[start:end] for start, end in capitals.names(sentence))
            nouns |= dict.fromkeys(m[1] for m in _NOUN.finditer(sentence) if m[1] not in FUNCTION_WORDS)
            if match := _ENDING.search(sentence):
                endings.setdefault(match[1].split()[0], {})[match[1]] = None
        return cls(tuple(names), tuple(nouns), {word: tuple(phrases) for word, phrases in endings.items()})


def number(sentence: str, capitals: Capitals, stock: Stock, rng: np.random.Generator) -> str | None:
    """Another number, ordinal or month: "in 1905" -> "in 1911", "three ships" -> "nine ships"."""
    found = list(_NUMBER.finditer(sentence))
    if not found:
        return None
    match = choose(rng, found)
    return put(sentence, *match.span(), _other_number(match[0], rng))


def _other_number(text: str, rng: np.random.Generator) -> str:
    for scale in _SCALES:
        if text.lower() in scale:
            return like(text, choose(rng, [word for word in scale if word != text.lower()]))
    if text.endswith(("st", "nd", "rd", "th")):
        return choose(rng, [other for other in (f"{n}th" for n in range(4, 21)) if other != text])
    digits = [c for c in text if c.isdigit()]
    if re.fullmatch(r"1\d{3}|20[012]\d", text):  # a year, most likely: one nearby
        return str(int(text) + int(rng.integers(2, 40)) * (-1 if int(text) > 1960 or rng.random() < 0.5 else 1))
    new = digits
    while new == digits:
        new = [str(int(rng.integers(1 if place == 0 else 0, 10))) for place in range(len(digits))]
    replaced = iter(new)
    return "".join(next(replaced) if c.isdigit() else c for c in text)


def name(sentence: str, capitals: Capitals, stock: Stock, rng: np.random.Generator) -> str | None:
    """Another name of the document in a name's place."""
    spans = capitals.names(sentence)
    if not spans:
        return None
    start, end = choose(rng, spans)
    words, length = set(sentence.lower().split()), len(sentence[start:end].split())
    new = _draw(
        stock.names, lambda other: not words & set(other.lower().split()) and abs(len(other.split()) - length) <= 1, rng
    )
    return put(sentence, start, end, new) if new else None


def noun(sentence: str, capitals: Capitals, stock: Stock, rng: np.random.Generator) -> str | None:
    """Another noun of the document at the head of a phrase: "the bridge of ..." -> "the museum of ..."."""
    found = [m for m in _NOUN.finditer(sentence) if m[1] in stock.nouns]
    words = set(re.findall(r"\w+", sentence.lower()))
    new = _draw(stock.nouns, lambda other: other not in words, rng)
    if not found or new is None:
        return None
    return put(sentence, *choose(rng, found).span(1), new)


def ending(sentence: str, capitals: Capitals, stock: Stock, rng: np.random.Generator) -> str | None:
    """The final phrase of another sentence: "... met in the old town." -> "... met in the first year of the war."."""
    match = _ENDING.search(sentence)
    if match is None:
        return None
    words = match[1].split()
    new = _draw(
        stock.endings.get(words[0], ()),
        lambda other: len(set(other.split()) & set(words)) <= 2 and abs(len(other.split()) - len(words)) <= 1,
        rng,
    )
    return f"{sentence[: match.start(1)]}{new}." if new else None


# A long document offers thousands of replacements: a few draws are enough, and cheaper than looking at all.
_DRAWS = 12


def _draw(options: Sequence[str], fits: Callable[[str], bool], rng: np.random.Generator) -> str | None:
    drawn = (choose(rng, options) for _ in range(_DRAWS if options else 0))
    return next((option for option in drawn if fits(option)), None)


def opposite(sentence: str, capitals: Capitals, stock: Stock, rng: np.random.Generator) -> str | None:
    """A content word's opposite: "the northern border" -> "the southern border"."""
    return _replaced(sentence, OPPOSITES, rng)


def relation(sentence: str, capitals: Capitals, stock: Stock, rng: np.random.Generator) -> str | None:
    """Another link between the parts: "because of the war" -> "despite the war", "most of" -> "few of"."""
    return _replaced(sentence, RELATIONS, rng)


def _replaced(sentence: str, table: PhraseTable, rng: np.random.Generator) -> str | None:
    found = table.find(sentence)
    if not found:
        return None
    start, end, others = choose(rng, found)
    return put(sentence, start, end, like(sentence[start:end], choose(rng, others)))


_VERBS = "is|are|was|were|has|have|had|can|could|will|would|should|may|might|must"
_CONTRACTING = frozenset("is are was were has have had could would should".split())
_NEGATED = re.compile(rf"\b({_VERBS})(?: not|n['’]t|(?<=can)not|(?<=ca)n['’]t) (?!only\b)(?=[a-z])")
_NEGATABLE = re.compile(rf"\b({_VERBS}) (?!not\b|no\b|never\b|only\b)(?=[a-z])")


def negation(sentence: str, capitals: Capitals, stock: Stock, rng: np.random.Generator) -> str | None:
    """With or without not: "was built" -> "was not built" or "wasn't built", and back."""
    affirmed = _NEGATED.sub(r"\1 ", sentence, count=1)
    if affirmed != sentence:
        return affirmed
    match = _NEGATABLE.search(sentence)
    if match is None:
        return None
    # Both forms, or "not" would be the mark of a negative: rewriting makes "n't" of it half of the time.
    short = match[1] in _CONTRACTING and rng.random() < 0.5
    return put(sentence, match.end(1), match.end(1), "n't" if short else " not")


# Names with nothing but these between them are conjuncts or items of a list: they say the same in any order.
_JOINING = frozenset("and or the as well along together with both of a an de van von".split())


def roles(sentence: str, capitals: Capitals, stock: Stock, rng: np.random.Generator) -> str | None:
    """Two names in each other's place: "Norland attacked Sund" -> "Sund attacked Norland"."""
    spans = capitals.names(sentence)
    pairs = [
        (first, second)
        for at, first in enumerate(spans)
        for second in spans[at + 1 :]
        if not _JOINING.issuperset(re.findall(r"\b[a-z]\w*", sentence[first[1] : second[0]]))
        and sentence[slice(*first)] != sentence[slice(*second)]
    ]
    if not pairs:
        return None
    (a, b), (c, d) = choose(rng, pairs)
    return sentence[:a] + sentence[c:d] + sentence[b:c] + sentence[a:b] + sentence[d:]


# In the metrics each kind is counted, and in params.yaml weighted, under its name here.
DISTORTIONS: dict[str, Callable[[str, Capitals, Stock, np.random.Generator], str | None]] = {
    "relation": relation,
    "opposite": opposite,
    "negation": negation,
    "number": number,
    "name": name,
    "noun": noun,
    "ending": ending,
    "roles": roles,
}
# Two of these in one sentence can cancel out: "was not small" is "was large" again.
_CANCELLING = frozenset({"relation", "opposite", "negation"})


def distort(
    sentence: str, count: int, weights: Mapping[str, float], capitals: Capitals, stock: Stock, rng: np.random.Generator
) -> tuple[str, tuple[str, ...]]:
    """Change the meaning in up to `count` ways. Returns the new sentence and the kinds of distortions.

    The kinds are tried in a random order in which one of twice the weight is twice as likely to be the first.
    """
    kinds = [kind for kind in DISTORTIONS if weights[kind] > 0]
    # Exponential waiting times: the first to arrive is kind k with probability weight_k / sum of weights.
    arrival = rng.exponential(size=len(kinds)) / np.array([weights[kind] for kind in kinds])
    applied: list[str] = []
    for index in np.argsort(arrival, kind="stable"):
        kind = kinds[index]
        if len(applied) == count:
            break
        if kind in _CANCELLING and not _CANCELLING.isdisjoint(applied):
            continue
        changed = DISTORTIONS[kind](sentence, capitals, stock, rng)
        if changed is not None and changed != sentence:
            sentence = changed
            applied.append(kind)
    return sentence, tuple(applied)
