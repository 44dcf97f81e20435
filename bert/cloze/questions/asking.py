"""A sentence with a gap -> a question about its paragraph.

Cloze questions, by design: the sentence stands in the context, word for word but for the gap and the clauses that were
cut to shorten it, so answering is finding it again and reading off what fills the gap. That trains and measures span
prediction on any corpus without annotators; it says little about understanding, and a score on this set is not a score
on SQuAD. The gap becomes a question phrase in place ("Anna Grey moved to Paris in what year?"), so that the
uncased model sees ordinary words and the kind of answer.
"""

from __future__ import annotations

import re

from bert.cloze.english.capitals import WORD
from bert.cloze.english.persons import PERSON_BEFORE
from bert.cloze.english.words import FUNCTION_WORDS, WEEKDAYS
from bert.cloze.questions.answers import Answer

_CLAUSE_END = re.compile(r"[,;:] | [–—-] ")
_POSSESSIVE = re.compile(r"['’]s?(?= )")


def gap(sentence: str, answer: Answer, persons: frozenset[str]) -> str:
    """What to put in the gap: who, what, how many, how much money, what percentage, what year, what date, ...

    Args:
        persons: last words of the names that are persons' (`people`).
    """
    before, after = sentence[: answer.start], sentence[answer.end :]
    if answer.kind == "name":
        if _POSSESSIVE.match(after):
            return "whose"
        return "who" if answer.text.split()[-1] in persons or PERSON_BEFORE.search(before) else "what"
    if answer.kind == "date":
        return _date_phrase(answer.text)
    if answer.text[0] in "$£€":
        return "how much money"
    if answer.text.endswith(("%", "cent")):
        return "what percentage"
    following = re.match(r" ([a-z-]+)", after)
    return "how many" if following and following[1] not in FUNCTION_WORDS else "what number"


def _date_phrase(text: str) -> str:
    if text in WEEKDAYS:
        return "what day"
    if "centur" in text:
        return "what century"
    if re.fullmatch(r"\d{4}s", text):
        return "what decade"
    if re.fullmatch(r"\d{4}(?: ?[A-Z]+)?", text):
        return "what year"
    return "what date" if re.search(r"(?<!\d)\d{1,2}(?!\d)", text) else "what month"


def ask(sentence: str, answer: Answer, max_words: int, persons: frozenset[str] = frozenset()) -> str | None:
    """The question, of at most `max_words` without the gap; None where the gap's own clause is longer than that.

    >>> ask("In 1905 Anna Grey moved to Paris, where she died.", Answer("1905", 3, 7, "date"), 6)
    'In what year Anna Grey moved to Paris?'
    """
    start, end = _window(sentence, answer, max_words)
    left, right = sentence[start : answer.start], sentence[answer.end : end]
    if len(WORD.findall(left)) + len(WORD.findall(right)) > max_words:
        return None
    phrase = gap(sentence, answer, persons)
    text = left + phrase + (_POSSESSIVE.sub("", right, count=1) if phrase == "whose" else right)
    text = re.sub(r" \([^()]*\)", "", text) if "(" not in left or ")" in left else text
    text = text.strip(" ,;:–—-").removesuffix(".").rstrip(" ,;:")
    text = re.sub(r"^(?i:and|but|or) ", "", text)
    if text.count('"') % 2:  # the other mark went with its clause, or stands in another sentence
        text = text.replace('"', "")
    return text[:1].upper() + text[1:] + "?"


def _window(sentence: str, answer: Answer, max_words: int) -> tuple[int, int]:
    """The clauses around the answer, added to the right, then to the left, while they fit."""
    borders = [0, *(m.end() for m in _CLAUSE_END.finditer(sentence)), len(sentence)]
    borders = [b for b in borders if not answer.start < b <= answer.end or b == len(sentence)]
    first = max(i for i, b in enumerate(borders[:-1]) if b <= answer.start)
    last = first + 1

    def fits(first: int, last: int) -> bool:
        outside = sentence[borders[first] : answer.start] + " " + sentence[answer.end : borders[last]]
        return len(WORD.findall(outside)) <= max_words

    grown = True
    while grown:
        grown = False
        if last < len(borders) - 1 and fits(first, last + 1):
            last, grown = last + 1, True
        if first > 0 and fits(first - 1, last):
            first, grown = first - 1, True
    return borders[first], borders[last]
