"""Rewriting rules that write the same number, date or word form another way."""

from __future__ import annotations

import re

import numpy as np

from bert.cloze.draws import choose
from bert.cloze.english.capitals import Capitals
from bert.cloze.english.words import MONTHS, NUMBER_WORDS, ORDINAL_WORDS, SPELLINGS
from bert.cloze.paraphrases.rules import like, put

_MONTH = "|".join(MONTHS)
_WORD_OF = {value: word for word, value in NUMBER_WORDS.items()}
_ORDINAL_OF = {value: word for word, value in ORDINAL_WORDS.items()}
_NUMBER_WORD = re.compile(rf"(?i)(?<![\w-])(?:{'|'.join(NUMBER_WORDS)})(?![\w-])")
# Not after a name or a sign ("Apollo 11", "No. 5"), not in a date.
_SMALL_NUMBER = re.compile(rf"(?<= )(?<!\. )(?:[2-9]|1\d|20)(?= (?!{_MONTH}|million|billion|%|percent|per)[a-z])")
_AFTER_NAME = re.compile(rf"(?:[A-Z][\w.]*|chapter|page|version|number|type|class|{_MONTH}) $")


def numbers(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Digits <-> words up to twenty: "three ships" <-> "3 ships"."""
    # A sentence does not begin with digits.
    found = [(m, str(NUMBER_WORDS[m[0].lower()])) for m in _NUMBER_WORD.finditer(sentence) if m.start()]
    found += [
        (m, _WORD_OF[int(m[0])])
        for m in _SMALL_NUMBER.finditer(sentence)
        if not _AFTER_NAME.search(sentence[: m.start()])
    ]
    if not found:
        return None
    # Back to front, so that the places of the earlier ones stay right.
    for match, new in sorted(found, key=lambda item: -item[0].start()):
        sentence = put(sentence, match.start(), match.end(), new)
    return sentence


def dates(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Dates: "12 May 1905" <-> "May 12, 1905", "May 1905" -> "May of 1905"."""
    european = re.sub(rf"\b(\d{{1,2}}) ({_MONTH}) (\d{{4}})\b,?", r"\2 \1, \3", sentence)
    if european != sentence:
        return european
    american = re.sub(rf"\b({_MONTH}) (\d{{1,2}}), (\d{{4}})\b,?", r"\2 \1 \3", sentence)
    if american != sentence:
        return american
    swapped = re.sub(rf"\b({_MONTH}) (\d{{1,2}})\b(?!,? \d)", r"\2 \1", sentence)
    swapped = swapped if swapped != sentence else re.sub(rf"\b(\d{{1,2}}) ({_MONTH})\b(?! \d)", r"\2 \1", sentence)
    if swapped != sentence:
        return swapped
    return _changed(sentence, re.sub(rf"\b({_MONTH}) (\d{{4}})\b", r"\1 of \2", sentence))


def years(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Years and spans: "in 1905" <-> "in the year 1905", "from 1905 to 1908" <-> "between 1905 and 1908"."""
    for pattern, new in (
        (r"\b([Ff])rom (\d{4}) (?:to|until) (\d{4})\b", lambda m: f"{like(m[1], 'between')} {m[2]} and {m[3]}"),
        (r"\b([Bb])etween (\d{4}) and (\d{4})\b", lambda m: f"{like(m[1], 'from')} {m[2]} to {m[3]}"),
        (r"\b([Ii]n) the year (\d{4})\b", r"\1 \2"),
        (r"\b([Ii]n) (1\d{3}|20\d\d)\b(?!s)", r"\1 the year \2"),
        (r"\b(\d{4})[–-](\d{4})\b", r"\1 to \2"),
        (r"\bthe (\d{4})s\b", lambda m: f"the years from {m[1]} to {int(m[1]) + 9}"),
    ):
        changed = re.sub(pattern, new, sentence, count=1)
        if changed != sentence:
            return changed
    return None


# "$5 flights" has no long form.
_AFTER_MONEY = r"(?=[.,;](?!\d)| (?:in|to|for|from|of|and|a|per|on|by|at|over|worth|as|since)\b)"


def quantities(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Amounts: "12 percent" <-> "12%", "$5 million" -> "5 million dollars", "1,000" -> "1000"."""
    options = [
        re.sub(r"(\d) ?%", r"\1 percent", sentence),
        re.sub(r"(\d) per ?cent\b", r"\1%", sentence),
        re.sub(r"\bper cent\b", "percent", sentence),
        re.sub(rf"(?<![\w$])\$(\d[\d.]*)( million| billion)?{_AFTER_MONEY}", r"\1\2 dollars", sentence),
        re.sub(r"(?<![\d,.$])(\d{1,3}),(\d{3})(?![\d,])", r"\1\2", sentence),
        re.sub(r"(?<![\d,.$])(\d{1,3})\.(\d) million\b", r"\1,\g<2>00,000", sentence),
        re.sub(r"(?<![\w,.-])(\d{2,3})(\d{3}) (?=[a-z])", r"\1,\2 ", sentence),
    ]
    options = [option for option in options if option != sentence]
    return choose(rng, options) if options else None


def ordinals(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Ordinals: "the 19th century" <-> "the nineteenth century"; not "first", which orders as often as it counts."""
    words = re.sub(
        r"\b(\d{1,2})(?:st|nd|rd|th)\b(?= [a-z])",
        lambda m: _ORDINAL_OF.get(int(m[1]), m[0]),
        sentence,
    )
    if words != sentence:
        return words
    pattern = "|".join(word for word, value in ORDINAL_WORDS.items() if value > 3)
    return _changed(sentence, re.sub(rf"\b({pattern})\b", lambda m: f"{ORDINAL_WORDS[m[1]]}th", sentence))


_CONTRACTED = (
    *((f"{verb} not", f"{verb}n't") for verb in "is are was were has have had do does did would could should".split()),
    ("cannot", "can't"),
    ("will not", "won't"),
    *((f"{who} {verb}", f"{who}'{short}")
      for who, verb, short in (("it", "is", "s"), ("he", "is", "s"), ("she", "is", "s"), ("they", "are", "re"),
                               ("we", "are", "re"), ("there", "is", "s"), ("they", "have", "ve"), ("we", "have", "ve"),
                               ("they", "had", "d"), ("he", "had", "d"), ("she", "had", "d"), ("it", "will", "ll"),
                               ("he", "will", "ll"), ("she", "will", "ll"), ("they", "will", "ll"))),
)  # fmt: skip
_SHORT, _LONG = {long: short for long, short in _CONTRACTED}, {short: long for long, short in _CONTRACTED}
_LONG_FORM = re.compile(rf"(?i)\b(?:{'|'.join(_SHORT)})\b(?=[ ][a-z])")
_SHORT_FORM = re.compile(rf"(?i)\b(?:{'|'.join(_LONG)})\b")


def contractions(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Short and long forms: "did not" <-> "didn't", "it is" <-> "it's"."""
    plain = sentence.replace("’", "'")
    # 's and 'd have two long forms each: only n't, 're, 've and 'll are spelled out.
    spelled = _SHORT_FORM.sub(lambda m: m[0] if m[0][-2:] in ("'s", "'d") else like(m[0], _LONG[m[0].lower()]), plain)
    if spelled != plain:
        return spelled
    return _changed(plain, _LONG_FORM.sub(lambda m: like(m[0], _SHORT[m[0].lower()]), plain))


def _spellings() -> dict[str, str]:
    found: dict[str, str] = {}
    for stems, endings in SPELLINGS:
        for british, american in (pair.split("/") for pair in stems.split()):
            for ending in endings.split("|"):
                found |= {british + ending: american + ending, american + ending: british + ending}
    return found


_SPELLED = _spellings()
_SPELLING = re.compile(rf"\b(?:{'|'.join(sorted(_SPELLED))})\b")


def spelling(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """British <-> American: "organised labour" <-> "organized labor"."""
    return _changed(sentence, _SPELLING.sub(lambda m: _SPELLED[m[0]], sentence))


def _changed(sentence: str, new: str) -> str | None:
    return new if new != sentence else None
