"""What kind of thing an answer is, by simple rules: name, number, date or other.

The cloze set says the kind of each answer. SQuAD does not; there it is inferred from the answer's text, so that both
get scores by kind and a random guess of the right kind to be compared with. The rules are surface patterns of English
and err at the edges ("1500" people is a date, a sentence's first word may pass for a name):

    date    a year 1000-2099, a decade, a century, or a month's name with its day or year; ranges of these
    number  digits or a number word, with currency, per cent, magnitude; in an answer, whatever it counts may follow
    name    words that all start with a capital; lower-case connectors (of, de, ...) may stand between them; an answer
            may list several
    other   everything else
"""

from __future__ import annotations

import re

from bert.tasks.squad.data import Question

Span = tuple[int, int]

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_MONTH = rf"(?:{_MONTHS}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
# Not the head of "1,500", "$1500" or "1500.5".
_YEAR = r"(?<![\d$£€.,])(?:1\d{3}|20\d{2})(?:'?s)?(?![\d%]|[.,]\d)"
_ORDINAL = r"(?:\d{1,2}(?:st|nd|rd|th)|[a-z]+th|first|second|third)"
_CENTURY = rf"(?:(?:\d{{1,2}}[-–]|{_ORDINAL}(?:[-–]| (?:to|and) (?:the )?))?{_ORDINAL}[ -]centur(?:y|ies))"
_FULL_DATE = rf"(?:{_MONTH} {_DAY}(?:,? {_YEAR})?|(?:{_DAY} )?{_MONTH},? {_YEAR}|{_DAY} {_MONTH})"
# May and March alone are more often something else.
_LONE_MONTH = rf"\b(?!(?:May|March)\b)(?:{_MONTHS})\b"
_DATE = rf"(?:{_FULL_DATE}|{_CENTURY}|{_YEAR}|{_LONE_MONTH})(?: (?:BC|AD|BCE|CE)\b)?"
DATE = re.compile(rf"(?<!\w){_DATE}(?:(?: ?[-–—] ?| to | and | until )(?:{_DATE}|\d{{2}}\b))*(?!\w)")

_UNITS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
_TENS = "(?:twen|thir|for|fif|six|seven|eigh|nine)ty"
_NUMBER_WORD = rf"(?i:\b(?:{_TENS}(?:[- ](?:{_UNITS}))?|{_UNITS}|hundreds?|thousands?|millions?|billions?|dozens?)\b)"
_MAGNITUDE = r"(?: ?%| (?:per ?cent|hundred|thousand|million|billion|trillion)\b)"
_DIGITS = r"(?<!\w)[-–]?(?:US)?[$£€]? ?\d+(?:[.,:/]\d+)*(?:st|nd|rd|th)?(?![^\W_])"
_NUMBER = rf"(?:{_DIGITS}|{_NUMBER_WORD})"
NUMBER = re.compile(rf"{_NUMBER}{_MAGNITUDE}*(?:(?: ?[-–—] ?| to | and ){_NUMBER}{_MAGNITUDE}*)*")

# The capitals of Latin, Greek and Cyrillic.
_CAPITAL = "[" + "".join(letter for letter in map(chr, range(0x530)) if letter.isupper()) + "]"
# A full stop belongs to initials and titles; elsewhere it ends the sentence, and the name.
_ABBREVIATION = rf"(?:(?:{_CAPITAL}\.)+|(?:Mr|Mrs|Ms|Dr|St|Mt|Ft|Jr|Sr|Rev|Prof|Gen|Col|Capt|Lt|Sgt|Sen|Gov|Inc|Ltd)\.)"
_CAPITALISED = rf"(?:{_ABBREVIATION}|{_CAPITAL}\w*(?:[.'’&-]\w+)*)"
_CONNECTOR = r"(?:of|the|for|in|on|de|del|della|der|den|di|da|du|des|la|le|van|von|ibn|al|bin|y|&)"
_NAME = rf"{_CAPITALISED}(?: (?:{_CONNECTOR} ){{0,2}}(?:{_CAPITALISED}|\d+\b))*"
NAME = re.compile(rf"(?<!\w){_NAME}")
NAMES = re.compile(rf"{_NAME}(?:(?:,? and|,) (?:the )?{_NAME})*")

# Words that carry a capital because they open a sentence.
_OPENERS = """
    a after all also although an and another as at because before between both but by during each even every few first
    for from he her here his how however i if in into it its later many more most much my no not of on once one only or
    other our over she since so some such than that the their then there these they this those though through to two
    under until upon we what when where whether which while who whose why with within you your
"""
OPENERS = frozenset(_OPENERS.split())
_LEADING_WORDS = re.compile(
    r"(?i:(?:the|an?|in|on|at|by|from|to|of|about|around|approximately|nearly|almost|over|under|more than|less than|at "
    r"least|up to|some|only|early|late|mid|circa|c\.|since|until|after|before|during|between)[ -])+"
)


def answer_type(question: Question) -> str:
    """The kind of a question's answer: as its file says, else inferred from the first answer; none: "no answer"."""
    if question.answer_type is not None:
        return question.answer_type
    return infer_type(question.answers[0][0]) if question.answers else "no answer"


def infer_type(answer: str) -> str:
    """The kind of an answer: "in May 1914" -> date, "about 40 km" -> number, "the Duke of York" -> name."""
    core = answer.strip().strip("\"'“”‘’()[],;:").rstrip(".")
    bare = _LEADING_WORDS.sub("", core, count=1) if _LEADING_WORDS.match(core) else core
    if DATE.fullmatch(bare):
        return "date"
    if NUMBER.match(bare):
        return "number"
    if NAMES.fullmatch(bare) or NAMES.fullmatch(answer.strip()):
        return "name"
    return "other"


def find_spans(context: str, kind: str) -> list[Span] | None:
    """Where the context has things of a kind, as (start, end) characters; None for a kind without a rule ("other").

    Numbers that are part of a date are no numbers; a sentence's opening word is no part of a name.
    """
    if kind == "date":
        return [match.span() for match in DATE.finditer(context)]
    if kind == "number":
        dates = [match.span() for match in DATE.finditer(context)]
        numbers = [match.span() for match in NUMBER.finditer(context)]
        return [span for span in numbers if not any(span[0] < end and start < span[1] for start, end in dates)]
    if kind == "name":
        return [
            span for match in NAME.finditer(context) if (span := _without_openers(context, match.span())) is not None
        ]
    return None


def _without_openers(context: str, span: Span) -> Span | None:
    """The span without the opening words at its head; None if nothing is left."""
    start, end = span
    while start < end:
        word = re.match(r"\S+\s*", context[start:end])
        if word is None or word[0].strip().lower() not in OPENERS:
            return (start, end)
        start += len(word[0])
    return None
